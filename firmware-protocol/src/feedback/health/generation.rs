//! Which firmware answers: by behaviour, since there is no version query.

use crate::{Feedback, FeedbackShape, Generation, Line};

/// As much as can be told from outside. G1b cannot be told from G1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DetectedFirmware {
    /// G1 or G1b: frames without torque switches and supply, or an echo in debug mode.
    G1,
    /// 24 keys: the firmware of 2026-01 ("G2", whose stop and torque-off are not known) or G3.
    G2OrG3,
    /// Its queue or its supply text was seen.
    G3,
}

impl DetectedFirmware {
    /// The generation whose documented behaviour to go by; a G2 is taken for a G3.
    #[must_use]
    pub const fn generation(self) -> Generation {
        match self {
            Self::G1 => Generation::G1,
            Self::G2OrG3 | Self::G3 => Generation::G3,
        }
    }
}

/// Commands whose echo is waited for.
const REMEMBERED: usize = 4;

/// Detects the firmware from what arrives.
///
/// Echo in debug mode: G1. A line `{"error":"Queue full"}` or the text about low supply: G3. Else the keys of the frames,
/// when enough of one shape came in a row; frames of no known shape say nothing.
#[derive(Clone, Copy, Debug)]
pub struct GenerationDetector {
    frames_to_believe: u8,
    shape: Option<FeedbackShape>,
    of_shape: u8,
    by_keys: Option<DetectedFirmware>,
    certain: Option<DetectedFirmware>,
    sent: [u64; REMEMBERED],
    next: usize,
}

/// FNV-1a, to know an echo again without keeping the line.
fn digest(line: &[u8]) -> u64 {
    line.iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

impl GenerationDetector {
    /// A detector that has seen nothing and wants so many frames of one shape in a row.
    #[must_use]
    pub const fn new(frames_to_believe: u8) -> Self {
        Self {
            frames_to_believe,
            shape: None,
            of_shape: 0,
            by_keys: None,
            certain: None,
            sent: [0; REMEMBERED],
            next: 0,
        }
    }

    /// The host wrote this line (its line end may be there).
    pub fn wrote(&mut self, line: &[u8]) {
        self.sent[self.next % REMEMBERED] = digest(line.trim_ascii());
        self.next = self.next.wrapping_add(1);
    }

    /// A line arrived.
    pub fn received(&mut self, line: &Line<'_>) {
        match line {
            Line::Feedback(feedback) => self.frame(feedback),
            Line::QueueFull | Line::LowSupply => self.certain = Some(DetectedFirmware::G3),
            Line::OtherJson(text) if self.sent.contains(&digest(text)) => {
                self.certain = Some(DetectedFirmware::G1)
            }
            // Another firmware may have been flashed.
            Line::Reset => *self = Self::new(self.frames_to_believe),
            _ => {}
        }
    }

    fn frame(&mut self, feedback: &Feedback) {
        let shape = feedback.shape();
        if self.shape != Some(shape) {
            (self.shape, self.of_shape) = (Some(shape), 0);
        }
        self.of_shape = self.of_shape.saturating_add(1);
        if self.of_shape >= self.frames_to_believe {
            match shape {
                FeedbackShape::Keys16 | FeedbackShape::Keys17 => self.by_keys = Some(DetectedFirmware::G1),
                FeedbackShape::Keys24 => self.by_keys = Some(DetectedFirmware::G2OrG3),
                FeedbackShape::Other => {}
            }
        }
    }

    /// What is known so far.
    #[must_use]
    pub fn detected(&self) -> Option<DetectedFirmware> {
        self.certain.or(self.by_keys)
    }
}
