//! Whether the box of an instruction was picked up.

use std::time::Duration;

use crate::sim::scene::{BOX_COUNT, BoxColour};

/// A box counts as picked up when it has been this high over the table, metres ...
pub const LIFTED_M: f64 = 0.06;
/// ... for so long.
pub const LIFTED_TIME: Duration = Duration::from_millis(500);

/// Watches the boxes for one instruction.
#[derive(Clone, Copy, Debug)]
pub struct Trial {
    target: BoxColour,
    elapsed: Duration,
    up_for: [Duration; 2],
    outcome: Outcome,
}

/// What came of an instruction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// When the instruction's box had been picked up, from the beginning.
    pub lifted_after: Option<Duration>,
    /// Whether the other box was picked up: then the instruction was not followed, whatever else happened.
    pub took_the_other: bool,
}

impl Outcome {
    /// Whether the instruction was followed.
    pub const fn is_success(&self) -> bool {
        self.lifted_after.is_some() && !self.took_the_other
    }
}

impl Trial {
    /// Begins to watch.
    pub fn new(target: BoxColour) -> Self {
        Self { target, elapsed: Duration::ZERO, up_for: [Duration::ZERO; 2], outcome: Outcome::default() }
    }

    /// The box of the instruction.
    pub const fn target(&self) -> BoxColour {
        self.target
    }

    /// A step is over. `carried_m`: how high over the table the boxes are that the hand has, metres.
    pub fn advance(&mut self, step: Duration, carried_m: [Option<f64>; BOX_COUNT]) {
        self.elapsed += step;
        for colour in BoxColour::ALL {
            let up = carried_m[colour.index()].is_some_and(|height_m| height_m >= LIFTED_M);
            let up_for = &mut self.up_for[colour.index()];
            *up_for = if up { *up_for + step } else { Duration::ZERO };
            if *up_for >= LIFTED_TIME {
                if colour != self.target {
                    self.outcome.took_the_other = true;
                } else if self.outcome.lifted_after.is_none() {
                    self.outcome.lifted_after = Some(self.elapsed);
                }
            }
        }
    }

    /// What has come of it so far.
    pub const fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// Whether nothing can change any more.
    pub const fn is_decided(&self) -> bool {
        self.outcome.lifted_after.is_some() || self.outcome.took_the_other
    }

    /// Time from the beginning counts anew, for instance from when the policy takes over.
    pub fn start_clock(&mut self) {
        self.elapsed = Duration::ZERO;
    }
}
