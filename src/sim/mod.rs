//! The simulated cell: a virtual board on a pseudo-terminal (also on TCP and HTTP), and a camera that sees the arm it moves.
//!
//! The runtime does not know that either is simulated: the board speaks over a serial device, the camera is a
//! [`FrameGenerator`](crate::camera::FrameGenerator). The servos are the virtual board's own
//! ([`firmware_protocol::emulator`]); [`scene`] says what stands where at the start, [`cell`] what the hand does to the boxes (or another
//! program does, in contact physics: [`PhysicsProgram`]), [`renderer`] draws it. [`expert`] knows where the boxes are and picks them up; [`demonstration`] makes training data of that.

mod arm_pose;
pub mod cell;
mod cell_camera;
mod cell_world;
pub mod demonstration;
mod error;
pub mod expert;
mod physics;
pub mod renderer;
pub mod scene;
pub mod virtual_board;
pub mod virtual_time;

pub use arm_pose::{ArmPose, SharedCell};
pub use cell_camera::{CellCamera, CellOptions, StateReader};
pub use cell_world::{CELL_STEP, CellWorld};
pub use error::SimError;
pub use physics::{PHYSICS_STEP, PhysicsProgram};
pub use virtual_board::{LoggedLine, VirtualBoard, VirtualBoardOptions};
