//! The player by itself: due requests, splices, delays, slowing.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

const PERIOD: Duration = Duration::from_millis(40);
const TICK: Duration = Duration::from_millis(20);
const BOUNDS: MotionBounds =
    MotionBounds { velocity_rad_s: 1.5, acceleration_rad_s2: 10.0, jerk_rad_s3: 100.0 };

fn pose(angle: f64) -> JointAngles {
    JointAngles::from_array_rad([angle; 6])
}

fn limits() -> JointBounds {
    JointBounds { lower: pose(-2.0), upper: pose(2.0) }
}

fn settings(schedule: ChunkSchedule) -> PlayerSettings {
    PlayerSettings {
        schedule,
        period: PERIOD,
        actions_per_chunk: 10,
        queue_threshold: 0.5,
        first_chunk_speed: 1.0,
    }
}

const REAL_TIME: ChunkSchedule = ChunkSchedule::RealTime { execution_horizon: 10 };
const ASYNC: ChunkSchedule = ChunkSchedule::Async { aggregation: Aggregation::Latest };

/// A player with a clock.
struct Bench {
    player: ChunkPlayer,
    smoothness: Smoothness,
    now: Timestamp,
    next: u64,
    /// The goal follows freely.
    goal: JointAngles,
}

impl Bench {
    fn new(settings: PlayerSettings) -> Self {
        let now = Timestamp::from_nanos(1_000_000_000);
        let mut player = ChunkPlayer::new(settings);
        player.start(pose(0.0), now);
        Self { player, smoothness: Smoothness::default(), now, next: 0, goal: pose(0.0) }
    }

    fn ticks(&mut self, count: usize) -> f64 {
        let mut target = 0.0;
        for _ in 0..count {
            self.now = self.now + TICK;
            self.goal = self.player.advance(self.now, &BOUNDS, &limits(), &self.goal).target;
            target = self.goal.to_array_rad()[0];
        }
        target
    }

    fn request(&mut self) -> Option<Due> {
        let due = self.player.due()?;
        self.player.requested(&due, self.next, self.now);
        self.next += 1;
        Some(due)
    }

    fn deliver(&mut self, actions: &[JointAngles]) -> Taken {
        let chunk = Chunk::new(self.next - 1, self.now, 0, self.now, actions).unwrap();
        self.player.take_chunk(&chunk, self.now, &mut self.smoothness).unwrap()
    }

    /// From a standing arm: a first chunk after `delay` ticks.
    fn begin(&mut self, delay: usize, actions: &[JointAngles]) {
        self.request().unwrap();
        self.ticks(delay);
        assert_eq!(self.deliver(actions), Taken::Played);
    }
}

fn line(from: f64, step: f64) -> Vec<JointAngles> {
    (0..50).map(|action| pose(from + step * f64::from(action))).collect()
}

#[test]
fn sync_plays_its_actions_and_asks_when_they_are_over() {
    let mut bench = Bench::new(settings(ChunkSchedule::Sync));
    assert_eq!(bench.request().unwrap().continues, None);
    assert_eq!(bench.player.due(), None, "one at a time");
    bench.ticks(5);
    assert!(!bench.player.is_playing());
    bench.deliver(&line(0.01, 0.01));
    bench.ticks(19);
    assert!(bench.player.due().is_none() && bench.player.is_playing());
    bench.ticks(1);
    assert!(
        bench.player.due().is_some() && !bench.player.is_playing(),
        "ten actions of two ticks each are over"
    );
    let held = bench.ticks(50);
    assert!((held - 0.1).abs() < 1e-3, "the last action that is played is held: {held}");
}

