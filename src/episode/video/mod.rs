//! Pictures out of the MP4 files of a dataset.

mod av1;
mod decoder;
mod h264;
mod mp4;
mod picture;
mod reader;
mod sample_table;

pub use reader::VideoReader;
