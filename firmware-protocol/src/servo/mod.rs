//! Quantities of a servo as commands carry them, each in its own unit. A value that exists can be sent.
//!
//! | type | unit on the wire | T |
//! |---|---|---|
//! | [`ServoSpeed`] | steps/s | 101, 102, 106 |
//! | [`ServoAcceleration`] | 100 steps/s² | 101, 102, 106 |
//! | [`DegreeSpeed`] | °/s, whole | 121, 122 |
//! | [`DegreeAcceleration`] | nominally °/s², really about 100 °/s² | 121, 122 |
//! | [`TorqueLimit`] | 0.1 % | 107, 112 |
//! | [`Gain`] | register units | 108, 503 |
//! | [`ServoId`] | bus id | 501-503 |

mod degrees;
mod registers;
mod steps;

pub use degrees::{DegreeAcceleration, DegreeSpeed};
pub use registers::{Gain, ServoId, TorqueLimit};
pub use steps::{ServoAcceleration, ServoSpeed};
