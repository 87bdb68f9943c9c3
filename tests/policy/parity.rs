//! Against `golden.npz`, which LeRobot 0.4.4 on PyTorch wrote, not only against our own parity file.

use roarm::policy::{
    ChunkPolicy, Engine, Guidance, NoiseGenerator, PolicyError, PolicyInput, Prediction, ResizeWithPad,
    SlotImage, time_embeddings, verify,
};
use roarm::types::{DatasetAngles, Picture};

use crate::support::{
    Copy, bundle_folder, engine, golden, golden_task, interleave, largest_difference, to_byte,
};

const STATE_NORM_LIMIT: f32 = 1e-5;
const PIXELS_LIMIT: f32 = 1e-5;
const Z_SCORE_LIMIT: f32 = 1e-4;
const DEGREES_LIMIT: f32 = 5e-3;
const RESIZE_LIMIT: f32 = 1e-4;

/// LeRobot's observation.
pub(crate) struct Observation {
    rgb: Vec<u8>,
    width: u32,
    height: u32,
    state: [f64; 6],
    noise: Vec<f32>,
}

pub(crate) fn observation() -> Observation {
    let (shape, planes) = golden::<f32>("golden.npz", "image");
    let [3, height, width] = shape[..] else { panic!("{shape:?}") };
    let (_, state) = golden::<f32>("golden.npz", "state");
    let rgb = interleave(&planes.iter().map(|value| to_byte(*value)).collect::<Vec<_>>());
    Observation {
        rgb,
        width: width as u32,
        height: height as u32,
        state: std::array::from_fn(|joint| f64::from(state[joint])),
        noise: golden("golden.npz", "noise").1,
    }
}

fn predict(engine: &mut Engine, observation: &Observation) -> Prediction {
    predict_guided(engine, observation, None).unwrap()
}

pub(crate) fn predict_guided(
    engine: &mut Engine,
    observation: &Observation,
    guidance: Option<Guidance<'_>>,
) -> Result<Prediction, PolicyError> {
    let images = [SlotImage {
        slot: 0,
        picture: Picture::rgb8(observation.width, observation.height, &observation.rgb),
    }];
    let state = DatasetAngles::from_array_deg(observation.state);
    let mut prediction = Prediction::default();
    let input = PolicyInput { images: &images, state, noise: &observation.noise, guidance };
    engine.predict(&input, &mut prediction).map(|()| prediction)
}

/// Largest differences to golden: z-scores, degrees.
fn deviation(prediction: &Prediction) -> (f32, f32) {
    let degrees: Vec<f32> = prediction
        .actions
        .iter()
        .flat_map(|action| action.to_array_deg().map(|angle| angle as f32))
        .collect();
    (
        largest_difference(prediction.z_scores.as_flattened(), &golden("golden.npz", "chunk_norm").1),
        largest_difference(&degrees, &golden("golden.npz", "chunk").1),
    )
}

pub(crate) fn golden_engine() -> Engine {
    let (_, mut engine) = engine();
    engine.set_task(&golden_task()).unwrap();
    engine
}

#[test]
fn a_chunk_is_lerobots_chunk() {
    let mut engine = golden_engine();
    let (z_scores, degrees) = deviation(&predict(&mut engine, &observation()));
    println!("chunk_norm {z_scores:.2e}, chunk {degrees:.2e} degrees");
    assert!(z_scores <= Z_SCORE_LIMIT && degrees <= DEGREES_LIMIT, "{z_scores:e} {degrees:e}");
}

#[test]
fn tokens_and_mask_are_lerobots() {
    let engine = golden_engine();
    let tokens = engine.task_tokens().unwrap();
    assert_eq!(tokens.ids, golden::<i64>("golden.npz", "lang_tokens").1);
    assert_eq!(tokens.mask, golden::<bool>("golden.npz", "lang_mask").1);
}

#[test]
fn the_normalised_state_is_lerobots() {
    let (bundle, _) = engine();
    let state = DatasetAngles::from_array_deg(observation().state);
    let ours = bundle.normalization().normalize_state(state);
    let difference = largest_difference(&ours, &golden("golden.npz", "state_norm").1);
    assert!(difference <= STATE_NORM_LIMIT, "{difference:e}");
}

