//! Reads every picture of a dataset's camera, in order or not, and says how fast: the other half of `models/bench/dataset_reading.py`.
//!
//! ```text
//! cargo run --release --example read_dataset -- DIR CAMERA sequential|random
//! ```
//!
//! Prints one JSON object: frames, seconds, and the mean of each picture by its number in the dataset, to compare with another reader.
#![allow(clippy::print_stdout, reason = "an example speaks to the terminal")]

use std::error::Error;
use std::num::NonZero;
use std::time::Instant;

use roarm::episode::{Dataset, EpisodePictures, PictureStream};

/// Memory for decoded pictures, bytes.
const KEPT: usize = 64 << 20;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, camera, order] = arguments.as_slice() else {
        return Err("call it with DIR CAMERA sequential|random".into());
    };
    let started = Instant::now();
    let dataset = Dataset::open(folder)?;
    let mut means = vec![0.0; dataset.frame_count()];
    let opened = started.elapsed().as_secs_f64();
    let started = Instant::now();
    match order.as_str() {
        "sequential" => sequential(&dataset, camera, &mut means)?,
        "random" => random(&dataset, camera, &mut means)?,
        other => return Err(format!("`{other}` is no order").into()),
    }
    let seconds = started.elapsed().as_secs_f64();
    let result =
        serde_json::json!({"frames": means.len(), "open_s": opened, "seconds": seconds, "means": means});
    println!("{result}");
    Ok(())
}

fn sequential(dataset: &Dataset, camera: &str, means: &mut [f64]) -> Result<(), Box<dyn Error>> {
    let workers = std::thread::available_parallelism().map_or(1, NonZero::get);
    let (mut rgb, mut index) = (Vec::new(), 0);
    for episode in 0..dataset.episode_count() {
        let mut stream = PictureStream::open(dataset, episode, Some(camera), workers)?;
        while stream.next_picture(&mut rgb)? {
            means[index] = mean(&rgb);
            index += 1;
        }
    }
    Ok(())
}

/// Every frame once, in an order that jumps through the whole dataset.
fn random(dataset: &Dataset, camera: &str, means: &mut [f64]) -> Result<(), Box<dyn Error>> {
    let mut readers: Vec<EpisodePictures> = Vec::new();
    let mut starts = Vec::new();
    let mut start = 0;
    for episode in 0..dataset.episode_count() {
        let mut pictures = dataset.pictures(episode, Some(camera))?;
        pictures.keep_decoded(KEPT / dataset.episode_count());
        starts.push(start);
        start += pictures.length();
        readers.push(pictures);
    }
    let frames = means.len();
    let mut rgb = Vec::new();
    for step in 0..frames {
        // 7919 is a prime, so that every frame comes up once as long as it does not divide their number.
        let index = step * 7919 % frames;
        let episode = starts.partition_point(|start| *start <= index) - 1;
        rgb.resize(readers[episode].frame_bytes(), 0);
        readers[episode].read(index - starts[episode], &mut rgb)?;
        means[index] = mean(&rgb);
    }
    Ok(())
}

fn mean(rgb: &[u8]) -> f64 {
    let sum: u64 = rgb.iter().map(|value| u64::from(*value)).sum();
    sum as f64 / rgb.len() as f64
}
