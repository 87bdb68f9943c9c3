//! Poses that no arm can have come to.
//!
//! A feedback line has no checksum. A splice that agrees with the firmware's own kinematics is rare but possible, and a servo
//! whose answer was garbled on the bus gives a wrong angle in an otherwise sound line. Both show as a jump.

use std::f64::consts::{PI, TAU};
use std::time::Duration;

use crate::types::{Joint, JointAngles, Timestamp};

/// Twice the fastest servo of the arm without load (3070 steps/s, 270 °/s): an arm that is pushed or falls is slower.
const FASTEST_RAD_S: f64 = 2.0 * 270.0 * PI / 180.0;

/// Noise of the encoder and of rounding: two steps.
const TOLERANCE_RAD: f64 = 2.0 * TAU / 4096.0;

/// So many frames in a row that agree with each other are believed after all.
const FRAMES_TO_CONFIRM: u32 = 3;

/// What to make of a pose.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Judgement {
    /// It can be true.
    Believed,
    /// No arm moves like this; not shown unless the next frames confirm it.
    Doubted {
        /// The joint that jumped furthest.
        joint: Joint,
        /// How far, rad.
        jump_rad: f64,
        /// Whether the frame before was believed.
        first: bool,
    },
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    angles: JointAngles,
    measured: Timestamp,
}

/// Compares each pose with the last one that was believed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct JumpFilter {
    believed: Option<Seen>,
    /// Poses that contradict the believed one but not each other, and how many.
    doubted: Option<(Seen, u32)>,
}

impl JumpFilter {
    pub(super) const fn new() -> Self {
        Self { believed: None, doubted: None }
    }

    /// Judges a pose. `wire_time` is what its line took on the wire: frames that a busy host reads in a lump lie at least that
    /// far apart, whatever their stamps say.
    pub(super) fn judge(
        &mut self,
        angles: JointAngles,
        measured: Timestamp,
        wire_time: Duration,
    ) -> Judgement {
        let seen = Seen { angles, measured };
        let jump = |from: Seen| impossible_jump(from, seen, wire_time);
        let Some((joint, jump_rad)) = self.believed.and_then(jump) else {
            return self.believe(seen);
        };
        let before = self.doubted.filter(|(doubted, _)| jump(*doubted).is_none());
        let agreeing = before.map_or(1, |(_, count)| count + 1);
        if agreeing >= FRAMES_TO_CONFIRM {
            return self.believe(seen);
        }
        let first = self.doubted.replace((seen, agreeing)).is_none();
        Judgement::Doubted { joint, jump_rad, first }
    }

    const fn believe(&mut self, seen: Seen) -> Judgement {
        self.believed = Some(seen);
        self.doubted = None;
        Judgement::Believed
    }
}

/// The joint that went furthest beyond what a servo can do, and how far it went.
fn impossible_jump(from: Seen, to: Seen, wire_time: Duration) -> Option<(Joint, f64)> {
    let elapsed = to.measured.since(from.measured).max(wire_time);
    let most = FASTEST_RAD_S * elapsed.as_secs_f64() + TOLERANCE_RAD;
    let jump = |joint: Joint| {
        let difference = (to.angles.get(joint) - from.angles.get(joint)).abs();
        // The encoder wraps: beyond +π a joint is read from −π on.
        difference.min((TAU - difference).abs())
    };
    Joint::ALL
        .into_iter()
        .map(|joint| (joint, jump(joint)))
        .max_by(|one, other| one.1.total_cmp(&other.1))
        .filter(|(_, jump)| *jump > most)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WIRE: Duration = Duration::from_micros(17_600);
    const FRAME: u64 = 18_000_000;

    fn base(angle_rad: f64) -> JointAngles {
        JointAngles::from_array_rad([angle_rad, 0.0, 0.0, 0.0, 0.0, 0.0])
    }

    /// Which of these poses, a frame apart, are believed.
    fn judged(poses_rad: &[f64]) -> Vec<bool> {
        let mut filter = JumpFilter::new();
        let judge = |(index, angle): (usize, &f64)| {
            let measured = Timestamp::from_nanos(index as u64 * FRAME);
            filter.judge(base(*angle), measured, WIRE) == Judgement::Believed
        };
        poses_rad.iter().enumerate().map(judge).collect()
    }

    #[test]
    fn a_lone_jump_is_passed_over() {
        assert_eq!(judged(&[0.0, 1.0, 0.0, 0.0]), [true, false, true, true]);
        assert_eq!(judged(&[0.0, 1.0, 1.0, 0.0]), [true, false, false, true]);
    }

    #[test]
    fn three_frames_that_agree_are_believed() {
        assert_eq!(judged(&[0.0, 1.0, 1.0, 1.0, 1.0]), [true, false, false, true, true]);
        assert_eq!(judged(&[0.0, 1.0, -1.0, 1.0, -1.0]), [true, false, false, false, false]);
    }

    #[test]
    fn the_first_doubt_names_the_joint() {
        let mut filter = JumpFilter::new();
        filter.judge(base(0.0), Timestamp::ZERO, WIRE);
        let mut jump = || filter.judge(base(1.0), Timestamp::from_nanos(FRAME), WIRE);
        assert_eq!(jump(), Judgement::Doubted { joint: Joint::Base, jump_rad: 1.0, first: true });
        assert_eq!(jump(), Judgement::Doubted { joint: Joint::Base, jump_rad: 1.0, first: false });
    }

    #[test]
    fn an_encoder_that_wraps_is_no_jump() {
        assert_eq!(judged(&[3.1, -3.1, 3.1]), [true; 3]);
    }

    #[test]
    fn frames_read_in_a_lump_are_no_jumps() {
        let mut filter = JumpFilter::new();
        for step in 0..20 {
            // A joint at top speed, every stamp the same.
            let angles = base(f64::from(step) * 4.7 * 0.0176);
            assert_eq!(filter.judge(angles, Timestamp::ZERO, WIRE), Judgement::Believed);
        }
    }

    proptest! {
        /// Whatever a servo can do is believed, at any pace of the frames.
        #[test]
        fn real_motion_is_always_believed(
            steps in prop::collection::vec((-4.7_f64..4.7, 18_u64..700), 1..200),
        ) {
            let mut filter = JumpFilter::new();
            let (mut angle, mut now) = (0.0_f64, Timestamp::ZERO);
            for (speed, millis) in steps {
                now = now + Duration::from_millis(millis);
                angle = (angle + speed * millis as f64 * 1e-3).clamp(-PI, PI);
                prop_assert_eq!(filter.judge(base(angle), now, WIRE), Judgement::Believed);
            }
        }

        /// Poses that come and go are never shown, and the true ones between them always are.
        #[test]
        fn scattered_garbage_is_never_believed(
            garbage in prop::collection::vec(prop::option::weighted(0.3, 0.6_f64..3.0), 1..200),
        ) {
            let mut filter = JumpFilter::new();
            let mut clean = true;
            for (index, wrong) in garbage.into_iter().enumerate() {
                let wrong = wrong.filter(|_| index > 0 && clean);
                let measured = Timestamp::from_nanos(index as u64 * FRAME);
                let judgement = filter.judge(base(wrong.unwrap_or(0.0)), measured, WIRE);
                prop_assert_eq!(judgement == Judgement::Believed, wrong.is_none());
                clean = wrong.is_none();
            }
        }
    }
}
