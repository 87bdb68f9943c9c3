//! The shared libraries that ONNX Runtime's CUDA provider needs, and opening them before it does.
//!
//! The provider names CUDA's libraries without a folder, and the loader knows neither `.cache` nor the folders of Python wheels. A
//! library that is already open under its name satisfies such a request, so each one that lies beside ONNX Runtime is opened first,
//! by its absolute path, those that others need before them. What does not lie there is left to the loader: CUDA may be installed
//! in the system.

use std::path::{Path, PathBuf};

use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_LAZY};

use super::PolicyError;

/// A shared library of CUDA or cuDNN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CudaLibrary {
    /// Its file name, which is also the name that others ask for.
    pub name: &'static str,
    /// What it is, and the package of PyPI that has it.
    pub package: &'static str,
    /// Whether the CUDA provider cannot work without it. The others serve operators that policies do not have.
    pub required: bool,
}

const fn required(name: &'static str, package: &'static str) -> CudaLibrary {
    CudaLibrary { name, package, required: true }
}

const fn optional(name: &'static str, package: &'static str) -> CudaLibrary {
    CudaLibrary { name, package, required: false }
}

/// The libraries of CUDA 13 and cuDNN 9, each after those it needs (`readelf -d` of CUDA 13.0 and cuDNN 9.15).
pub const CUDA_LIBRARIES: [CudaLibrary; 16] = [
    required("libcudart.so.13", "nvidia-cuda-runtime"),
    // Its name has the minor version of CUDA, here only a prefix, so that it is opened only by path; elsewhere libnvrtc finds its own.
    optional("libnvrtc-builtins.so.13", "nvidia-cuda-nvrtc"),
    required("libnvrtc.so.13", "nvidia-cuda-nvrtc"),
    required("libcublasLt.so.13", "nvidia-cublas"),
    required("libcublas.so.13", "nvidia-cublas"),
    required("libcurand.so.10", "nvidia-curand"),
    // Fourier transforms only.
    optional("libnvJitLink.so.13", "nvidia-nvjitlink"),
    optional("libcufft.so.12", "nvidia-cufft"),
    required("libcudnn_graph.so.9", "nvidia-cudnn-cu13"),
    required("libcudnn_ops.so.9", "nvidia-cudnn-cu13"),
    required("libcudnn_cnn.so.9", "nvidia-cudnn-cu13"),
    required("libcudnn_adv.so.9", "nvidia-cudnn-cu13"),
    required("libcudnn_heuristic.so.9", "nvidia-cudnn-cu13"),
    required("libcudnn_engines_precompiled.so.9", "nvidia-cudnn-cu13"),
    required("libcudnn_engines_runtime_compiled.so.9", "nvidia-cudnn-cu13"),
    required("libcudnn.so.9", "nvidia-cudnn-cu13"),
];

/// The provider's own libraries, which must lie beside `libonnxruntime.so` and come from the same wheel.
pub const PROVIDER_LIBRARIES: [&str; 2] =
    ["libonnxruntime_providers_shared.so", "libonnxruntime_providers_cuda.so"];

/// The oldest CUDA version that the driver must support, as `cuDriverGetVersion` counts: 1000 x major + 10 x minor.
pub const OLDEST_DRIVER_CUDA: u32 = 13_000;

/// Where a library was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LibraryOrigin {
    /// This file, beside ONNX Runtime or in the folders of NVIDIA's Python wheels next to it.
    File(PathBuf),
    /// The system's loader knows it.
    System,
}

/// Opens the libraries that lie beside `onnxruntime`, in the order of [`CUDA_LIBRARIES`], for the life of the process.
///
/// Fails when one of them is there but cannot be opened: another version of it from elsewhere would not fit the rest.
pub fn preload_cuda(onnxruntime: &Path) -> Result<Vec<PathBuf>, PolicyError> {
    preload(&folders(onnxruntime), &CUDA_LIBRARIES)
}

fn preload(folders: &[PathBuf], libraries: &[CudaLibrary]) -> Result<Vec<PathBuf>, PolicyError> {
    let mut opened = Vec::new();
    for library in libraries {
        let Some(path) = find(folders, library.name) else { continue };
        open(&path).map_err(|reason| PolicyError::ProviderUnavailable {
            provider: "CUDA",
            reason: format!("{} cannot be opened: {reason}", path.display()),
            fix: "Fetch it again with `cargo xtask setup --device cuda`, or ask for the processor with --device cpu (roarm never \
                  falls back by itself)"
                .to_owned(),
        })?;
        opened.push(path);
    }
    Ok(opened)
}

