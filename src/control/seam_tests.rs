//! Seams of a policy whose chunks disagree, and what late chunks do to the motion: the core alone, in its own time.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

use std::time::Duration;

use super::test_script::{parameters, pose};
use super::{Aggregation, ChunkSchedule, ControlParameters, Controller, Inputs, MotionReport, Phase};
use crate::types::{
    Chunk, CommandWritten, Continuation, FeedbackSample, FrameMetadata, FrameSet, JointAngles, LinkStatus,
    MAX_CAMERAS, ObservationRequest, Timestamp,
};

const TICK: Duration = Duration::from_millis(20);
/// 25 actions a second.
const PERIOD: Duration = Duration::from_millis(40);
const HORIZON: usize = 50;
/// What the policy waves with, rad, and how long a wave takes.
const AMPLITUDE: f64 = 0.4;
const WAVE_S: f64 = 4.0;
/// How far two chunks in a row are apart, as a share of the amplitude.
const DISAGREEMENT: f64 = 0.3;
/// The policy takes so long by itself.
const OWN_DELAY: Duration = Duration::from_millis(80);
/// Actions of a chunk that the one before has a say in.
const EXECUTION_HORIZON: usize = 15;
/// What guidance takes away of a disagreement with ten flow steps (docs/real-time-chunking.md): all but 0.089.
const GUIDED: f64 = 1.0 - 0.089;

/// A policy that waves; each chunk adds half of the disagreement, of the other sign than the chunk before.
struct Waving {
    started: Timestamp,
    previous: Vec<(u64, [JointAngles; HORIZON])>,
}

impl Waving {
    /// Guided by LeRobot's linear mask: what is played meanwhile is kept as far as guidance can, then the old chunk fades out evenly.
    fn chunk(&mut self, request: &ObservationRequest, now: Timestamp) -> Chunk {
        let sign = if request.chunk_id.is_multiple_of(2) { 1.0 } else { -1.0 };
        let mut actions: [JointAngles; HORIZON] = std::array::from_fn(|action| {
            let time =
                request.observed.seconds_since(self.started) + (action + 1) as f64 * PERIOD.as_secs_f64();
            let phase = time / WAVE_S * std::f64::consts::TAU;
            pose(0.4 + AMPLITUDE * (phase.sin() + sign * DISAGREEMENT / 2.0))
        });
        if let Some(Continuation { chunk_id, consumed, inference_delay }) = request.continues {
            let (_, old) = self.previous.iter().find(|(id, _)| *id == chunk_id).expect("one of the last two");
            let old = |action: usize| &old[(consumed + action).min(HORIZON - 1)];
            for (action, new) in actions.iter_mut().enumerate().take(EXECUTION_HORIZON) {
                let (h, d) = (EXECUTION_HORIZON as f64, inference_delay as f64);
                let weight = GUIDED * ((h - action as f64) / (h - d + 1.0)).clamp(0.0, 1.0);
                *new = new.interpolate(old(action), weight);
            }
        }
        self.previous.insert(0, (request.chunk_id, actions));
        self.previous.truncate(2);
        Chunk::new(request.chunk_id, request.observed, request.tick, now, &actions).unwrap()
    }
}

struct Outcome {
    /// First joint of each written goal, with its time since the policy took charge.
    goals: Vec<(f64, f64)>,
    motion: MotionReport,
    /// Ticks without anything to play, after the first chunk.
    waited: u64,
    slowed: u64,
    fallbacks: u64,
}

