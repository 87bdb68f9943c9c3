//! The whole path in virtual time: a recorded episode, the shipped policy, core, link, and the emulated board.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::time::Duration;

use calibration::JointLimits;
use firmware_protocol::Generation;
use firmware_protocol::emulator::BoardOptions;
use roarm::arm::LinkOptions;
use roarm::camera::{DatasetSource, SourceSpec};
use roarm::control::{Aggregation, ChunkSchedule, ControlParameters, EndCause, JointBounds, Workspace};
use roarm::episode::Dataset;
use roarm::replay::RecordedActions;
use roarm::sim::virtual_time::{self, VirtualEnd, VirtualParts};
use roarm::types::{Joint, JointAngles};

const MAX_VELOCITY_RAD_S: f64 = 1.5;
const STOP_DECELERATION_RAD_S2: f64 = 15.0;
const POLICY_TIME: Duration = Duration::from_secs(5);

fn parts(generation: Generation, seed: u64) -> VirtualParts {
    let bundle = support::tiny_bundle();
    let limits = JointLimits::of(generation);
    let action = &bundle.normalization().action;
    let trained = JointBounds { lower: action.min_pose().into(), upper: action.max_pose().into() };
    let episode = support::repository("tests/data/lerobot_v3_av1");
    let SourceSpec::Dataset(spec) =
        SourceSpec::parse(&format!("dataset:{}:0", episode.display())).expect("a good source")
    else {
        panic!("a dataset source was asked for");
    };
    VirtualParts {
        board: BoardOptions { keep_lines: true, ..BoardOptions::new(generation) },
        link: LinkOptions::default(),
        parameters: ControlParameters {
            trained_range: Some(trained.widened(0.1)),
            max_velocity_rad_s: MAX_VELOCITY_RAD_S,
            stop_deceleration_rad_s2: STOP_DECELERATION_RAD_S2,
            start_pose: Some(bundle.normalization().state.mean_pose().into()),
            workspace: Workspace::default(),
            duration: Some(POLICY_TIME),
            inference_timeout: Duration::from_secs(3),
            ..ControlParameters::usual(limits.into())
        },
        tick_period: Duration::from_millis(20),
        cameras: vec![Box::new(DatasetSource::open(&spec).expect("the episode opens"))],
        cell: None,
        source: Box::new(support::producer(&bundle, seed)),
        inference_latency: Duration::from_millis(80),
        time_limit: Duration::from_secs(120),
    }
}

/// The fields of a T:102 line: six angles in the firmware's frame, then speed and acceleration.
fn fields(line: &[u8]) -> [f64; 8] {
    let value: serde_json::Value = serde_json::from_slice(line).expect("every line is valid JSON");
    assert_eq!(value["T"], 102);
    let object = value.as_object().expect("an object");
    assert_eq!(object.len(), 9, "all fields and no others: {value}");
    ["base", "shoulder", "elbow", "wrist", "roll", "hand", "spd", "acc"]
        .map(|name| object[name].as_f64().unwrap_or_else(|| panic!("{name} is missing in {value}")))
}

/// The goal of a T:102 line in the joint frame, with speed and acceleration checked.
fn goal(line: &[u8], limits: &JointLimits) -> JointAngles {
    let [base, shoulder, elbow, wrist, roll, hand, speed, acceleration] = fields(line);
    let angles =
        JointAngles::from_array_rad([base, shoulder, elbow, wrist, roll, std::f64::consts::PI - hand]);
    // A limit of π/2 travels as 1.5708: rounded to four decimals.
    assert!(limits.clamp(&angles).max_difference(&angles) <= 5e-5, "{angles:?} is outside the limits");
    assert!(speed >= 1.0 && (1.0..=254.0).contains(&acceleration));
    angles
}

