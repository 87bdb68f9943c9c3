//! What the link may be told.

use std::time::Duration;

use firmware_protocol::Generation;

/// Deceleration of a take-over unless told otherwise: `stop_deceleration_deg_s2` of the example configuration, 900 °/s².
const DEFAULT_STOP_DECELERATION_RAD_S2: f64 = 900.0_f64.to_radians();

/// Settings of a [`LinkMachine`](super::LinkMachine); the default has the usual ones.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LinkOptions {
    /// The board's firmware; `None` detects it from the shape of its feedback.
    ///
    /// G1b cannot be told from G1 on the wire: name it here to have its narrower limits.
    pub generation: Option<Generation>,
    /// A port that never delivers a byte is given up after this time.
    pub silence_timeout: Duration,
    /// Bytes without valid feedback (a booting board) are given up after this time.
    pub boot_timeout: Duration,
    /// Once ready, a pause of feedback this long ends readiness: the handshake starts over.
    ///
    /// A healthy board pauses 28 ms at most; each dead servo adds 101 ms to a scan.
    pub feedback_timeout: Duration,
    /// How long a port that was lost while the link was ready may stay away before the link is given up; zero gives it up at
    /// once. Once the port is back, [`LinkOptions::boot_timeout`] bounds the wait for the board.
    pub reconnect_timeout: Duration,
    /// Deceleration of a take-over (see [`LinkMachine::take_over`](super::LinkMachine::take_over)), rad/s²; that of the
    /// control core's stops.
    pub stop_deceleration_rad_s2: f64,
    /// How long the last goal of a take-over is repeated, at the least; it is repeated ten times in any case.
    pub hold_time: Duration,
    /// How long the arm must stand still before the link is ready.
    pub still_time: Duration,
    /// A joint that stays within this angle of where it was stands still, rad.
    pub still_tolerance_rad: f64,
}

impl Default for LinkOptions {
    /// Waits as the firmware needs them (reference: firmware G1 boot, up to 25 s; its servo time-outs), stillness of 1 s
    /// within 1° (the encoders repeat to a step, 0.09°).
    fn default() -> Self {
        Self {
            generation: None,
            silence_timeout: Duration::from_secs(3),
            boot_timeout: Duration::from_secs(30),
            feedback_timeout: Duration::from_secs(1),
            reconnect_timeout: Duration::from_secs(20),
            stop_deceleration_rad_s2: DEFAULT_STOP_DECELERATION_RAD_S2,
            hold_time: Duration::from_millis(500),
            still_time: Duration::from_secs(1),
            still_tolerance_rad: 1.0_f64.to_radians(),
        }
    }
}
