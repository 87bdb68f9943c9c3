//! H.264 through `openh264`.

use openh264::OpenH264API;
use openh264::decoder::{DecodedYUV, Decoder as OpenH264, DecoderConfig, Flush};
use openh264::formats::YUVSource;

use super::decoder::{Decoder, PictureSink};
use super::picture::Picture;

pub(super) struct H264Decoder {
    openh264: OpenH264,
    length_size: usize,
    /// Annex B; sent with the first sample after a start.
    parameter_sets: Vec<u8>,
    fresh: bool,
}

impl H264Decoder {
    pub(super) fn new(length_size: usize, parameter_sets: Vec<u8>) -> Result<Self, String> {
        Ok(Self { openh264: open()?, length_size, parameter_sets, fresh: true })
    }

    /// From length-prefixed NAL units, as MP4 stores them, to start codes, as the decoder reads them.
    fn annex_b(&self, sample: &[u8]) -> Result<Vec<u8>, String> {
        let mut stream = if self.fresh { self.parameter_sets.clone() } else { Vec::new() };
        stream.reserve(sample.len() + 16);
        let mut rest = sample;
        while !rest.is_empty() {
            let (length, tail) =
                rest.split_at_checked(self.length_size).ok_or("H.264: a NAL unit is cut short")?;
            let length = length.iter().fold(0_usize, |length, byte| length << 8 | usize::from(*byte));
            let (unit, tail) =
                tail.split_at_checked(length).ok_or("H.264: a NAL unit is longer than its sample")?;
            stream.extend_from_slice(&[0, 0, 0, 1]);
            stream.extend_from_slice(unit);
            rest = tail;
        }
        Ok(stream)
    }
}

fn open() -> Result<OpenH264, String> {
    // Without a flush after each sample the decoder puts B-frames in order; it gives the last ones out at `finish`.
    let config = DecoderConfig::new().flush_after_decode(Flush::NoFlush);
    OpenH264::with_api_config(OpenH264API::from_source(), config).map_err(|error| format!("H.264: {error}"))
}

fn hand_out(decoded: &DecodedYUV<'_>, sink: &mut PictureSink<'_>) -> Result<(), String> {
    let (width, height) = decoded.dimensions();
    let (luma_stride, chroma_stride, _) = decoded.strides();
    let narrow = |value: usize| u32::try_from(value).map_err(|error| error.to_string());
    sink(&Picture {
        width: narrow(width)?,
        height: narrow(height)?,
        luma: decoded.y(),
        luma_stride: narrow(luma_stride)?,
        chroma: [decoded.u(), decoded.v()],
        chroma_stride: narrow(chroma_stride)?,
        full_range: false,
    })
}

impl Decoder for H264Decoder {
    fn decode(&mut self, sample: Vec<u8>, sink: &mut PictureSink<'_>) -> Result<(), String> {
        let stream = self.annex_b(&sample)?;
        self.fresh = false;
        match self.openh264.decode(&stream).map_err(|error| format!("H.264: {error}"))? {
            Some(decoded) => hand_out(&decoded, sink),
            None => Ok(()),
        }
    }

    fn finish(&mut self, sink: &mut PictureSink<'_>) -> Result<(), String> {
        let rest = self.openh264.flush_remaining().map_err(|error| format!("H.264: {error}"))?;
        rest.iter().try_for_each(|decoded| hand_out(decoded, sink))
    }

    fn reset(&mut self) -> Result<(), String> {
        self.openh264 = open()?;
        self.fresh = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn lengths_become_start_codes_and_parameter_sets_come_first_once() {
        let mut decoder = H264Decoder::new(2, vec![0, 0, 0, 1, 0x67]).unwrap();
        let sample = [0, 2, 0xaa, 0xbb, 0, 1, 0xcc];
        assert_eq!(
            decoder.annex_b(&sample).unwrap(),
            [0, 0, 0, 1, 0x67, 0, 0, 0, 1, 0xaa, 0xbb, 0, 0, 0, 1, 0xcc]
        );
        decoder.fresh = false;
        assert_eq!(decoder.annex_b(&sample[..4]).unwrap(), [0, 0, 0, 1, 0xaa, 0xbb]);
        assert!(decoder.annex_b(&sample[..3]).unwrap_err().contains("longer than its sample"));
        assert!(decoder.annex_b(&sample[..1]).unwrap_err().contains("cut short"));
    }
}
