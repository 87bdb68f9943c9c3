//! `roarm` runs SmolVLA policies on a Waveshare RoArm-M3 arm: camera frames in, joint commands out, every tick accounted for.
//!
//! The rooms, from the top down; arrows point down only (`cargo xtask layers` checks it):
//!
//! | room | one rule |
//! | --- | --- |
//! | [`cli`] | raw flags become a checked plan; the only room that speaks to the terminal or reads the environment |
//! | [`config`] | `roarm.toml` becomes a checked value, or an error that names the line and the fix |
//! | [`inject`] | the fault drill: wrappers at existing ports, absent from a run that did not ask for them |
//! | [`runtime`] | the live shell: threads that meet control in wait-free mailboxes only |
//! | [`replay`] | what was recorded, by the same core: an episode moves an arm, a run is compared bit by bit |
//! | [`sim`] | the simulated cell and the virtual-time shell: offers ports, never knows who uses them |
//! | [`control`] | the core: no I/O, clock, thread, lock, allocation or randomness |
//! | [`policy`] | numbers are judged by what PyTorch wrote; no provider is replaced silently |
//! | [`arm`] | one owner of the port; whole lines only; nothing is ever sent late |
//! | [`camera`] | the newest frame wins; a frame that is old is an error, not a picture |
//! | [`episode`] | never trust an index: check, and say what is wrong and where |
//! | [`types`] | values that all rooms share; no behaviour beyond their own arithmetic |

pub mod arm;
pub mod camera;
pub mod cli;
pub mod config;
pub mod control;
pub mod episode;
pub mod inject;
pub mod policy;
pub mod replay;
pub mod runtime;
pub mod sim;
pub mod types;
