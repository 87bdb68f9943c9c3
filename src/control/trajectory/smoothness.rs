//! How smooth the written goals were.

use std::time::Duration;

use crate::types::{JOINT_COUNT, JointAngles, Timestamp};

/// For so long after a splice a step belongs to the seam.
const SEAM: Duration = Duration::from_millis(500);
/// A gap between written goals longer than this says nothing about smoothness.
const LONGEST_GAP_S: f64 = 0.15;

/// Smoothness of what the policy made the arm do, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MotionReport {
    /// Splices of a new chunk into one that was being played.
    pub seams: u64,
    /// Largest disagreement of a new chunk with the one it replaced, at the splice, rad.
    pub disagreement_rad: f64,
    /// Fastest written goal within half a second after a splice, rad/s.
    pub seam_velocity_rad_s: f64,
    /// Fastest motion inside the chunks that were played, as the policy made it, rad/s.
    pub chunk_velocity_rad_s: f64,
    /// Largest jerk between written goals while the policy was in charge, rad/s³.
    pub jerk_rad_s3: f64,
}

impl MotionReport {
    /// The largest step at a seam over the largest step inside a chunk; 0 without seams.
    pub fn seam_ratio(&self) -> f64 {
        if self.chunk_velocity_rad_s > 0.0 {
            self.seam_velocity_rad_s / self.chunk_velocity_rad_s
        } else {
            0.0
        }
    }
}

/// Limits on a [`MotionReport`] beyond which a run counts as failed; `None` sets none.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MotionLimits {
    /// On [`MotionReport::seam_ratio`].
    pub seam_ratio: Option<f64>,
    /// On [`MotionReport::jerk_rad_s3`].
    pub jerk_rad_s3: Option<f64>,
    /// On the share of the policy's ticks in which the arm waited for a chunk, 0 to 1.
    pub waiting_share: Option<f64>,
}

impl MotionLimits {
    /// What was exceeded, in words; `None` if nothing was.
    pub fn exceeded(&self, motion: &MotionReport, waiting_share: f64) -> Option<String> {
        let beyond = |limit: Option<f64>, value: f64| limit.filter(|limit| value > *limit);
        if let Some(limit) = beyond(self.seam_ratio, motion.seam_ratio()) {
            return Some(format!(
                "steps at seams were {:.2} times those inside chunks (limit {limit})",
                motion.seam_ratio()
            ));
        }
        if let Some(limit) = beyond(self.jerk_rad_s3, motion.jerk_rad_s3) {
            let (jerk, limit) = (motion.jerk_rad_s3.to_degrees(), limit.to_degrees());
            return Some(format!("the jerk reached {jerk:.0}°/s³ (limit {limit:.0}°/s³)"));
        }
        beyond(self.waiting_share, waiting_share).map(|limit| {
            format!(
                "the arm waited for chunks in {:.1} % of the ticks (limit {:.1} %)",
                waiting_share * 1e2,
                limit * 1e2
            )
        })
    }
}

/// Watches the written goals of a policy in charge.
#[derive(Clone, Copy, Debug, Default)]
pub(in super::super) struct Smoothness {
    report: MotionReport,
    last: Option<Written>,
    seam_until: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug)]
struct Written {
    goal: [f64; JOINT_COUNT],
    time: Timestamp,
    velocity: Option<[f64; JOINT_COUNT]>,
    acceleration: Option<[f64; JOINT_COUNT]>,
}

impl Smoothness {
    pub(in super::super) const fn report(&self) -> &MotionReport {
        &self.report
    }

    /// The policy is no longer, or not yet, in charge: what was written belongs to nothing that follows.
    pub(in super::super) fn interrupt(&mut self) {
        self.last = None;
        self.seam_until = None;
    }

    /// A new chunk was spliced in that disagreed by `disagreement_rad` with what it replaced.
    pub(in super::super) fn seam(&mut self, now: Timestamp, disagreement_rad: f64) {
        self.report.seams += 1;
        self.report.disagreement_rad = self.report.disagreement_rad.max(disagreement_rad);
        self.seam_until = Some(now + SEAM);
    }

    /// The fastest motion inside a chunk that is being played.
    pub(in super::super) fn chunk(&mut self, velocity_rad_s: f64) {
        self.report.chunk_velocity_rad_s = self.report.chunk_velocity_rad_s.max(velocity_rad_s);
    }

