//! The run log: everything that entered and left the core of one run, in an MCAP file that Foxglove and Rerun open.
//!
//! All messages are protobuf (`wire/roarm.proto`), since both viewers read it by its descriptor, it keeps every bit of a number, and it
//! is an eighth of the same as JSON. Pictures are Foxglove's own messages: PNG for RGB, raw for what a camera sends as YUV.
//!
//! The file only grows. Messages stand in chunks with a checksum; [`RunLogWriter::flush`] closes one, [`RunLogWriter::sync`] brings it to
//! the disk. Whatever happens to the program, all closed chunks can be read: [`RunLogReader`] gives the records of chunks whose checksum
//! holds and says at the end what is missing ([`LogState`]). [`repair`] copies them into a file that is whole again.

mod container;
mod convert;
mod error;
mod file;
mod picture;
mod reader;
mod records;
mod repair;
mod summary;
#[cfg(test)]
mod tests;
mod wire;
mod writer;

pub use error::{RunLogError, WriteFailed};
pub use file::{LogFile, Syncer, create_log_file, log_file_name};
pub use picture::EncodedPicture;
pub use reader::{LogState, RunLogReader};
pub use records::{
    CameraRecord, ChunkRecord, ControlRecord, EndRecord, FORMAT, FileHash, FormatVersion, FrameRecord,
    LossRecord, NoticeLevel, NoticeRecord, ObservationRecord, PolicyRecord, Record, RunRecord,
};
pub use repair::{RepairReport, repair};
pub use summary::{CameraSummary, LogSummary, summarise};
pub use writer::RunLogWriter;
