//! Finding and loading the ONNX Runtime library.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ort::environment::Environment;
use ort::logging::LogLevel;
use ort::session::Session;

use super::cuda_libraries::{PROVIDER_LIBRARIES, preload_cuda};
use super::engine::ProviderSettings;
use super::{Device, PolicyError};

const FILE_STEM: &str = "libonnxruntime.so";

/// Where the library may be. The caller reads flags and environment; nothing here does.
#[derive(Clone, Debug, Default)]
pub struct LibraryCandidates {
    /// `--onnxruntime`.
    pub flag: Option<PathBuf>,
    /// The key `onnxruntime` of `roarm.toml`.
    pub config: Option<PathBuf>,
    /// `ORT_DYLIB_PATH`.
    pub environment: Option<PathBuf>,
    /// Folders to look into: caches of `cargo xtask setup` and the binary's own folder.
    pub folders: Vec<PathBuf>,
    /// For a GPU only folders count that have the provider's libraries too. A library that was named is taken as it is.
    pub device: Device,
}

/// The library to use: flag, config, environment, then the folders in order; in a folder the highest version.
///
/// A path that was named but does not exist is an error, never passed over. A named folder is looked into.
pub fn find_library(candidates: &LibraryCandidates) -> Result<PathBuf, PolicyError> {
    let named = [
        (&candidates.flag, "--onnxruntime"),
        (&candidates.config, "roarm.toml"),
        (&candidates.environment, "ORT_DYLIB_PATH"),
    ];
    for (path, origin) in named {
        let Some(path) = path else { continue };
        let found = if path.is_dir() { newest_in(path) } else { path.is_file().then(|| path.clone()) };
        return found.ok_or_else(|| PolicyError::LibraryMissing { path: path.clone(), origin });
    }
    let (device, setup, needed) = match candidates.device {
        Device::Cpu => ("cpu", "cargo xtask setup", [].as_slice()),
        Device::Cuda { .. } => ("cuda", "cargo xtask setup --device cuda", PROVIDER_LIBRARIES.as_slice()),
        Device::TensorRt { .. } => {
            ("tensorrt", "cargo xtask setup --device cuda", PROVIDER_LIBRARIES.as_slice())
        }
    };
    let fits = |path: &PathBuf| needed.iter().all(|name| path.with_file_name(name).is_file());
    candidates.folders.iter().find_map(|folder| newest_in(folder).filter(fits)).ok_or_else(|| {
        let folders: Vec<_> = candidates.folders.iter().map(|folder| folder.display().to_string()).collect();
        let looked_at = if folders.is_empty() { "no folder".to_owned() } else { folders.join(", ") };
        PolicyError::LibraryNotFound { looked_at, device, setup }
    })
}

/// The library with the highest version directly in `folder` or in a folder one below (`.cache/onnxruntime/1.31.1/`).
fn newest_in(folder: &Path) -> Option<PathBuf> {
    let children = |folder: &Path| {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect::<Vec<_>>()
    };
    let direct = children(folder);
    let below = direct.iter().filter(|path| path.is_dir()).flat_map(|path| children(path));
    // Of the same version the one directly in `folder`: below it a set for another device may lie.
    let libraries = direct.iter().map(|path| (true, path.clone())).chain(below.map(|path| (false, path)));
    let libraries = libraries.filter(|(_, path)| path.is_file());
    libraries
        .filter_map(|(direct, path)| Some((version_of(&path)?, direct, path)))
        .max()
        .map(|(_, _, path)| path)
}

/// The version in a name like `libonnxruntime.so.1.31.1`; none in `libonnxruntime.so`, which sorts first.
fn version_of(path: &Path) -> Option<Vec<u32>> {
    let rest = path.file_name()?.to_str()?.strip_prefix(FILE_STEM)?;
    if rest.is_empty() {
        return Some(Vec::new());
    }
    rest.strip_prefix('.')?.split('.').map(|part| part.parse().ok()).collect()
}

/// ONNX Runtime, loaded. A process can hold one library; loading the same one again is free.
#[derive(Clone, Debug)]
pub struct OnnxRuntime {
    path: PathBuf,
    minor_version: u32,
    environment: Environment,
}

// `ort` allows one environment in the life of a process, so it is kept here for good.
static LOADED: Mutex<Option<OnnxRuntime>> = Mutex::new(None);

impl OnnxRuntime {
    /// Opens the library and checks its version.
    pub fn load(path: &Path) -> Result<Self, PolicyError> {
        let path = path
            .canonicalize()
            .map_err(|_| PolicyError::LibraryMissing { path: path.to_owned(), origin: "the caller" })?;
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(runtime) = &*loaded {
            if runtime.path == path {
                return Ok(runtime.clone());
            }
            return Err(PolicyError::LibraryConflict { loaded: runtime.path.clone(), asked: path });
        }
        let runtime = Self::open(path)?;
        *loaded = Some(runtime.clone());
        Ok(runtime)
    }

    /// [`OnnxRuntime::load`], then for a GPU the CUDA libraries that lie beside it ([`preload_cuda`]).
    pub fn load_for(path: &Path, device: Device) -> Result<Self, PolicyError> {
        let runtime = Self::load(path)?;
        match device {
            Device::Cpu => {}
            Device::Cuda { .. } | Device::TensorRt { .. } => drop(preload_cuda(&runtime.path)?),
        }
        Ok(runtime)
    }

    /// Whether the execution provider of `device` loads. That a graph runs on it is shown only by opening one.
    pub fn try_provider(&self, device: Device) -> Result<(), PolicyError> {
        let providers = device.providers(&ProviderSettings::default());
        let builder = Session::builder(&self.environment);
        let builder = builder.map_err(|error| device.unavailable(&error.to_string()))?;
        let result = builder.with_execution_providers(providers);
        result.map(drop).map_err(|error| device.unavailable(&error.to_string()))
    }

