//! `roarm` runs SmolVLA policies on a Waveshare RoArm-M3 arm: camera frames in, joint commands out, every tick accounted for.
//!
//! The rooms, from the bottom up; arrows point down only (`cargo xtask layers` checks it):
//!
//! | room | one rule |
//! | --- | --- |
//! | [`types`] | values that all rooms share; no behaviour beyond their own arithmetic |
//! | [`arm`] | the arm behind a serial port: whole lines out, newest feedback in, one command a frame |

pub mod arm;
pub mod camera;
pub mod control;
pub mod sim;
pub mod types;
