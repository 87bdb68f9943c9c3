//! How a virtual board is set up, and what is not known of the real one.
//!
//! Everything that no source tells is an option with a default:
//!
//! | not known | option | default | otherwise |
//! |---|---|---|---|
//! | JSON library of a unit's build: number of keys, 256-byte pool | [`BoardOptions::json`] | A6 on G1, G1b; A7 on G3 | the other |
//! | firmware of January 2026 (G2), its source unread | [`BoardOptions::generation`] | none: a G2 unit is emulated as G3 with `receive_ring` and queue as there, or as G1 | |
//! | time of a scan of the servos | [`BoardOptions::scan`] | 10 ms | any |
//! | time of the rest of a loop pass | [`BoardOptions::other_work`] | 0.5 ms | any |
//! | time of a servo write | [`BoardOptions::packet_to_all`], [`BoardOptions::answered_write`] | 0.8 ms, 0.25 ms | any |
//! | whether opening the port resets the board | [`BoardOptions::reset_circuit`], [`super::Board::control_lines`] | as drawn in the schematic | not connected |
//! | NaN made an integer (T:1041 out of reach) | [`BoardOptions::nan_to_int`] | largest integer (the chip's compiler library, from memory) | smallest |
//! | torque switched on again | [`ServoOptions::torque_return`] | holds where it is | goes to the old goal |
//! | goal step −1 (base or roll at +π) | [`ServoOptions::step_minus_one`] | one step below 0 | stays at 0; turns all the way round |
//! | P gain written with the EEPROM locked | [`ServoOptions::locked_gains_act`] | takes effect | stays at 32 |
//! | torque switch when 12 V comes | [`ServoOptions::torque_at_power_on`] | on | off |
//! | supply at which servos drop out | [`BoardOptions::brown_out_volt`] | 6 V | any |
//! | speed under load | [`ServoOptions::loaded_speed`] | no effect (`clean`), falls in a line to stall (`stock`) | the other |
//! | torque of a reported load | [`ServoKind::stall_torque_nm`] | duty of 100 % is the vendor's stall torque | |
//! | servo types of the M3-S | [`ServoOptions::kinds`] | ST3215 everywhere | HS type where wanted |
//! | sag and dead zone of a given arm | [`ServoOptions::sag_deg`], [`ServoOptions::dead_zone_deg`] | 0.5°, 0.1° (`clean`); 3°, 0.5-1° (`stock`) | any |
//! | how fast a limp arm falls | [`ServoOptions::fall_rad_per_s`] | 1.5 rad/s at full leverage | any |
//! | G3's words for high supply and high current | none | a wording of our own; that for low supply is from a log | |

use core::time::Duration;

#[cfg(doc)]
use super::servo_options::ServoKind;
use super::servo_options::ServoOptions;
use super::{JsonLibrary, StrayWrite};
use crate::{FeedbackMode, FirmwareAngles, Generation};

/// Options of a virtual board. Start from [`BoardOptions::new`] and change what matters.
#[derive(Clone, Debug, PartialEq)]
pub struct BoardOptions {
    /// Firmware generation. Default G1.
    pub generation: Generation,
    /// Speed of the UART, bits a second, ten to a byte. Default 115200.
    pub baud: u32,
    /// JSON library of the firmware. Default A6 for G1 and G1b, A7 for G3 (its 24 keys need it).
    pub json: JsonLibrary,
    /// Whether the board has just been reset: boot text, homing motion, then the loop. Default false: it has been running,
    /// homed, for a while.
    pub boot: bool,
    /// Feedback mode after a reset. Default streaming (G1), debug text (G3).
    pub boot_feedback_mode: FeedbackMode,
    /// Time that the chip's own loader takes before the firmware starts. Default 50 ms.
    pub loader: Duration,
    /// Time that WiFi, web server and radio take at boot. Default 300 ms; plausible, unmeasured.
    pub network_start: Duration,
    /// The pose that was commanded before the start, and reached. Default [`BoardOptions::BOOT_POSE`].
    pub initial: FirmwareAngles,
    /// How the servos move.
    pub servos: ServoOptions,
    /// Supply of the servos, volt. Below 6 and above 12.9 the G3 board complains. Default 12.1.
    pub supply_volt: f64,
    /// Supply below which the servos lose their torque, their registers and their voice: as with USB power alone. Default 6.
    pub brown_out_volt: f64,
    /// Time of one scan of the six servos. Default 10 ms. Not measured: the bytes on the bus alone take 2.6 ms (G1) or
    /// 3.5 ms (G3). Streaming at 99.6 % of the wire needs scan and other work within the 11.1 ms that the transmit FIFO
    /// lasts, and 35-50 ms a poll, with a client that takes 5-11 ms between two, is what 10 ms give.
    pub scan: Duration,
    /// Time of everything else in a loop pass (web server, radio, screen). Default 0.5 ms: scan and UART set the pace.
    pub other_work: Duration,
    /// Time of a packet with the goals of all servos, which expects no answer: 64 bytes at 1 Mbaud, 0.64 ms, and the
    /// arithmetic before it. Default 0.8 ms; none with instant servos.
    pub packet_to_all: Duration,
    /// Time of a write that a servo answers. Default 0.25 ms; none with instant servos. Without an answer it is 101 ms.
    pub answered_write: Duration,
    /// What the chip makes of a NaN. Default [`NanToInt::Largest`].
    pub nan_to_int: NanToInt,
    /// Whether DTR and RTS of the port reach the chip. Default [`ResetCircuit::Standard`].
    pub reset_circuit: ResetCircuit,
    /// Bytes of the UART's receive ring; what does not fit is lost. Default 256.
    pub receive_ring: usize,
    /// Bytes of the UART's transmit FIFO: printing beyond it blocks the loop. Default 128.
    pub transmit_fifo: usize,
    /// Time from one step of a mission to the next besides the step's own: the file is opened and read up to it. Default
    /// 1 ms; plausible, unmeasured.
    pub mission_step: Duration,
    /// What happens when a line is to be replaced that a file does not have. Default: the chip restarts.
    pub stray_write: StrayWrite,
    /// Whether received lines are kept for [`super::Board::take_lines`]. Default false.
    pub keep_lines: bool,
    /// Whether servo writes are kept for [`super::Board::take_writes`]. Default false.
    pub keep_writes: bool,
}

