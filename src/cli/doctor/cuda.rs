//! The NVIDIA part of the page: driver, each library, provider, one by one, so that the first thing that is missing has a name.

use std::path::Path;
use std::process::Command;

use super::super::exit::CliError;
use super::{Examination, Verdict};
use crate::policy::{
    CUDA_LIBRARIES, Device, LibraryOrigin, OLDEST_DRIVER_CUDA, OnnxRuntime, PROVIDER_LIBRARIES,
    driver_cuda_version, open_cuda_library,
};

const SETUP: &str = "cargo xtask setup --device cuda";

impl Examination {
    /// `runtime` is the library that is loaded, if one is.
    pub(super) fn cuda(&mut self, runtime: Option<&OnnxRuntime>) {
        self.driver();
        self.gpu();
        self.cuda_libraries(runtime.map(OnnxRuntime::path));
        if let Some(runtime) = runtime {
            self.provider_libraries(runtime.path());
        }
    }

    fn driver(&mut self) {
        let version = driver_cuda_version(Path::new("libcuda.so.1"));
        let (verdict, text, fix) = judge_driver(version);
        self.add("driver", verdict, text, fix);
    }

    /// What `nvidia-smi` says: the GPU's name, driver and memory.
    fn gpu(&mut self) {
        let query = ["--query-gpu=index,name,driver_version,memory.total", "--format=csv,noheader"];
        let (verdict, text, fix) = match Command::new("nvidia-smi").args(query).output() {
            Ok(output) if output.status.success() => {
                let lines = String::from_utf8_lossy(&output.stdout);
                (Verdict::Ok, lines.trim().lines().collect::<Vec<_>>().join("; "), None)
            }
            Ok(output) => (
                Verdict::Failed,
                format!("nvidia-smi failed: {}", String::from_utf8_lossy(&output.stdout).trim()),
                Some("the driver's library and its kernel module do not fit or the module is not loaded: restart the machine, or install the driver again".to_owned()),
            ),
            Err(error) => (
                Verdict::Note,
                format!("nvidia-smi cannot be started ({error})"),
                Some("it comes with the NVIDIA driver; older Jetsons have none".to_owned()),
            ),
        };
        self.add("gpu", verdict, text, fix);
    }

    fn cuda_libraries(&mut self, onnxruntime: Option<&Path>) {
        for library in &CUDA_LIBRARIES {
            match open_cuda_library(onnxruntime, library) {
                Ok(LibraryOrigin::File(path)) => {
                    self.add("cuda", Verdict::Ok, format!("{} ({})", library.name, path.display()), None);
                }
                Ok(LibraryOrigin::System) => {
                    self.add("cuda", Verdict::Ok, format!("{} (the system's)", library.name), None);
                }
                // Not a word on what no policy needs.
                Err(_) if !library.required => {}
                Err(reason) => self.add(
                    "cuda",
                    Verdict::Failed,
                    format!("{} does not open: {reason}", library.name),
                    Some(format!("{SETUP} (or pip: {})", library.package)),
                ),
            }
        }
    }

    fn provider_libraries(&mut self, onnxruntime: &Path) {
        for name in PROVIDER_LIBRARIES {
            let path = onnxruntime.with_file_name(name);
            if path.is_file() {
                self.add("provider", Verdict::Ok, format!("{} is there", path.display()), None);
            } else {
                self.add(
                    "provider",
                    Verdict::Failed,
                    format!(
                        "{name} is not beside {}, which is built for the processor only",
                        onnxruntime.display()
                    ),
                    Some(format!("{SETUP}; leave out --onnxruntime and ORT_DYLIB_PATH, which come first")),
                );
            }
        }
    }

    /// Loads the provider without a policy; with one, opening its graphs says more.
    pub(super) fn provider(&mut self, runtime: Option<&OnnxRuntime>, device: Device) {
        if let Some(runtime) = runtime {
            let tried = runtime.try_provider(device).map_err(CliError::from);
            self.result("provider", tried, |()| {
                format!("{device}: the provider loads; --policy DIR shows whether a policy runs on it")
            });
        }
    }
}

/// Verdict, text and fix for what the driver said.
fn judge_driver(version: Result<u32, String>) -> (Verdict, String, Option<String>) {
    let install = "install NVIDIA's driver, version 580 or newer (Debian: nvidia-driver; Ubuntu: ubuntu-drivers install), and restart; or use --device cpu";
    match version {
        Ok(version) => {
            let (major, minor) = (version / 1000, version % 1000 / 10);
            if version >= OLDEST_DRIVER_CUDA {
                (Verdict::Ok, format!("the NVIDIA driver supports CUDA {major}.{minor}"), None)
            } else {
                let text = format!("the NVIDIA driver supports CUDA {major}.{minor}, CUDA 13.0 is needed");
                (Verdict::Failed, text, Some(install.to_owned()))
            }
        }
        Err(reason) => (
            Verdict::Failed,
            format!("the NVIDIA driver does not answer: {reason}"),
            Some(install.to_owned()),
        ),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_old_driver_is_told_from_none() {
        assert_eq!(judge_driver(Ok(13_020)).0, Verdict::Ok);
        assert!(judge_driver(Ok(13_020)).1.contains("CUDA 13.2"));
        let (verdict, text, fix) = judge_driver(Ok(12_080));
        assert_eq!(verdict, Verdict::Failed);
        assert!(
            text.contains("CUDA 12.8") && text.contains("13.0 is needed") && fix.unwrap().contains("580")
        );
        let (verdict, text, fix) =
            judge_driver(Err("libcuda.so.1: cannot open shared object file".to_owned()));
        assert_eq!(verdict, Verdict::Failed);
        assert!(text.contains("libcuda.so.1") && fix.unwrap().contains("--device cpu"));
    }
}
