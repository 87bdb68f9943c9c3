//! What makes an episode bad while it is recorded.

use std::time::Duration;

use crate::types::{FeedbackSample, FrameMetadata, Timestamp};

/// What one camera shows.
pub(super) struct Sight<'a> {
    pub(super) camera: &'a str,
    /// `None` before its first picture.
    pub(super) frame: Option<&'a FrameMetadata>,
}

/// Looks at each frame of an episode before it is recorded.
pub(super) struct EpisodeWatch {
    period: Duration,
    max_feedback_age: Duration,
    max_frame_age: Duration,
    frozen_after: Option<Duration>,
    /// The picture of each camera that was new last: digest, and when it was.
    changed: Vec<(Option<u64>, Timestamp)>,
}

impl EpisodeWatch {
    pub(super) const fn new(
        period: Duration,
        max_feedback_age: Duration,
        max_frame_age: Duration,
        frozen_after: Option<Duration>,
    ) -> Self {
        Self { period, max_feedback_age, max_frame_age, frozen_after, changed: Vec::new() }
    }

    /// Why the frame that was `due` and is taken `now` makes the episode bad.
    pub(super) fn judge<'a>(
        &mut self,
        now: Timestamp,
        due: Timestamp,
        feedback: Option<&FeedbackSample>,
        sights: impl Iterator<Item = Sight<'a>>,
    ) -> Option<String> {
        let late = now.since(due);
        if late > self.period {
            return Some(format!(
                "a frame came {} ms late: this machine is too busy for {:.0} frames a second",
                late.as_millis(),
                1.0 / self.period.as_secs_f64()
            ));
        }
        let Some(feedback) = feedback else {
            return Some("no pose was ever measured: check the link (roarm doctor)".to_owned());
        };
        let age = now.since(feedback.measured);
        if age > self.max_feedback_age {
            return Some(format!("the measured pose is {} ms old: check the USB cable", age.as_millis()));
        }
        for (place, sight) in sights.enumerate() {
            let camera = sight.camera;
            let Some(frame) = sight.frame else {
                return Some(format!("camera {camera} never delivered a picture"));
            };
            let age = now.since(frame.captured);
            if age > self.max_frame_age {
                return Some(format!(
                    "the newest picture of camera {camera} is {} ms old: check its cable",
                    age.as_millis()
                ));
            }
            if let Some(same) = self.same_for(place, frame)
                && self.frozen_after.is_some_and(|longest| same > longest)
            {
                return Some(format!(
                    "camera {camera} has delivered the same picture for {} ms: it is frozen, unplug it and plug it in again",
                    same.as_millis()
                ));
            }
        }
        None
    }

    /// How long a camera has shown the same picture; `None` where pictures have no digest.
    fn same_for(&mut self, place: usize, frame: &FrameMetadata) -> Option<Duration> {
        frame.digest?;
        let seen = (frame.digest, frame.captured);
        match self.changed.get_mut(place) {
            Some(last) if last.0 == frame.digest => Some(frame.captured.since(last.1)),
            Some(last) => {
                *last = seen;
                None
            }
            None => {
                self.changed.push(seen);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::types::JointAngles;

    const MS: Duration = Duration::from_millis(1);

    struct Scene {
        watch: EpisodeWatch,
        now: Timestamp,
        late: Duration,
        feedback_age: Duration,
        frame_age: Duration,
        digest: u64,
    }

    impl Scene {
        fn new() -> Self {
            let watch = EpisodeWatch::new(33 * MS, 200 * MS, 250 * MS, Some(500 * MS));
            let now = Timestamp::from_nanos(10_000_000_000);
            Self { watch, now, late: MS, feedback_age: 30 * MS, frame_age: 40 * MS, digest: 0 }
        }

        fn judge(&mut self) -> Option<String> {
            self.now = self.now + 33 * MS;
            let feedback = FeedbackSample {
                sequence: 0,
                angles: JointAngles::ZERO,
                measured: self.now - self.feedback_age,
                torque_off: true,
            };
            let frame = FrameMetadata {
                id: 0,
                sequence: 0,
                captured: self.now - self.frame_age,
                width: 1,
                height: 1,
                digest: Some(self.digest),
            };
            let sight = Sight { camera: "front", frame: Some(&frame) };
            self.watch.judge(self.now, self.now - self.late, Some(&feedback), std::iter::once(sight))
        }
    }

    #[track_caller]
    fn assert_bad(change: impl FnOnce(&mut Scene), word: &str) {
        let mut scene = Scene::new();
        assert_eq!(scene.judge(), None);
        change(&mut scene);
        let reason = scene.judge().unwrap();
        assert!(reason.contains(word), "{reason}");
    }

    #[test]
    fn what_is_old_or_late_makes_an_episode_bad_at_once() {
        assert_bad(|scene| scene.late = 40 * MS, "40 ms late");
        assert_bad(|scene| scene.feedback_age = 201 * MS, "pose is 201 ms old");
        assert_bad(|scene| scene.frame_age = 251 * MS, "camera front is 251 ms old");
    }

    #[test]
    fn a_camera_that_repeats_its_picture_makes_an_episode_bad() {
        let mut scene = Scene::new();
        for number in 0..100 {
            scene.digest = number / 3;
            assert_eq!(scene.judge(), None, "each picture comes three times");
        }
        let frozen = (0..100).position(|_| scene.judge().is_some()).unwrap();
        assert!((13..=17).contains(&frozen), "half a second is 15 frames: {frozen}");
    }

    #[test]
    fn what_was_never_there_makes_an_episode_bad() {
        let mut watch = Scene::new().watch;
        let now = Timestamp::from_nanos(1_000_000_000);
        let reason = watch.judge(now, now, None, std::iter::empty()).unwrap();
        assert!(reason.contains("no pose"), "{reason}");
        let feedback =
            FeedbackSample { sequence: 0, angles: JointAngles::ZERO, measured: now, torque_off: true };
        let sight = Sight { camera: "wrist", frame: None };
        let reason = watch.judge(now, now, Some(&feedback), std::iter::once(sight)).unwrap();
        assert!(reason.contains("camera wrist never"), "{reason}");
    }
}