impl BoardOptions {
    /// Where the boot's homing ends: home, with the hand at step 2047 (3.140 rad, closed).
    pub const BOOT_POSE: FirmwareAngles =
        FirmwareAngles { hand_rad: 2047.0 * crate::steps::STEP_RAD, ..FirmwareAngles::HOME };

    /// The defaults of a generation.
    #[must_use]
    pub fn new(generation: Generation) -> Self {
        let g3 = generation == Generation::G3;
        Self {
            generation,
            baud: 115_200,
            json: if g3 { JsonLibrary::A7 } else { JsonLibrary::A6 },
            boot: false,
            boot_feedback_mode: if g3 { FeedbackMode::Debug } else { FeedbackMode::Stream },
            loader: Duration::from_millis(50),
            network_start: Duration::from_millis(300),
            initial: Self::BOOT_POSE,
            servos: ServoOptions::default(),
            supply_volt: 12.1,
            brown_out_volt: 6.0,
            scan: Duration::from_millis(10),
            other_work: Duration::from_micros(500),
            packet_to_all: Duration::from_micros(800),
            answered_write: Duration::from_micros(250),
            nan_to_int: NanToInt::Largest,
            reset_circuit: ResetCircuit::Standard,
            receive_ring: 256,
            transmit_fifo: 128,
            mission_step: Duration::from_millis(1),
            stray_write: StrayWrite::default(),
            keep_lines: false,
            keep_writes: false,
        }
    }
}

impl Default for BoardOptions {
    fn default() -> Self {
        Self::new(Generation::G1)
    }
}

/// What a NaN becomes where the firmware makes it an integer: joints of a T:1041 whose target is out of reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum NanToInt {
    /// The largest 32-bit integer, −1 in its low 16 bits: shoulder 2046, elbow 512, wrist 2046.
    #[default]
    Largest,
    /// The smallest, 0 in its low 16 bits, as on a PC: shoulder 2047, elbow 512, wrist 2047.
    Smallest,
}

impl NanToInt {
    /// Angles with the same goal steps, for [`crate::steps::goals`], which knows the first rule only.
    pub(super) fn angles(self, angles: [f64; 6]) -> FirmwareAngles {
        let mut angles = angles;
        if self == Self::Smallest {
            // The elbow counts from step 1024.
            let zero_steps = [0.0, 0.0, -core::f64::consts::FRAC_PI_2, 0.0, 0.0, 0.0];
            for (angle, zero) in angles.iter_mut().zip(zero_steps) {
                if angle.is_nan() {
                    *angle = zero;
                }
            }
        }
        FirmwareAngles::from_array(angles)
    }
}

/// How the port's control lines are wired to the chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ResetCircuit {
    /// Two transistors: DTR alone pulls GPIO0 low, RTS alone holds the chip in reset, both or none do nothing.
    #[default]
    Standard,
    /// They do nothing.
    NotConnected,
}
