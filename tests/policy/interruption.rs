//! A chunk that must end before it is finished: asked for from another thread, or too late.

use std::time::{Duration, Instant};

use roarm::policy::{ChunkPolicy, Engine, EngineOptions, PolicyError, PolicyInput, Prediction, SlotImage};
use roarm::types::{DatasetAngles, Picture};

use crate::support::{engine, options};

struct Chunks {
    engine: Engine,
    rgb: Vec<u8>,
    noise: Vec<f32>,
}

impl Chunks {
    fn new(mut engine: Engine) -> Self {
        engine.set_task("Open the gripper.").unwrap();
        let noise = (0..engine.noise_len()).map(|index| (index % 7) as f32 - 3.0).collect();
        Self { engine, rgb: vec![90; 320 * 240 * 3], noise }
    }

    fn with(options: &EngineOptions) -> Self {
        let (bundle, _) = engine();
        Self::new(Engine::new(&bundle, options).unwrap())
    }

    fn predict(&mut self) -> Result<Prediction, PolicyError> {
        let images = [SlotImage { slot: 0, picture: Picture::rgb8(320, 240, &self.rgb) }];
        let mut out = Prediction::default();
        let input =
            PolicyInput { images: &images, state: DatasetAngles::ZERO, noise: &self.noise, guidance: None };
        self.engine.predict(&input, &mut out).map(|()| out)
    }

    /// The shortest of several tries, which a busy machine lengthens least.
    fn shortest(&mut self) -> Duration {
        let times = (0..8).map(|_| {
            let start = Instant::now();
            let _any = self.predict();
            start.elapsed()
        });
        times.min().unwrap()
    }
}

#[test]
fn one_request_ends_one_chunk_and_the_engine_goes_on() {
    let mut chunks = Chunks::new(engine().1);
    let before = chunks.predict().unwrap();
    let interrupter = chunks.engine.interrupter();
    interrupter.interrupt();
    assert!(matches!(chunks.predict(), Err(PolicyError::Interrupted)), "a request between chunks is kept");
    assert_eq!(chunks.predict().unwrap().z_scores, before.z_scores, "and used up");
}

#[test]
fn another_thread_ends_a_chunk_that_is_being_computed() {
    let mut chunks = Chunks::new(engine().1);
    let before = chunks.predict().unwrap();
    let whole = chunks.shortest();
    let mut ended = 0;
    for share in 1..=6 {
        let interrupter = chunks.engine.interrupter();
        let thread = std::thread::spawn(move || {
            std::thread::sleep(whole * share / 8);
            interrupter.interrupt();
        });
        let first = chunks.predict();
        thread.join().unwrap();
        // Where the chunk was faster than the request, the next one takes it.
        let second = chunks.predict();
        let interrupted =
            |result: &Result<Prediction, PolicyError>| matches!(result, Err(PolicyError::Interrupted));
        assert!(interrupted(&first) != interrupted(&second), "each request ends exactly one chunk");
        ended += usize::from(interrupted(&first));
        assert_eq!(chunks.predict().unwrap().z_scores, before.z_scores, "nothing is left behind");
    }
    assert!(ended > 0, "no request met a chunk on its way");
}

#[test]
fn a_chunk_beyond_its_limit_ends_promptly() {
    let mut free = Chunks::new(engine().1);
    let whole = free.shortest();
    let mut limited = Chunks::with(&EngineOptions { limit: Some(Duration::from_micros(1)), ..options() });
    let message = limited.predict().unwrap_err().to_string();
    assert!(message.contains("not finished after 0 ms") && message.contains("--device"), "{message}");
    let ended = limited.shortest();
    assert!(ended < whole * 3 / 4, "it went on for {ended:?} of {whole:?}");

    let mut patient = Chunks::with(&EngineOptions { limit: Some(Duration::from_secs(60)), ..options() });
    assert_eq!(patient.predict().unwrap().z_scores, free.predict().unwrap().z_scores);
}

#[test]
fn the_warm_up_has_no_limit() {
    let mut limited = Chunks::with(&EngineOptions { limit: Some(Duration::from_micros(1)), ..options() });
    let mut stages = Vec::new();
    limited.engine.warm_up_with(|stage| stages.push(stage)).unwrap();
    assert_eq!(stages.len(), 2, "one camera, then the flow: {stages:?}");
}

#[test]
fn buffers_of_the_devices_own_give_the_same_bits() {
    let mut shared = Chunks::new(engine().1);
    let mut separate = Chunks::with(&EngineOptions { device_buffers: true, ..options() });
    let first = shared.predict().unwrap();
    assert_eq!(separate.predict().unwrap().z_scores, first.z_scores);
    // Every input must be brought over again: another picture, other noise, another task.
    for chunks in [&mut shared, &mut separate] {
        chunks.rgb.fill(10);
        chunks.noise.reverse();
        chunks.engine.set_task("Close the gripper.").unwrap();
    }
    let second = shared.predict().unwrap();
    assert_ne!(second.z_scores, first.z_scores);
    assert_eq!(separate.predict().unwrap().z_scores, second.z_scores);
}

#[test]
fn the_action_scale_pulls_towards_the_mean_of_the_training_data() {
    let (bundle, _) = engine();
    let mean = bundle.normalization().action.mean_pose().to_array_deg();
    let own = Chunks::new(engine().1).predict().unwrap();
    for scale in [0.0, 0.5] {
        let scaled = Chunks::with(&EngineOptions { action_scale: scale, ..options() }).predict().unwrap();
        assert_eq!(scaled.z_scores, own.z_scores, "the policy says what it says");
        for (ours, whole) in scaled.actions.iter().zip(&own.actions) {
            for ((ours, whole), mean) in ours.to_array_deg().iter().zip(whole.to_array_deg()).zip(mean) {
                let expected = mean + (whole - mean) * f64::from(scale);
                assert!((ours - expected).abs() < 1e-4, "{ours} {expected}");
            }
        }
    }
    let z = own.z_statistics;
    let all: Vec<f32> = own.z_scores.iter().flatten().copied().collect();
    assert_eq!(z.max, all.iter().copied().fold(f32::MIN, f32::max));
    assert_eq!(z.max_abs, all.iter().copied().fold(0.0, |largest: f32, value| largest.max(value.abs())));
}