    fn open(path: PathBuf) -> Result<Self, PolicyError> {
        let unusable = |reason: String| PolicyError::LibraryUnusable { path: path.clone(), reason };
        let minor_version = match ort::util::probe(&path) {
            Some(minor) if minor < ort::MINOR_VERSION => {
                return Err(PolicyError::LibraryTooOld {
                    found: format!("1.{minor}"),
                    needed: format!("1.{}", ort::MINOR_VERSION),
                    path,
                });
            }
            Some(minor) => minor,
            // `init_from` below names the reason.
            None => 0,
        };
        let builder = ort::init_from(&path).map_err(|error| unusable(error.to_string()))?;
        let environment =
            builder.with_telemetry(false).build().map_err(|error| unusable(error.to_string()))?;
        // Every failure comes back as an error; ONNX Runtime's own lines on standard error would only repeat it.
        environment.set_log_level(LogLevel::Fatal);
        Ok(Self { path, minor_version, environment })
    }

    /// Where the library is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its version, such as `1.31`.
    pub fn version(&self) -> String {
        format!("1.{}", self.minor_version)
    }

    /// Git commit, build type and flags, as the library reports them.
    pub fn build_info(&self) -> &'static str {
        ort::info()
    }

    pub(super) fn environment(&self) -> &Environment {
        &self.environment
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn touch(path: &Path) -> PathBuf {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, b"").unwrap();
        path.to_owned()
    }

    #[test]
    fn flag_beats_config_beats_environment_beats_folders() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| touch(&root.path().join(name).join("libonnxruntime.so"));
        let mut candidates = LibraryCandidates {
            flag: Some(at("flag")),
            config: Some(at("config")),
            environment: Some(at("environment")),
            folders: vec![root.path().join("nothing"), at("cache").parent().unwrap().to_owned()],
            device: Device::Cpu,
        };
        let expected = |name: &str| root.path().join(name).join("libonnxruntime.so");
        assert_eq!(find_library(&candidates).unwrap(), expected("flag"));
        candidates.flag = None;
        assert_eq!(find_library(&candidates).unwrap(), expected("config"));
        candidates.config = None;
        assert_eq!(find_library(&candidates).unwrap(), expected("environment"));
        candidates.environment = None;
        assert_eq!(find_library(&candidates).unwrap(), expected("cache"));
    }

    #[test]
    fn the_highest_version_wins_by_number() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("onnxruntime");
        touch(&folder.join("1.9.0/libonnxruntime.so.1.9.0"));
        let newest = touch(&folder.join("1.31.1/libonnxruntime.so.1.31.1"));
        touch(&folder.join("libonnxruntime.so"));
        touch(&folder.join("libonnxruntime.so.1.99.debug"));
        touch(&folder.join("libonnxruntime_providers_shared.so"));
        assert_eq!(
            find_library(&LibraryCandidates { folders: vec![folder], ..Default::default() }).unwrap(),
            newest
        );
    }

    #[test]
    fn for_a_gpu_only_a_set_with_the_provider_counts() {
        let root = tempfile::tempdir().unwrap();
        let processor = root.path().join("processor");
        let only_cpu = touch(&processor.join("libonnxruntime.so.1.31.1"));
        let gpu = root.path().join("gpu");
        let with_cuda = touch(&gpu.join("1.31.1/libonnxruntime.so.1.31.1"));
        let mut candidates = LibraryCandidates {
            folders: vec![processor, gpu.clone()],
            device: Device::Cuda { index: 0 },
            ..Default::default()
        };
        let message = find_library(&candidates).unwrap_err().to_string();
        assert!(
            message.contains("--device cuda") && message.contains("cargo xtask setup --device cuda"),
            "{message}"
        );
        for name in PROVIDER_LIBRARIES {
            touch(&gpu.join("1.31.1").join(name));
        }
        assert_eq!(find_library(&candidates).unwrap(), with_cuda);
        candidates.device = Device::Cpu;
        assert_eq!(find_library(&candidates).unwrap(), only_cpu);
        candidates.environment = Some(only_cpu.clone());
        candidates.device = Device::Cuda { index: 0 };
        assert_eq!(
            find_library(&candidates).unwrap(),
            only_cpu,
            "a library that was named is not second-guessed"
        );
    }

    #[test]
    fn a_set_below_the_programs_folder_does_not_hide_the_library_beside_it() {
        let root = tempfile::tempdir().unwrap();
        touch(&root.path().join("onnxruntime-gpu/libonnxruntime.so.1.31.1"));
        let beside = touch(&root.path().join("libonnxruntime.so.1.31.1"));
        let candidates = LibraryCandidates { folders: vec![root.path().to_owned()], ..Default::default() };
        assert_eq!(find_library(&candidates).unwrap(), beside);
    }

    #[test]
    fn a_named_path_that_is_missing_is_not_passed_over() {
        let root = tempfile::tempdir().unwrap();
        touch(&root.path().join("libonnxruntime.so"));
        let candidates = LibraryCandidates {
            environment: Some(root.path().join("gone.so")),
            folders: vec![root.path().to_owned()],
            ..Default::default()
        };
        let message = find_library(&candidates).unwrap_err().to_string();
        assert!(message.contains("gone.so") && message.contains("ORT_DYLIB_PATH"), "{message}");
    }

    #[test]
    fn nothing_found_names_the_places_and_the_fix() {
        let candidates = LibraryCandidates { folders: vec!["/nowhere/at/all".into()], ..Default::default() };
        let message = find_library(&candidates).unwrap_err().to_string();
        assert!(message.contains("/nowhere/at/all") && message.contains("cargo xtask setup"), "{message}");
    }
}
