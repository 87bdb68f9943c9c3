//! The keys of `[policy]` on how chunks follow each other.

use super::error::ConfigError;
use super::reader::Section;
use crate::types::PrefixAttentionSchedule;

/// When the next chunk is computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ScheduleChoice {
    /// After the last one was played.
    #[default]
    Sync,
    /// While the last one plays.
    Async,
    /// While the last one plays, guided by it.
    RealTime,
}

/// How overlapping actions become one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AggregationChoice {
    /// 0.3 old, 0.7 new.
    #[default]
    Weighted,
    /// The new one.
    Latest,
    /// Half of each.
    Average,
    /// 0.7 old, 0.3 new.
    Conservative,
}

/// How chunks follow each other.
#[derive(Clone, Debug, PartialEq)]
pub struct ChunkConfig {
    /// When the next chunk is computed.
    pub schedule: ScheduleChoice,
    /// How overlapping actions become one, in `async`.
    pub aggregation: AggregationChoice,
    /// The next chunk is asked for when no more than this share of the last one is left.
    pub queue_threshold: f64,
    /// Actions that the last chunk has a say in, in `rtc`.
    pub execution_horizon: u32,
    /// Upper limit of the guidance weight, in `rtc`.
    pub max_guidance_weight: f64,
    /// How the last chunk's weight falls, in `rtc`.
    pub prefix_attention_schedule: PrefixAttentionSchedule,
}

impl Default for ChunkConfig {
    fn default() -> Self {
        Self {
            schedule: ScheduleChoice::Sync,
            aggregation: AggregationChoice::Weighted,
            queue_threshold: 0.5,
            execution_horizon: 10,
            max_guidance_weight: 10.0,
            prefix_attention_schedule: PrefixAttentionSchedule::Linear,
        }
    }
}

impl ChunkConfig {
    pub(super) fn read(section: &mut Section<'_>) -> Result<Self, ConfigError> {
        let default = Self::default();
        Ok(Self {
            schedule: section.choice(
                "schedule",
                &[
                    ("sync", ScheduleChoice::Sync),
                    ("async", ScheduleChoice::Async),
                    ("rtc", ScheduleChoice::RealTime),
                ],
            )?,
            aggregation: section.choice(
                "aggregation",
                &[
                    ("weighted", AggregationChoice::Weighted),
                    ("latest", AggregationChoice::Latest),
                    ("average", AggregationChoice::Average),
                    ("conservative", AggregationChoice::Conservative),
                ],
            )?,
            queue_threshold: section.number("queue_threshold", default.queue_threshold, 0.05..=0.95)?,
            execution_horizon: u32::try_from(section.whole(
                "execution_horizon",
                default.execution_horizon.into(),
                1..=256,
            )?)
            .unwrap_or(default.execution_horizon),
            max_guidance_weight: section.number(
                "max_guidance_weight",
                default.max_guidance_weight,
                0.1..=1000.0,
            )?,
            prefix_attention_schedule: section.choice(
                "prefix_attention_schedule",
                &[
                    ("linear", PrefixAttentionSchedule::Linear),
                    ("exp", PrefixAttentionSchedule::Exp),
                    ("ones", PrefixAttentionSchedule::Ones),
                    ("zeros", PrefixAttentionSchedule::Zeros),
                ],
            )?,
        })
    }
}
