//! Judged by the system's own loader, on small libraries that the compiler makes here.
#![allow(clippy::unwrap_used)]

use std::process::Command;

use super::*;

/// Compiles a shared library `name` in `folder` that needs `needs` by name and says so by calling a function of it.
fn compile(folder: &Path, name: &str, source: &str, needs: &[&str]) -> PathBuf {
    let path = folder.join(name);
    let code = folder.join(format!("{name}.c"));
    std::fs::write(&code, source).unwrap();
    let mut gcc = Command::new("gcc");
    gcc.args(["-shared", "-fPIC", "-Wl,--no-as-needed", &format!("-Wl,-soname,{name}"), "-o"]);
    gcc.arg(&path).arg(&code);
    gcc.args(needs.iter().map(|needed| folder.join(needed)));
    assert!(gcc.status().unwrap().success());
    path
}

const fn library(name: &'static str) -> CudaLibrary {
    CudaLibrary { name, package: "test", required: true }
}

#[test]
fn a_library_opens_by_name_only_after_those_it_needs() {
    let root = tempfile::tempdir().unwrap();
    let (base, top) = ("libroarm_test_base.so.13", "libroarm_test_top.so.13");
    compile(root.path(), base, "int roarm_test_base(void) { return 1; }", &[]);
    compile(
        root.path(),
        top,
        "int roarm_test_base(void); int top(void) { return roarm_test_base(); }",
        &[base],
    );

    // In the wrong order the loader looks for `base` in its own folders and does not find it.
    let folders = [root.path().to_owned()];
    let message = preload(&folders, &[library(top), library(base)]).unwrap_err().to_string();
    assert!(message.contains("libroarm_test_top.so.13 cannot be opened"), "{message}");
    assert!(message.contains("libroarm_test_base.so.13: cannot open shared object file"), "{message}");
    assert!(message.contains("cargo xtask setup --device cuda") && message.contains("--device cpu"));

    let opened = preload(&folders, &[library(base), library(top)]).unwrap();
    assert_eq!(opened, [root.path().join(base), root.path().join(top)]);
    // Now the name alone is enough, as the provider will ask for it.
    assert_eq!(open_cuda_library(None, &library(top)), Ok(LibraryOrigin::System));
}

#[test]
fn what_does_not_lie_there_is_left_to_the_loader() {
    let root = tempfile::tempdir().unwrap();
    assert!(preload_cuda(&root.path().join("libonnxruntime.so")).unwrap().is_empty());
    let error = open_cuda_library(None, &library("libroarm_test_nowhere.so.1")).unwrap_err();
    assert!(error.contains("libroarm_test_nowhere.so.1"), "{error}");
}

#[test]
fn a_file_that_is_no_library_is_named_with_the_fix() {
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join("libcublas.so.13"), "cut off").unwrap();
    let message = preload_cuda(&root.path().join("libonnxruntime.so.1.31.1")).unwrap_err().to_string();
    assert!(
        message.contains("libcublas.so.13 cannot be opened") && message.contains("--device cuda"),
        "{message}"
    );
}

/// `DT_NEEDED` of NVIDIA's wheels that set-up pins: each name must stand after those it needs.
#[test]
fn the_order_is_that_of_the_dependencies() {
    let place = |name: &str| CUDA_LIBRARIES.iter().position(|library| library.name == name).unwrap();
    for (library, needs) in [
        ("libcublas.so.13", &["libcublasLt.so.13"][..]),
        ("libcudnn_ops.so.9", &["libcudnn_graph.so.9"]),
        ("libcudnn_cnn.so.9", &["libcudnn_ops.so.9", "libcudnn_graph.so.9"]),
        ("libcudnn_adv.so.9", &["libcudnn_ops.so.9", "libcudnn_graph.so.9"]),
        ("libcudnn_heuristic.so.9", &["libcudnn_graph.so.9"]),
        ("libcudnn_engines_precompiled.so.9", &["libcudnn_graph.so.9"]),
        ("libcudnn_engines_runtime_compiled.so.9", &["libcudnn_graph.so.9"]),
        // Opened while it works, not linked.
        ("libnvrtc.so.13", &["libnvrtc-builtins.so.13"]),
        ("libcufft.so.12", &["libnvJitLink.so.13", "libnvrtc.so.13"]),
        ("libcudnn.so.9", &["libcudnn_graph.so.9", "libcudnn_adv.so.9", "libnvrtc.so.13", "libcublas.so.13"]),
    ] {
        for needed in needs {
            assert!(place(needed) < place(library), "{needed} before {library}");
        }
    }
}

#[test]
fn libraries_are_found_beside_and_in_the_folders_of_the_wheels() {
    let root = tempfile::tempdir().unwrap();
    let touch = |name: &str| {
        let path = root.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, "").unwrap();
        path
    };
    let folders = folders(&touch("onnxruntime/capi/libonnxruntime.so.1.31.1"));
    let cudnn = touch("nvidia/cudnn/lib/libcudnn.so.9");
    assert_eq!(find(&folders, "libcudnn.so.9"), Some(cudnn));
    touch("nvidia/cu13/lib/libnvrtc-builtins.so.13.0");
    let builtins = touch("nvidia/cu13/lib/libnvrtc-builtins.so.13.4");
    assert_eq!(find(&folders, "libnvrtc-builtins.so.13"), Some(builtins));
    touch("nvidia/cu13/lib/libcublas.so.13");
    let beside = touch("onnxruntime/capi/libcublas.so.13");
    assert_eq!(find(&folders, "libcublas.so.13"), Some(beside));
    assert_eq!(find(&folders, "libcurand.so.10"), None);
}

#[test]
fn the_driver_tells_its_version() {
    let root = tempfile::tempdir().unwrap();
    let driver = |name: &str, body: &str| {
        driver_cuda_version(&compile(
            root.path(),
            name,
            &format!("int cuDriverGetVersion(int *v) {{ {body} }}"),
            &[],
        ))
    };
    assert_eq!(driver("libroarm_test_driver_a.so", "*v = 13010; return 0;"), Ok(13_010));
    assert_eq!(
        driver("libroarm_test_driver_b.so", "return 35;"),
        Err("cuDriverGetVersion ended with code 35".to_owned())
    );
    let other = compile(root.path(), "libroarm_test_driver_c.so", "int other;", &[]);
    assert!(driver_cuda_version(&other).unwrap_err().contains("cuDriverGetVersion"));
    assert!(driver_cuda_version(Path::new("libroarm_test_no_driver.so")).is_err());
}