#[test]
fn overlapping_schedules_ask_at_the_threshold_and_splice_by_actions_consumed() {
    for schedule in [ASYNC, REAL_TIME] {
        let mut bench = Bench::new(settings(schedule));
        bench.begin(3, &line(0.01, 0.01));
        bench.ticks(49);
        assert!(bench.player.due().is_none(), "24.5 of 50 were played");
        bench.ticks(1);
        let due = bench.request().unwrap();
        let expected = Continuation { chunk_id: 0, consumed: 25, inference_delay: 2 };
        assert_eq!(due.continues, (schedule == REAL_TIME).then_some(expected));
        // The new chunk goes on from where its observation was taken; it comes seven actions later.
        bench.ticks(14);
        assert_eq!(bench.deliver(&line(0.26, 0.01)), Taken::Played);
        let target = bench.ticks(2);
        assert!((target - 0.33).abs() < 2e-3, "the eighth of its actions comes next: {target}");
        assert_eq!(bench.smoothness.report().seams, 1);
        assert!(bench.smoothness.report().disagreement_rad < 1e-9, "it says the same as the old one");
    }
}

#[test]
fn overlaps_are_aggregated_and_the_rest_is_new() {
    for (aggregation, expected) in Aggregation::ALL.into_iter().zip([0.2, 0.17, 0.15, 0.13]) {
        let mut bench = Bench::new(settings(ChunkSchedule::Async { aggregation }));
        bench.begin(1, &[pose(0.1); 50]);
        bench.ticks(50);
        bench.request().unwrap();
        bench.ticks(2);
        bench.deliver(&[pose(0.2); 50]);
        let step = bench.player.step;
        let action = |timestep| bench.player.queue.get(timestep).unwrap().to_array_rad()[0];
        assert!((action(step) - expected).abs() < 1e-12, "{aggregation}");
        assert!((action(50) - expected).abs() < 1e-12, "{aggregation}: the old chunk's last");
        assert!((action(51) - 0.2).abs() < 1e-12, "{aggregation}: beyond it");
    }
}

#[test]
fn a_late_chunk_finds_an_arm_that_slowed_down_and_stood() {
    for schedule in [ASYNC, ChunkSchedule::RealTime { execution_horizon: 40 }] {
        let mut bench = Bench::new(settings(schedule));
        bench.begin(1, &line(0.01, 0.01));
        bench.ticks(50);
        bench.request().unwrap();
        let (mut before, mut fastest_change) = (bench.ticks(1), 0.0_f64);
        let mut velocity_before = 0.01 / PERIOD.as_secs_f64();
        for _ in 0..200 {
            let target = bench.ticks(1);
            let velocity = (target - before) / TICK.as_secs_f64();
            fastest_change = fastest_change.max((velocity - velocity_before).abs() / TICK.as_secs_f64());
            (before, velocity_before) = (target, velocity);
        }
        assert!(
            !bench.player.is_playing() && (before - 0.5).abs() < 2e-3,
            "it holds the last action: {before}"
        );
        assert!(fastest_change < 1.5, "it did not stop at once: {fastest_change} rad/s² from 0.25 rad/s");
    }
}

#[test]
fn slowing_is_counted_only_while_the_next_chunk_is_late() {
    let mut bench = Bench::new(settings(REAL_TIME));
    bench.begin(1, &line(0.01, 0.01));
    bench.ticks(50);
    assert!(!bench.player.is_slowed());
    bench.request().unwrap();
    bench.ticks(42);
    assert!(bench.player.is_slowed());
}

#[test]
fn a_chunk_beyond_the_horizon_is_left_and_the_next_one_starts_afresh() {
    let mut bench = Bench::new(settings(REAL_TIME));
    bench.begin(1, &line(0.01, 0.01));
    bench.ticks(50);
    bench.request().unwrap();
    bench.ticks(22);
    assert_eq!(bench.deliver(&line(0.26, 0.01)), Taken::TooLate);
    assert_eq!(bench.player.due(), None, "first the old chunk is played to its end");
    bench.ticks(200);
    let due = bench.request().unwrap();
    assert_eq!((due.continues, bench.player.fallbacks()), (None, 1));
    bench.ticks(1);
    assert_eq!(bench.deliver(&line(0.5, 0.01)), Taken::Played);
    // One such delay is beyond what one in twenty may be: the schedule stays with one chunk after another.
    bench.ticks(50);
    assert_eq!(bench.player.due(), None);
}

