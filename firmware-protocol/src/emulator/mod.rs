//! A virtual board: bytes in, bytes out, on a clock that only [`Board::advance`] moves.
//!
//! It is the firmware's loop with the time that each part takes, not a set of answers: commands are picked up when a loop
//! pass comes to them, feedback is as old as scan and wire make it, a command that blocks makes the board deaf, and what
//! then overflows the receive ring is lost. Equal calls give equal bytes; how the time is cut into calls makes no
//! difference.
//!
//! [`BoardOptions`] lists what is not known of the real board and what stands in for it; [`ServoOptions::stock`] is the arm as
//! delivered, the default [`ServoOptions::clean`] has next to no sag and dead zone. Faults are inputs: [`Board::set_dead`],
//! [`Board::set_stuck`], [`Board::set_supply_volt`], [`Board::control_lines`], [`Board::set_contact`],
//! [`Board::set_external_torque`]. Another simulator may compute how the joints move: [`Board::drives`].
//!
//! ```
//! use core::time::Duration;
//! use firmware_protocol::emulator::{Board, BoardOptions};
//! use firmware_protocol::{Generation, Line, parse_line};
//!
//! let mut board = Board::new(BoardOptions::new(Generation::G1));
//! board.receive(b"{\"T\":605,\"cmd\":0}\n{\"T\":105}\n");
//! board.advance(Duration::from_millis(200));
//! let mut bytes = Vec::new();
//! board.transmit(&mut bytes);
//! let last = bytes.split(|&byte| byte == b'\n').rev().nth(1).unwrap_or_default();
//! assert!(matches!(parse_line(last), Line::Feedback(_)));
//! ```
//!
//! | T | here |
//! |---|---|
//! | 0, 999 | G1: torque off for 10 s, deaf. G3: flag, queue flushed, also found in the byte stream as `"T":0` |
//! | 100 | homing routine with its waits |
//! | 101, 102, 106, 121, 122 | joint goals in rad or degrees, with the firmware's conversions, clamps and wraps |
//! | 105 | scan, then one T:1051 |
//! | 107, 108, 109, 112 | torque limits and gains |
//! | 111 | blocks |
//! | 210 | torque of all; G3 folds the arm first |
//! | 113, 114, 115 | 12 V outputs, see [`Board::switch_outputs`] |
//! | 200-208, 601, 603 | files in flash with their text dumps, see [`Board::flash_file`] |
//! | 220-231, 241, 242, 602 | missions: made, dumped, edited, played; deaf until a byte arrives (G1) |
//! | 300-306 | ESP-NOW: texts and peers. Nobody is on the air, so nothing is ever received |
//! | 401-408 | WiFi: texts and the file of settings. No network is ever found; G1 waits 15.5 s for it |
//! | 501, 502, 503 | ids, middle and P gain in the servos |
//! | 600, 604, 605 | restart, a second for nothing, feedback mode |
//! | 1041 | inverse kinematics once, then one write at the left-over speed and acceleration |
//! | 103, 104 | interpolated moves, blocking; G1 hangs on speed 0, G3 obeys the stop flag; see [`Board::is_hung`] |
//! | 110 | stretches, turns, re-zeroes the base |
//! | 123 | jogging, a tick every 10 ms at most, without end |
//! | others | ignored, as on the board |
//!
//! The same commands come over HTTP, see [`Board::http_js`]. Left out: the web pages, the WebSocket of G3, messages from
//! other boards by radio.

mod board;
mod boot;
mod bus;
mod cartesian;
mod commands;
mod control_lines;
mod cpu;
mod drive;
mod files;
mod flash;
mod frame;
mod gravity;
mod http;
mod input;
mod jog;
mod json;
mod mission;
mod network;
mod new_x;
mod options;
mod outage;
mod outputs;
mod outside;
mod radio;
mod scan;
mod services;
mod servo;
mod servo_options;
mod servo_setup;
mod supply;
mod uart;

pub use board::{Board, ReceivedLine};
pub use bus::{ServoWrite, TimedWrite};
pub use files::StrayWrite;
pub use http::HttpReply;
pub use json::JsonLibrary;
pub use options::{BoardOptions, NanToInt, ResetCircuit};
pub use outputs::{Drive, SwitchOutput};
pub use outside::JointDrive;
pub use servo::{Contact, ServoRegisters};
pub use servo_options::{LoadedSpeed, ServoKind, ServoOptions, StepMinusOne, TorqueReturn};
