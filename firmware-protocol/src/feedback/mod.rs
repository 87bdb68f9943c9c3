//! What the board sends: bytes -> lines -> values.

mod frame;
mod line;
mod object;
mod split;

pub use frame::{BusFault, Feedback, FeedbackError, FeedbackKey, FeedbackShape, TorqueSwitch};
pub use line::{Line, parse_line};
pub use split::LineSplitter;