#[test]
fn a_slow_warm_up_falls_back_once() {
    let mut bench = Bench::new(settings(REAL_TIME));
    bench.begin(60, &line(0.01, 0.01));
    bench.ticks(50);
    assert_eq!(bench.player.due(), None, "nothing is known but a delay of 30 actions");
    bench.ticks(200);
    bench.request().unwrap();
    bench.ticks(4);
    bench.deliver(&line(0.5, 0.01));
    bench.ticks(50);
    assert!(bench.request().unwrap().continues.is_some(), "the warm-up is forgotten");
    assert_eq!(bench.player.fallbacks(), 1);
}

#[test]
fn dropped_chunks_are_asked_for_again_and_two_in_a_row_end_the_guidance() {
    let mut bench = Bench::new(settings(REAL_TIME));
    bench.begin(1, &line(0.01, 0.01));
    bench.ticks(50);
    for guided in [true, true] {
        assert_eq!(bench.request().map(|due| due.continues.is_some()), Some(guided));
        bench.player.chunk_dropped();
    }
    assert_eq!(bench.player.due(), None, "the policy's side has forgotten the chunk that is played");
    bench.ticks(200);
    assert_eq!(bench.request().unwrap().continues, None);
}

#[test]
fn the_first_chunk_may_be_slower() {
    let gentle = PlayerSettings { first_chunk_speed: 0.5, ..settings(ChunkSchedule::Sync) };
    let mut bench = Bench::new(gentle);
    bench.begin(1, &line(0.01, 0.01));
    bench.ticks(39);
    assert!(bench.player.is_playing());
    bench.ticks(1);
    assert!(!bench.player.is_playing(), "ten actions of four ticks");
    bench.begin(1, &line(0.11, 0.01));
    bench.ticks(20);
    assert!(!bench.player.is_playing(), "the next one at full speed");
}

#[test]
fn slow_ticks_play_at_the_same_speed() {
    let mut bench = Bench::new(settings(ChunkSchedule::Sync));
    bench.begin(1, &line(0.01, 0.01));
    for _ in 0..2 {
        bench.now = bench.now + Duration::from_millis(200);
        bench.goal = bench.player.advance(bench.now, &BOUNDS, &limits(), &bench.goal).target;
    }
    assert!(!bench.player.is_playing(), "ten actions of 40 ms are over after two ticks of 200 ms");
    assert!(bench.goal.to_array_rad()[0] > 0.09, "and the arm was brought along: {:?}", bench.goal);
}

