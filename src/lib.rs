//! `roarm` runs SmolVLA policies on a Waveshare RoArm-M3 arm: camera frames in, joint commands out, every tick accounted for.
//!
//! The rooms, from the bottom up; arrows point down only (`cargo xtask layers` checks it):
//!
//! | room | one rule |
//! | --- | --- |
//! | [`config`] | a file's text in, checked settings out; read by `cli` only |
//! | [`types`] | values that all rooms share; no behaviour beyond their own arithmetic |

pub mod camera;
pub mod config;
pub mod types;
