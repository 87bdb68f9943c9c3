//! Whole chunks of the tiny policy through ONNX Runtime.

use roarm::policy::real_time_chunking::last_step_share;
use roarm::policy::{Engine, Guidance, Prediction};
use roarm::types::{JOINT_COUNT, PrefixAttentionSchedule, RealTimeChunking, ShortLeftOver};

use super::{floats, numbers, schedules};
use crate::parity::{Observation, golden_engine, observation, predict_guided};
use crate::support::{assert_says, golden, largest_difference};

const FILE: &str = "guided_chunks.npz";
/// What float noise may make of a guided chunk, z-score.
const LIMIT: f32 = 1e-5;
/// Rounding in the bound's own arithmetic, z-score.
const ROUNDING: f32 = 1e-5;
const HORIZON: usize = 50;
const STEPS: usize = 10;

/// How the left-over reached LeRobot.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Padding {
    AsItIs,
    LastRepeated,
    ZerosToHorizon,
}

struct Case {
    schedule: PrefixAttentionSchedule,
    delay: usize,
    horizon: usize,
    limit: f32,
    padding: Padding,
    left_over: Vec<[f32; JOINT_COUNT]>,
    chunk: Vec<f32>,
    /// Of LeRobot's last estimate from the actions to keep.
    last_disagreement: f32,
}

impl Case {
    fn all() -> Vec<Self> {
        let (delays, horizons) = (numbers(FILE, "delay"), numbers(FILE, "horizon"));
        let (rows, paddings) = (numbers(FILE, "left_over_rows"), numbers(FILE, "padding"));
        let (limits, disagreements) =
            (floats(FILE, "max_guidance_weight"), floats(FILE, "last_disagreement"));
        let left_over = floats(FILE, "left_over");
        let left_over = left_over.as_chunks::<JOINT_COUNT>().0;
        let chunks = floats(FILE, "chunk_norm");
        let kinds = [Padding::AsItIs, Padding::LastRepeated, Padding::ZerosToHorizon];
        schedules(FILE)
            .into_iter()
            .zip(chunks.chunks_exact(HORIZON * JOINT_COUNT))
            .enumerate()
            .map(|(case, (schedule, chunk))| Self {
                schedule,
                delay: delays[case],
                horizon: horizons[case],
                limit: limits[case],
                padding: kinds[paddings[case]],
                left_over: left_over[HORIZON - rows[case]..].to_vec(),
                chunk: chunk.to_vec(),
                last_disagreement: disagreements[case],
            })
            .collect()
    }

    /// The same left-over for us: short, with the setting that stands for what LeRobot was handed.
    fn guidance(&self) -> Guidance<'_> {
        let short_left_over = match self.padding {
            Padding::AsItIs => ShortLeftOver::ShortenHorizon,
            Padding::LastRepeated | Padding::ZerosToHorizon => ShortLeftOver::HoldLast,
        };
        let settings = RealTimeChunking {
            schedule: self.schedule,
            execution_horizon: self.horizon,
            max_guidance_weight: self.limit,
            short_left_over,
        };
        Guidance { previous_actions: &self.left_over, inference_delay: self.delay, settings }
    }

    fn predict(&self, engine: &mut Engine, observation: &Observation) -> Prediction {
        predict_guided(engine, observation, Some(self.guidance())).unwrap()
    }

    fn name(&self) -> String {
        let Self { schedule, delay, horizon, limit, padding, left_over, .. } = self;
        format!("{schedule} d={delay} h={horizon} limit={limit} rows={} {padding:?}", left_over.len())
    }
}

/// The largest distance of the first `actions` from the left-over, joints only.
fn distance(chunk: &[[f32; JOINT_COUNT]], left_over: &[[f32; JOINT_COUNT]], actions: usize) -> f32 {
    largest_difference(chunk[..actions].as_flattened(), left_over[..actions].as_flattened())
}

#[test]
fn guided_chunks_are_lerobots_over_all_schedules() {
    let (mut engine, observation) = (golden_engine(), observation());
    let plain = predict_guided(&mut engine, &observation, None).unwrap();
    let (mut largest, mut bent, mut count) = ([0.0_f32; 4], 0.0_f32, 0);
    for case in Case::all().iter().filter(|case| case.padding != Padding::ZerosToHorizon) {
        let prediction = case.predict(&mut engine, &observation);
        let difference = largest_difference(prediction.z_scores.as_flattened(), &case.chunk);
        assert!(difference <= LIMIT, "{}: {difference:e}", case.name());
        let schedule = &mut largest[case.schedule as usize];
        *schedule = schedule.max(difference);
        bent =
            bent.max(largest_difference(prediction.z_scores.as_flattened(), plain.z_scores.as_flattened()));
        count += 1;
    }
    println!("{count} chunks; ZEROS, ONES, LINEAR, EXP: {largest:?}; guidance bends by up to {bent:.1}");
    assert_eq!(count, 96 + 4 + 8);
    assert!(bent > 1.0);
}

