//! What the board sends: bytes -> lines -> values.

mod frame;
pub mod health;
mod line;
mod object;
mod split;

pub use frame::{BusFault, Feedback, FeedbackError, FeedbackKey, FeedbackShape, TorqueSwitch};
pub use line::{Line, parse_line};
pub use split::LineSplitter;
