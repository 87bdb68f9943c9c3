//! How a virtual board is set up.

use core::time::Duration;

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
    /// Supply, volt; below 6 the G3 board complains. Default 12.1.
    pub supply_volt: f64,
    /// Time of one scan of the six servos. Default 9 ms (G1), 10 ms (G3, which reads more); plausible values, unmeasured.
    pub scan: Duration,
    /// Time of everything else in a loop pass (web server, radio, screen). Default 0.5 ms: scan and UART set the pace.
    pub other_work: Duration,
    /// Time of a packet with the goals of all servos, which expects no answer: 64 bytes at 1 Mbaud, 0.64 ms, and the
    /// arithmetic before it. Default 0.8 ms; none with instant servos.
    pub packet_to_all: Duration,
    /// Time of a write that a servo answers. Default 0.25 ms; none with instant servos. Without an answer it is 101 ms.
    pub answered_write: Duration,
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
            scan: Duration::from_millis(if g3 { 10 } else { 9 }),
            other_work: Duration::from_micros(500),
            packet_to_all: Duration::from_micros(800),
            answered_write: Duration::from_micros(250),
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

/// How the servos move. The stock arm sags about 3° at the shoulder and has a dead zone of 0.5-1°; the defaults are
/// smaller, so that tests of other things see clean motion. Everything here is a model, not a measurement.
#[derive(Clone, Debug, PartialEq)]
pub struct ServoOptions {
    /// Goals are reached at once, without sag, dead zone or limits. For comparison with traces. Default false.
    pub instant: bool,
    /// Sag of the shoulder with the arm stretched out level, degrees; less in proportion to the leverage, and shared by
    /// elbow and wrist by theirs. Default 0.5.
    pub sag_deg: f64,
    /// How far a joint stops short of its goal, degrees (friction and play). Default 0.1.
    pub dead_zone_deg: f64,
    /// Top speed, steps/s. Default 3070 (270 °/s), the ST3215/ST3235 without load.
    pub top_speed_steps_per_s: f64,
    /// What a servo does when its torque comes back: not known of the real one. Default [`TorqueReturn::Hold`].
    pub torque_return: TorqueReturn,
    /// Speed of a limp joint falling with full leverage, rad/s. Default 1.5.
    pub fall_rad_per_s: f64,
    /// Loads that the servos (ids 11..=17) report instead of the model's. Default none.
    pub loads: Option<[i16; 7]>,
    /// Servos (ids 11..=17) that do not answer. Default none.
    pub dead: [bool; 7],
}

impl Default for ServoOptions {
    fn default() -> Self {
        Self {
            instant: false,
            sag_deg: 0.5,
            dead_zone_deg: 0.1,
            top_speed_steps_per_s: 3070.0,
            torque_return: TorqueReturn::Hold,
            fall_rad_per_s: 1.5,
            loads: None,
            dead: [false; 7],
        }
    }
}

/// What a servo does when its torque is switched on again without a new goal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum TorqueReturn {
    /// It holds where it is.
    #[default]
    Hold,
    /// It goes back to its old goal at its old speed.
    OldGoal,
}
