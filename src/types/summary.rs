//! What every run says at its end.

use std::fmt;

use serde::Serialize;

use super::{JOINT_COUNT, Joint};

/// Middle and tail of a set of durations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ChunkTimes {
    /// Median, ms.
    pub p50: f64,
    /// 95th percentile, ms.
    pub p95: f64,
}

/// [`ChunkTimes`] of each stage of inference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct StageTimes {
    /// Resize, scale and normalise.
    pub preprocess: ChunkTimes,
    /// Vision encoder, all cameras.
    pub vision: ChunkTimes,
    /// Key/value cache of images, text and state.
    pub prefix: ChunkTimes,
    /// All flow matching steps.
    pub flow: ChunkTimes,
    /// Back to degrees.
    pub denormalise: ChunkTimes,
    /// The whole.
    pub total: ChunkTimes,
}

/// The policy's z-scores over a run: distances from the training data's mean in standard deviations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ZRange {
    /// Smallest.
    pub min: f64,
    /// Largest.
    pub max: f64,
    /// Mean.
    pub mean: f64,
    /// Largest distance from 0; `null` in JSON if one was NaN.
    pub max_abs: f64,
}

/// What inference did in a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct InferenceSummary {
    /// Chunks that were computed.
    pub chunks: u64,
    /// Seed of the noise.
    pub noise_seed: u64,
    /// What z-scores were multiplied with.
    pub action_scale: f64,
    /// Where the time went; zero in virtual time, whose runs must not depend on the machine.
    pub stages_ms: StageTimes,
    /// Age of the oldest picture when inference began.
    pub observation_age_start_ms: ChunkTimes,
    /// Age of the oldest picture when the chunk was finished.
    pub observation_age_end_ms: ChunkTimes,
    /// Before the action scale.
    pub z: ZRange,
    /// Share of the values in degrees outside the training data's minimum and maximum, 0 to 1.
    pub beyond_trained_range: f64,
}

/// Middle and tails of a time that belongs to control ticks; in `tick_jitter_us` their lateness against the absolute schedule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct TickJitter {
    /// Median, µs.
    pub p50: f64,
    /// 99th percentile, µs.
    pub p99: f64,
    /// 99.9th percentile, µs.
    pub p999: f64,
    /// Worst, µs.
    pub max: f64,
}

/// How smooth the motion was while the policy was in charge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct MotionSummary {
    /// Splices of a new chunk into one that was being played.
    pub seams: u64,
    /// Largest disagreement of a new chunk with the one it replaced, at the splice, degrees.
    pub disagreement_deg: f64,
    /// The fastest step within half a second after a splice over the fastest step inside chunks; 0 without seams.
    pub seam_ratio: f64,
    /// Largest jerk between written goals, °/s³.
    pub jerk_deg_s3: f64,
    /// Ticks in which the arm waited for a chunk.
    pub ticks_waiting: u64,
    /// Ticks in which the arm was slowed because the next chunk was late.
    pub ticks_slowed: u64,
    /// How often chunks were played one after another although they should overlap.
    pub fallbacks_to_sync: u64,
    /// How often the arm came to a plateau.
    pub plateaus: u64,
    /// Whether the gripper was found closed while nothing went on.
    pub gripper_idle: bool,
}

/// The end of a run in numbers; `--json` prints it as the last line of standard output.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunSummary {
    /// Whether the run ended as it was meant to: not by a protective stop.
    pub ok: bool,
    /// Why the run ended.
    pub ended: String,
    /// Ticks of the control core.
    pub ticks: u64,
    /// Ticks that were due and never happened, because the thread came too late for them.
    pub missed_ticks: u64,
    /// Chunks that were played.
    pub chunks: u64,
    /// Chunks that the gate dropped.
    pub chunks_rejected: u64,
    /// Commands that were written to the port.
    pub commands_sent: u64,
    /// Time from request to finished chunk.
    pub chunk_ms: ChunkTimes,
    /// Lateness of ticks.
    pub tick_jitter_us: TickJitter,
    /// Valid feedback lines a second while connected.
    pub feedback_hz: f64,
    /// How smooth the motion was.
    pub motion: MotionSummary,
    /// How often the link was lost while the arm was moving.
    pub link_losses: u64,
    /// How often the arm was taken out of a latched stop.
    pub resets: u64,
    /// How often a camera was found to deliver the same picture again and again.
    pub frozen_pictures: u64,
    /// How often each rule of the gate acted.
    pub gate: serde_json::Map<String, serde_json::Value>,
    /// How far each joint moved, largest minus smallest measured angle, degrees.
    pub travel_deg: serde_json::Map<String, serde_json::Value>,
    /// Length of the run, s.
    pub elapsed_s: f64,
    /// What inference did; `None` if no chunk was computed.
    pub inference: Option<InferenceSummary>,
}

