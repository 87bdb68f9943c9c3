//! The shipped bundle, LeRobot's golden values, and changed copies of the bundle.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use ndarray_npy::{NpzReader, ReadableElement};
use roarm::policy::{Bundle, Device, Engine, EngineOptions, PolicyError};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

pub(crate) fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn bundle_folder() -> PathBuf {
    repository().join("models/smolvla-tiny")
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
    let path = repository().join("tests/data/smolvla_tiny").join(file);
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

/// A copy of a bundle that a test may change.
pub(crate) struct Copy {
    folder: TempDir,
}

impl Copy {
    /// Of the shipped bundle.
    pub(crate) fn new() -> Self {
        Self::of(&bundle_folder())
    }

    pub(crate) fn of(bundle: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for entry in fs::read_dir(bundle).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
        }
        Self { folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Changes a file's bytes and writes the checksums anew, as a faulty exporter would.
    pub(crate) fn change(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = fs::read(self.path(name)).unwrap();
        change(&mut bytes);
        fs::write(self.path(name), bytes).unwrap();
        self.write_checksums();
    }

    /// Replaces text in policy.json.
    pub(crate) fn replace(&self, from: &str, to: &str) {
        self.change("policy.json", |bytes| {
            let text = String::from_utf8(bytes.clone()).unwrap();
            assert!(text.contains(from), "policy.json has no {from}");
            *bytes = text.replacen(from, to, 1).into_bytes();
        });
    }

    /// Changes a float32 tensor of a safetensors file in place.
    pub(crate) fn change_tensor(&self, file: &str, tensor: &str, change: impl FnOnce(&mut [f32])) {
        self.change(file, |bytes| {
            let tensors = safetensors::SafeTensors::deserialize(bytes).unwrap();
            let data = tensors.tensor(tensor).unwrap().data();
            let start = data.as_ptr() as usize - bytes.as_ptr() as usize;
            let range = start..start + data.len();
            let mut values: Vec<f32> =
                data.chunks(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect();
            change(&mut values);
            let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            bytes[range].copy_from_slice(&raw);
        });
    }

    pub(crate) fn write_checksums(&self) {
        let mut lines = String::new();
        for entry in fs::read_dir(self.folder()).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if name != "SHA256SUMS" {
                let hash = Sha256::digest(fs::read(&path).unwrap());
                for byte in hash {
                    write!(lines, "{byte:02x}").unwrap();
                }
                writeln!(lines, "  {name}").unwrap();
            }
        }
        fs::write(self.path("SHA256SUMS"), lines).unwrap();
    }

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

/// Asserts that a message has all of these parts.
#[track_caller]
pub(crate) fn assert_says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "`{part}` is missing in: {message}");
    }
}
