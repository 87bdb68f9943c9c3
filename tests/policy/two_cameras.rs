//! A policy with two cameras of different, non-square sizes and an empty slot, against what LeRobot computed with it.

use std::path::PathBuf;

use roarm::policy::{
    Bundle, ChunkPolicy, Engine, PolicyError, PolicyInput, Prediction, SlotImage, VerifyReport, verify,
};
use roarm::types::DatasetAngles;
use safetensors::SafeTensors;

use crate::support::{Copy, assert_says, interleave, largest_difference, options, repository, to_byte};

/// As trained: the order of the slots is not the alphabetical one.
const WRIST: usize = 0;
const FRONT: usize = 1;
const NAMES: [&str; 2] = ["observation.images.wrist", "observation.images.front"];
const Z_SCORE_LIMIT: f32 = 1e-4;
const DEGREES_LIMIT: f32 = 5e-3;
/// Width and height of the vision encoder's input.
const SIDE: usize = 64;
/// What a mistake with a camera must at least move a z-score by.
const VISIBLE: f32 = 1e-2;

fn folder() -> PathBuf {
    repository().join("tests/data/smolvla_two_cameras")
}

fn load() -> (Bundle, Engine) {
    let bundle = Bundle::load(&folder()).unwrap();
    let engine = Engine::new(&bundle, &options()).unwrap();
    (bundle, engine)
}

/// A camera's picture, RGB bytes.
#[derive(Clone)]
struct Picture {
    width: u32,
    height: u32,
    rgb: Vec<u8>,
}

impl Picture {
    fn in_slot(&self, slot: usize) -> SlotImage<'_> {
        SlotImage { slot, picture: roarm::types::Picture::rgb8(self.width, self.height, &self.rgb) }
    }
}

/// LeRobot's observation and its answer.
struct Case {
    task: String,
    pictures: [Picture; 2],
    /// The pictures as LeRobot resized and padded them, back to bytes: 64x64, which the engine does not resize.
    padded: [Picture; 2],
    state: DatasetAngles,
    noise: Vec<f32>,
    z_scores: Vec<f32>,
    degrees: Vec<f32>,
}

