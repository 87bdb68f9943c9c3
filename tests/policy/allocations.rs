//! How often a chunk allocates after warm-up, counted for the calling thread.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use roarm::policy::bundle::manifest::GraphContract;
use roarm::policy::{ChunkPolicy, Guidance, PolicyInput, Prediction, ResizeWithPad, SlotImage};
use roarm::types::{DatasetAngles, RealTimeChunking};

use crate::support::engine;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

#[expect(unsafe_code, reason = "a global allocator is an unsafe trait")]
// SAFETY: every call goes to the system's allocator unchanged; the counter neither allocates nor unwinds (`try_with` fails quietly
// while a thread ends).
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = COUNT.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's contract is `System`'s.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: `pointer` came from `System.alloc` with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations(work: impl FnOnce()) -> usize {
    let before = COUNT.get();
    work();
    COUNT.get() - before
}

#[test]
fn preprocessing_allocates_nothing() {
    let (bundle, _) = engine();
    let mut resize = ResizeWithPad::new(640, 480, &bundle.contract().cameras).unwrap();
    let (rgb, mut output) = (vec![7; 640 * 480 * 3], vec![0.0; resize.output_len()]);
    assert_eq!(allocations(|| assert!(resize.rgb8(&rgb, &mut output))), 0);
    assert_eq!(allocations(|| drop(vec![1])), 1, "the counter counts");
}

#[test]
fn a_warm_chunk_allocates_only_what_ort_needs_to_hand_outputs_over() {
    let (bundle, mut engine) = engine();
    engine.set_task("Open the gripper.").unwrap();
    let rgb = vec![90; 320 * 240 * 3];
    let images = [SlotImage { slot: 0, picture: roarm::types::Picture::rgb8(320, 240, &rgb) }];
    let noise = vec![0.0; engine.noise_len()];
    let input = PolicyInput { images: &images, state: DatasetAngles::ZERO, noise: &noise, guidance: None };
    let mut out = Prediction::default();
    engine.predict(&input, &mut out).unwrap();
    let counts: Vec<_> = (0..3).map(|_| allocations(|| engine.predict(&input, &mut out).unwrap())).collect();
    // ort 2.0.0-rc.15 (pinned) allocates twice for each output that it hands over, and twice more if the output's shape is longer than
    // its inline vector of 4. Whatever exceeds that would be ours.
    let handing_over = |graph: &GraphContract| -> usize {
        graph.outputs.iter().map(|output| if output.shape.len() > 4 { 4 } else { 2 }).sum()
    };
    let graphs = &bundle.contract().graphs;
    let steps = bundle.contract().flow.steps;
    let of_ort =
        handing_over(&graphs.vision) + handing_over(&graphs.prefix) + steps * handing_over(&graphs.denoise);
    assert_eq!(counts, [of_ort; 3]);

    let previous_actions = out.z_scores.clone();
    for left_over in [40, 4] {
        let guidance = Guidance {
            previous_actions: &previous_actions[50 - left_over..],
            inference_delay: 6,
            settings: RealTimeChunking::default(),
        };
        let input = PolicyInput { guidance: Some(guidance), ..input };
        let guided = allocations(|| engine.predict(&input, &mut out).unwrap());
        assert_eq!(guided, of_ort, "real-time chunking allocates nothing, not even the first time");
    }
}