impl RunSummary {
    /// Counts by rule as the summary holds them.
    pub fn gate_from(
        rules: impl IntoIterator<Item = (&'static str, u64)>,
    ) -> serde_json::Map<String, serde_json::Value> {
        rules.into_iter().map(|(rule, count)| (rule.to_owned(), count.into())).collect()
    }

    /// Travel by joint as the summary holds it, to a tenth of a degree.
    pub fn travel_from(travel_deg: [f64; JOINT_COUNT]) -> serde_json::Map<String, serde_json::Value> {
        let tenths = |degrees: f64| (degrees * 10.0).round() / 10.0;
        Joint::ALL
            .iter()
            .zip(travel_deg)
            .map(|(joint, travel)| (joint.name().to_owned(), tenths(travel).into()))
            .collect()
    }
}

/// The summary for people.
impl fmt::Display for RunSummary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |map: &serde_json::Map<String, serde_json::Value>, unit: &str| {
            map.iter().map(|(name, value)| format!("{name} {value}{unit}")).collect::<Vec<_>>().join(", ")
        };
        writeln!(formatter, "ended            {} after {:.1} s", self.ended, self.elapsed_s)?;
        writeln!(formatter, "ticks            {} ({} missed)", self.ticks, self.missed_ticks)?;
        writeln!(
            formatter,
            "tick_jitter_us   p50 {:.0}, p99 {:.0}, p99.9 {:.0}, max {:.0}",
            self.tick_jitter_us.p50,
            self.tick_jitter_us.p99,
            self.tick_jitter_us.p999,
            self.tick_jitter_us.max
        )?;
        writeln!(formatter, "chunks           {} ({} rejected)", self.chunks, self.chunks_rejected)?;
        writeln!(formatter, "chunk_ms         p50 {:.1}, p95 {:.1}", self.chunk_ms.p50, self.chunk_ms.p95)?;
        writeln!(formatter, "commands_sent    {}", self.commands_sent)?;
        writeln!(formatter, "feedback_hz      {:.1}", self.feedback_hz)?;
        let motion = &self.motion;
        writeln!(
            formatter,
            "motion           {} seams of at most {:.1}°, steps there {:.2} times those inside; jerk {:.0}°/s³; ticks waiting {}, \
             slowed {}; {} falls back to sync",
            motion.seams,
            motion.disagreement_deg,
            motion.seam_ratio,
            motion.jerk_deg_s3,
            motion.ticks_waiting,
            motion.ticks_slowed,
            motion.fallbacks_to_sync
        )?;
        if self.link_losses > 0 || self.resets > 0 {
            writeln!(formatter, "interruptions    {} lost links, {} resets", self.link_losses, self.resets)?;
        }
        if self.frozen_pictures > 0 {
            writeln!(
                formatter,
                "frozen_pictures  {}: a camera went on delivering the same picture",
                self.frozen_pictures
            )?;
        }
        writeln!(formatter, "gate             {}", list(&self.gate, ""))?;
        write!(formatter, "travel           {}", list(&self.travel_deg, "°"))?;
        let Some(inference) = &self.inference else { return Ok(()) };
        let (stages, z) = (&inference.stages_ms, &inference.z);
        writeln!(
            formatter,
            "\nstages_ms        p50: preprocess {:.2}, vision {:.1}, prefix {:.1}, flow {:.1}, denormalise {:.2}",
            stages.preprocess.p50,
            stages.vision.p50,
            stages.prefix.p50,
            stages.flow.p50,
            stages.denormalise.p50
        )?;
        writeln!(
            formatter,
            "observation_age  p50 {:.1} ms when inference began, {:.1} ms when it ended",
            inference.observation_age_start_ms.p50, inference.observation_age_end_ms.p50
        )?;
        write!(
            formatter,
            "z                {:.2} to {:.2}, mean {:.2}, {:.1} % beyond the trained range, action scale {}",
            z.min,
            z.max,
            z.mean,
            inference.beyond_trained_range * 100.0,
            inference.action_scale
        )
    }
}