impl Case {
    fn read() -> Self {
        let bytes = std::fs::read(folder().join("parity.safetensors")).unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let values = |name: &str| -> Vec<f32> {
            let data = file.tensor(name).unwrap().data();
            data.chunks(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect()
        };
        let picture = |slot: usize| {
            let name = format!("image.{}", NAMES[slot]);
            let [3, height, width] = *file.tensor(&name).unwrap().shape() else { panic!("{name}") };
            let planes: Vec<u8> = values(&name).into_iter().map(to_byte).collect();
            Picture { width: width as u32, height: height as u32, rgb: interleave(&planes) }
        };
        let padded = |slot: usize| {
            let pixels = values(&format!("pixels.{}", NAMES[slot]));
            let planes: Vec<u8> = pixels.iter().map(|value| ((value + 1.0) * 127.5).round() as u8).collect();
            Picture { width: SIDE as u32, height: SIDE as u32, rgb: interleave(&planes) }
        };
        let case: serde_json::Value =
            serde_json::from_slice(&std::fs::read(folder().join("parity.json")).unwrap()).unwrap();
        let state = values("state");
        Self {
            task: case["task"].as_str().unwrap().to_owned(),
            pictures: [picture(WRIST), picture(FRONT)],
            padded: [padded(WRIST), padded(FRONT)],
            state: DatasetAngles::from_array_deg(std::array::from_fn(|joint| f64::from(state[joint]))),
            noise: values("noise"),
            z_scores: values("chunk_norm"),
            degrees: values("chunk"),
        }
    }

    fn predict(&self, engine: &mut Engine, images: &[SlotImage<'_>]) -> Result<Prediction, PolicyError> {
        engine.set_task(&self.task)?;
        let mut prediction = Prediction::default();
        let input = PolicyInput { images, state: self.state, noise: &self.noise, guidance: None };
        engine.predict(&input, &mut prediction).map(|()| prediction)
    }

    /// How far the chunk from these two pictures is off LeRobot's, in standard deviations.
    fn deviation(&self, engine: &mut Engine, wrist: &Picture, front: &Picture) -> f32 {
        let prediction = self.predict(engine, &[wrist.in_slot(WRIST), front.in_slot(FRONT)]).unwrap();
        largest_difference(prediction.z_scores.as_flattened(), &self.z_scores)
    }
}

fn failed(report: &VerifyReport) -> Vec<&'static str> {
    report.checks.iter().filter(|check| !check.ok).map(|check| check.name).collect()
}

#[test]
fn the_slots_keep_the_order_of_training() {
    let (bundle, engine) = load();
    let slots: Vec<_> =
        engine.slots().iter().map(|slot| (slot.name.as_str(), slot.width, slot.height)).collect();
    assert_eq!(slots, [(NAMES[WRIST], 64, 96), (NAMES[FRONT], 128, 72)]);
    assert_eq!(bundle.contract().cameras.empty, 1);
    for (name, slot) in [("wrist", WRIST), ("front", FRONT), (NAMES[WRIST], WRIST), (NAMES[FRONT], FRONT)] {
        assert_eq!(bundle.slot_index(name).unwrap(), slot, "{name}");
    }
    let message = bundle.slot_index("empty_camera_0").unwrap_err().to_string();
    assert_says(&message, &["empty_camera_0", NAMES[WRIST], NAMES[FRONT]]);
}

#[test]
fn the_bundles_own_case_passes_verify() {
    let (bundle, mut engine) = load();
    let report = verify(&bundle, &mut engine).unwrap();
    for check in &report.checks {
        println!("{check:?}");
    }
    assert!(report.ok && report.checks.len() == 6, "{report:?}");
}

#[test]
fn exchanged_slots_fail_verify() {
    let copy = Copy::of(&folder());
    copy.change("policy.json", |bytes| {
        let mut policy: serde_json::Value = serde_json::from_slice(bytes).unwrap();
        policy["cameras"]["slots"].as_array_mut().unwrap().swap(0, 1);
        *bytes = serde_json::to_vec(&policy).unwrap();
    });
    let report = verify(&copy.load().unwrap(), &mut copy.engine().unwrap()).unwrap();
    assert_eq!(failed(&report), ["chunk_norm", "chunk"], "each picture alone is right: {report:?}");
}

#[test]
fn each_cameras_pixels_are_judged() {
    for name in NAMES {
        let copy = Copy::of(&folder());
        copy.change_tensor("parity.safetensors", &format!("pixels.{name}"), |pixels| pixels[5] += 1e-3);
        let report = verify(&copy.load().unwrap(), &mut copy.engine().unwrap()).unwrap();
        assert_eq!(failed(&report), ["pixels"], "{name}: {report:?}");
    }
}

#[test]
fn bytes_of_both_cameras_give_lerobots_chunk_every_time() {
    let (_, mut engine) = load();
    let case = Case::read();
    let [wrist, front] = &case.pictures;
    let images = [wrist.in_slot(WRIST), front.in_slot(FRONT)];
    let first = case.predict(&mut engine, &images).unwrap();
    let z_scores = largest_difference(first.z_scores.as_flattened(), &case.z_scores);
    let degrees: Vec<f32> =
        first.actions.iter().flat_map(|action| action.to_array_deg().map(|angle| angle as f32)).collect();
    let degrees = largest_difference(&degrees, &case.degrees);
    println!("z-scores {z_scores:.1e}, degrees {degrees:.1e}");
    assert!(z_scores <= Z_SCORE_LIMIT && degrees <= DEGREES_LIMIT, "{z_scores:e} {degrees:e}");

    let again = case.predict(&mut engine, &images).unwrap();
    assert_eq!(again.z_scores, first.z_scores, "the same inputs give the same bits");
    let reversed = case.predict(&mut engine, &[images[1], images[0]]).unwrap();
    assert_eq!(reversed.z_scores, first.z_scores, "the slot counts, not the place in the list");
    let (_, mut warm) = load();
    warm.warm_up().unwrap();
    let warm = case.predict(&mut warm, &images).unwrap();
    assert_eq!(warm.z_scores, first.z_scores, "nothing of the black pictures remains");
}

#[test]
fn exchanged_and_doubled_pictures_are_seen() {
    let (_, mut engine) = load();
    let case = Case::read();
    let [wrist, front] = &case.pictures;
    for (fault, in_wrist, in_front) in
        [("exchanged", front, wrist), ("wrist twice", wrist, wrist), ("front twice", front, front)]
    {
        let deviation = case.deviation(&mut engine, in_wrist, in_front);
        println!("{fault}: {deviation:.2}");
        assert!(deviation > VISIBLE, "{fault}: {deviation:e}");
    }
    let deviation = case.deviation(&mut engine, wrist, front);
    assert!(deviation <= Z_SCORE_LIMIT, "nothing of the wrong pictures remains: {deviation:e}");
}

#[test]
fn padding_on_the_wrong_side_is_seen_in_the_actions() {
    let (_, mut engine) = load();
    let case = Case::read();
    let [wrist, front] = &case.padded;
    let deviation = case.deviation(&mut engine, wrist, front);
    println!("LeRobot's padding, rounded to bytes: {deviation:.1e}");
    assert!(deviation < VISIBLE / 2.0, "{deviation:e}");

    let (mut wrist_left, mut front_up) = (wrist.clone(), front.clone());
    // int(64 / 1.5) = 42 columns of picture, and 36 rows.
    wrist_left.rgb.chunks_mut(SIDE * 3).for_each(|row| row.rotate_left((SIDE - 42) * 3));
    front_up.rgb.rotate_left((SIDE - 36) * SIDE * 3);
    for (side, in_wrist, in_front) in
        [("right of the wrist's", &wrist_left, front), ("below the front's", wrist, &front_up)]
    {
        let deviation = case.deviation(&mut engine, in_wrist, in_front);
        println!("padding {side}: {deviation:.2}");
        assert!(deviation > 10.0 * VISIBLE, "padding {side}: {deviation:e}");
    }
}

#[test]
fn a_missing_or_doubled_slot_is_refused_by_name() {
    let (_, mut engine) = load();
    let case = Case::read();
    let [wrist, front] = &case.pictures;
    let (wrist, front) = (wrist.in_slot(WRIST), front.in_slot(FRONT));
    let mut refusal = |images: &[SlotImage<'_>]| case.predict(&mut engine, images).unwrap_err().to_string();
    assert_says(&refusal(&[wrist]), &[NAMES[FRONT], "0 pictures"]);
    assert_says(&refusal(&[front]), &[NAMES[WRIST], "0 pictures"]);
    assert_says(&refusal(&[wrist, front, front]), &[NAMES[FRONT], "2 pictures"]);
    // The empty slot takes no picture.
    let empty = SlotImage { slot: 2, ..front };
    assert_says(&refusal(&[wrist, front, empty]), &["no camera slot", "number 2"]);
    case.predict(&mut engine, &[wrist, front]).expect("the engine still works after refusals");
}
