//! A copy of a bundle that a test may damage.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tempfile::TempDir;

/// The bundle in the repository.
pub(crate) fn shipped_bundle() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models/smolvla-tiny")
}

/// A copy of a bundle that a test may change.
pub(crate) struct BundleCopy {
    folder: TempDir,
}

impl BundleCopy {
    /// Of the shipped bundle.
    pub(crate) fn new() -> Self {
        Self::of(&shipped_bundle())
    }

    #[allow(dead_code, reason = "each test binary uses its own part")]
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
}

/// Asserts that a message has all of these parts.
#[track_caller]
pub(crate) fn assert_says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "`{part}` is missing in: {message}");
    }
}
