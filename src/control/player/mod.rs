//! Plays chunks: when the next one is asked for, how it joins the one before, and what the arm should do at any time.
//!
//! The policy's own time is counted in *timesteps* of its period. A chunk that was asked for when `base` timesteps had been played
//! says what to do in the timesteps `base`, `base + 1`, …: so it joins by actions consumed, whatever time it took.
//!
//! ```text
//! actions ──▶ queue by timestep ──▶ playhead, slower near the end of the queue ──▶ monotone cubic ──▶ follower ──▶ target
//! ```
//!
//! A new chunk that disagrees with the old one only moves the reference; the follower makes up for it within its bounds on
//! velocity, acceleration and jerk. Its bound on velocity is little above what the chunks themselves move at ([`SEAM_VELOCITY`]), so
//! that a seam looks like any other part of the motion.

mod delays;
mod queue;
mod schedule;

pub use schedule::{Aggregation, ChunkSchedule, UnknownAggregation};

use std::time::Duration;

use crate::types::{Chunk, Continuation, JOINT_COUNT, JointAngles, Playback, Timestamp};

use super::parameters::JointBounds;
use super::trajectory::{Follower, GRID, JointState, MotionBounds, Smoothness};
use delays::Delays;
use queue::ActionQueue;

/// While a disagreement is made up for, no joint goes faster than so many times the fastest motion inside the chunks.
const SEAM_VELOCITY: f64 = 1.15;
/// But this share of the velocity bound is always allowed: a policy that stands still has no motion to compare with.
const LEAST_VELOCITY: f64 = 0.2;
/// With less than this left in the queue the playhead slows down, and stops at its end.
const SLOWING: Duration = Duration::from_millis(250);
/// How fast the playhead gets back to its full speed, shares of it a second.
const RECOVERY_PER_S: f64 = 4.0;
/// Actions left at which the queue counts as empty. A playhead that slows down never quite gets to its end, so there it is more.
const EMPTY: f64 = 0.05;
const EMPTY_WHEN_SLOWED: f64 = 0.3;
/// A joint slower than this stands, rad/s.
const STANDS_RAD_S: f64 = 0.005;
/// After a longer pause between ticks the follower does not make up for what it missed.
const LONGEST_PAUSE: Duration = Duration::from_millis(250);
/// No joint can be further than this from zero, rad. A finite action beyond it would overflow what is computed from it; it is clamped here,
/// and to the limits later.
const FARTHEST_RAD: f64 = 10.0;
/// The way ahead is given up beyond this distance from the last written goal, rad, or beyond what top speed makes in this time: what the
/// gate holds back must not pile up. A goal that follows freely is two ticks and a command on the wire behind.
const FURTHEST_AHEAD_RAD: f64 = 0.1;
const FURTHEST_AHEAD: Duration = Duration::from_millis(150);
/// The policy's side remembers two chunks: after so many that were not played it cannot continue the one that is.
const DROPS_BEFORE_AFRESH: u32 = 2;

/// How chunks are played.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct PlayerSettings {
    pub(super) schedule: ChunkSchedule,
    /// Time between two actions.
    pub(super) period: Duration,
    /// Actions of each chunk that are played, in [`ChunkSchedule::Sync`].
    pub(super) actions_per_chunk: usize,
    /// Where chunks overlap, the next one is asked for when no more than this share of a chunk is left.
    pub(super) queue_threshold: f64,
    /// Speed of the first chunk as a share of its recorded speed.
    pub(super) first_chunk_speed: f64,
}

/// A chunk that was asked for.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    chunk_id: u64,
    requested: Timestamp,
    /// Timestep of its first action.
    base: u64,
    /// Whether it is to join a chunk that is still played.
    joins: bool,
}

/// A playhead that is to come to rest.
#[derive(Clone, Copy, Debug)]
struct Pause {
    /// When so many timesteps are over.
    at: u64,
    /// Single actions that were asked for before.
    steps: u32,
}

