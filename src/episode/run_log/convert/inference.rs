//! What the policy was shown, and what it said.

use super::super::error::Unreadable;
use super::super::records::{ChunkRecord, ObservationRecord};
use super::super::wire;
use super::control::{frames, frames_to_wire};
use super::{Convert, duration, index, nanos, number, required, time};
use crate::policy::{ChunkReport, GuidanceReport, StageTimings, ZStatistics};
use crate::types::{Chunk, JOINT_COUNT, JointAngles};

impl Convert for ObservationRecord {
    type Wire = wire::Observation;

    fn to_wire(&self) -> wire::Observation {
        wire::Observation {
            request: Some(self.request.to_wire()),
            started_ns: self.started.as_nanos(),
            frames: frames_to_wire(&self.frames),
            noise_seed: self.noise_seed,
        }
    }

    fn from_wire(wire: wire::Observation) -> Result<Self, Unreadable> {
        Ok(Self {
            request: required(wire.request, "request")?,
            started: time(wire.started_ns),
            frames: frames(wire.frames)?,
            noise_seed: wire.noise_seed,
        })
    }
}

/// Rows of six.
fn rows<T: Copy>(values: &[T], what: &str) -> Result<Vec<[T; JOINT_COUNT]>, Unreadable> {
    let (rows, rest) = values.as_chunks::<JOINT_COUNT>();
    if !rest.is_empty() {
        return Err(Unreadable::invalid(what, format_args!("{} values", values.len())));
    }
    Ok(rows.to_vec())
}

impl Convert for ChunkRecord {
    type Wire = wire::Chunk;

    fn to_wire(&self) -> wire::Chunk {
        let ChunkReport {
            chunk_id: _,
            noise_seed: _,
            timings: StageTimings { preprocess, vision, prefix, flow, denormalise, total },
            observation_age_start,
            observation_age_end,
            z: ZStatistics { min, max, mean, max_abs, beyond_trained_range },
            action_scale,
            guidance,
        } = self.report;
        wire::Chunk {
            id: self.chunk.id,
            requested_tick: self.chunk.requested_tick,
            observed_ns: self.chunk.observed.as_nanos(),
            finished_ns: self.chunk.finished.as_nanos(),
            actions: self.chunk.actions().iter().flat_map(|action| action.to_array_rad()).collect(),
            z_scores: self.z_scores.as_flattened().to_vec(),
            noise: self.noise.clone(),
            action_scale: Some(action_scale),
            preprocess_ns: nanos(preprocess),
            vision_ns: nanos(vision),
            prefix_ns: nanos(prefix),
            flow_ns: nanos(flow),
            denormalise_ns: nanos(denormalise),
            total_ns: nanos(total),
            observation_age_start_ns: nanos(observation_age_start),
            observation_age_end_ns: nanos(observation_age_end),
            z_min: Some(min),
            z_max: Some(max),
            z_mean: Some(mean),
            z_max_abs: Some(max_abs),
            beyond_trained_range: Some(beyond_trained_range),
            guidance: guidance.map(|guidance| wire::Guidance {
                kept_actions: guidance.kept_actions as u64,
                largest_deviation: Some(guidance.largest_deviation),
                bound: Some(guidance.bound),
            }),
            noise_seed: self.report.noise_seed,
            ends: self.chunk.ends,
        }
    }

    fn from_wire(wire: wire::Chunk) -> Result<Self, Unreadable> {
        let actions: Vec<JointAngles> =
            rows(&wire.actions, "a chunk")?.into_iter().map(JointAngles::from_array_rad).collect();
        let chunk = Chunk::new(
            wire.id,
            time(wire.observed_ns),
            wire.requested_tick,
            time(wire.finished_ns),
            &actions,
        );
        let mut chunk = chunk.map_err(|error| Unreadable(error.to_string()))?;
        chunk.ends = wire.ends;
        let guidance = |guidance: wire::Guidance| {
            Ok::<_, Unreadable>(GuidanceReport {
                kept_actions: index(guidance.kept_actions, "a count of actions")?,
                largest_deviation: number(guidance.largest_deviation, "deviation")?,
                bound: number(guidance.bound, "bound")?,
            })
        };
        let report = ChunkReport {
            chunk_id: wire.id,
            noise_seed: wire.noise_seed,
            timings: StageTimings {
                preprocess: duration(wire.preprocess_ns),
                vision: duration(wire.vision_ns),
                prefix: duration(wire.prefix_ns),
                flow: duration(wire.flow_ns),
                denormalise: duration(wire.denormalise_ns),
                total: duration(wire.total_ns),
            },
            observation_age_start: duration(wire.observation_age_start_ns),
            observation_age_end: duration(wire.observation_age_end_ns),
            z: ZStatistics {
                min: number(wire.z_min, "z-score")?,
                max: number(wire.z_max, "z-score")?,
                mean: number(wire.z_mean, "z-score")?,
                max_abs: number(wire.z_max_abs, "z-score")?,
                beyond_trained_range: number(wire.beyond_trained_range, "share beyond the trained range")?,
            },
            action_scale: number(wire.action_scale, "action scale")?,
            guidance: wire.guidance.map(guidance).transpose()?,
        };
        Ok(Self {
            chunk: Box::new(chunk),
            z_scores: rows(&wire.z_scores, "z-scores")?,
            noise: wire.noise,
            report,
        })
    }
}
