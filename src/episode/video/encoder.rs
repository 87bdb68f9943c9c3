//! H.264 out of RGB pictures, through `openh264`.

use openh264::OpenH264API;
use openh264::encoder::{
    Complexity, Encoder, EncoderConfig, FrameRate, FrameType, IntraFramePeriod, QpRange, RateControlMode,
    UsageType,
};
use openh264::formats::YUVSource;
use yuv::{BufferStoreMut, YuvConversionMode, YuvPlanarImageMut, YuvRange, YuvStandardMatrix};

/// What a video is for decides how it is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::episode) struct EncoderSettings {
    /// Every which picture can be decoded without the one before.
    keyframe_every: u32,
    /// 0 (best) to 51.
    quantiser: u8,
}

impl EncoderSettings {
    /// For training, which reads single frames: LeRobot's own distance of keyframes; about 40 dB on a camera's pictures.
    pub(in crate::episode) const DATASET: Self = Self { keyframe_every: 2, quantiser: 18 };
    /// For people to watch.
    pub(in crate::episode) const FILM: Self = Self { keyframe_every: 30, quantiser: 24 };
}

/// One encoded picture.
#[derive(Debug, Default)]
pub(in crate::episode) struct EncodedPicture {
    /// NAL units with a length of four bytes before each, parameter sets left out.
    pub(in crate::episode) sample: Vec<u8>,
    pub(in crate::episode) keyframe: bool,
}

/// Encodes pictures of one size. All of it is in memory; nothing is delayed.
pub(in crate::episode) struct H264Encoder {
    encoder: Encoder,
    planes: Planes,
    /// Sequence and picture parameter set, as the first keyframe states them.
    parameter_sets: Option<(Vec<u8>, Vec<u8>)>,
}

/// Three planes, chroma at half size both ways.
struct Planes {
    width: usize,
    height: usize,
    luma: Vec<u8>,
    chroma: [Vec<u8>; 2],
}

impl H264Encoder {
    /// An encoder for pictures of this size; both numbers have to be even, as 4:2:0 wants it.
    pub(in crate::episode) fn new(
        width: u32,
        height: u32,
        fps: f64,
        settings: EncoderSettings,
    ) -> Result<Self, String> {
        if !width.is_multiple_of(2) || !height.is_multiple_of(2) || width < 16 || height < 16 {
            return Err(format!("pictures of {width}x{height}: H.264 4:2:0 needs even sizes of 16 and more"));
        }
        let config = EncoderConfig::new()
            .usage_type(UsageType::CameraVideoRealTime)
            .rate_control_mode(RateControlMode::Quality)
            // The quantiser decides alone: no rate is aimed at.
            .bitrate(openh264::encoder::BitRate::from_bps(200_000_000))
            .qp(QpRange::new(settings.quantiser, settings.quantiser))
            .max_frame_rate(FrameRate::from_hz(fps as f32))
            .complexity(Complexity::Low)
            .skip_frames(false)
            .scene_change_detect(false)
            .adaptive_quantization(false)
            .background_detection(false)
            .intra_frame_period(IntraFramePeriod::from_num_frames(settings.keyframe_every))
            // One thread: the caller decides what runs beside it.
            .num_threads(1);
        let encoder = Encoder::with_api_config(OpenH264API::from_source(), config)
            .map_err(|error| error.to_string())?;
        let (width, height) = (width as usize, height as usize);
        let chroma = || vec![0; width / 2 * (height / 2)];
        let planes = Planes { width, height, luma: vec![0; width * height], chroma: [chroma(), chroma()] };
        Ok(Self { encoder, planes, parameter_sets: None })
    }

    /// Encodes one picture, RGB rows without padding.
    pub(in crate::episode) fn encode(&mut self, rgb: &[u8]) -> Result<EncodedPicture, String> {
        self.planes.fill(rgb)?;
        let stream = self.encoder.encode(&self.planes).map_err(|error| error.to_string())?;
        let keyframe = match stream.frame_type() {
            FrameType::IDR => true,
            FrameType::I | FrameType::P | FrameType::IPMixed => false,
            FrameType::Invalid | FrameType::Skip => return Err("the encoder left the picture out".to_owned()),
        };
        let mut picture = EncodedPicture { sample: Vec::new(), keyframe };
        let (mut sequence, mut parameters) = (None, None);
        for layer in (0..stream.num_layers()).filter_map(|layer| stream.layer(layer)) {
            for unit in (0..layer.nal_count()).filter_map(|unit| layer.nal_unit(unit)) {
                let unit = unit
                    .strip_prefix(&[0, 0, 0, 1])
                    .or_else(|| unit.strip_prefix(&[0, 0, 1]))
                    .unwrap_or(unit);
                match unit.first().map(|header| header & 0x1f) {
                    Some(7) => sequence = Some(unit.to_vec()),
                    Some(8) => parameters = Some(unit.to_vec()),
                    Some(_) => {
                        let length = u32::try_from(unit.len()).map_err(|error| error.to_string())?;
                        picture.sample.extend_from_slice(&length.to_be_bytes());
                        picture.sample.extend_from_slice(unit);
                    }
                    None => {}
                }
            }
        }
        if let Some(sets) = sequence.zip(parameters) {
            match &self.parameter_sets {
                Some(known) if *known != sets => {
                    return Err("the encoder changed its parameter sets".to_owned());
                }
                _ => self.parameter_sets = Some(sets),
            }
        }
        Ok(picture)
    }

    /// Sequence and picture parameter set, once a picture was encoded.
    pub(in crate::episode) fn parameter_sets(&self) -> Option<(&[u8], &[u8])> {
        self.parameter_sets.as_ref().map(|(sequence, picture)| (sequence.as_slice(), picture.as_slice()))
    }
}

impl Planes {
    fn fill(&mut self, rgb: &[u8]) -> Result<(), String> {
        let (width, height) = (self.width as u32, self.height as u32);
        let [u, v] = &mut self.chroma;
        let mut image = YuvPlanarImageMut {
            y_plane: BufferStoreMut::Borrowed(&mut self.luma),
            y_stride: width,
            u_plane: BufferStoreMut::Borrowed(u),
            u_stride: width / 2,
            v_plane: BufferStoreMut::Borrowed(v),
            v_stride: width / 2,
            width,
            height,
        };
        // BT.601, limited range: what LeRobot's encoder writes and its readers assume.
        yuv::rgb_to_yuv420(
            &mut image,
            rgb,
            width * 3,
            YuvRange::Limited,
            YuvStandardMatrix::Bt601,
            YuvConversionMode::Balanced,
        )
        .map_err(|error| error.to_string())
    }
}

impl YUVSource for Planes {
    fn dimensions(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    fn strides(&self) -> (usize, usize, usize) {
        (self.width, self.width / 2, self.width / 2)
    }

    fn y(&self) -> &[u8] {
        &self.luma
    }

    fn u(&self) -> &[u8] {
        &self.chroma[0]
    }

    fn v(&self) -> &[u8] {
        &self.chroma[1]
    }
}
