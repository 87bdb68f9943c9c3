//! The shipped bundle, LeRobot's golden values, and changed copies of the bundle.

#[path = "../support/bundle_copy.rs"]
mod bundle_copy;

use std::fs;
use std::path::PathBuf;

use ndarray_npy::{NpzReader, ReadableElement};
use roarm::policy::{Bundle, Device, Engine, EngineOptions, PolicyError};

pub(crate) use bundle_copy::{BundleCopy as Copy, assert_says};

pub(crate) fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn bundle_folder() -> PathBuf {
    bundle_copy::shipped_bundle()
}

pub(crate) fn options() -> EngineOptions {
    let library = repository().join(".cache/onnxruntime/1.31.1/libonnxruntime.so.1.31.1");
    assert!(library.is_file(), "{} is missing: run `cargo xtask setup`", library.display());
    EngineOptions { device: Device::Cpu, threads: Some(1), library }
}

pub(crate) fn engine() -> (Bundle, Engine) {
    let bundle = Bundle::load(&bundle_folder()).unwrap();
    let engine = Engine::new(&bundle, &options()).unwrap();
    (bundle, engine)
}

/// An array of one of LeRobot's npz files: shape and values.
pub(crate) fn golden<T: ReadableElement>(file: &str, name: &str) -> (Vec<usize>, Vec<T>) {
    npz(&format!("smolvla_tiny/{file}"), name)
}

/// An array of an npz file in tests/data: shape and values.
pub(crate) fn npz<T: ReadableElement>(file: &str, name: &str) -> (Vec<usize>, Vec<T>) {
    let path = repository().join("tests/data").join(file);
    let mut reader = NpzReader::new(fs::File::open(path).unwrap()).unwrap();
    let array: ndarray::ArrayD<T> = reader.by_name(name).unwrap();
    (array.shape().to_vec(), array.into_iter().collect())
}

pub(crate) fn golden_task() -> String {
    fs::read_to_string(repository().join("tests/data/smolvla_tiny/golden_task.txt")).unwrap()
}

/// The largest absolute difference; a NaN is infinitely far off.
pub(crate) fn largest_difference(ours: &[f32], theirs: &[f32]) -> f32 {
    assert_eq!(ours.len(), theirs.len());
    let differences = ours.iter().zip(theirs).map(|(a, b)| (a - b).abs());
    differences.fold(0.0, |largest, d| if d.is_nan() { f32::INFINITY } else { largest.max(d) })
}

/// LeRobot's pictures came from bytes, so their floats are bytes over 255; this loses nothing.
pub(crate) fn to_byte(value: f32) -> u8 {
    let byte = (value * 255.0).round();
    assert!((value * 255.0 - byte).abs() < 1e-3, "{value} is not a byte over 255");
    byte as u8
}

/// Three planes to RGB pixels.
pub(crate) fn interleave(planes: &[u8]) -> Vec<u8> {
    let size = planes.len() / 3;
    (0..size).flat_map(|index| [planes[index], planes[size + index], planes[2 * size + index]]).collect()
}

impl Copy {
    pub(crate) fn load(&self) -> Result<Bundle, PolicyError> {
        Bundle::load(self.folder())
    }

    /// The message of a bundle that must not load.
    pub(crate) fn load_error(&self) -> String {
        self.load().expect_err("this bundle must be refused").to_string()
    }

    pub(crate) fn engine(&self) -> Result<Engine, PolicyError> {
        Engine::new(&self.load()?, &options())
    }
}
