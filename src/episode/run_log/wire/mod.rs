//! The messages of a log as they stand in the file: protobuf, made from `roarm.proto` and `foxglove.proto`.
//!
//! `ROARM_WRITE_MESSAGES=1 cargo test -p roarm --lib run_log::wire` makes the Rust structs and descriptors anew.

#[allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::all,
    clippy::pedantic,
    reason = "made by prost-build"
)]
pub(super) mod foxglove {
    include!("foxglove.rs");
}

#[allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::all,
    clippy::pedantic,
    reason = "made by prost-build"
)]
pub(super) mod messages {
    include!("roarm.rs");
}

#[cfg(test)]
mod tests;

pub(super) use messages::*;

/// What a viewer needs to read the messages of `roarm.proto`: a `google.protobuf.FileDescriptorSet`.
pub(super) const ROARM_DESCRIPTORS: &[u8] = include_bytes!("roarm.binpb");
/// The same for `foxglove.proto` and the time stamp that it imports.
pub(super) const FOXGLOVE_DESCRIPTORS: &[u8] = include_bytes!("foxglove.binpb");

/// A message that has a topic of its own.
pub(super) trait Topical: prost::Message {
    /// Its full name, which is that of its schema.
    const SCHEMA: &'static str;
    /// The descriptors of its file.
    const DESCRIPTORS: &'static [u8];
}

macro_rules! topical {
    ($($message:ty = $name:literal in $descriptors:ident),* $(,)?) => {$(
        impl Topical for $message {
            const SCHEMA: &'static str = $name;
            const DESCRIPTORS: &'static [u8] = $descriptors;
        }
    )*};
}

topical! {
    Run = "roarm.Run" in ROARM_DESCRIPTORS,
    Control = "roarm.Control" in ROARM_DESCRIPTORS,
    Observation = "roarm.Observation" in ROARM_DESCRIPTORS,
    Chunk = "roarm.Chunk" in ROARM_DESCRIPTORS,
    Frame = "roarm.Frame" in ROARM_DESCRIPTORS,
    Lost = "roarm.Lost" in ROARM_DESCRIPTORS,
    End = "roarm.End" in ROARM_DESCRIPTORS,
    foxglove::CompressedImage = "foxglove.CompressedImage" in FOXGLOVE_DESCRIPTORS,
    foxglove::RawImage = "foxglove.RawImage" in FOXGLOVE_DESCRIPTORS,
    foxglove::Log = "foxglove.Log" in FOXGLOVE_DESCRIPTORS,
}