/// The chunk that was taken last.
#[derive(Clone, Copy, Debug)]
struct Playing {
    chunk_id: u64,
    base: u64,
    length: usize,
    /// Nothing follows it.
    ends: bool,
}

/// What became of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It is played from now on.
    Played,
    /// It came too late to join: it is left, and the next one starts afresh from a standing arm.
    TooLate,
}

/// A request that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Due {
    /// The chunk to go on from; `None` for one that starts afresh.
    pub(super) continues: Option<Continuation>,
    joins: bool,
    /// The schedule would overlap chunks and cannot.
    falls_back: bool,
}

/// What the arm should do now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Played {
    /// What the policy wants, as it is.
    pub(super) wanted: JointAngles,
    /// The way there inside the bounds.
    pub(super) target: JointAngles,
}

/// The player's state.
#[derive(Clone, Debug)]
pub(super) struct ChunkPlayer {
    settings: PlayerSettings,
    queue: ActionQueue,
    /// Playhead: timesteps that are over, and the part of the next one.
    step: u64,
    part: f64,
    /// Timesteps of the run that were over when the policy took charge the last time.
    before: u64,
    /// Where a paused playhead comes to rest.
    pause: Option<Pause>,
    /// Share of full speed.
    rate: f64,
    /// Full speed of the chunk being played: below 1 for the first.
    speed: f64,
    waiting: Option<Waiting>,
    playing: Option<Playing>,
    delays: Delays,
    /// Chunks in a row that were not played.
    drops: u32,
    afresh: bool,
    /// Largest step inside the newest chunk and inside the one before, by joint, rad an action.
    inside: [[f64; JOINT_COUNT]; 2],
    followers: [Follower; JOINT_COUNT],
    /// The follower's next grid point.
    grid: Timestamp,
    fallbacks: u64,
}

impl ChunkPlayer {
    pub(super) const fn new(settings: PlayerSettings) -> Self {
        Self {
            settings,
            queue: ActionQueue::at_rest(JointAngles::ZERO),
            step: 1,
            part: 0.0,
            before: 0,
            pause: None,
            rate: 1.0,
            speed: 1.0,
            waiting: None,
            playing: None,
            delays: Delays::new(),
            drops: 0,
            afresh: false,
            inside: [[0.0; JOINT_COUNT]; 2],
            followers: [Follower::at_rest(0.0); JOINT_COUNT],
            grid: Timestamp::ZERO,
            fallbacks: 0,
        }
    }

    /// The policy takes charge of an arm that stands at `pose`.
    pub(super) fn start(&mut self, pose: JointAngles, now: Timestamp) {
        let (delays, fallbacks, before, pause) = (self.delays, self.fallbacks, self.timestep(), self.pause);
        *self = Self::new(self.settings);
        (self.delays, self.fallbacks, self.before) = (delays, fallbacks, before);
        // What was paused before stays paused, from the beginning on.
        self.pause = pause.map(|pause| Pause { at: self.step, ..pause });
        self.queue = ActionQueue::at_rest(pose);
        self.followers = pose.to_array_rad().map(Follower::at_rest);
        self.grid = now;
    }

    /// The policy is no longer in charge: what was asked for is not waited for.
    pub(super) const fn stop(&mut self) {
        self.waiting = None;
        self.playing = None;
    }

    /// Timesteps of the run that are over.
    pub(super) const fn timestep(&self) -> u64 {
        self.before + self.step - 1
    }

    /// Pauses, goes on, or goes on by single actions.
    pub(super) fn control(&mut self, playback: Playback) {
        self.pause = match (playback.paused, self.pause) {
            (false, _) => None,
            (true, None) => {
                let way = SLOWING.as_secs_f64() * self.speed / self.settings.period.as_secs_f64();
                // An arm that has not moved yet stays where it is.
                let at = if self.playing.is_some() { self.step + way.ceil() as u64 } else { self.step };
                Some(Pause { at, steps: playback.steps })
            }
            (true, Some(pause)) => {
                let more = playback.steps.saturating_sub(pause.steps);
                Some(Pause { at: pause.at + u64::from(more), steps: playback.steps })
            }
        };
    }