/// Opens `library` as [`preload_cuda`] would, or else by its name alone, as the provider would. The error is the loader's own text.
pub fn open_cuda_library(onnxruntime: Option<&Path>, library: &CudaLibrary) -> Result<LibraryOrigin, String> {
    let folders = onnxruntime.map(folders).unwrap_or_default();
    match find(&folders, library.name) {
        Some(path) => open(&path).map(|()| LibraryOrigin::File(path)),
        None => open(Path::new(library.name)).map(|()| LibraryOrigin::System),
    }
}

/// The CUDA version that the driver `library` (`libcuda.so.1`) supports, as [`OLDEST_DRIVER_CUDA`] counts. The error is the loader's
/// text or the driver's code.
pub fn driver_cuda_version(library: &Path) -> Result<u32, String> {
    #[expect(unsafe_code, reason = "the driver is asked through its C interface")]
    // SAFETY: the initialisers of NVIDIA's driver library have no precondition. `cuDriverGetVersion` is in every version of it with
    // this signature (CUresult cuDriverGetVersion(int*)), may be called before `cuInit`, and writes one `int` to the valid pointer.
    // `driver` lives until the call has returned; it is never closed, since its finalisers need not expect that.
    let (code, version) = unsafe {
        let driver = Library::open(Some(library), RTLD_LAZY).map_err(|error| reason(&error))?;
        let driver = std::mem::ManuallyDrop::new(driver);
        let version_of = driver
            .get::<unsafe extern "C" fn(*mut std::ffi::c_int) -> std::ffi::c_int>(b"cuDriverGetVersion\0")
            .map_err(|error| reason(&error))?;
        let mut version = 0;
        (version_of(&raw mut version), version)
    };
    match u32::try_from(version) {
        Ok(version) if code == 0 => Ok(version),
        _ => Err(format!("cuDriverGetVersion ended with code {code}")),
    }
}

/// Where CUDA's libraries may lie: beside ONNX Runtime (as set-up puts them), or where pip puts those of the wheels
/// (`site-packages/onnxruntime/capi` and `site-packages/nvidia/…/lib`).
fn folders(onnxruntime: &Path) -> Vec<PathBuf> {
    let Some(beside) = onnxruntime.parent() else { return Vec::new() };
    let mut folders = vec![beside.to_owned()];
    if let Some(packages) = beside.parent().and_then(Path::parent) {
        folders.extend(["nvidia/cu13/lib", "nvidia/cudnn/lib"].map(|folder| packages.join(folder)));
    }
    folders
}

/// The file `name`, or `name` with a minor version behind it, in the first folder that has one.
fn find(folders: &[PathBuf], name: &str) -> Option<PathBuf> {
    folders.iter().find_map(|folder| {
        let exact = folder.join(name);
        if exact.is_file() {
            return Some(exact);
        }
        let minor = format!("{name}.");
        let entries = std::fs::read_dir(folder).ok()?.flatten();
        let mut longer: Vec<_> = entries
            .filter(|entry| entry.file_name().to_str().is_some_and(|name| name.starts_with(&minor)))
            .map(|entry| entry.path())
            .collect();
        longer.sort();
        longer.pop()
    })
}

/// Opens a library for the life of the process, its symbols and its name visible to those that are opened later.
fn open(path: &Path) -> Result<(), String> {
    #[expect(unsafe_code, reason = "opening a shared library runs its initialisers")]
    // SAFETY: called only with the libraries of CUDA and cuDNN above, found beside the ONNX Runtime that the user chose, whose own
    // provider would open the same libraries in the same process. Their initialisers have no precondition. No symbol is taken from
    // the handle, and the library is never closed, so no finaliser runs while something may still use it.
    let library = unsafe { Library::open(Some(path), RTLD_LAZY | RTLD_GLOBAL) };
    library.map(std::mem::forget).map_err(|error| reason(&error))
}

/// The loader's own text, which `libloading` keeps as the source of its error.
fn reason(error: &libloading::Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}

#[cfg(test)]
#[path = "cuda_libraries_tests.rs"]
mod tests;