#[test]
fn an_earlier_golden_file_of_lerobot_agrees() {
    let (mut engine, observation) = (golden_engine(), observation());
    let left_over = golden::<f32>("golden_rtc.npz", "prev_left_over").1;
    let left_over = left_over.as_chunks::<JOINT_COUNT>().0;
    for schedule in PrefixAttentionSchedule::ALL {
        let settings = RealTimeChunking { schedule, ..RealTimeChunking::default() };
        let guidance = Guidance { previous_actions: left_over, inference_delay: 4, settings };
        let prediction = predict_guided(&mut engine, &observation, Some(guidance)).unwrap();
        let expected = golden("golden_rtc.npz", &format!("chunk_{schedule}")).1;
        let difference = largest_difference(prediction.z_scores.as_flattened(), &expected);
        println!("{schedule}: {difference:.1e}");
        assert!(difference <= LIMIT, "{schedule}: {difference:e}");
    }
}

#[test]
fn kept_actions_stay_within_the_bound_of_the_previous_chunk() {
    let (mut engine, observation) = (golden_engine(), observation());
    let plain = predict_guided(&mut engine, &observation, None).unwrap();
    let (mut largest, mut unguided) = (0.0_f32, 0.0_f32);
    for case in Case::all().iter().filter(|case| case.padding == Padding::AsItIs) {
        let prediction = case.predict(&mut engine, &observation);
        let kept = case.delay.min(case.horizon).min(case.left_over.len());
        // The bound from LeRobot's debug records, not from our own report.
        let bound = case.last_disagreement * last_step_share(STEPS, case.limit);
        let deviation = distance(&prediction.z_scores, &case.left_over, kept);
        assert!(deviation <= bound + ROUNDING, "{}: {deviation} > {bound}", case.name());
        let report = prediction.guidance.unwrap();
        assert_eq!((report.kept_actions, report.largest_deviation), (kept, deviation), "{}", case.name());
        assert!((report.bound - bound).abs() <= ROUNDING, "{}: {report:?}, not {bound}", case.name());
        if case.limit >= 10.0 {
            largest = largest.max(deviation);
            unguided = unguided.max(distance(&plain.z_scores, &case.left_over, kept));
        }
    }
    println!("limit of at least 10: kept actions within {largest:.4}, unguided ones within {unguided:.2}");
    assert!(largest <= MEASURED_BOUND, "{largest}");
    assert!(unguided > 20.0 * MEASURED_BOUND, "the unguided chunk is far off: {unguided}");
}

/// With LeRobot's default limit of 10 the tiny policy's kept actions come this close, z-score.
const MEASURED_BOUND: f32 = 0.05;

#[test]
fn holding_keeps_the_last_pose_where_zeros_pull_to_the_mean() {
    let (mut engine, observation) = (golden_engine(), observation());
    let padded = |case: &&Case| {
        case.padding == Padding::ZerosToHorizon && case.schedule == PrefixAttentionSchedule::Ones
    };
    for case in Case::all().iter().filter(padded) {
        let prediction = case.predict(&mut engine, &observation);
        let last = case.left_over[case.left_over.len() - 1];
        let held = case.left_over.len()..case.horizon;
        let zero_padded = case.chunk.as_chunks::<JOINT_COUNT>().0;
        for action in held {
            let from_last = largest_difference(&prediction.z_scores[action], &last);
            let from_mean = largest_difference(&zero_padded[action], &[0.0; JOINT_COUNT]);
            assert!(from_last < 0.1, "{}, action {action}: {from_last} from the pose to hold", case.name());
            assert!(from_mean < 0.1, "{}, action {action}: zeros end at the mean pose", case.name());
        }
        let apart = largest_difference(&last, &[0.0; JOINT_COUNT]);
        assert!(apart > 1.0, "the two differ visibly: {apart}");
    }
}

#[test]
fn nothing_left_over_is_no_guidance_and_nothing_of_it_remains() {
    let (mut engine, observation) = (golden_engine(), observation());
    let plain = predict_guided(&mut engine, &observation, None).unwrap();
    let all = Case::all();
    let guided = all[50].predict(&mut engine, &observation);
    assert!(largest_difference(guided.z_scores.as_flattened(), plain.z_scores.as_flattened()) > 0.1);
    let empty = Guidance { previous_actions: &[], ..all[50].guidance() };
    let unguided = predict_guided(&mut engine, &observation, Some(empty)).unwrap();
    assert_eq!(unguided.z_scores, plain.z_scores);
    assert_eq!(unguided.guidance.unwrap().kept_actions, 0);
    let again = predict_guided(&mut engine, &observation, None).unwrap();
    assert_eq!((again.z_scores, again.guidance), (plain.z_scores, None));
}

#[test]
fn a_previous_chunk_that_cannot_guide_is_refused() {
    let (mut engine, observation) = (golden_engine(), observation());
    let all = Case::all();
    let mut refusal =
        |guidance| predict_guided(&mut engine, &observation, Some(guidance)).unwrap_err().to_string();
    let long = [[0.0; JOINT_COUNT]; HORIZON + 1];
    let message = refusal(Guidance { previous_actions: &long, ..all[0].guidance() });
    assert_says(&message, &["real-time chunking", "51 actions", "50"]);
    let broken = [[0.0, f32::INFINITY, 0.0, 0.0, 0.0, 0.0]];
    let message = refusal(Guidance { previous_actions: &broken, ..all[0].guidance() });
    assert_says(&message, &["action 0", "inf", "cannot be continued"]);
    predict_guided(&mut engine, &observation, None).expect("the engine still works after refusals");
}
