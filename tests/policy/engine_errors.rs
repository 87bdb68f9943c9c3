//! What the engine refuses, with cause and fix.

use roarm::policy::{
    Bundle, ChunkPolicy, Device, Engine, EngineOptions, NoiseGenerator, OnnxRuntime, PolicyInput, Prediction,
    SlotImage,
};
use roarm::types::{DatasetAngles, Picture};

use crate::support::{Copy, assert_says, bundle_folder, engine, options, repository};

fn refusal(engine: &mut Engine, images: &[SlotImage<'_>], state: DatasetAngles, noise: &[f32]) -> String {
    let input = PolicyInput { images, state, noise, guidance: None };
    engine.predict(&input, &mut Prediction::default()).unwrap_err().to_string()
}

#[test]
fn bad_observations_are_refused() {
    let (_, mut engine) = engine();
    let noise = vec![0.0; engine.noise_len()];
    let rgb = vec![0; 96 * 96 * 3];
    let picture = SlotImage { slot: 0, picture: Picture::rgb8(96, 96, &rgb) };
    let zero = DatasetAngles::ZERO;

    assert_says(&refusal(&mut engine, &[picture], zero, &noise), &["no task is set", "--task"]);
    engine.set_task("Open the gripper.").unwrap();
    assert_says(&refusal(&mut engine, &[], zero, &noise), &["observation.images.front", "0 pictures"]);
    assert_says(&refusal(&mut engine, &[picture, picture], zero, &noise), &["2 pictures", "exactly one"]);
    let stray = SlotImage { slot: 4, ..picture };
    assert_says(&refusal(&mut engine, &[picture, stray], zero, &noise), &["no camera slot", "number 4"]);
    let short = SlotImage { slot: 0, picture: Picture::rgb8(97, 96, &rgb) };
    assert_says(
        &refusal(&mut engine, &[short], zero, &noise),
        &["front", "97x96", "27648 values", "pixel format"],
    );
    let empty = SlotImage { slot: 0, picture: Picture::rgb8(0, 0, &[]) };
    assert_says(&refusal(&mut engine, &[empty], zero, &noise), &["0x0", "cannot be resized"]);
    assert_says(&refusal(&mut engine, &[picture], zero, &noise[1..]), &["1599 values", "1600"]);
    let nan = DatasetAngles::from_array_deg([0.0, 0.0, f64::NAN, 0.0, 0.0, 0.0]);
    assert_says(&refusal(&mut engine, &[picture], nan, &noise), &["joint elbow", "NaN"]);

    let input = PolicyInput { images: &[picture], state: zero, noise: &noise, guidance: None };
    engine.predict(&input, &mut Prediction::default()).expect("the engine still works after refusals");
}

#[test]
fn a_long_task_says_how_many_tokens_are_too_many() {
    let (_, mut engine) = engine();
    let count = engine.set_task("Open the gripper.").unwrap();
    assert!(count.tokens > 1 && count.tokens <= 48 && count.width == 48);
    let before = engine.task_tokens().cloned();
    let message = engine.set_task(&"q9".repeat(40)).unwrap_err().to_string();
    assert_says(&message, &["81 tokens", "33 more than the 48", "shorten it"]);
    assert_eq!(engine.task_tokens().cloned(), before, "a refused task changes nothing");
}

#[test]
fn a_trailing_newline_is_not_doubled() {
    let bundle = Bundle::load(&bundle_folder()).unwrap();
    let encode = |task: &str| bundle.tokenizer().encode(task).unwrap();
    assert_eq!(encode("Open the gripper."), encode("Open the gripper.\n"));
    assert_ne!(encode("Open the gripper."), encode("Open the gripper"));
}

#[test]
fn cuda_without_its_provider_is_an_error_and_no_fallback() {
    let bundle = Bundle::load(&bundle_folder()).unwrap();
    let options = EngineOptions { device: Device::Cuda { index: 0 }, ..options() };
    let message =
        Engine::new(&bundle, &options).err().expect("the wheel for processors has no CUDA").to_string();
    assert_says(
        &message,
        &["CUDA execution provider is not available", "onnxruntime-gpu", "--device cpu", "never falls back"],
    );
}

#[test]
fn graphs_of_another_export_are_refused() {
    let copy = Copy::new();
    // One length for another in the manifest alone; the graphs keep theirs.
    copy.replace(r#""steps": 10"#, r#""steps": 10, "x": 0"#);
    let all = |from: &str, to: &str| {
        copy.change("policy.json", |bytes| {
            *bytes = String::from_utf8(bytes.clone()).unwrap().replace(from, to).into_bytes();
        });
    };
    all(r#""horizon": 50"#, r#""horizon": 51"#);
    all("[1, 50, 32]", "[1, 51, 32]");
    let message = copy.engine().err().unwrap().to_string();
    assert_says(&message, &["denoise.onnx", "x_t", "float32 [1, 51, 32]", "different exports"]);
}

#[test]
fn swapped_graph_files_are_refused() {
    let copy = Copy::new();
    std::fs::copy(copy.path("denoise.onnx"), copy.path("vision.onnx")).unwrap();
    copy.write_checksums();
    assert_says(&copy.engine().err().unwrap().to_string(), &["vision.onnx", "pixels is missing"]);
}

#[test]
fn a_truncated_graph_is_refused() {
    let copy = Copy::new();
    copy.change("prefix.onnx", |bytes| bytes.truncate(bytes.len() / 2));
    let message = copy.engine().err().unwrap().to_string();
    assert_says(&message, &["ONNX Runtime cannot load", "prefix.onnx", "export the policy again"]);
}

#[test]
fn a_wrong_library_is_refused() {
    let missing = OnnxRuntime::load(&repository().join("nowhere.so")).unwrap_err().to_string();
    assert_says(&missing, &["nowhere.so", "does not exist"]);
    let runtime = OnnxRuntime::load(&options().library).unwrap();
    assert_eq!(runtime.version(), "1.31");
    let other = OnnxRuntime::load(&repository().join("Cargo.toml")).unwrap_err().to_string();
    assert_says(&other, &["already loaded", "another process"]);
}

#[test]
fn threads_leave_one_core_to_the_control_loop() {
    let cores = std::thread::available_parallelism().unwrap().get();
    let default = EngineOptions { threads: None, ..options() };
    assert_eq!(default.resolved_threads(), (cores - 1).max(1));
    assert_eq!(EngineOptions { threads: Some(3), ..options() }.resolved_threads(), 3);
}

#[test]
fn a_warm_engine_reuses_its_buffers_and_tells_its_times() {
    let (_, mut engine) = engine();
    assert!(engine.warm_up().unwrap().total.as_nanos() > 0);
    engine.set_task("Open the gripper.").unwrap();
    let rgb = vec![90; 640 * 480 * 3];
    let images = [SlotImage { slot: 0, picture: Picture::rgb8(640, 480, &rgb) }];
    let mut noise = vec![0.0; engine.noise_len()];
    NoiseGenerator::new(1).fill(0, &mut noise);
    let input = PolicyInput { images: &images, state: DatasetAngles::ZERO, noise: &noise, guidance: None };
    let mut out = Prediction::default();
    engine.predict(&input, &mut out).unwrap();
    let buffers = (out.z_scores.as_ptr(), out.actions.as_ptr());
    let first = out.clone();
    engine.predict(&input, &mut out).unwrap();
    assert_eq!((out.z_scores.as_ptr(), out.actions.as_ptr()), buffers);
    assert_eq!(out.z_scores, first.z_scores, "the same inputs give the same bits");
    let stages = out.timings;
    let sum = stages.preprocess + stages.vision + stages.prefix + stages.flow + stages.denormalise;
    assert!(sum <= stages.total && stages.flow > stages.denormalise, "{stages:?}");
}
