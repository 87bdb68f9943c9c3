//! The simulated cell, the emulated arm behind a pseudo-terminal, and the virtual-time shell.

pub mod renderer;
pub mod scene;
pub mod virtual_time;