#[test]
fn the_pixels_are_lerobots_from_bytes_and_from_floats() {
    let (bundle, _) = engine();
    let Observation { rgb, width, height, .. } = observation();
    let expected = golden::<f32>("golden.npz", "pixels").1;
    let mut resize = ResizeWithPad::new(width, height, &bundle.contract().cameras).unwrap();
    let mut output = vec![f32::NAN; resize.output_len()];
    assert!(resize.rgb8(&rgb, &mut output));
    let from_bytes = largest_difference(&output, &expected);
    assert!(resize.planar_float(&golden::<f32>("golden.npz", "image").1, &mut output));
    let from_floats = largest_difference(&output, &expected);
    println!("pixels {from_bytes:.2e} from bytes, {from_floats:.2e} from floats");
    assert!(from_bytes <= PIXELS_LIMIT && from_floats <= PIXELS_LIMIT, "{from_bytes:e} {from_floats:e}");
}

/// Our 512x512 tensor of LeRobot's 640x480 picture, and LeRobot's.
fn padded_picture() -> (Vec<f32>, Vec<f32>) {
    let (bundle, _) = engine();
    let mut cameras = bundle.contract().cameras.clone();
    (cameras.input_width, cameras.input_height) = (512, 512);
    let (shape, planes) = golden::<u8>("golden_resize.npz", "image_u8");
    assert_eq!(shape, [3, 480, 640]);
    let mut resize = ResizeWithPad::new(640, 480, &cameras).unwrap();
    let mut output = vec![f32::NAN; resize.output_len()];
    assert!(resize.rgb8(&interleave(&planes), &mut output));
    (output, golden("golden_resize.npz", "out").1)
}

#[test]
fn a_padded_picture_is_lerobots() {
    let (ours, theirs) = padded_picture();
    let difference = largest_difference(&ours, &theirs);
    println!("640x480 -> 512x512: {difference:.2e}");
    assert!(difference <= RESIZE_LIMIT, "{difference:e}");
}

#[test]
fn padding_on_the_other_side_is_seen() {
    let (mut ours, theirs) = padded_picture();
    for plane in ours.chunks_mut(512 * 512) {
        plane.rotate_left(128 * 512);
    }
    assert!(largest_difference(&ours, &theirs) > 1000.0 * RESIZE_LIMIT);
}

#[test]
fn the_time_embedding_is_lerobots() {
    let (bundle, _) = engine();
    let ours = time_embeddings(&bundle.contract().flow);
    let difference = largest_difference(&ours, &golden("golden.npz", "time_emb").1);
    println!("time embedding {difference:.2e}");
    assert!(difference <= 1e-6, "{difference:e}");
}

#[test]
fn swapped_units_signs_and_joints_are_seen_in_the_state() {
    let mut engine = golden_engine();
    let faults: [(&str, fn(&mut [f64; 6])); 4] = [
        ("radians", |state| *state = state.map(f64::to_radians)),
        ("gripper's sign", |state| state[5] = -state[5]),
        ("hand instead of gripper", |state| state[5] = 180.0 - state[5]),
        ("shoulder and elbow swapped", |state| state.swap(1, 2)),
    ];
    for (fault, apply) in faults {
        let mut observation = observation();
        apply(&mut observation.state);
        let (z_scores, degrees) = deviation(&predict(&mut engine, &observation));
        println!("{fault}: {z_scores:.1e}, {degrees:.1e} degrees");
        assert!(z_scores > Z_SCORE_LIMIT && degrees > DEGREES_LIMIT, "{fault}: {z_scores:e} {degrees:e}");
    }
}

