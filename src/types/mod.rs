//! Values that all rooms share: time, joints, frames, observations, chunks, commands.

mod chunk;
mod command;
mod feedback;
mod frame;
mod library_panic;
mod link_status;
mod observation;
mod parked;
mod perturbation;
mod picture;
mod playback;
mod real_time_chunking;
mod stillness;
mod summary;
mod time;
mod timed_fault;
mod travel;

pub use calibration::{DatasetAngles, JOINT_COUNT, Joint, JointAngles};
pub use chunk::{Chunk, ChunkOverflow, MAX_HORIZON};
pub use command::{CommandWritten, JointCommand, ServoProfile};
pub use feedback::FeedbackSample;
pub use frame::{Frame, FrameMetadata, FramePool, PixelBuffer};
pub(crate) use library_panic::without_panic;
pub use link_status::LinkStatus;
pub use observation::{FrameSet, MAX_CAMERAS, ObservationRequest};
pub use parked::Parked;
pub use perturbation::StatePerturbation;
pub use picture::{Picture, PixelLayout};
pub use playback::Playback;
pub use real_time_chunking::{
    Continuation, PrefixAttentionSchedule, RealTimeChunking, ShortLeftOver, UnknownSchedule,
};
pub use stillness::StillnessDetector;
pub use summary::{ChunkTimes, InferenceSummary, MotionSummary, RunSummary, StageTimes, TickJitter, ZRange};
pub use time::Timestamp;
pub use timed_fault::{TimedFault, TimedFaultError};
pub use travel::Travel;
