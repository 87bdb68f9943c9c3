//! The whole path in virtual time: a recorded episode, the shipped policy, core, link, and the emulated board.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::time::Duration;

use calibration::JointLimits;
use firmware_protocol::emulator::BoardOptions;
use firmware_protocol::{Generation, ServoAcceleration};
use roarm::arm::LinkOptions;
use roarm::camera::{DatasetSource, SourceSpec};
use roarm::control::{
    AfterLinkLoss, AfterStop, Aggregation, ChunkSchedule, ControlParameters, EndCause, JointBounds,
    MotionLimits, Workspace,
};
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
        link: LinkOptions::new(ServoAcceleration::new(100).expect("100 is in 1..=254")),
        parameters: ControlParameters {
            joint_limits: limits.into(),
            trained_range: Some(trained.widened(0.1)),
            max_velocity_rad_s: MAX_VELOCITY_RAD_S,
            max_acceleration_rad_s2: 10.0,
            stop_deceleration_rad_s2: STOP_DECELERATION_RAD_S2,
            ramp_speed_rad_s: 0.26,
            servo_speed_rad_s: 3.0,
            start_pose: Some(bundle.normalization().state.mean_pose().into()),
            action_period: Duration::from_secs_f64(1.0 / 30.0),
            actions_per_chunk: 25,
            first_chunk_speed: 1.0,
            schedule: ChunkSchedule::Sync,
            queue_threshold: 0.5,
            max_jerk_rad_s3: 105.0,
            motion_limits: MotionLimits::default(),
            z_score_range: None,
            workspace: Workspace::default(),
            tracking_error_rad: 0.113,
            tracking_time: Duration::from_secs(1),
            workspace_patience: Duration::from_secs(2),
            plateau: None,
            gripper_idle: None,
            frozen_picture: None,
            cameras: 1,
            duration: Some(POLICY_TIME),
            max_feedback_age: Duration::from_millis(250),
            max_frame_age: Duration::from_millis(500),
            max_observation_age: Duration::from_secs(2),
            inference_timeout: Duration::from_secs(3),
            rejections_before_stop: 10,
            lead_limit_rad: [0.14, 0.14, 0.14, 0.14, 0.14, 0.44],
            after_stop: AfterStop::End,
            after_link_loss: AfterLinkLoss::End,
            park: None,
        },
        tick_period: Duration::from_millis(20),
        cameras: vec![Box::new(DatasetSource::open(&spec).expect("the episode opens"))],
        show_pose: None,
        producer: support::producer(&bundle, seed),
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
