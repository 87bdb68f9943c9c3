//! The exact GPU wheels, their libraries and checksums.
//!
//! What the CUDA provider of ONNX Runtime 1.31.1 needs (`readelf -d libonnxruntime_providers_cuda.so`: cuBLAS, cuRAND, the CUDA runtime),
//! and what it opens while it works: cuDNN 9 with its parts, and the run-time compiler that cuDNN calls. cuFFT, which the wheel's
//! metadata lists too, is opened for Fourier transforms only; no policy has one, so its 0.4 GB (with nvJitLink) stay away.
//!
//! The checksums are of the wheel for CPython 3.13, which is what `wheel::download` asks for; other wheels have another provider.
//!
//! The CUDA parts are those of CUDA 13.0 Update 2: every driver for CUDA 13, from 580 on, runs them.

use super::super::pins::WheelSource;

/// One library out of a wheel; it is stored under its own name, without the wheel's folders.
#[derive(Clone, Copy, Debug)]
pub(super) struct Library {
    /// Name in the wheel.
    pub(super) member: &'static str,
    /// Its size, unpacked.
    pub(super) bytes: u64,
    /// SHA-256 in hexadecimal.
    pub(super) sha256: &'static str,
}

impl Library {
    /// The file's name.
    pub(super) fn name(&self) -> &'static str {
        self.member.rsplit_once('/').map_or(self.member, |(_, name)| name)
    }
}

/// One wheel on PyPI with the libraries that are taken from it.
#[derive(Clone, Copy, Debug)]
pub(super) struct GpuWheel {
    pub(super) source: WheelSource,
    pub(super) download_bytes: u64,
    pub(super) libraries: &'static [Library],
    /// Licence texts: name in the wheel, name in the folder.
    pub(super) notices: &'static [(&'static str, &'static str)],
}

impl GpuWheel {
    /// Space that its libraries take.
    pub(super) fn unpacked_bytes(&self) -> u64 {
        self.libraries.iter().map(|library| library.bytes).sum()
    }
}

/// Folder below `.cache/`.
pub(super) const FOLDER: &str = "onnxruntime-gpu/1.31.1";

