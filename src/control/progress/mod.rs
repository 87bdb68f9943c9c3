//! Whether the policy gets on: an arm that no longer moves, and a gripper that closed on nothing.
//!
//! Time counts only while the policy's commands are played. An arm that stands because the next chunk is still being computed
//! has not come to a plateau.

mod gripper_idle;
mod plateau;

use std::time::Duration;

pub use gripper_idle::GripperIdle;
pub use plateau::{Plateau, PlateauAction};

use crate::types::{FeedbackSample, JointAngles, StatePerturbation, Timestamp};
use gripper_idle::GripperIdleDetector;
use plateau::PlateauDetector;

/// What was noticed in a tick.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Noticed {
    /// The arm has come to a plateau.
    pub(super) plateau: Option<PlateauAction>,
    /// The gripper has stayed closed and nothing went on; whether the run shall end for it.
    pub(super) gripper_idle: Option<bool>,
}

/// Watches the policy at work.
#[derive(Clone, Debug)]
pub(super) struct ProgressWatch {
    plateau: Option<PlateauDetector>,
    gripper_idle: Option<GripperIdleDetector>,
    /// Time that was played so far, as a stamp.
    played: Timestamp,
    before: Option<Timestamp>,
    perturbation: Option<StatePerturbation>,
}

impl ProgressWatch {
    pub(super) fn new(plateau: Option<Plateau>, gripper_idle: Option<GripperIdle>) -> Self {
        Self {
            plateau: plateau.map(PlateauDetector::new),
            gripper_idle: gripper_idle.map(GripperIdleDetector::new),
            played: Timestamp::ZERO,
            before: None,
            perturbation: None,
        }
    }

    /// A policy takes charge, for the first time or again.
    pub(super) fn restart(&mut self) {
        self.before = None;
        self.perturbation = None;
        self.forget();
    }

    fn forget(&mut self) {
        if let Some(plateau) = &mut self.plateau {
            plateau.forget();
        }
        if let Some(gripper_idle) = &mut self.gripper_idle {
            gripper_idle.forget();
        }
    }

    /// One tick of a policy in charge; `playing` says whether its commands are played or awaited.
    pub(super) fn observe(
        &mut self,
        now: Timestamp,
        playing: bool,
        sample: Option<&FeedbackSample>,
        goal: &JointAngles,
    ) -> Noticed {
        let since = self.before.replace(now).map_or(Duration::ZERO, |before| now.since(before));
        if playing {
            self.played = self.played + since;
        }
        let Some(angles) = sample.map(|sample| sample.angles).filter(JointAngles::is_finite) else {
            return Noticed::default();
        };
        let played = self.played;
        let plateau = self.plateau.as_mut().and_then(|plateau| plateau.observe(&angles, played));
        if let Some(PlateauAction::Noise { amplitude_rad, seed }) = plateau {
            self.perturbation = Some(StatePerturbation { amplitude_rad, seed });
        }
        let gripper_idle = self.gripper_idle.as_mut().and_then(|idle| idle.observe(&angles, goal, played));
        Noticed { plateau, gripper_idle }
    }

    /// What the next observation shall be perturbed with: once for each plateau.
    pub(super) const fn take_perturbation(&mut self) -> Option<StatePerturbation> {
        self.perturbation.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLATEAU: Plateau = Plateau {
        threshold_rad: 0.01,
        window: Duration::from_secs(2),
        action: PlateauAction::Noise { amplitude_rad: 0.05, seed: 7 },
    };

    fn sample(angle: f64, now: Timestamp) -> FeedbackSample {
        let angles = JointAngles::from_array_rad([angle; 6]);
        FeedbackSample { sequence: 0, angles, measured: now, torque_off: false }
    }

    /// Ticks (of 20 ms) at which a plateau was noticed.
    fn noticed_at(playing: impl Fn(u64) -> bool, angle: impl Fn(u64) -> f64) -> Vec<u64> {
        let mut watch = ProgressWatch::new(Some(PLATEAU), None);
        let at = |tick: u64| Timestamp::ZERO + Duration::from_millis(tick * 20);
        (0..500_u64)
            .filter(|tick| {
                let sample = sample(angle(*tick), at(*tick));
                let noticed =
                    watch.observe(at(*tick), playing(*tick), Some(&sample), &JointAngles::ZERO).plateau;
                assert_eq!(watch.take_perturbation().is_some(), noticed.is_some(), "once for each plateau");
                noticed.is_some()
            })
            .collect()
    }

    #[test]
    fn an_arm_that_stands_is_noticed_once_each_window() {
        assert_eq!(noticed_at(|_| true, |_| 0.3), [100, 201, 302, 403]);
        assert!(
            noticed_at(|_| true, |tick| tick as f64 * 0.000_2).is_empty(),
            "it moves a degree in two seconds"
        );
    }

    #[test]
    fn waiting_for_a_chunk_is_no_plateau() {
        assert!(noticed_at(|_| false, |_| 0.3).is_empty());
        // A second of every five is played: two of them make a window.
        let first = noticed_at(|tick| tick % 250 < 50, |_| 0.3);
        assert_eq!(first.first(), None, "two seconds of ten were played: {first:?}");
        assert_eq!(noticed_at(|tick| tick % 200 < 60, |_| 0.3), [240]);
    }

    #[test]
    fn a_policy_that_takes_charge_again_starts_anew() {
        let mut watch = ProgressWatch::new(Some(PLATEAU), None);
        let at = |tick: u64| Timestamp::ZERO + Duration::from_millis(tick * 20);
        for tick in 0..200 {
            if tick % 90 == 0 {
                watch.restart();
            }
            let noticed = watch.observe(at(tick), true, Some(&sample(0.1, at(tick))), &JointAngles::ZERO);
            assert_eq!(noticed, Noticed::default());
        }
    }
}
