//! The actions that wait to be played, by the policy's own time.

use crate::types::{JOINT_COUNT, JointAngles, MAX_HORIZON};

use super::super::trajectory::{JointState, Segment, slope};

/// Room for the longest chunk, for one that begins while an action is on its way, and for the actions before it.
const CAPACITY: usize = 2 * MAX_HORIZON;

/// Actions by timestep: the policy's period counted from the start of the run. Action `t` is reached at playhead `t + 1`.
#[derive(Clone, Debug)]
pub(super) struct ActionQueue {
    actions: [JointAngles; CAPACITY],
    /// The oldest timestep that is still known.
    first: u64,
    /// One beyond the newest.
    end: u64,
}

impl ActionQueue {
    /// A queue of an arm that stands at `pose`: the next action is that of timestep 1.
    pub(super) const fn at_rest(pose: JointAngles) -> Self {
        Self { actions: [pose; CAPACITY], first: 0, end: 1 }
    }

    const fn slot(timestep: u64) -> usize {
        // The remainder is below CAPACITY.
        (timestep % CAPACITY as u64) as usize
    }

    /// One beyond the newest timestep: where the playhead stops.
    pub(super) const fn end(&self) -> u64 {
        self.end
    }

    /// The action of a timestep.
    pub(super) fn get(&self, timestep: u64) -> Option<&JointAngles> {
        (self.first..self.end).contains(&timestep).then(|| &self.actions[Self::slot(timestep)])
    }

    /// Sets the action of a timestep that is known already or the next one.
    pub(super) fn set(&mut self, timestep: u64, action: JointAngles) {
        if timestep < self.first || timestep > self.end {
            return;
        }
        self.actions[Self::slot(timestep)] = action;
        self.end = self.end.max(timestep + 1);
        self.first = self.first.max(self.end.saturating_sub(CAPACITY as u64));
    }

    /// Forgets everything from a timestep on.
    pub(super) fn truncate(&mut self, end: u64) {
        self.end = self.end.min(end.max(self.first + 1));
    }

    /// Each joint's way in the timestep after `step` ones: monotone cubics from action to action, at rest at the end.
    pub(super) fn way(&self, step: u64) -> Way {
        let newest = self.get(self.end - 1).unwrap_or(&JointAngles::ZERO).to_array_rad();
        let Some(to) = self.get(step) else {
            return Way(newest.map(Segment::at_rest));
        };
        let to = to.to_array_rad();
        let action = |timestep: Option<u64>| {
            timestep.and_then(|timestep| self.get(timestep)).map(|action| action.to_array_rad())
        };
        let from = action(step.checked_sub(1)).unwrap_or(to);
        let before = action(step.checked_sub(2));
        let after = action(step.checked_add(1));
        Way(std::array::from_fn(|joint| {
            let (from, to) = (from[joint], to[joint]);
            let step = to - from;
            Segment {
                from,
                to,
                slope_from: before.map_or(0.0, |before| slope(from - before[joint], step)),
                slope_to: after.map_or(0.0, |after| slope(step, after[joint] - to)),
            }
        }))
    }
}

/// The way of all joints from one action to the next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way([Segment; JOINT_COUNT]);

impl Way {
    /// Where each joint should be when `part` of the timestep is over, moving `rate` actions a second.
    pub(super) fn at(&self, part: f64, rate: f64) -> [JointState; JOINT_COUNT] {
        self.0.map(|segment| {
            let JointState { position, velocity, acceleration } = segment.at(part);
            JointState { position, velocity: velocity * rate, acceleration: acceleration * rate * rate }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pose(angle: f64) -> JointAngles {
        JointAngles::from_array_rad([angle; 6])
    }

    fn filled(count: u64) -> ActionQueue {
        let mut queue = ActionQueue::at_rest(pose(0.0));
        for timestep in 1..=count {
            queue.set(timestep, pose(timestep as f64));
        }
        queue
    }

    #[test]
    fn actions_are_met_at_their_times_and_the_end_is_held() {
        let queue = filled(5);
        for (step, part, expected) in
            [(1, 0.0, 0.0), (2, 0.0, 1.0), (3, 0.5, 2.5), (5, 1.0, 5.0), (6, 0.0, 5.0), (9, 0.3, 5.0)]
        {
            let state = queue.way(step).at(part, 30.0)[0];
            assert!((state.position - expected).abs() < 1e-12, "at {step} + {part}: {}", state.position);
        }
        assert!((queue.way(3).at(0.5, 30.0)[0].velocity - 30.0).abs() < 1e-9);
        assert!(queue.way(6).at(0.0, 30.0)[0].velocity.abs() < 1e-12);
    }

    #[test]
    fn old_actions_are_replaced_in_place_and_forgotten_when_room_is_needed() {
        let mut queue = filled(5);
        queue.set(3, pose(-1.0));
        queue.set(99, pose(9.0));
        assert_eq!((queue.get(3), queue.get(99), queue.end()), (Some(&pose(-1.0)), None, 6));
        queue.truncate(4);
        assert_eq!((queue.get(3), queue.get(4)), (Some(&pose(-1.0)), None));
        for timestep in 4..2_000 {
            queue.set(timestep, pose(timestep as f64));
        }
        assert_eq!((queue.get(1_999), queue.get(3)), (Some(&pose(1_999.0)), None));
    }
}
