//! Commands that drop the arm, block the board, or rewrite settings that survive a restart.
//!
//! None of them belongs in a control loop, and **none of them is a stop**: to stop, send the measured pose again as T:102.
//! Each item says what the command does on G1 and on G3, and what to do instead.
//!
//! | T | value | why it is here | instead |
//! |---|---|---|---|
//! | 0 | [`DangerousCommand::EmergencyStop`] | G1 drops the arm | T:102 with the measured pose |
//! | 100 | [`DangerousCommand::MoveHome`] | blocks, re-zeroes servo 13 | T:102 with [`crate::FirmwareAngles::HOME`] |
//! | 103, 104 | [`DangerousCommand::MoveAxis`], [`DangerousCommand::MoveTool`] | block, jump first; 103 closes the hand | inverse kinematics on the host, T:102 |
//! | 110 | [`DangerousCommand::SetForward`] | re-zeroes the base in its EEPROM | an offset on the host |
//! | 123 | [`DangerousCommand::Jog`] | no end, no watchdog | small T:102 goals |
//! | 210 | [`DangerousCommand::TorqueOff`] | the arm falls or folds | hold |
//! | 222, 223, 225, 226, 228-230, 242 for ever | [`MissionEdit`] | steps that nobody checks; memory corruption | play from the host |
//! | 401-404, 407 | [`NetworkCommand`] | saved settings, passwords in clear text | the board's own web page |
//! | 405, 406, 408 | [`DangerousCommand`] | as above | |
//! | 501-503 | [`DangerousCommand`] | servo EEPROM | nothing: a bench job |
//! | 600-604 | [`DangerousCommand`] | restart, loss of settings | |

mod commands;
mod missions;
mod motion;
mod network;

pub use commands::{ArmMayFall, AxisGoal, DangerousCommand, ForwardAngle};
pub use missions::{MissionEdit, boot_mission};
pub use motion::{Axis, InterpolationSpeed, JogDirection, JogMode};
pub use network::{NetworkCommand, WifiMode};
