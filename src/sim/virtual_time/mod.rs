//! The virtual-time shell: core, link, board, camera and policy on one logical clock.
//!
//! Nothing here reads a clock or starts a thread, so a run is faster than real time and the same seed and inputs give the same
//! bytes. A chunk arrives a declared latency after it was asked for, whatever the inference really took.

mod cameras;
mod shell;

pub use cameras::StateSetter;
pub use shell::{SHOWN_PERIOD, VirtualCell, VirtualEnd, VirtualError, VirtualParts, run};