#[test]
fn swapped_units_signs_and_joints_are_seen_in_the_actions() {
    let mut engine = golden_engine();
    let prediction = predict(&mut engine, &observation());
    let faults: [(&str, fn([f64; 6]) -> [f64; 6]); 3] = [
        ("radians", |action| action.map(f64::to_radians)),
        ("gripper's sign", |action| [action[0], action[1], action[2], action[3], action[4], -action[5]]),
        ("wrist and roll swapped", |action| {
            [action[0], action[1], action[2], action[4], action[3], action[5]]
        }),
    ];
    for (fault, apply) in faults {
        let mut faulty = prediction.clone();
        for action in &mut faulty.actions {
            *action = DatasetAngles::from_array_deg(apply(action.to_array_deg()));
        }
        let (_, degrees) = deviation(&faulty);
        assert!(degrees > DEGREES_LIMIT, "{fault}: {degrees:e}");
    }
}

#[test]
fn pictures_with_red_and_blue_swapped_are_seen() {
    let mut engine = golden_engine();
    let mut observation = observation();
    for pixel in observation.rgb.chunks_mut(3) {
        pixel.swap(0, 2);
    }
    let (z_scores, _) = deviation(&predict(&mut engine, &observation));
    assert!(z_scores > Z_SCORE_LIMIT, "{z_scores:e}");
}

#[test]
fn nothing_of_an_earlier_chunk_remains() {
    let mut engine = golden_engine();
    let first = predict(&mut engine, &observation());
    let mut other = observation();
    other.state[0] += 20.0;
    other.rgb.iter_mut().for_each(|value| *value = 255 - *value);
    NoiseGenerator::new(7).fill(3, &mut other.noise);
    engine.set_task("Close the gripper, then go home.").unwrap();
    let between = predict(&mut engine, &other);
    assert!(largest_difference(between.z_scores.as_flattened(), first.z_scores.as_flattened()) > 1e-2);
    engine.set_task(&golden_task()).unwrap();
    assert_eq!(predict(&mut engine, &observation()).z_scores, first.z_scores);
}

#[test]
fn the_bundles_own_case_passes_verify() {
    let (bundle, mut engine) = engine();
    let report = verify(&bundle, &mut engine).unwrap();
    for check in &report.checks {
        println!("{check:?}");
    }
    assert!(report.ok);
    let names: Vec<_> = report.checks.iter().map(|check| check.name).collect();
    assert_eq!(
        names,
        ["lang_tokens", "lang_mask", "state_norm", "pixels", "chunk_norm", "chunk", "guided_norm"]
    );
    let json = serde_json::to_value(&report).unwrap();
    assert!(json["ok"].as_bool().unwrap() && json["checks"][5]["limit"].as_f64().unwrap() == 5e-3);
}

#[test]
fn the_parity_file_holds_lerobots_numbers() {
    let bytes = std::fs::read(bundle_folder().join("parity.safetensors")).unwrap();
    let parity = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    for (ours, theirs) in [
        ("image.observation.images.front", "image"),
        ("state", "state"),
        ("noise", "noise"),
        ("pixels.observation.images.front", "pixels"),
        ("chunk_norm", "chunk_norm"),
        ("chunk", "chunk"),
    ] {
        let golden: Vec<u8> =
            golden::<f32>("golden.npz", theirs).1.iter().flat_map(|value| value.to_le_bytes()).collect();
        assert_eq!(parity.tensor(ours).unwrap().data(), golden, "{ours}");
    }
}

#[test]
fn verify_fails_where_statistics_or_the_case_are_wrong() {
    let faults: [(&str, &str, fn(&mut [f32])); 5] = [
        ("normalization.safetensors", "observation.state.mean", |mean| mean.swap(1, 2)),
        ("normalization.safetensors", "action.std", |std| std.swap(0, 3)),
        ("normalization.safetensors", "action.mean", |mean| mean[5] = -mean[5]),
        ("parity.safetensors", "state", |state| {
            state.iter_mut().for_each(|angle| *angle = angle.to_radians())
        }),
        ("parity.safetensors", "chunk", |chunk| chunk[0] = f32::NAN),
    ];
    for (file, tensor, apply) in faults {
        let copy = Copy::new();
        copy.change_tensor(file, tensor, apply);
        let report = verify(&copy.load().unwrap(), &mut copy.engine().unwrap()).unwrap();
        assert!(!report.ok, "{tensor}: {report:?}");
    }
}