    /// Whether the last action there is was played, and the way to it is at its end.
    pub(super) fn is_over(&self) -> bool {
        self.playing.is_some_and(|playing| playing.ends)
            && self.step >= self.queue.end()
            && self.followers.iter().all(|follower| follower.between(1.0).velocity.abs() < STANDS_RAD_S)
    }

    /// How often chunks were played one after another although they should overlap.
    pub(super) const fn fallbacks(&self) -> u64 {
        self.fallbacks
    }

    /// Since when a chunk is waited for.
    pub(super) fn waiting_since(&self) -> Option<Timestamp> {
        self.waiting.map(|waiting| waiting.requested)
    }

    /// Whether this is the chunk that is waited for.
    pub(super) fn awaits(&self, chunk_id: u64) -> bool {
        self.waiting.is_some_and(|waiting| waiting.chunk_id == chunk_id)
    }

    /// Whether there are actions to play.
    pub(super) fn is_playing(&self) -> bool {
        self.playing.is_some() && !self.is_empty()
    }

    /// Whether the playhead is slowed because the next chunk is late.
    pub(super) fn is_slowed(&self) -> bool {
        self.is_playing() && self.settings.schedule.overlaps() && self.pause.is_none() && self.rate < 0.999
    }

    /// Whether all actions were played.
    fn is_empty(&self) -> bool {
        self.left() <= if self.settings.schedule.overlaps() { EMPTY_WHEN_SLOWED } else { EMPTY }
    }

    /// Actions left.
    fn left(&self) -> f64 {
        self.queue.end().saturating_sub(self.step) as f64 - self.part
    }

    /// The request that is due now, if one is.
    pub(super) fn due(&self) -> Option<Due> {
        if self.waiting.is_some() {
            return None;
        }
        let afresh = |falls_back| Some(Due { continues: None, joins: false, falls_back });
        if self.playing.is_some_and(|playing| playing.ends) {
            return None;
        }
        let Some(playing) = self.playing.filter(|_| !self.is_empty()) else {
            let overlapping = self.playing.is_some() && self.settings.schedule.overlaps();
            return afresh(overlapping && (self.afresh || !self.can_continue()));
        };
        let early = self.left() <= playing.length as f64 * self.settings.queue_threshold;
        if !early || self.afresh {
            return None;
        }
        match self.settings.schedule {
            ChunkSchedule::Sync => None,
            ChunkSchedule::Async { .. } => Some(Due { continues: None, joins: true, falls_back: false }),
            ChunkSchedule::RealTime { .. } if !self.can_continue() => None,
            ChunkSchedule::RealTime { .. } => {
                let consumed = usize::try_from(self.step - playing.base).unwrap_or(usize::MAX);
                let continuation = Continuation {
                    chunk_id: playing.chunk_id,
                    consumed,
                    inference_delay: self.planned_delay().unwrap_or(0),
                };
                Some(Due { continues: Some(continuation), joins: true, falls_back: false })
            }
        }
    }

    /// Whether a chunk that is asked for now would come in time to be guided.
    fn can_continue(&self) -> bool {
        let ChunkSchedule::RealTime { execution_horizon } = self.settings.schedule else { return true };
        self.drops < DROPS_BEFORE_AFRESH
            && self.planned_delay().is_some_and(|delay| delay <= execution_horizon)
    }

    /// Actions that will be played until a chunk comes that is asked for now.
    fn planned_delay(&self) -> Option<usize> {
        let delay = self.delays.planned()?.as_secs_f64() * self.speed / self.settings.period.as_secs_f64();
        Some(delay.ceil() as usize)
    }

    /// Notes that a chunk was asked for.
    pub(super) fn requested(&mut self, due: &Due, chunk_id: u64, now: Timestamp) {
        self.fallbacks += u64::from(due.falls_back);
        self.waiting = Some(Waiting { chunk_id, requested: now, base: self.step, joins: due.joins });
    }

