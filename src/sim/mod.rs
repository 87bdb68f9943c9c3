//! The simulated cell: a virtual board on a pseudo-terminal (also on TCP and HTTP), and a camera that sees the arm it moves.
//!
//! The runtime does not know that either is simulated: the board speaks over a serial device, the camera is a
//! [`FrameGenerator`](crate::camera::FrameGenerator). The servos are the virtual board's own
//! ([`firmware_protocol::emulator`]); [`scene`] says what stands where, [`renderer`] draws it.

mod arm_pose;
mod cell_camera;
mod error;
pub mod renderer;
pub mod scene;
pub mod virtual_board;
pub mod virtual_time;

pub use arm_pose::ArmPose;
pub use cell_camera::{CellCamera, CellOptions, PoseReader};
pub use error::SimError;
pub use virtual_board::{LoggedLine, VirtualBoard, VirtualBoardOptions};
