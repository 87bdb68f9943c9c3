//! The safety rules judged by what reached a virtual board as bytes.
//!
//! [`rig`] joins the core to the firmware's emulator over a link that is paced as on G1 or G3, [`script`] makes random scripts of
//! everything that can happen, [`judge`] holds the rules against the log.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod following;
mod gliding;
mod judge;
mod random_scripts;
mod rig;
mod script;
