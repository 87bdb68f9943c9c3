//! The exact files that are fetched, and their checksums.
//!
//! The checksums are those of the libraries inside the wheels: what is loaded is what is checked, however it got here.

use crate::failure::Failure;

/// A wheel on PyPI.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WheelSource {
    /// Name and version for people.
    pub(crate) title: &'static str,
    /// What pip is asked for.
    pub(crate) requirement: &'static str,
    /// Platform tags of the wheel, so that the Python that happens to be here does not matter.
    pub(crate) platforms: &'static [&'static str],
}

/// One library out of one wheel on PyPI.
#[derive(Clone, Debug)]
pub(crate) struct Pin {
    /// Where it comes from.
    pub(crate) source: WheelSource,
    /// Size of the download.
    pub(crate) megabytes: &'static str,
    /// Folder below `.cache/`.
    pub(crate) folder: &'static str,
    /// The library: name in the wheel, name in `folder`.
    pub(crate) library: (&'static str, &'static str),
    /// Licence texts: name in the wheel, name in `folder`.
    pub(crate) notices: &'static [(&'static str, &'static str)],
    /// SHA-256 of the library, in hexadecimal.
    pub(crate) sha256: &'static str,
}

const ONNXRUNTIME_X86_64: Pin = Pin {
    source: WheelSource {
        title: "ONNX Runtime 1.31.1",
        requirement: "onnxruntime==1.31.1",
        platforms: &["manylinux_2_27_x86_64", "manylinux_2_28_x86_64"],
    },
    megabytes: "23.8",
    folder: "onnxruntime/1.31.1",
    library: ("onnxruntime/capi/libonnxruntime.so.1.31.1", "libonnxruntime.so.1.31.1"),
    notices: &[
        ("onnxruntime/LICENSE", "LICENSE"),
        ("onnxruntime/ThirdPartyNotices.txt", "ThirdPartyNotices.txt"),
    ],
    sha256: "fc44112fbe06d7d689c57e11d3862031f64711007e4ee020f8eed5185fd2c1d3",
};

/// Only bindgen uses it, to read the kernel's video headers for the `v4l` crate.
const LIBCLANG_X86_64: Pin = Pin {
    source: WheelSource {
        title: "libclang 18.1.1",
        requirement: "libclang==18.1.1",
        platforms: &["manylinux2010_x86_64"],
    },
    megabytes: "24.5",
    folder: "libclang/lib",
    library: ("libclang-18.1.1.data/platlib/clang/native/libclang.so", "libclang.so"),
    notices: &[("libclang-18.1.1.dist-info/LICENSE.TXT", "LICENSE.TXT")],
    sha256: "a8612b1c9a7125701277f63e5616f1d1eb9c91410c4bf195878067868c927f94",
};

const ONNXRUNTIME_AARCH64: Pin = Pin {
    megabytes: "21.4",
    source: WheelSource {
        platforms: &["manylinux_2_27_aarch64", "manylinux_2_28_aarch64"],
        ..ONNXRUNTIME_X86_64.source
    },
    sha256: "8aa3b76b28c778a2b1dd660d34161adb1d508c9ccd04ff9dc80e26eca5df8467",
    ..ONNXRUNTIME_X86_64
};

const LIBCLANG_AARCH64: Pin = Pin {
    megabytes: "23.8",
    source: WheelSource { platforms: &["manylinux2014_aarch64"], ..LIBCLANG_X86_64.source },
    sha256: "87cc443de7278fa112ed50fac8844b1d5c6344f549b8b514e4381f26da006f65",
    ..LIBCLANG_X86_64
};

/// ONNX Runtime first, then libclang.
pub(crate) fn for_this_machine() -> Result<[Pin; 2], Failure> {
    for_machine(std::env::consts::OS, std::env::consts::ARCH)
}

fn for_machine(system: &str, processor: &str) -> Result<[Pin; 2], Failure> {
    match (system, processor) {
        ("linux", "x86_64") => Ok([ONNXRUNTIME_X86_64, LIBCLANG_X86_64]),
        ("linux", "aarch64") => Ok([ONNXRUNTIME_AARCH64, LIBCLANG_AARCH64]),
        _ => Err(Failure::new(format!(
            "set-up knows the libraries for Linux on x86_64 and aarch64, not for {system} on {processor}"
        ))),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_machine_has_checksums_of_its_own() {
        let [x86_onnx, x86_clang] = for_machine("linux", "x86_64").unwrap();
        let [arm_onnx, arm_clang] = for_machine("linux", "aarch64").unwrap();
        let sums = [x86_onnx.sha256, x86_clang.sha256, arm_onnx.sha256, arm_clang.sha256];
        for (index, sum) in sums.iter().enumerate() {
            assert!(sum.len() == 64 && sum.bytes().all(|byte| byte.is_ascii_hexdigit()), "{sum}");
            assert!(!sums[..index].contains(sum));
        }
        for pin in [arm_onnx, arm_clang] {
            assert!(pin.source.platforms.iter().all(|platform| platform.ends_with("aarch64")));
        }
    }

    #[test]
    fn another_system_is_refused_by_name() {
        let failure = for_machine("macos", "aarch64").unwrap_err();
        assert!(failure.message().contains("macos on aarch64"));
    }
}