/// What was handed to the port: step, velocity and acceleration by the times of writing.
fn assert_written(end: &VirtualEnd, generation: Generation) {
    // The wire carries four decimals: two goals differ from what was meant by half a digit each.
    const ROUNDING_RAD: f64 = 1.0e-4;
    let limits = JointLimits::of(generation);
    let goals: Vec<_> = end.commands.iter().map(|(at, line)| (*at, goal(line, &limits))).collect();
    let mut velocity_before = [0.0; 6];
    for pair in goals.windows(2) {
        let elapsed = pair[1].0.seconds_since(pair[0].0);
        let step = pair[0].1.max_difference(&pair[1].1);
        assert!(step <= MAX_VELOCITY_RAD_S * elapsed + ROUNDING_RAD, "a step of {step} rad in {elapsed} s");
        let (from, to) = (pair[0].1.to_array_rad(), pair[1].1.to_array_rad());
        let velocity: [f64; 6] = std::array::from_fn(|joint| (to[joint] - from[joint]) / elapsed);
        for (after, before) in velocity.iter().zip(velocity_before) {
            let change = (after - before).abs();
            let allowed = STOP_DECELERATION_RAD_S2 * elapsed + 4.0 * ROUNDING_RAD / elapsed;
            assert!(change <= allowed, "velocity changes by {change} rad/s in {elapsed} s");
        }
        velocity_before = velocity;
    }
}

/// What reached the board: the same lines in the same order, nothing lost or spliced, each taken by its JSON library.
fn assert_on_the_board(end: &VirtualEnd, generation: Generation) {
    // The firmware looks at its port once a pass: 18 ms on G1, 29 ms on G3; and lines differ by 10 bytes at most, 1 ms.
    const LOOKING_S: f64 = 0.030;
    let limits = JointLimits::of(generation);
    assert!(end.board_lines.iter().all(|line| line.parsed || line.bytes.is_empty()), "a line was not JSON");
    let moves: Vec<_> = end.board_lines.iter().filter(|line| line.bytes.starts_with(b"{\"T\":102")).collect();
    let sent: Vec<&[u8]> = end.commands.iter().map(|(_, line)| line.strip_suffix(b"\n").unwrap()).collect();
    let taken: Vec<&[u8]> = moves.iter().map(|line| line.bytes.as_slice()).collect();
    assert!(sent.len() - taken.len() <= 2, "only what was under way at the end may be missing");
    assert_eq!(taken, sent[..taken.len()]);
    for pair in moves.windows(2) {
        let elapsed = (pair[1].at - pair[0].at).as_secs_f64() + LOOKING_S;
        let step = goal(&pair[0].bytes, &limits).max_difference(&goal(&pair[1].bytes, &limits));
        assert!(step <= MAX_VELOCITY_RAD_S * elapsed, "a step of {step} rad in {elapsed} s on the board");
    }
}

fn commands_a_second(end: &VirtualEnd) -> f64 {
    let (begin, over) = end.running.expect("the policy ran");
    let count = end.commands.iter().filter(|(at, _)| (begin..=over).contains(at)).count();
    count as f64 / over.seconds_since(begin)
}

#[test]
fn g1_takes_45_commands_a_second_inside_all_bounds() {
    let end = virtual_time::run(parts(Generation::G1, 7)).expect("the run ends by itself");
    assert_eq!(end.cause, EndCause::Duration);
    assert_written(&end, Generation::G1);
    assert_on_the_board(&end, Generation::G1);
    let rate = commands_a_second(&end);
    println!("G1: {rate:.1} commands a second");
    assert!(rate >= 45.0, "{rate} commands a second; {}", end.summary);
    assert!(end.summary.chunks >= 3, "{}", end.summary);
    // The wire is full: 11 520 bytes a second, in frames of 204 bytes at rest and up to 220 with the loads of a moving arm.
    assert!((52.3..58.5).contains(&end.summary.feedback_hz), "{}", end.summary);
    let moved =
        Joint::ALL.iter().filter(|joint| end.summary.travel_deg[joint.name()].as_f64() >= Some(10.0)).count();
    assert!(moved >= 3, "{}", end.summary);
}

#[test]
fn g3_takes_30_commands_a_second_inside_all_bounds() {
    let end = virtual_time::run(parts(Generation::G3, 7)).expect("the run ends by itself");
    assert_eq!(end.cause, EndCause::Duration);
    assert_written(&end, Generation::G3);
    assert_on_the_board(&end, Generation::G3);
    let rate = commands_a_second(&end);
    println!("G3: {rate:.1} commands a second");
    assert!(rate >= 30.0, "{rate} commands a second; {}", end.summary);
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let first = virtual_time::run(parts(Generation::G1, 7)).expect("the run ends by itself");
    let again = virtual_time::run(parts(Generation::G1, 7)).expect("the run ends by itself");
    assert_eq!(first.bytes, again.bytes);
    assert!(!first.commands.is_empty());
    let other = virtual_time::run(parts(Generation::G1, 8)).expect("the run ends by itself");
    assert_ne!(first.bytes, other.bytes, "the noise must matter");
}

