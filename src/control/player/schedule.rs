//! When the next chunk is asked for and how it joins the one before.

use std::fmt;
use std::str::FromStr;

use crate::types::JointAngles;

/// When the next chunk is asked for and how it joins the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChunkSchedule {
    /// Observe, infer, play `n_action_steps`, observe again (LeRobot's `select_action`). The arm stands while the policy computes.
    #[default]
    Sync,
    /// The next chunk is computed while the last one plays (LeRobot's asynchronous client). Actions for the same time are aggregated.
    Async {
        /// How.
        aggregation: Aggregation,
    },
    /// Real-time chunking: the next chunk is computed while the last one plays and guided to go on from it; it takes over where its
    /// own actions begin to count, by actions consumed.
    RealTime {
        /// Actions of the new chunk that the old one has a say in. A chunk that comes later than so many actions is not spliced.
        execution_horizon: usize,
    },
}

impl ChunkSchedule {
    /// Whether chunks are computed while the arm moves.
    pub const fn overlaps(self) -> bool {
        !matches!(self, Self::Sync)
    }
}

/// How two chunks' actions for the same time become one: the names and weights of LeRobot's asynchronous client
/// (`lerobot/async_inference/configs.py`, `AGGREGATE_FUNCTIONS`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Aggregation {
    /// `latest_only`: the new one.
    Latest,
    /// `weighted_average`: 0.3 of the old and 0.7 of the new one. LeRobot's default.
    #[default]
    Weighted,
    /// `average`: half of each.
    Average,
    /// `conservative`: 0.7 of the old and 0.3 of the new one.
    Conservative,
}

impl Aggregation {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Latest, Self::Weighted, Self::Average, Self::Conservative];

    /// Its word in settings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Latest => "latest",
            Self::Weighted => "weighted",
            Self::Average => "average",
            Self::Conservative => "conservative",
        }
    }

    /// The new action's share.
    const fn share(self) -> f64 {
        match self {
            Self::Latest => 1.0,
            Self::Weighted => 0.7,
            Self::Average => 0.5,
            Self::Conservative => 0.3,
        }
    }

    /// The two as one.
    pub(super) fn of(self, old: &JointAngles, new: &JointAngles) -> JointAngles {
        match self {
            Self::Latest => *new,
            _ => old.interpolate(new, self.share()),
        }
    }
}

impl fmt::Display for Aggregation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// The text names no aggregation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown aggregation `{0}`: use latest, weighted, average or conservative")]
pub struct UnknownAggregation(String);

impl FromStr for Aggregation {
    type Err = UnknownAggregation;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named = |aggregation: &Self| aggregation.name() == text;
        Self::ALL.into_iter().find(named).ok_or_else(|| UnknownAggregation(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_lerobots() {
        let pose = |angle| JointAngles::from_array_rad([angle; 6]);
        let of = |aggregation: Aggregation| aggregation.of(&pose(10.0), &pose(20.0)).to_array_rad()[0];
        let found = Aggregation::ALL.map(of);
        for (found, expected) in found.into_iter().zip([20.0, 17.0, 15.0, 13.0]) {
            assert!((found - expected).abs() < 1e-12, "{found}, not {expected}");
        }
    }

    #[test]
    fn names_go_both_ways() {
        for aggregation in Aggregation::ALL {
            assert_eq!(aggregation.to_string().parse(), Ok(aggregation));
        }
        assert!("mean".parse::<Aggregation>().is_err());
    }
}