    /// The gate dropped the chunk that was waited for.
    pub(super) fn chunk_dropped(&mut self) {
        self.waiting = None;
        self.drops += 1;
    }

    /// Takes the chunk that was waited for.
    pub(super) fn take_chunk(
        &mut self,
        chunk: &Chunk,
        now: Timestamp,
        smoothness: &mut Smoothness,
    ) -> Option<Taken> {
        let waiting = self.waiting.take_if(|waiting| waiting.chunk_id == chunk.id)?;
        self.delays.add(now.since(waiting.requested));
        let actions = chunk.actions();
        let consumed = usize::try_from(self.step - waiting.base).unwrap_or(usize::MAX);
        let latest = match self.settings.schedule {
            ChunkSchedule::RealTime { execution_horizon } if waiting.joins => {
                execution_horizon.min(actions.len() - 1)
            }
            _ => actions.len() - 1,
        };
        if consumed > latest {
            self.drops += 1;
            self.afresh = true;
            return Some(Taken::TooLate);
        }
        let replaced = self.queue.get(self.step).copied().filter(|_| waiting.joins && !self.is_empty());
        self.speed = if self.playing.is_none() { self.settings.first_chunk_speed } else { 1.0 };
        let played = self.splice(actions, &waiting, consumed);
        self.playing = Some(Playing {
            chunk_id: chunk.id,
            base: waiting.base,
            length: actions.len(),
            ends: chunk.ends && played == actions.len(),
        });
        (self.drops, self.afresh) = (0, false);
        self.note_inside(&actions[consumed..]);
        smoothness.chunk(self.fastest_inside_rad_s());
        match (replaced, self.queue.get(self.step)) {
            (Some(old), Some(new)) => smoothness.seam(now, new.max_difference(&old)),
            _ => self.rate = 1.0,
        }
        Some(Taken::Played)
    }

    /// Puts the actions from `consumed` on into the queue; the one on its way is among them. How many of the chunk's actions are to be
    /// played.
    fn splice(&mut self, actions: &[JointAngles], waiting: &Waiting, consumed: usize) -> usize {
        let played = match self.settings.schedule {
            ChunkSchedule::Sync => self.settings.actions_per_chunk.clamp(1, actions.len()),
            _ => actions.len(),
        };
        for (timestep, action) in (waiting.base..).zip(&actions[..played]).skip(consumed) {
            let joined = match (self.settings.schedule, self.queue.get(timestep)) {
                (ChunkSchedule::Async { aggregation }, Some(old)) if waiting.joins => {
                    aggregation.of(old, &in_reach(action))
                }
                _ => in_reach(action),
            };
            self.queue.set(timestep, joined);
        }
        self.queue.truncate(waiting.base + played as u64);
        played
    }

    fn note_inside(&mut self, actions: &[JointAngles]) {
        self.inside[1] = self.inside[0];
        self.inside[0] = [0.0; JOINT_COUNT];
        for pair in actions.windows(2) {
            let (from, to) = (in_reach(&pair[0]).to_array_rad(), in_reach(&pair[1]).to_array_rad());
            for joint in 0..JOINT_COUNT {
                self.inside[0][joint] = self.inside[0][joint].max((to[joint] - from[joint]).abs());
            }
        }
    }

    /// The fastest motion of one joint inside the chunks that are played, rad/s.
    fn inside_rad_s(&self, joint: usize) -> f64 {
        self.inside[0][joint].max(self.inside[1][joint]) * self.speed / self.settings.period.as_secs_f64()
    }

    fn fastest_inside_rad_s(&self) -> f64 {
        (0..JOINT_COUNT).map(|joint| self.inside_rad_s(joint)).fold(0.0, f64::max)
    }

    /// Actions a second, at present.
    fn actions_per_s(&self) -> f64 {
        self.rate * self.speed / self.settings.period.as_secs_f64()
    }

