//! Pictures out of the MP4 files of a dataset, and into them.

mod av1;
mod decoded_cache;
mod decoder;
mod encoder;
mod h264;
mod mp4;
mod mp4_writer;
mod picture;
mod reader;
mod sample_table;
mod writer;

pub use reader::VideoReader;
pub use writer::VideoWriter;