#[test]
fn what_the_gate_holds_back_does_not_pile_up() {
    let mut bench = Bench::new(settings(ChunkSchedule::Sync));
    bench.begin(1, &line(0.05, 0.05));
    for _ in 0..20 {
        bench.now = bench.now + TICK;
        // The gate keeps the goal where it is.
        let target = bench.player.advance(bench.now, &BOUNDS, &limits(), &pose(0.0)).target.to_array_rad()[0];
        let furthest = BOUNDS.velocity_rad_s * (FURTHEST_AHEAD + TICK).as_secs_f64();
        assert!(target <= furthest, "{target} ahead");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn any_chunks_at_any_times_give_motions_inside_the_bounds(
        script in prop::collection::vec((prop::collection::vec(-3.0_f64..3.0, 4), 1_usize..60, 1_u64..90), 1..12),
        overlapping in 0_usize..3,
    ) {
        let mut bench = Bench::new(settings([ChunkSchedule::Sync, ASYNC, REAL_TIME][overlapping]));
        // The follower's own grid is the judge's: what lies between its points is their cubic.
        let mut last = [0.0_f64; 4];
        for (corners, until_chunk, tick_ms) in script {
            bench.request();
            for _ in 0..until_chunk {
                let end = bench.now + Duration::from_millis(tick_ms);
                while bench.now < end {
                    bench.now = bench.now + GRID;
                    bench.goal = bench.player.advance(bench.now, &BOUNDS, &limits(), &bench.goal).target;
                    let x = bench.goal.to_array_rad()[0];
                    last = [x, last[0], last[1], last[2]];
                    let dt = GRID.as_secs_f64();
                    let velocity = (last[0] - last[1]) / dt;
                    let acceleration = (last[0] - 2.0 * last[1] + last[2]) / (dt * dt);
                    let jerk = (last[0] - 3.0 * last[1] + 3.0 * last[2] - last[3]) / (dt * dt * dt);
                    prop_assert!(velocity.abs() <= BOUNDS.velocity_rad_s * 1.001, "velocity {velocity}");
                    prop_assert!(acceleration.abs() <= BOUNDS.acceleration_rad_s2 * 1.01, "acceleration {acceleration}");
                    prop_assert!(x.abs() <= 2.0 + 1e-9, "position {x}");
                    // At a limit with no room left the joint stops on it.
                    let at_limit = (x.abs() - 2.0).abs() < 1e-6;
                    prop_assert!(at_limit || jerk.abs() <= BOUNDS.jerk_rad_s3 * 1.05, "jerk {jerk} at {x}");
                }
            }
            if bench.player.waiting.is_some() {
                let actions: Vec<_> = (0..50_usize).map(|action| pose(corners[action * 4 / 50])).collect();
                bench.deliver(&actions);
            }
        }
    }
}

#[test]
fn the_last_chunk_of_a_recording_is_played_to_its_very_end() {
    let mut bench = Bench::new(settings(ASYNC));
    bench.request().unwrap();
    let mut chunk = Chunk::new(0, bench.now, 0, bench.now, &line(0.01, 0.01)[..20]).unwrap();
    chunk.ends = true;
    bench.player.take_chunk(&chunk, bench.now, &mut bench.smoothness).unwrap();
    bench.ticks(39);
    assert!(!bench.player.is_over() && bench.player.due().is_none(), "nothing more is asked for");
    let end = bench.ticks(30);
    assert!(bench.player.is_over() && (end - 0.2).abs() < 1e-3, "it stands at the last action: {end}");
    let mut sync = Bench::new(settings(ChunkSchedule::Sync));
    sync.request().unwrap();
    sync.player.take_chunk(&chunk, sync.now, &mut sync.smoothness).unwrap();
    sync.ticks(60);
    assert!(!sync.player.is_over(), "ten of twenty actions are not the end");
    assert!(sync.player.due().is_some());
}

#[test]
fn a_paused_playhead_comes_to_rest_and_goes_on_from_there() {
    let mut bench = Bench::new(settings(ASYNC));
    bench.begin(0, &line(0.01, 0.01));
    bench.ticks(10);
    let paused = |steps: u32| Playback { paused: true, steps };
    bench.player.control(paused(0));
    bench.ticks(60);
    // Five actions were over, and a quarter of a second is six and a bit more.
    let rest = bench.ticks(60);
    assert!((rest - 0.12).abs() < 2e-3, "{rest}");
    let timestep = bench.player.timestep();
    bench.player.control(paused(2));
    bench.player.control(paused(2));
    let two_on = bench.ticks(100);
    assert!((two_on - rest - 0.02).abs() < 2e-3, "two actions further: {rest} to {two_on}");
    assert!(bench.player.timestep() <= timestep + 2);
    bench.player.control(Playback { paused: false, steps: 2 });
    bench.ticks(50);
    assert!(bench.ticks(1) > two_on + 0.1, "it goes on");
}

#[test]
fn an_arm_that_is_paused_from_the_start_stays_where_it_is() {
    let mut bench = Bench::new(settings(ASYNC));
    bench.player.control(Playback { paused: true, steps: 0 });
    bench.begin(0, &line(0.01, 0.01));
    assert!(bench.ticks(50).abs() < 1e-9);
    bench.player.control(Playback { paused: true, steps: 1 });
    assert!((bench.ticks(100) - 0.01).abs() < 1e-3);
}

#[test]
fn timesteps_are_counted_over_the_whole_run() {
    let mut bench = Bench::new(settings(ASYNC));
    assert_eq!(bench.player.timestep(), 0);
    bench.begin(0, &line(0.01, 0.01));
    bench.ticks(10);
    assert_eq!(bench.player.timestep(), 5);
    bench.player.stop();
    bench.player.start(pose(0.05), bench.now);
    assert_eq!(bench.player.timestep(), 5, "after a lost link it goes on from there");
    bench.begin(0, &line(0.06, 0.01));
    bench.ticks(10);
    assert_eq!(bench.player.timestep(), 10);
}
