//! Preprocessing of a camera picture. Budget (design): 1280x720 RGB to the padded 512x512 tensor in at most 3 ms on one core.

#![allow(missing_docs, reason = "criterion_group! makes an undocumented public function")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use roarm::policy::ResizeWithPad;
use roarm::policy::bundle::manifest::CameraContract;
use roarm::types::{Picture, PixelLayout};

fn resize_with_pad(criterion: &mut Criterion) {
    let cameras = CameraContract {
        slots: Vec::new(),
        empty: 0,
        input_height: 512,
        input_width: 512,
        pad_side: "left_top".to_owned(),
        pad_value: 0.0,
        range: [-1.0, 1.0],
        tokens_per_image: 64,
    };
    for (width, height) in [(1280, 720), (640, 480)] {
        let Some(mut resize) = ResizeWithPad::new(width, height, &cameras) else { continue };
        let rgb: Vec<u8> = (0..width * height * 3).map(|index| (index % 251) as u8).collect();
        let mut output = vec![0.0; resize.output_len()];
        for (name, layout) in
            [("YUYV", PixelLayout::Yuyv { stride: width * 2 }), ("NV12", PixelLayout::Nv12 { stride: width })]
        {
            let bytes: Vec<u8> =
                (0..layout.byte_len(width, height)).map(|index| (index % 251) as u8).collect();
            let picture = Picture { width, height, layout, bytes: &bytes };
            criterion.bench_function(
                &format!("resize_with_pad {name} {width}x{height} -> 512x512"),
                |bencher| {
                    bencher.iter(|| resize.picture(black_box(&picture), black_box(&mut output)));
                },
            );
        }
        criterion.bench_function(&format!("resize_with_pad RGB {width}x{height} -> 512x512"), |bencher| {
            bencher.iter(|| resize.rgb8(black_box(&rgb), black_box(&mut output)));
        });
    }
}

criterion_group!(benches, resize_with_pad);
criterion_main!(benches);
