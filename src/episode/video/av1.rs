//! AV1 through `re_rav1d`.

use re_rav1d::{Decoder as Rav1d, PixelLayout, PlanarImageComponent, Settings};

use super::decoder::{Decoder, PictureSink};
use super::picture::Picture;

pub(super) struct Av1Decoder {
    rav1d: Rav1d,
    /// Sent before the first sample after a start: it may hold the only sequence header.
    config_obus: Vec<u8>,
    fresh: bool,
}

impl Av1Decoder {
    pub(super) fn new(config_obus: Vec<u8>, max_pixels: u32) -> Result<Self, String> {
        let mut settings = Settings::new();
        // One thread: a picture comes out as soon as its sample went in, and other threads keep their cores.
        settings.set_n_threads(1);
        settings.set_max_frame_delay(1);
        settings.set_frame_size_limit(max_pixels);
        let rav1d = Rav1d::with_settings(&settings).map_err(|error| error.to_string())?;
        Ok(Self { rav1d, config_obus, fresh: true })
    }

    fn send(&mut self, data: Vec<u8>, sink: &mut PictureSink<'_>) -> Result<(), String> {
        let mut sent = self.rav1d.send_data(data, None, None, None);
        // "Again" means that pictures must come out first.
        loop {
            match sent {
                Ok(()) => return self.take_pictures(sink).map(|_| ()),
                Err(error) if error.is_again() => {
                    let taken = self.take_pictures(sink)?;
                    sent = self.rav1d.send_pending_data();
                    if taken == 0 && sent.as_ref().is_err_and(re_rav1d::Error::is_again) {
                        return Err("the AV1 decoder takes no more data".to_owned());
                    }
                }
                Err(error) => return Err(format!("AV1: {error}")),
            }
        }
    }

    fn take_pictures(&mut self, sink: &mut PictureSink<'_>) -> Result<usize, String> {
        for taken in 0.. {
            let picture = match self.rav1d.get_picture() {
                Ok(picture) => picture,
                Err(error) if error.is_again() => return Ok(taken),
                Err(error) => return Err(format!("AV1: {error}")),
            };
            if picture.bit_depth() != 8 || picture.pixel_layout() != PixelLayout::I420 {
                return Err(format!(
                    "it is {}-bit {:?}, only 8-bit 4:2:0 is decoded here",
                    picture.bit_depth(),
                    picture.pixel_layout()
                ));
            }
            let [luma, u, v] = [PlanarImageComponent::Y, PlanarImageComponent::U, PlanarImageComponent::V]
                .map(|c| picture.plane(c));
            sink(&Picture {
                width: picture.width(),
                height: picture.height(),
                luma: &luma,
                luma_stride: picture.stride(PlanarImageComponent::Y),
                chroma: [&u, &v],
                chroma_stride: picture.stride(PlanarImageComponent::U),
                full_range: picture.color_range() == re_rav1d::pixel::YUVRange::Full,
            })?;
        }
        Ok(0)
    }
}

impl Decoder for Av1Decoder {
    fn decode(&mut self, sample: Vec<u8>, sink: &mut PictureSink<'_>) -> Result<(), String> {
        if self.fresh && !self.config_obus.is_empty() {
            let mut first = self.config_obus.clone();
            first.extend_from_slice(&sample);
            self.fresh = false;
            return self.send(first, sink);
        }
        self.send(sample, sink)
    }

    fn finish(&mut self, sink: &mut PictureSink<'_>) -> Result<(), String> {
        self.take_pictures(sink).map(|_| ())
    }

    fn reset(&mut self) -> Result<(), String> {
        self.rav1d.flush();
        self.fresh = true;
        Ok(())
    }
}
