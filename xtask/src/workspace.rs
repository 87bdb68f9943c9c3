//! Where things lie in the repository.

use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// The repository's root folder.
#[derive(Clone, Debug)]
pub(crate) struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// The repository that this tool belongs to: cargo says where, so the tool may be started from any folder in it.
    pub(crate) fn locate() -> Result<Self, Failure> {
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let root = manifest.as_deref().and_then(Path::parent);
        match root {
            Some(root) if root.join("Cargo.lock").is_file() => Ok(Self { root: root.to_path_buf() }),
            _ => Err(Failure::new("start this tool as `cargo xtask VERB` inside the repository")),
        }
    }

    #[cfg(test)]
    pub(crate) fn at(root: &Path) -> Self {
        Self { root: root.to_path_buf() }
    }

    /// The root folder.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// `.cache/`: all that is fetched; git ignores it, deleting it is always safe.
    pub(crate) fn cache(&self) -> PathBuf {
        self.root.join(".cache")
    }

    /// `path` below the root.
    pub(crate) fn join(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }
}
