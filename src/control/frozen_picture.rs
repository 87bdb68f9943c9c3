//! A camera that goes on delivering one and the same picture, with new stamps: the policy sees the past, and no age shows it.

use std::time::Duration;

use crate::types::{FrameSet, MAX_CAMERAS, Timestamp};

/// When a picture counts as frozen, and what follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrozenPicture {
    /// Every frame is the same to the last bit for so long.
    pub time: Duration,
    /// Whether recordings and simulated cells are looked at too, which may well show the same picture again.
    pub every_source: bool,
    /// Whether the run ends then.
    pub ends: bool,
}

/// The picture of a camera, and since when it has been the same.
#[derive(Clone, Copy, Debug)]
struct Seen {
    digest: u64,
    since: Timestamp,
    /// Said already: it is not said again before the picture changes.
    found: bool,
}

/// Finds frozen pictures by the digests of frames. A frame without one is not judged.
#[derive(Clone, Copy, Debug)]
pub(super) struct FrozenPictureWatch {
    settings: Option<FrozenPicture>,
    seen: [Option<Seen>; MAX_CAMERAS],
}

impl FrozenPictureWatch {
    pub(super) const fn new(settings: Option<FrozenPicture>) -> Self {
        Self { settings, seen: [None; MAX_CAMERAS] }
    }

    /// A policy takes charge, for the first time or again: a picture that is still frozen is told anew.
    pub(super) const fn restart(&mut self) {
        self.seen = [None; MAX_CAMERAS];
    }

    /// Takes the newest frames; the slot of a camera that is found to be frozen, once for each time that its picture stays. Time counts
    /// between the stamps of frames: a camera that delivers none is another fault.
    pub(super) fn observe(&mut self, frames: &FrameSet) -> Option<usize> {
        let settings = self.settings?;
        let mut found = None;
        for (slot, (seen, frame)) in self.seen.iter_mut().zip(frames).enumerate() {
            let Some((frame, digest)) = frame.and_then(|frame| Some((frame, frame.digest?))) else {
                continue;
            };
            match seen {
                Some(seen) if seen.digest == digest => {
                    let frozen = frame.captured.since(seen.since) >= settings.time;
                    if frozen && found.is_none() && !std::mem::replace(&mut seen.found, true) {
                        found = Some(slot);
                    }
                }
                _ => *seen = Some(Seen { digest, since: frame.captured, found: false }),
            }
        }
        found
    }

    /// Whether such a find ends the run.
    pub(super) fn ends(&self) -> bool {
        self.settings.is_some_and(|settings| settings.ends)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::FrameMetadata;

    const SETTINGS: FrozenPicture =
        FrozenPicture { time: Duration::from_secs(2), every_source: false, ends: false };

    /// Frames of 100 ms each: the numbers of those at which a frozen picture was found.
    fn found_at(digests: impl Iterator<Item = Option<u64>>) -> Vec<u64> {
        let mut watch = FrozenPictureWatch::new(Some(SETTINGS));
        let mut found = Vec::new();
        for (number, digest) in (0_u64..).zip(digests) {
            let captured = Timestamp::from_nanos(number * 100_000_000);
            let frame = FrameMetadata { id: number, sequence: number, captured, width: 8, height: 8, digest };
            // Control looks at each frame several times.
            for _ in 0..5 {
                let mut frames = [None; MAX_CAMERAS];
                frames[1] = Some(frame);
                if let Some(slot) = watch.observe(&frames) {
                    assert_eq!(slot, 1);
                    found.push(number);
                }
            }
        }
        found
    }

    #[test]
    fn a_picture_that_stays_is_found_once_until_it_changes() {
        assert_eq!(found_at((0..100).map(|_| Some(7))), [20]);
        assert_eq!(found_at((0..100).map(|number| Some(number / 30))), [20, 50, 80]);
    }

    #[test]
    fn pictures_that_differ_or_are_not_judged_are_not_frozen() {
        assert!(found_at((0..100).map(Some)).is_empty());
        assert!(found_at((0..100).map(|number| Some(number / 19))).is_empty(), "just short enough");
        assert!(found_at((0..100).map(|number| Some(number % 2))).is_empty(), "two pictures in turns");
        assert!(found_at((0..100).map(|_| None)).is_empty());
        let mut off = FrozenPictureWatch::new(None);
        assert_eq!(off.observe(&[None; MAX_CAMERAS]), None);
    }

    #[test]
    fn two_cameras_that_freeze_together_are_both_told() {
        let mut watch = FrozenPictureWatch::new(Some(SETTINGS));
        let frame = |captured| FrameMetadata {
            id: 0,
            sequence: 0,
            captured: Timestamp::from_nanos(captured),
            width: 8,
            height: 8,
            digest: Some(1),
        };
        let mut observe =
            |captured| watch.observe(&[Some(frame(captured)), Some(frame(captured)), None, None]);
        assert_eq!(observe(0), None);
        assert_eq!([(); 4].map(|()| observe(2_000_000_000)), [Some(0), Some(1), None, None]);
    }

    #[test]
    fn a_camera_that_delivers_nothing_is_not_frozen() {
        let mut watch = FrozenPictureWatch::new(Some(SETTINGS));
        let captured = Timestamp::from_nanos(1);
        let frame = FrameMetadata { id: 0, sequence: 0, captured, width: 8, height: 8, digest: Some(1) };
        let frames = [Some(frame), None, None, None];
        assert!((0..1000).all(|_| watch.observe(&frames).is_none()));
    }
}
