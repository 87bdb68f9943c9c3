//! Where TensorRT keeps what it built: one folder for each model, GPU and TensorRT version.
//!
//! Building the engines of a SmolVLA takes minutes; an engine runs on the GPU model and TensorRT version that built it, and knows nothing
//! of the weights it was built from. A folder that is keyed by less would be slow or, after a new export, silently wrong.

use std::path::{Path, PathBuf};

/// What a TensorRT engine depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorRtCacheKey {
    /// The bundle's digest, [`Bundle::digest`](crate::policy::Bundle::digest).
    pub model_sha256: String,
    /// The GPU's model name, such as `NVIDIA H100 80GB HBM3`.
    pub gpu: String,
    /// TensorRT's version, such as `10.9.0`.
    pub tensorrt: String,
    /// Whether TensorRT may compute in half precision.
    pub half_precision: bool,
}

impl TensorRtCacheKey {
    /// The key's folder below `root`: `NVIDIA-H100-80GB-HBM3/tensorrt-10.9.0/<16 digits of the model>-fp16`.
    ///
    /// Letters, digits, dots, dashes and underscores stay; anything else becomes a dash, so no name leaves `root`.
    #[must_use]
    pub fn folder(&self, root: &Path) -> PathBuf {
        let model = plain(self.model_sha256.get(..16).unwrap_or(&self.model_sha256));
        let precision = if self.half_precision { "fp16" } else { "fp32" };
        root.join(plain(&self.gpu))
            .join(format!("tensorrt-{}", plain(&self.tensorrt)))
            .join(format!("{model}-{precision}"))
    }
}

fn plain(name: &str) -> String {
    let kept = |character: char| character.is_ascii_alphanumeric() || matches!(character, '.' | '-' | '_');
    let text: String =
        name.trim().chars().map(|character| if kept(character) { character } else { '-' }).collect();
    match text.trim_matches('.') {
        "" => "unknown".to_owned(),
        text => text.to_owned(),
    }
}

/// The model name of GPU `index` as the driver tells it, on a Jetson that of the board.
pub(super) fn gpu_name(index: u32) -> Option<String> {
    let cards = std::fs::read_dir("/proc/driver/nvidia/gpus").into_iter().flatten().flatten();
    let mut cards: Vec<PathBuf> = cards.map(|card| card.path()).collect();
    // By bus address, as CUDA counts with CUDA_DEVICE_ORDER=PCI_BUS_ID; cards of one model, the usual case, have one name anyway.
    cards.sort();
    let card = usize::try_from(index).ok().and_then(|index| cards.get(index));
    let of_card = card.and_then(|card| std::fs::read_to_string(card.join("information")).ok());
    of_card.as_deref().and_then(model_in).or_else(|| {
        let board = std::fs::read_to_string("/proc/device-tree/model").ok()?;
        Some(board.trim_end_matches('\0').to_owned())
    })
}

fn model_in(information: &str) -> Option<String> {
    let line = information.lines().find_map(|line| line.strip_prefix("Model:"))?;
    Some(line.trim().to_owned())
}

/// TensorRT's version, from the name of its library (`libnvinfer.so.10.9.0`) in one of `folders`.
pub(super) fn version_in(folders: &[PathBuf]) -> Option<String> {
    let files = folders.iter().flat_map(|folder| std::fs::read_dir(folder).into_iter().flatten().flatten());
    let versions = files.filter_map(|file| version_of(file.file_name().to_str()?));
    let newest = versions.max()?;
    Some(newest.iter().map(u32::to_string).collect::<Vec<_>>().join("."))
}

fn version_of(name: &str) -> Option<Vec<u32>> {
    let parts: Option<Vec<u32>> =
        name.strip_prefix("libnvinfer.so.")?.split('.').map(|part| part.parse().ok()).collect();
    // `libnvinfer.so.10` is only the link to the library whose name has the whole version.
    parts.filter(|parts| parts.len() >= 3)
}

/// Where TensorRT's library usually is.
pub(super) fn usual_folders(library: &Path) -> Vec<PathBuf> {
    let usual = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/local/tensorrt/lib"];
    usual.iter().map(PathBuf::from).chain(library.parent().map(Path::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn key() -> TensorRtCacheKey {
        TensorRtCacheKey {
            model_sha256: "0123456789abcdef0123".to_owned(),
            gpu: "NVIDIA H100 80GB HBM3".to_owned(),
            tensorrt: "10.9.0".to_owned(),
            half_precision: false,
        }
    }

    #[test]
    fn the_folder_is_told_by_model_gpu_version_and_precision() {
        let root = Path::new("/cache");
        let folder = key().folder(root);
        assert_eq!(folder, Path::new("/cache/NVIDIA-H100-80GB-HBM3/tensorrt-10.9.0/0123456789abcdef-fp32"));
        let others = [
            TensorRtCacheKey { model_sha256: "1123456789abcdef".to_owned(), ..key() },
            TensorRtCacheKey { gpu: "Orin".to_owned(), ..key() },
            TensorRtCacheKey { tensorrt: "10.9.1".to_owned(), ..key() },
            TensorRtCacheKey { half_precision: true, ..key() },
        ];
        for other in others {
            assert_ne!(other.folder(root), folder, "{other:?}");
        }
    }

    #[test]
    fn no_name_leaves_the_root() {
        let root = Path::new("/cache");
        for name in ["../../etc", "..", "", "a/b", "/abs", "ä\0"] {
            let key = TensorRtCacheKey {
                gpu: name.to_owned(),
                tensorrt: name.to_owned(),
                model_sha256: name.to_owned(),
                ..key()
            };
            let folder = key.folder(root);
            let below: Vec<_> = folder.strip_prefix(root).unwrap().components().collect();
            assert_eq!(below.len(), 3, "{name:?}: {folder:?}");
            assert!(below.iter().all(|part| matches!(part, std::path::Component::Normal(_))), "{folder:?}");
        }
    }

    #[test]
    fn the_version_is_the_librarys_own() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["libnvinfer.so", "libnvinfer.so.10", "libnvinfer_plugin.so.11.0.0"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let folders = [PathBuf::from("/nowhere"), folder.path().to_owned()];
        assert_eq!(version_in(&folders), None);
        for name in ["libnvinfer.so.10.9.0", "libnvinfer.so.10.13.2"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        assert_eq!(version_in(&folders).as_deref(), Some("10.13.2"), "by number, not by letter");
    }

    #[test]
    fn the_drivers_page_names_the_card() {
        let page = "Model: \t\t NVIDIA H100 80GB HBM3\nIRQ:   \t\t 42\n";
        assert_eq!(model_in(page).as_deref(), Some("NVIDIA H100 80GB HBM3"));
        assert_eq!(model_in("IRQ: 1"), None);
    }
}
