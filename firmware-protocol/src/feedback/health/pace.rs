//! How fast frames come.

use core::time::Duration;

use super::finding::Finding;
use super::options::HealthOptions;
use crate::FeedbackMode;

/// A servo that does not answer costs the firmware this much in each scan.
const DEAD_SERVO: Duration = Duration::from_millis(101);

#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    mode: Option<FeedbackMode>,
    /// Since when the present mode is expected to act.
    since: Duration,
    last_frame: Option<Duration>,
    /// Bytes that arrived behind the last frame.
    bytes: usize,
    /// The first T:105 that is not answered.
    asked: Option<Duration>,
    late: u8,
    timely: u8,
    slow: Option<Finding>,
    excused_until: Duration,
}

impl Pace {
    pub(super) const fn new() -> Self {
        Self {
            mode: None,
            since: Duration::ZERO,
            last_frame: None,
            bytes: 0,
            asked: None,
            late: 0,
            timely: 0,
            slow: None,
            excused_until: Duration::ZERO,
        }
    }

    pub(super) const fn mode(&self) -> Option<FeedbackMode> {
        self.mode
    }

    pub(super) const fn set_mode(&mut self, at: Duration, mode: FeedbackMode) {
        let excused_until = self.excused_until;
        *self = Self { mode: Some(mode), since: at, excused_until, ..Self::new() };
    }

    pub(super) fn asked(&mut self, at: Duration) {
        self.asked.get_or_insert(at);
    }

    /// Until then a pause means nothing.
    pub(super) fn excuse(&mut self, until: Duration) {
        self.excused_until = self.excused_until.max(until);
    }

    pub(super) const fn bytes(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// A frame has arrived; its own bytes were counted before.
    pub(super) fn frame(&mut self, at: Duration, options: &HealthOptions) {
        let wire = Duration::from_secs_f64(self.bytes as f64 * 10.0 / f64::from(options.baud.max(1)));
        self.bytes = 0;
        let before = self.last_frame.replace(at);
        let (start, expected, slack) = match self.mode {
            Some(FeedbackMode::Stream) => {
                let told =
                    options.expected_hz.filter(|hz| *hz > 1e-3).map(|hz| Duration::from_secs_f64(1.0 / hz));
                (before, told.unwrap_or(wire), options.slow_slack)
            }
            Some(FeedbackMode::Quiet | FeedbackMode::Debug) => {
                (self.asked.take(), wire, options.slow_slack.saturating_add(options.answer_slack))
            }
            None => return,
        };
        let Some(start) = start else { return };
        let period = at.saturating_sub(start);
        if start < self.excused_until {
            return;
        }
        let factor = if options.slow_factor.is_nan() { 1.0 } else { options.slow_factor.clamp(1.0, 1e3) };
        if period <= expected.mul_f64(factor).saturating_add(slack) {
            (self.late, self.timely) = (0, self.timely.saturating_add(1));
            if self.timely >= options.frames_to_believe {
                self.slow = None;
            }
            return;
        }
        (self.late, self.timely) = (self.late.saturating_add(1), 0);
        if self.late >= options.frames_to_believe {
            // The scan and the wire are in the surplus too, less than half a servo.
            let surplus = period.saturating_sub(expected).as_secs_f64() / DEAD_SERVO.as_secs_f64();
            let dead_servos = libm::round(surplus).min(6.0) as u8;
            self.slow = Some(Finding::SlowFeedback { period, expected, dead_servos });
        }
    }

    pub(super) const fn slow(&self) -> Option<Finding> {
        self.slow
    }

    pub(super) fn silent(&self, now: Duration, options: &HealthOptions) -> Option<Finding> {
        if self.mode != Some(FeedbackMode::Stream) {
            return None;
        }
        let last = self.last_frame.unwrap_or(self.since).max(self.excused_until);
        let silence = now.saturating_sub(last);
        (silence > options.silence).then_some(Finding::NoFeedback { silence })
    }
}
