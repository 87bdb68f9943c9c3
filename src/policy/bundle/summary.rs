//! What a bundle says about itself, for people and scripts.

use std::path::PathBuf;

use serde::Serialize;

use super::{Bundle, Manifest, Normalization};

/// Everything that `roarm policy info` shows.
#[derive(Clone, Debug, Serialize)]
pub struct BundleSummary {
    /// The folder.
    pub folder: PathBuf,
    /// `policy.json`.
    pub contract: Manifest,
    /// Statistics of the training data, degrees.
    pub statistics: Normalization,
    /// All files with their sizes.
    pub files: Vec<BundleFile>,
    /// Sum of the sizes, bytes.
    pub total_bytes: u64,
}

/// One file of a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BundleFile {
    /// Its name.
    pub name: String,
    /// Its size.
    pub bytes: u64,
}

impl BundleSummary {
    pub(super) fn new(bundle: &Bundle) -> Self {
        let files: Vec<_> = bundle
            .files
            .sizes()
            .iter()
            .map(|(name, bytes)| BundleFile { name: name.clone(), bytes: *bytes })
            .collect();
        Self {
            folder: bundle.folder.clone(),
            contract: bundle.manifest.clone(),
            statistics: bundle.normalization.clone(),
            total_bytes: files.iter().map(|file| file.bytes).sum(),
            files,
        }
    }
}
