//! What another policy would have said to what a run saw.
//!
//! It answers each recorded observation: the same pictures, the same measured pose, the same noise. The arm does not follow it, so that what
//! it would have seen later is not known; with real-time chunking it goes on from its own chunks.

use std::path::Path;

use super::{ReplayError, chunks};
use crate::episode::run_log::{Record, RunLogReader};
use crate::policy::ChunkProducer;
use crate::types::{DatasetAngles, JOINT_COUNT, Joint};

/// The answers of two policies compared.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct SwapReport {
    /// Chunks that were compared.
    pub chunks: u64,
    /// Chunks that could not be, since pictures are missing.
    pub chunks_without_pictures: u64,
    /// Actions of each chunk that were compared: as many as both have.
    pub actions_per_chunk: usize,
    /// Each joint.
    pub joints: Vec<JointSwap>,
}

/// One joint under two policies. The spread tells a policy that always says the same: near 0 it does.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct JointSwap {
    /// Which.
    pub joint: &'static str,
    /// Mean distance of the two, degrees.
    pub mean_deg: f64,
    /// Largest distance, degrees ...
    pub max_deg: f64,
    /// ... and the chunk in which it is.
    pub max_chunk: u64,
    /// Largest |z| that the run's own policy said.
    pub recorded_max_z: f64,
    /// Largest |z| that the other says.
    pub swapped_max_z: f64,
    /// Standard deviation over all actions of the run's own policy, degrees.
    pub recorded_spread_deg: f64,
    /// The same of the other.
    pub swapped_spread_deg: f64,
}

/// Sums of one joint under one policy.
#[derive(Clone, Copy, Default)]
struct Spread {
    count: f64,
    sum: f64,
    squares: f64,
    max_z: f64,
}

impl Spread {
    fn add(&mut self, deg: f64) {
        self.count += 1.0;
        self.sum += deg;
        self.squares += deg * deg;
    }

    fn deviation(&self) -> f64 {
        let count = self.count.max(1.0);
        (self.squares / count - (self.sum / count).powi(2)).max(0.0).sqrt()
    }
}

#[derive(Clone, Copy, Default)]
struct Distances {
    sum: f64,
    count: f64,
    max: f64,
    chunk: u64,
    recorded: Spread,
    swapped: Spread,
}

/// Asks `policy` for every chunk of the log again.
///
/// # Errors
/// If the log cannot be read, or the policy fails.
pub fn swap_policy(path: &Path, policy: &mut ChunkProducer) -> Result<SwapReport, ReplayError> {
    let recorded = chunks::RecordedChunks::read(path)?;
    let mut reader = RunLogReader::open(path)?;
    let mut inference = chunks::ChunkReplay::new(policy);
    let mut joints = [Distances::default(); JOINT_COUNT];
    let mut report = SwapReport::default();
    while let Some(record) = reader.next_record()? {
        match record {
            Record::Observation(record) => inference.observe(*record),
            Record::Frame(record) => inference.add_frame(record),
            _ => {}
        }
        while let Some((own, swapped)) = inference.next(&recorded)? {
            let both = own.chunk.actions().iter().zip(swapped.actions());
            report.actions_per_chunk = report.actions_per_chunk.max(both.len());
            for (one, other) in both {
                let [one, other] = [*one, *other].map(|angles| DatasetAngles::from(angles).to_array_deg());
                for (joint, sums) in joints.iter_mut().enumerate() {
                    let distance = (one[joint] - other[joint]).abs();
                    sums.sum += distance;
                    sums.count += 1.0;
                    if distance > sums.max {
                        (sums.max, sums.chunk) = (distance, own.chunk.id);
                    }
                    sums.recorded.add(one[joint]);
                    sums.swapped.add(other[joint]);
                }
            }
            for (joint, sums) in joints.iter_mut().enumerate() {
                let largest = |rows: &[[f32; JOINT_COUNT]]| {
                    rows.iter().map(|row| f64::from(row[joint].abs())).fold(0.0, f64::max)
                };
                sums.recorded.max_z = sums.recorded.max_z.max(largest(&own.z_scores));
                sums.swapped.max_z = sums.swapped.max_z.max(largest(inference.z_scores()));
            }
        }
    }
    report.chunks = inference.inferred();
    report.chunks_without_pictures = inference.waiting();
    report.joints = Joint::ALL
        .iter()
        .zip(joints)
        .map(|(joint, sums)| JointSwap {
            joint: joint.name(),
            mean_deg: sums.sum / sums.count.max(1.0),
            max_deg: sums.max,
            max_chunk: sums.chunk,
            recorded_max_z: sums.recorded.max_z,
            swapped_max_z: sums.swapped.max_z,
            recorded_spread_deg: sums.recorded.deviation(),
            swapped_spread_deg: sums.swapped.deviation(),
        })
        .collect();
    Ok(report)
}
