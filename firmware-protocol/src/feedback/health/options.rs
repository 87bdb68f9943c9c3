//! Thresholds.

use core::time::Duration;

use crate::steps::STEP_RAD;

/// Thresholds of a [`HealthMonitor`](super::HealthMonitor). Start from [`HealthOptions::default`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HealthOptions {
    /// Speed of the UART, bits a second, ten to a byte. Default 115 200.
    pub baud: u32,
    /// Frames a second that the stream should have; `None` takes what the frame's own bytes allow, which is what healthy
    /// boards reach (56.2 Hz of 204 bytes measured). Default `None`.
    pub expected_hz: Option<f64>,
    /// A frame is late when it takes longer than this many times what is expected, plus [`Self::slow_slack`]. Default 1.5.
    pub slow_factor: f64,
    /// See [`Self::slow_factor`]. Default 50 ms: more than a host's scheduling, less than one dead servo (101 ms).
    pub slow_slack: Duration,
    /// So many times longer than a frame on the stream may the answer to T:105 take besides: the pass in progress and the
    /// scan of its own. Default 20 ms.
    pub answer_slack: Duration,
    /// Successive frames (or answers) that must agree before they are believed: late ones, shapes, dead buses. Default 3;
    /// dead buses need one less, as they send 1.6 a second.
    pub frames_to_believe: u8,
    /// A stream without a frame for this long has stopped. Default 2 s: six dead servos make it 0.65 s.
    pub silence: Duration,
    /// A board that was reset may be silent for this long. Default 30 s (G1 with WiFi as a station).
    pub boot: Duration,
    /// How long a line like `Servo ID:NN status: failed.` stays true without being repeated. Default 2 s.
    pub hold: Duration,
    /// Supply below this is low, volt. Default 6 (where G3 complains, too).
    pub low_supply_volt: f64,
    /// A joint this far from its goal should move, rad. Default 5°: sag is about 3°, the dead zone up to 1°.
    pub goal_error_rad: f64,
    /// How far a joint should have moved by its speed and acceleration before it is said not to move, rad. Default 3°.
    pub overdue_rad: f64,
    /// A joint that stays within this angle has not moved, rad. Default 2.5 steps (0.22°).
    pub still_rad: f64,
    /// Time from a command to the first motion that a frame shows: wire, pass, static friction, scan, wire. Default 300 ms.
    pub reaction: Duration,
    /// A joint with a load of at least this (0.1 % of duty) pushes against something: it does not move, but its feedback is
    /// alive. Default 200.
    pub pushing_load: u16,
    /// Whether the hand counts among the joints that should move. Default false: a hand that holds something does not.
    pub watch_hand: bool,
    /// Frames whose position is this far from what their angles give are splices and are passed over, mm. Default 0.5.
    pub kinematics_tolerance_mm: f64,
}

impl HealthOptions {
    /// The documented defaults.
    pub const DEFAULT: Self = Self {
        baud: 115_200,
        expected_hz: None,
        slow_factor: 1.5,
        slow_slack: Duration::from_millis(50),
        answer_slack: Duration::from_millis(20),
        frames_to_believe: 3,
        silence: Duration::from_secs(2),
        boot: Duration::from_secs(30),
        hold: Duration::from_secs(2),
        low_supply_volt: 6.0,
        goal_error_rad: 5.0_f64.to_radians(),
        overdue_rad: 3.0_f64.to_radians(),
        still_rad: 2.5 * STEP_RAD,
        reaction: Duration::from_millis(300),
        pushing_load: 200,
        watch_hand: false,
        kinematics_tolerance_mm: 0.5,
    };
}

impl Default for HealthOptions {
    fn default() -> Self {
        Self::DEFAULT
    }
}
