//! The safety gate's rules that concern a pose or a chunk, in the order of the design.

use crate::types::{Chunk, JointAngles, Timestamp};

use super::parameters::ControlParameters;
use super::workspace::WorkspaceCounts;

/// How often each rule of the gate had to act.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GateCounts {
    /// Chunks dropped for a NaN or an infinity, and targets with one that got as far as a command.
    pub finite: u64,
    /// Ticks whose target was clamped to the trained range.
    pub trained_range: u64,
    /// Ticks whose target was clamped to five standard deviations of the training data, where no trained range is known.
    pub z_score: u64,
    /// Ticks whose target was clamped to the joint limits.
    pub joint_limits: u64,
    /// Commands held because the pose they lead to is too near the table, the arm itself or a keep-out box, or out of reach.
    pub workspace: WorkspaceCounts,
    /// Commands shortened because a pause had made the step too long.
    pub step: u64,
    /// Commands slowed to the velocity bound.
    pub velocity: u64,
    /// Commands held back by the acceleration bound.
    pub acceleration: u64,
    /// Commands held back because the goal would have run too far ahead of the measured pose.
    pub lead: u64,
    /// Chunks dropped because their observation was too old.
    pub observation_age: u64,
    /// Protective stops for an old camera frame.
    pub frame_age: u64,
    /// Protective stops for old feedback.
    pub feedback_age: u64,
    /// Protective stops for a joint that did not follow its goal.
    pub tracking: u64,
}

impl GateCounts {
    /// Name and count of each rule, in the order in which the gate applies them.
    pub const fn by_rule(&self) -> [(&'static str, u64); 16] {
        [
            ("finite", self.finite),
            ("trained_range", self.trained_range),
            ("z_score", self.z_score),
            ("joint_limits", self.joint_limits),
            ("workspace_self", self.workspace.itself.saturating_add(self.workspace.not_finite)),
            ("workspace_table", self.workspace.table),
            ("workspace_reach", self.workspace.reach),
            ("workspace_keep_out", self.workspace.keep_out),
            ("step", self.step),
            ("velocity", self.velocity),
            ("acceleration", self.acceleration),
            ("lead", self.lead),
            ("observation_age", self.observation_age),
            ("frame_age", self.frame_age),
            ("feedback_age", self.feedback_age),
            ("tracking", self.tracking),
        ]
    }
}

/// Whether a chunk may be played. NaN is tested before anything else looks at a value.
pub(super) fn accept_chunk(
    chunk: &Chunk,
    now: Timestamp,
    parameters: &ControlParameters,
    counts: &mut GateCounts,
) -> bool {
    if !chunk.actions().iter().all(JointAngles::is_finite) {
        counts.finite += 1;
        return false;
    }
    if now.since(chunk.observed) > parameters.max_observation_age {
        counts.observation_age += 1;
        return false;
    }
    !chunk.actions().is_empty()
}

/// A policy's target, clamped to the trained range (or, where none is known, to the bound on z-scores) and then to the joint limits.
pub(super) fn clamp_target(
    target: &JointAngles,
    parameters: &ControlParameters,
    counts: &mut GateCounts,
) -> JointAngles {
    let trained = parameters.trained_bounds().map_or(*target, |bounds| bounds.clamp(target));
    let count =
        if parameters.trained_range.is_some() { &mut counts.trained_range } else { &mut counts.z_score };
    *count += u64::from(trained != *target);
    let limited = parameters.joint_limits.clamp(&trained);
    counts.joint_limits += u64::from(limited != trained);
    limited
}
