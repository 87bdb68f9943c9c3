//! One face for the decoders.

use super::av1::Av1Decoder;
use super::h264::H264Decoder;
use super::mp4::Codec;
use super::picture::Picture;

/// What a decoder does with each picture that it has ready.
pub(super) type PictureSink<'a> = dyn FnMut(&Picture<'_>) -> Result<(), String> + 'a;

/// Turns samples into pictures. Errors are the decoder's own words.
pub(super) trait Decoder: Send {
    /// Decodes one sample; pictures come out in presentation order, perhaps later than their samples.
    fn decode(&mut self, sample: Vec<u8>, sink: &mut PictureSink<'_>) -> Result<(), String>;

    /// Gives out the pictures that are still inside. The next sample must be a keyframe.
    fn finish(&mut self, sink: &mut PictureSink<'_>) -> Result<(), String>;

    /// Forgets everything. The next sample must be a keyframe.
    fn reset(&mut self) -> Result<(), String>;
}

/// A decoder for pictures of at most `max_pixels`.
pub(super) fn decoder(codec: &Codec, max_pixels: u32) -> Result<Box<dyn Decoder>, String> {
    Ok(match codec {
        Codec::Av1 { config_obus } => Box::new(Av1Decoder::new(config_obus.clone(), max_pixels)?),
        Codec::H264 { length_size, parameter_sets } => {
            Box::new(H264Decoder::new(*length_size, parameter_sets.clone())?)
        }
    })
}