    /// A goal was written.
    pub(in super::super) fn written(&mut self, goal: &JointAngles, time: Timestamp) {
        let goal = goal.to_array_rad();
        let before = self.last.replace(Written { goal, time, velocity: None, acceleration: None });
        let Some(before) = before else { return };
        let elapsed = time.seconds_since(before.time);
        if !(elapsed > 1e-4 && elapsed < LONGEST_GAP_S) {
            return;
        }
        let rate = |now: &[f64; JOINT_COUNT], then: &[f64; JOINT_COUNT]| -> [f64; JOINT_COUNT] {
            std::array::from_fn(|joint| (now[joint] - then[joint]) / elapsed)
        };
        let velocity = rate(&goal, &before.goal);
        let acceleration = before.velocity.map(|then| rate(&velocity, &then));
        if self.seam_until.is_some_and(|until| time <= until) {
            self.report.seam_velocity_rad_s = self.report.seam_velocity_rad_s.max(largest(&velocity));
        }
        if let (Some(acceleration), Some(then)) = (acceleration, before.acceleration) {
            self.report.jerk_rad_s3 = self.report.jerk_rad_s3.max(largest(&rate(&acceleration, &then)));
        }
        self.last = Some(Written { goal, time, velocity: Some(velocity), acceleration });
    }
}

fn largest(values: &[f64; JOINT_COUNT]) -> f64 {
    values.iter().fold(0.0, |largest, value| value.abs().max(largest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::ZERO + Duration::from_millis(millis)
    }

    fn pose(angle: f64) -> JointAngles {
        JointAngles::from_array_rad([0.0, angle, 0.0, 0.0, 0.0, 0.0])
    }

    #[test]
    fn steps_count_for_a_seam_only_shortly_after_it() {
        let mut smoothness = Smoothness::default();
        smoothness.chunk(1.0);
        smoothness.written(&pose(0.0), at(0));
        smoothness.written(&pose(0.06), at(20));
        assert!(smoothness.report().seam_ratio().abs() < 1e-12, "no seam yet");
        smoothness.seam(at(30), 0.2);
        smoothness.written(&pose(0.09), at(40));
        assert!((smoothness.report().seam_ratio() - 1.5).abs() < 1e-9);
        smoothness.written(&pose(0.10), at(60));
        smoothness.interrupt();
        smoothness.written(&pose(2.0), at(80));
        let report = *smoothness.report();
        assert!((report.seam_ratio() - 1.5).abs() < 1e-9 && report.seams == 1, "{report:?}");
        assert!((report.disagreement_rad - 0.2).abs() < 1e-12);
    }

    #[test]
    fn jerk_is_the_third_difference() {
        let mut smoothness = Smoothness::default();
        for tick in 0..10_u64 {
            let t = tick as f64 * 0.02;
            smoothness.written(&pose(t * t * t), at(tick * 20));
        }
        assert!((smoothness.report().jerk_rad_s3 - 6.0).abs() < 1e-6, "{:?}", smoothness.report());
        smoothness.written(&pose(9.0), at(2_000));
        assert!((smoothness.report().jerk_rad_s3 - 6.0).abs() < 1e-6, "a pause is no jerk");
    }

    #[test]
    fn each_limit_can_fail_a_run_and_says_so() {
        let report = MotionReport {
            seams: 3,
            seam_velocity_rad_s: 1.5,
            chunk_velocity_rad_s: 1.0,
            jerk_rad_s3: 50.0,
            ..MotionReport::default()
        };
        assert_eq!(MotionLimits::default().exceeded(&report, 1.0), None);
        let of = |limits: MotionLimits| limits.exceeded(&report, 0.2).unwrap_or_default();
        assert!(of(MotionLimits { seam_ratio: Some(1.2), ..MotionLimits::default() }).contains("1.50 times"));
        assert!(of(MotionLimits { jerk_rad_s3: Some(10.0), ..MotionLimits::default() }).contains("jerk"));
        assert!(of(MotionLimits { waiting_share: Some(0.1), ..MotionLimits::default() }).contains("20.0 %"));
        let met = MotionLimits { seam_ratio: Some(1.5), jerk_rad_s3: Some(50.0), waiting_share: Some(0.2) };
        assert_eq!(met.exceeded(&report, 0.2), None);
    }
}