#[test]
fn overlapping_schedules_stay_inside_all_bounds_and_never_wait() {
    let schedules = [
        ChunkSchedule::Async { aggregation: Aggregation::Weighted },
        ChunkSchedule::RealTime { execution_horizon: 10 },
    ];
    for generation in [Generation::G1, Generation::G3] {
        let one_by_one =
            virtual_time::run(parts(generation, 7)).expect("the run ends by itself").summary.motion;
        assert_eq!(one_by_one.seams, 0);
        for schedule in schedules {
            let mut parts = parts(generation, 7);
            parts.parameters.schedule = schedule;
            let end = virtual_time::run(parts).expect("the run ends by itself");
            assert_eq!(end.cause, EndCause::Duration);
            assert_written(&end, generation);
            assert_on_the_board(&end, generation);
            let motion = end.summary.motion;
            assert!(motion.seams >= 3, "{schedule:?}: {motion:?}");
            assert_eq!((motion.ticks_slowed, motion.fallbacks_to_sync), (0, 0), "{schedule:?}: {motion:?}");
            // Only the first chunk is waited for: 80 ms.
            assert!(motion.ticks_waiting <= 6, "{schedule:?}: {motion:?}");
            assert!(one_by_one.ticks_waiting > motion.ticks_waiting, "{one_by_one:?}, {motion:?}");
        }
    }
}

#[test]
fn a_recorded_episode_is_played_action_by_action() {
    for generation in [Generation::G1, Generation::G3] {
        let limits = JointLimits::of(generation);
        let episode =
            Dataset::open(support::repository("tests/data/lerobot_v3_av1")).unwrap().episode(0).unwrap();
        let recorded: Vec<JointAngles> = episode.actions.iter().copied().map(JointAngles::from).collect();
        // A fifth of its speed: the recording is made up, and as fast as 135 °/s.
        let period = Duration::from_secs_f64(5.0 / episode.fps);
        let recording = RecordedActions::new(recorded.clone()).unwrap();
        let usual = parts(generation, 0);
        let parameters = ControlParameters {
            start_pose: Some(recording.first()),
            action_period: period,
            schedule: ChunkSchedule::Async { aggregation: Aggregation::Latest },
            cameras: 0,
            workspace: Workspace::default(),
            ..ControlParameters::usual(limits.into())
        };
        let end = virtual_time::run(VirtualParts {
            parameters,
            cameras: Vec::new(),
            source: Box::new(recording),
            inference_latency: Duration::from_millis(5),
            ..usual
        })
        .expect("it ends by itself");
        assert_eq!(end.cause, EndCause::EpisodeOver);
        let (begun, _) = end.running.expect("it was played");
        let goals: Vec<_> = end.commands.iter().map(|(at, line)| (*at, goal(line, &limits))).collect();
        let mut greatest_deg = 0.0_f64;
        for (place, action) in recorded.iter().enumerate() {
            let action = limits.clamp(action);
            // Between the commands around the time when the action is due, a few ticks late.
            let due = begun + period * u32::try_from(place + 1).unwrap();
            let around = goals
                .windows(2)
                .filter(|pair| pair[1].0 >= due && pair[0].0 <= due + Duration::from_millis(250));
            let nearest_rad = around
                .map(|pair| {
                    let way = |part: f64| pair[0].1.interpolate(&pair[1].1, part).max_difference(&action);
                    (0..=20).map(|part| way(f64::from(part) / 20.0)).fold(f64::INFINITY, f64::min)
                })
                .fold(f64::INFINITY, f64::min);
            assert!(nearest_rad < 0.01, "{generation}: action {place} is missed by {nearest_rad} rad");
            greatest_deg = greatest_deg.max(nearest_rad.to_degrees());
        }
        let last = goals.last().unwrap().1.max_difference(&limits.clamp(recorded.last().unwrap()));
        println!(
            "{generation}: actions are met within {greatest_deg:.2}°, the last within {:.3}°",
            last.to_degrees()
        );
        assert!(last < 1e-3, "{generation}: it ends {last} rad from the last action");
    }
}
