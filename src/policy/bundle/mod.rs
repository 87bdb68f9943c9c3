//! The policy bundle: a folder that holds one exported policy. docs/policy-bundle.md is its contract.

mod consistency;
mod files;
pub mod manifest;
mod normalization;
mod parity;
mod summary;
mod tensors;
mod version;

use std::path::{Path, PathBuf};

pub use manifest::{CameraSlot, Compute, Manifest};
pub use normalization::{Normalization, Statistics};
pub(super) use parity::{Limits, ParityFixture};
pub use summary::{BundleFile, BundleSummary};

use self::files::CheckedFiles;
use super::PolicyError;
use super::language::TaskTokenizer;

const MANIFEST: &str = "policy.json";

/// A policy bundle that passed every check which needs no ONNX Runtime.
#[derive(Clone, Debug)]
pub struct Bundle {
    folder: PathBuf,
    files: CheckedFiles,
    manifest: Manifest,
    normalization: Normalization,
    tokenizer: TaskTokenizer,
}

impl Bundle {
    /// Reads and checks a bundle: format version, hashes of all files, every field of the contract, statistics, tokenizer.
    ///
    /// Whether the ONNX graphs keep what `policy.json` promises is checked when an [`Engine`](super::Engine) opens them.
    pub fn load(folder: &Path) -> Result<Self, PolicyError> {
        let manifest_path = folder.join(MANIFEST);
        if !manifest_path.is_file() {
            return Err(PolicyError::NotABundle { path: folder.to_owned() });
        }
        version::check(&manifest_path, &files::read(&manifest_path)?)?;
        let files = CheckedFiles::check(folder)?;
        let manifest: Manifest = serde_json::from_slice(&files.read(MANIFEST)?)
            .map_err(|error| PolicyError::Malformed { path: manifest_path, reason: error.to_string() })?;
        consistency::check(&manifest)?;
        for (_, graph) in manifest.graphs() {
            files.path(&graph.file)?;
        }
        let statistics = &manifest.normalization.file;
        let normalization =
            Normalization::parse(&files.read(statistics)?, &files.path(statistics)?, &manifest)?;
        let language = &manifest.language;
        let tokenizer =
            TaskTokenizer::parse(&files.read(&language.file)?, &files.path(&language.file)?, language)?;
        Ok(Self { folder: folder.to_owned(), files, manifest, normalization, tokenizer })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Tells this bundle from any other: SHA-256 over the hashes of its files, hexadecimal.
    pub fn digest(&self) -> &str {
        self.files.digest()
    }

    /// The whole contract, `policy.json`.
    pub fn contract(&self) -> &Manifest {
        &self.manifest
    }

    /// The cameras, in the order of training.
    pub fn slots(&self) -> &[CameraSlot] {
        &self.manifest.cameras.slots
    }

    /// The index of the slot with this name: the full name, or what follows its last dot (`front` for `observation.images.front`).
    pub fn slot_index(&self, name: &str) -> Result<usize, PolicyError> {
        let slots = self.slots();
        let exact = slots.iter().position(|slot| slot.name == name);
        let by_tail = || {
            let mut tails = slots.iter().enumerate().filter(|(_, slot)| slot.short_name() == name);
            tails.next().filter(|_| tails.next().is_none()).map(|(index, _)| index)
        };
        exact.or_else(by_tail).ok_or_else(|| PolicyError::UnknownSlot {
            name: name.to_owned(),
            known: slots.iter().map(|slot| slot.name.as_str()).collect::<Vec<_>>().join(", "),
            example: slots.first().map(|slot| slot.short_name().to_owned()).unwrap_or_default(),
        })
    }

    /// Statistics of the training data, and the conversions that use them.
    pub fn normalization(&self) -> &Normalization {
        &self.normalization
    }

    /// Actions a second that the policy was trained at, where the checkpoint says so.
    pub fn fps(&self) -> Option<f64> {
        self.manifest.chunk.fps
    }

    /// Actions a chunk holds.
    pub fn horizon(&self) -> usize {
        self.manifest.chunk.horizon
    }

    /// Actions of a chunk that are played before the next one, as trained.
    pub fn n_action_steps(&self) -> usize {
        self.manifest.chunk.n_action_steps
    }

    /// The policy's tokenizer.
    pub fn tokenizer(&self) -> &TaskTokenizer {
        &self.tokenizer
    }

    /// Everything that `roarm policy info` shows.
    pub fn summary(&self) -> BundleSummary {
        BundleSummary::new(self)
    }

    pub(super) fn path(&self, file: &str) -> Result<PathBuf, PolicyError> {
        self.files.path(file)
    }

    pub(super) fn parity(&self) -> Result<ParityFixture, PolicyError> {
        ParityFixture::read(&self.files, &self.manifest)
    }
}

impl CameraSlot {
    /// What follows the last dot of the name: `front` for `observation.images.front`.
    pub fn short_name(&self) -> &str {
        self.name.rsplit('.').next().unwrap_or(&self.name)
    }

    /// How a camera's pictures compare with those of the training data.
    pub fn fit(&self, width: u32, height: u32) -> CameraFit {
        if (self.width, self.height) == (width, height) {
            CameraFit::Same
        } else if u64::from(self.width) * u64::from(height) == u64::from(width) * u64::from(self.height) {
            CameraFit::Scaled
        } else {
            CameraFit::OtherAspect
        }
    }
}

/// How a camera's pictures compare with those of the training data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CameraFit {
    /// The same size.
    Same,
    /// The same width to height: resized, and framed as in training.
    Scaled,
    /// Another width to height: resized, but objects appear at another scale and place than in training.
    OtherAspect,
}