    /// Goes on to `now`: the playhead, and the followers within `bounds` and `limits`.
    ///
    /// `goal` is the last written one: the way ahead stays near it.
    pub(super) fn advance(
        &mut self,
        now: Timestamp,
        bounds: &MotionBounds,
        limits: &JointBounds,
        goal: &JointAngles,
    ) -> Played {
        self.stay_near(goal, bounds.velocity_rad_s);
        if now.since(self.grid) > LONGEST_PAUSE {
            self.grid = now - LONGEST_PAUSE;
        }
        let (lower, upper) = (limits.lower.to_array_rad(), limits.upper.to_array_rad());
        let bounds: [MotionBounds; JOINT_COUNT] = std::array::from_fn(|joint| {
            let usual =
                (self.inside_rad_s(joint) * SEAM_VELOCITY).max(bounds.velocity_rad_s * LEAST_VELOCITY);
            MotionBounds { velocity_rad_s: usual.min(bounds.velocity_rad_s), ..*bounds }
        });
        let (mut step, mut way) = (self.step, self.queue.way(self.step));
        while self.grid < now {
            self.grid = self.grid + GRID;
            self.move_playhead();
            if self.step != step {
                (step, way) = (self.step, self.queue.way(self.step));
            }
            for (joint, state) in way.at(self.part, self.actions_per_s()).into_iter().enumerate() {
                let inside = state.position.clamp(lower[joint], upper[joint]);
                let state = if inside == state.position { state } else { JointState::at_rest(inside) };
                self.followers[joint].advance(&state, &bounds[joint], lower[joint], upper[joint]);
            }
        }
        let ahead = self.grid.since(now).as_secs_f64() / GRID.as_secs_f64();
        let followed = self.followers.each_ref().map(|follower| follower.between(1.0 - ahead).position);
        Played {
            wanted: JointAngles::from_array_rad(
                way.at(self.part, self.actions_per_s()).map(|state| state.position),
            ),
            target: limits.clamp(&JointAngles::from_array_rad(followed)),
        }
    }

    /// Takes the followers back to where the gate let the goal go.
    fn stay_near(&mut self, goal: &JointAngles, velocity_rad_s: f64) {
        let furthest_rad = (velocity_rad_s * FURTHEST_AHEAD.as_secs_f64()).max(FURTHEST_AHEAD_RAD);
        for (follower, goal) in self.followers.iter_mut().zip(goal.to_array_rad()) {
            let ahead = follower.between(1.0).position - goal;
            if ahead.abs() > furthest_rad {
                *follower = Follower::at_rest(goal + furthest_rad.copysign(ahead));
            }
        }
    }

    /// Actions that the playhead may go on by, and whether it slows down towards their end: it does where more may follow.
    fn way_left(&self) -> (f64, bool) {
        let ends = self.playing.is_some_and(|playing| playing.ends);
        let slows = self.settings.schedule.overlaps() && !ends;
        match self.pause {
            Some(Pause { at, .. }) if at < self.queue.end() => {
                (at.saturating_sub(self.step) as f64 - self.part, true)
            }
            _ => (self.left(), slows),
        }
    }

    fn move_playhead(&mut self) {
        let (left, slows) = self.way_left();
        if left <= 0.0 {
            if self.pause.is_some() {
                self.rate = 0.0;
            }
            return;
        }
        let grid_s = GRID.as_secs_f64();
        let period_s = self.settings.period.as_secs_f64();
        let slowed =
            if slows { (left * period_s / (self.speed * SLOWING.as_secs_f64())).min(1.0) } else { 1.0 };
        self.rate = slowed.min(self.rate + RECOVERY_PER_S * grid_s);
        let moved = (self.part + self.rate * self.speed * grid_s / period_s).min(self.part + left);
        // A period is many grid points long, or it is not: whole timesteps are carried over all the same.
        self.step += moved as u64;
        self.part = moved.fract();
    }
}

fn in_reach(action: &JointAngles) -> JointAngles {
    JointAngles::from_array_rad(action.to_array_rad().map(|angle| angle.clamp(-FARTHEST_RAD, FARTHEST_RAD)))
}

#[cfg(test)]
mod tests;
