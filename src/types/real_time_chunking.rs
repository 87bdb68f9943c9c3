//! How a new chunk joins the one that is being played: real-time chunking, as settings and as a request.

use std::fmt;
use std::str::FromStr;

/// How the weight of the previous chunk's actions falls, from 1 where the new chunk must repeat them to 0 where it is free.
///
/// LeRobot's `RTCAttentionSchedule`, under its names. With delay `d` and horizon `h` the weight of action `i` is 1 for `i < d`, 0 for
/// `i >= h`, and between them what the variant says; `c = (h - i) / (h - d + 1)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PrefixAttentionSchedule {
    /// 0: only what will have been played is kept.
    Zeros,
    /// 1: everything up to the horizon is kept.
    Ones,
    /// `c`. LeRobot's default.
    #[default]
    Linear,
    /// `c (e^c - 1) / (e - 1)`: the paper's soft mask.
    Exp,
}

impl PrefixAttentionSchedule {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Zeros, Self::Ones, Self::Linear, Self::Exp];

    /// LeRobot's name, such as `LINEAR`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Zeros => "ZEROS",
            Self::Ones => "ONES",
            Self::Linear => "LINEAR",
            Self::Exp => "EXP",
        }
    }
}

impl fmt::Display for PrefixAttentionSchedule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// The text names no schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown schedule `{0}`: use ZEROS, ONES, LINEAR or EXP")]
pub struct UnknownSchedule(String);

impl FromStr for PrefixAttentionSchedule {
    type Err = UnknownSchedule;

    /// In capitals or small letters.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named = |schedule: &Self| schedule.name().eq_ignore_ascii_case(text);
        Self::ALL.into_iter().find(named).ok_or_else(|| UnknownSchedule(text.to_owned()))
    }
}

/// What guides the new chunk where the previous one has no more actions but the horizon goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ShortLeftOver {
    /// Its last action, repeated: what an arm does that has run out of actions.
    #[default]
    HoldLast,
    /// Nothing: the horizon ends with the left-over. What LeRobot 0.4.4 computes.
    ShortenHorizon,
}

/// Settings of real-time chunking. The defaults are LeRobot's, but for a left-over that is too short.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RealTimeChunking {
    /// LeRobot's `prefix_attention_schedule`.
    pub schedule: PrefixAttentionSchedule,
    /// Actions of the new chunk that the previous one has a say in, counted from its first. LeRobot's `execution_horizon`.
    ///
    /// The paper's `s` is something else: there the horizon is the chunk's length less `s`.
    pub execution_horizon: usize,
    /// Upper limit of the guidance weight, above 0. LeRobot's `max_guidance_weight`, the paper's `beta`.
    ///
    /// Above twice the number of flow steps the first step overshoots so far that it drives the chunk away.
    pub max_guidance_weight: f32,
    /// What to do where the left-over is shorter than the horizon.
    pub short_left_over: ShortLeftOver,
}

impl Default for RealTimeChunking {
    fn default() -> Self {
        Self {
            schedule: PrefixAttentionSchedule::default(),
            execution_horizon: 10,
            max_guidance_weight: 10.0,
            short_left_over: ShortLeftOver::default(),
        }
    }
}

/// Asks that a chunk go on where the one that is being played will be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Continuation {
    /// The chunk that is being played.
    pub chunk_id: u64,
    /// Its actions that had been played when the observation was taken; the next one belongs to the new chunk's first.
    pub consumed: usize,
    /// Further actions that will have been played when the new chunk is ready. The new chunk is played from this index on.
    pub inference_delay: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_both_ways() {
        for schedule in PrefixAttentionSchedule::ALL {
            assert_eq!(schedule.to_string().parse(), Ok(schedule));
            assert_eq!(schedule.to_string().to_lowercase().parse(), Ok(schedule));
        }
        for text in ["", "LIN", "EXPONENTIAL", "linear "] {
            assert!(text.parse::<PrefixAttentionSchedule>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_defaults_are_lerobots() {
        let RealTimeChunking { schedule, execution_horizon, max_guidance_weight, .. } = Default::default();
        assert_eq!(
            (schedule, execution_horizon, max_guidance_weight),
            (PrefixAttentionSchedule::Linear, 10, 10.0)
        );
    }
}