/// In the order in which they are fetched: ONNX Runtime itself last, so that its presence means that the set is complete.
pub(super) const X86_64: &[GpuWheel] = &[
    GpuWheel {
        source: WheelSource {
            title: "CUDA runtime 13.0.96",
            requirement: "nvidia-cuda-runtime==13.0.96",
            platforms: &["manylinux2014_x86_64", "manylinux_2_17_x86_64"],
        },
        download_bytes: 2_243_632,
        libraries: &[Library {
            member: "nvidia/cu13/lib/libcudart.so.13",
            bytes: 704_288,
            sha256: "96c42e418cec19054186b9429c321603cc190bf26a18104e19408117a2a817b0",
        }],
        notices: &[(
            "nvidia_cuda_runtime-13.0.96.dist-info/licenses/License.txt",
            "LICENSE.nvidia-cuda-runtime.txt",
        )],
    },
    GpuWheel {
        source: WheelSource {
            title: "CUDA run-time compiler 13.0.88",
            requirement: "nvidia-cuda-nvrtc==13.0.88",
            platforms: &["manylinux2010_x86_64", "manylinux_2_12_x86_64"],
        },
        download_bytes: 90_215_200,
        libraries: &[
            Library {
                member: "nvidia/cu13/lib/libnvrtc-builtins.so.13.0",
                bytes: 4_380_616,
                sha256: "91dcd944d01da9c0f08fff5d779db136a47f6d62bdb63bae900d2f481e92c3a2",
            },
            Library {
                member: "nvidia/cu13/lib/libnvrtc.so.13",
                bytes: 109_338_064,
                sha256: "a49e67e8e74590f1e98de55c39c6287efd3f59e3c3797464d7bbe0fe01349b11",
            },
        ],
        notices: &[(
            "nvidia_cuda_nvrtc-13.0.88.dist-info/licenses/License.txt",
            "LICENSE.nvidia-cuda-nvrtc.txt",
        )],
    },
    GpuWheel {
        source: WheelSource {
            title: "cuBLAS 13.1.0.3",
            requirement: "nvidia-cublas==13.1.0.3",
            platforms: &["manylinux_2_27_x86_64"],
        },
        download_bytes: 423_133_236,
        libraries: &[
            Library {
                member: "nvidia/cu13/lib/libcublasLt.so.13",
                bytes: 541_595_600,
                sha256: "656298c804f5adbb0df930545c17911b9584ab4e5101c0eeb65d1fe881d880f8",
            },
            Library {
                member: "nvidia/cu13/lib/libcublas.so.13",
                bytes: 54_177_976,
                sha256: "e70f38efabe986acd5eb683497c62f0f1730a6176ee291d9d24c6e339d1fbf86",
            },
        ],
        notices: &[("nvidia_cublas-13.1.0.3.dist-info/licenses/License.txt", "LICENSE.nvidia-cublas.txt")],
    },
    GpuWheel {
        source: WheelSource {
            title: "cuRAND 10.4.0.35",
            requirement: "nvidia-curand==10.4.0.35",
            platforms: &["manylinux_2_27_x86_64"],
        },
        download_bytes: 59_544_258,
        libraries: &[Library {
            member: "nvidia/cu13/lib/libcurand.so.10",
            bytes: 132_698_328,
            sha256: "b53732a66b302b11926e00f762e2c2ba67058347ff93cf4ae709de45e93e06da",
        }],
        notices: &[("nvidia_curand-10.4.0.35.dist-info/licenses/License.txt", "LICENSE.nvidia-curand.txt")],
    },
    GpuWheel {
        source: WheelSource {
            title: "cuDNN 9.15.1.9",
            requirement: "nvidia-cudnn-cu13==9.15.1.9",
            platforms: &["manylinux_2_27_x86_64"],
        },
        download_bytes: 351_298_418,
        libraries: &[
            Library {
                member: "nvidia/cudnn/lib/libcudnn_graph.so.9",
                bytes: 4_457_352,
                sha256: "e80f394870a8567fa421b7991ff3f3ab668dfba7d8705872f9ed11e3b36b448b",
            },
            Library {
                member: "nvidia/cudnn/lib/libcudnn_ops.so.9",
                bytes: 37_758_712,
                sha256: "41beb128587b3ecb0b7f52b716ecdcfd52572953e956b3473f57ef4e811ec471",
            },
            Library {
                member: "nvidia/cudnn/lib/libcudnn_cnn.so.9",
                bytes: 4_204_152,
                sha256: "18d90cbbb52de316766c00bd77314f992b901809b535b221c7de08914b7c1c87",
            },
            Library {
                member: "nvidia/cudnn/lib/libcudnn_adv.so.9",
                bytes: 107_071_928,
                sha256: "7bbefc7523c831d9c03ac212093fe5cfdf22e81b81fa2ea7555433fc1db2c8f0",
            },
            Library {
                member: "nvidia/cudnn/lib/libcudnn_heuristic.so.9",
                bytes: 56_629_720,
                sha256: "d1a7d1672d3a58d411ee3584073e23251c649e76809873e4311a8aa34056d0be",
            },
            Library {
                member: "nvidia/cudnn/lib/libcudnn_engines_precompiled.so.9",
                bytes: 234_908_152,
                sha256: "49b0c2627085e027948bd8660e2ca00ab8dad5e8dbce9a701b8063d94fc6f7cb",
            },
            Library {
                member: "nvidia/cudnn/lib/libcudnn_engines_runtime_compiled.so.9",
                bytes: 27_290_312,
                sha256: "7bc19c4c54061bcc8c2eb19c0986b23933bfefa2aa53cec310d5cd304ca20471",
            },
            Library {
                member: "nvidia/cudnn/lib/libcudnn.so.9",
                bytes: 125_144,
                sha256: "7ee289e52563f78db59910fe9af6acb7b502d250ad4b7c2d3e4a0bc10616d456",
            },
        ],
        notices: &[(
            "nvidia_cudnn_cu13-9.15.1.9.dist-info/licenses/License.txt",
            "LICENSE.nvidia-cudnn-cu13.txt",
        )],
    },
    GpuWheel {
        source: WheelSource {
            title: "ONNX Runtime GPU 1.31.1",
            requirement: "onnxruntime-gpu==1.31.1",
            platforms: &["manylinux_2_28_x86_64"],
        },
        download_bytes: 255_567_609,
        libraries: &[
            Library {
                member: "onnxruntime/capi/libonnxruntime_providers_cuda.so",
                bytes: 284_014_752,
                sha256: "f62fddac1a32c2893ba9268058fa91e38d14d5ce5609c6e31e7e8b7d61f97e26",
            },
            Library {
                member: "onnxruntime/capi/libonnxruntime_providers_shared.so",
                bytes: 14_632,
                sha256: "086ec1d5388f64153d9c63470d126693db9a182c8ce236d3a1119068471b8a0d",
            },
            Library {
                member: "onnxruntime/capi/libonnxruntime.so.1.31.1",
                bytes: 29_421_832,
                sha256: "5104254339ecadae808da771bd0b63b240f0dbd466514234905e54372435c303",
            },
        ],
        notices: &[
            ("onnxruntime/LICENSE", "LICENSE"),
            ("onnxruntime/ThirdPartyNotices.txt", "ThirdPartyNotices.txt"),
        ],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_library_has_a_name_a_size_and_a_checksum_of_its_own() {
        let libraries: Vec<_> = X86_64.iter().flat_map(|wheel| wheel.libraries).collect();
        for (index, library) in libraries.iter().enumerate() {
            let sum = library.sha256;
            assert!(sum.len() == 64 && sum.bytes().all(|byte| byte.is_ascii_hexdigit()), "{sum}");
            for other in &libraries[..index] {
                assert_ne!(other.name(), library.name());
                assert_ne!(other.sha256, sum);
            }
            assert!(library.bytes > 10_000 && !library.name().contains('/'));
        }
    }

    #[test]
    fn versions_are_pinned_and_the_runtime_is_the_processors() {
        assert!(X86_64.iter().all(|wheel| wheel.source.requirement.contains("==")));
        let last = X86_64[X86_64.len() - 1];
        assert_eq!(last.libraries[last.libraries.len() - 1].name(), "libonnxruntime.so.1.31.1");
        assert!(FOLDER.ends_with("1.31.1"));
    }
}
