//! Values that all rooms share: time, joints, frames, observations, chunks, commands.

mod chunk;
mod command;
mod feedback;
mod frame;
mod observation;
mod picture;
mod real_time_chunking;
mod stillness;
mod summary;
mod time;
mod travel;

pub use calibration::{DatasetAngles, JOINT_COUNT, Joint, JointAngles};
pub use chunk::{Chunk, ChunkOverflow, MAX_HORIZON};
pub use command::{CommandWritten, JointCommand};
pub use feedback::FeedbackSample;
pub use frame::{Frame, FrameMetadata, FramePool, PixelBuffer};
pub use observation::{FrameSet, MAX_CAMERAS, ObservationRequest};
pub use picture::{Picture, PixelLayout};
pub use real_time_chunking::{
    Continuation, PrefixAttentionSchedule, RealTimeChunking, ShortLeftOver, UnknownSchedule,
};
pub use stillness::StillnessDetector;
pub use summary::{ChunkTimes, RunSummary, TickJitter};
pub use time::Timestamp;
pub use travel::Travel;