fn play(schedule: ChunkSchedule, added: Duration) -> Outcome {
    let settings = ControlParameters {
        schedule,
        duration: None,
        action_period: PERIOD,
        actions_per_chunk: 25,
        start_pose: Some(pose(0.4)),
        trained_range: None,
        ..parameters()
    };
    let mut controller = Controller::new(settings);
    let mut now = Timestamp::from_nanos(5_000_000_000);
    let (mut arm, mut written) = (pose(0.4), None);
    let mut policy = Waving { started: now, previous: Vec::new() };
    let mut pending: Option<(Chunk, Timestamp)> = None;
    let (mut running_since, mut goals, mut first_waits) = (None, Vec::new(), None);
    for _ in 0..1_300 {
        now = now + TICK;
        let mut frames: FrameSet = [None; MAX_CAMERAS];
        frames[0] =
            Some(FrameMetadata { id: 1, sequence: 1, captured: now, width: 96, height: 96, digest: None });
        let chunk = pending.take_if(|(_, due)| *due <= now).map(|(chunk, _)| chunk);
        let inputs = Inputs {
            feedback: Some(FeedbackSample { sequence: 0, angles: arm, measured: now, torque_off: false }),
            frames,
            chunk: chunk.as_ref(),
            written: written.take(),
            link: LinkStatus::READY,
            go: controller.proposal().map(|proposal| proposal.number),
            ..Inputs::default()
        };
        let outputs = controller.tick(now, &inputs);
        if controller.phase() == Phase::Running && running_since.is_none() {
            (running_since, policy.started) = (Some(now), now);
        }
        if controller.report().chunks == 1 && first_waits.is_none() {
            first_waits = Some(controller.report().ticks_waiting);
        }
        if let Some(command) = outputs.command {
            arm = command.goal;
            written = Some(CommandWritten { command, written: now });
            if let Some(since) = running_since {
                goals.push((now.seconds_since(since), arm.to_array_rad()[0]));
            }
        }
        if let Some(request) = outputs.observation {
            pending = Some((policy.chunk(&request, now), now + OWN_DELAY + added));
        }
    }
    let report = controller.report();
    Outcome {
        goals,
        motion: report.motion,
        waited: report.ticks_waiting - first_waits.expect("a chunk was played"),
        slowed: report.ticks_slowed,
        fallbacks: report.fallbacks,
    }
}

/// Root mean square and largest difference of the motions, degrees, from the third second on.
fn difference_deg(one: &Outcome, other: &Outcome) -> (f64, f64) {
    let pairs = one.goals.iter().zip(&other.goals).filter(|((time, _), _)| *time > 3.0);
    let differences: Vec<f64> =
        pairs.map(|((_, one), (_, other))| (one - other).abs().to_degrees()).collect();
    let mean = differences.iter().map(|value| value * value).sum::<f64>() / differences.len() as f64;
    (mean.sqrt(), differences.iter().copied().fold(0.0, f64::max))
}

const REAL_TIME: ChunkSchedule = ChunkSchedule::RealTime { execution_horizon: EXECUTION_HORIZON };
const ASYNC: ChunkSchedule = ChunkSchedule::Async { aggregation: Aggregation::Latest };

#[test]
fn a_seam_is_no_larger_than_the_motion_inside_chunks() {
    println!(
        "| schedule | added delay, ms | seams | disagreement, ° | seam / inside | slowed | waited | RMS, ° | max, ° |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    for (name, schedule) in [
        ("async latest", ASYNC),
        ("async weighted", ChunkSchedule::Async { aggregation: Aggregation::Weighted }),
        ("rtc", REAL_TIME),
    ] {
        let undelayed = play(schedule, Duration::ZERO);
        for added_ms in [0, 100, 200, 300] {
            let played = play(schedule, Duration::from_millis(added_ms));
            let MotionReport { seams, disagreement_rad, .. } = played.motion;
            let (rms, most) = difference_deg(&played, &undelayed);
            let (ratio, disagreement) = (played.motion.seam_ratio(), disagreement_rad.to_degrees());
            println!(
                "| {name} | {added_ms} | {seams} | {disagreement:.1} | {ratio:.2} | {} | {} | {rms:.2} | {most:.2} |",
                played.slowed, played.waited
            );
            assert!(seams >= 10, "{name}, {added_ms} ms: only {seams} seams");
            assert!(ratio <= 1.2, "{name}, {added_ms} ms: {ratio}");
            assert!(disagreement > 0.2, "{name}: the chunks must disagree: {disagreement}");
            assert_eq!((played.waited, played.slowed, played.fallbacks), (0, 0, 0), "{name}, {added_ms} ms");
            // Two chunks are up to 6.9° apart by themselves; the rest is the way from one to the other.
            assert!(rms < 5.0 && most < 9.0, "{name}, {added_ms} ms: {rms}° RMS, {most}° at most");
        }
    }
}

#[test]
fn one_chunk_after_another_waits_and_an_overlapping_one_does_not() {
    let sync = play(ChunkSchedule::Sync, Duration::from_millis(100));
    assert!(sync.waited > 100, "the arm stands while the policy computes: {}", sync.waited);
    assert_eq!(sync.motion.seams, 0);
}

#[test]
fn a_policy_too_slow_to_join_falls_back_and_says_so() {
    let played = play(REAL_TIME, Duration::from_millis(700));
    assert!(played.fallbacks >= 3, "{}", played.fallbacks);
    assert!(played.waited > 100, "it plays one chunk after another");
    assert!(played.motion.jerk_rad_s3 <= 105.0 * 1.05, "and comes to rest gently: {:?}", played.motion);
}
