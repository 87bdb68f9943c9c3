//! Bundles, cameras and tasks that do not fit: each is refused before the port is opened.

use crate::attempt::refused;
use crate::support::bundle_copy::BundleCopy;

#[track_caller]
fn refused_bundle(parts: &[&str], change: impl FnOnce(&BundleCopy)) {
    let copy = BundleCopy::new();
    change(&copy);
    refused(3, parts, |attempt| attempt.policy = copy.folder().to_owned());
}

#[test]
fn no_bundle_at_all() {
    let parts = ["/nowhere/bundle", "not a policy bundle", "roarm_export"];
    refused(3, &parts, |attempt| attempt.policy = "/nowhere/bundle".into());
}

#[test]
fn a_missing_graph() {
    refused_bundle(&["lacks", "denoise.onnx", "copy the whole bundle again"], |copy| {
        std::fs::remove_file(copy.path("denoise.onnx")).unwrap();
    });
}

#[test]
fn a_changed_byte() {
    refused_bundle(
        &["vision.onnx", "does not match SHA256SUMS", "expected", "found", "copy the bundle"],
        |copy| {
            let mut bytes = std::fs::read(copy.path("vision.onnx")).unwrap();
            *bytes.last_mut().unwrap() ^= 1;
            std::fs::write(copy.path("vision.onnx"), bytes).unwrap();
        },
    );
}

#[test]
fn a_nan_in_the_statistics() {
    refused_bundle(&["normalization.safetensors", "action.mean", "dataset's statistics again"], |copy| {
        copy.change_tensor("normalization.safetensors", "action.mean", |values| values[2] = f32::NAN);
    });
}

#[test]
fn a_newer_format() {
    refused_bundle(&["format version 2.0", "reads 1.x", "install a roarm"], |copy| {
        copy.replace("\"format_version\": \"1.2\"", "\"format_version\": \"2.0\"");
    });
}

#[test]
fn a_camera_of_another_aspect() {
    let parts = ["observation.images.front", "96x96", "96x54", "?width=", "--any-picture-size"];
    refused_bundle(&parts, |copy| copy.replace("\"height\": 96", "\"height\": 54"));
}

#[test]
fn a_slot_that_the_policy_has_not() {
    let parts = ["no camera slot `wrist`", "observation.images.front", "--camera front="];
    refused(3, &parts, |attempt| attempt.camera.insert_str(0, "wrist="));
}

#[test]
fn a_source_of_no_known_kind() {
    for source in ["webcam", "/dev/video0", "front=usb:0"] {
        let parts = ["unknown camera source", "v4l2:/dev/videoN", "dataset:DIR:EPISODE"];
        refused(2, &parts, |attempt| attempt.camera = source.to_owned());
    }
}

#[test]
fn a_camera_that_is_not_there() {
    refused(3, &["/dev/video97", "does not exist", "plug it in"], |attempt| {
        attempt.camera = "v4l2:/dev/video97".to_owned();
    });
    refused(3, &["/nowhere", "missing"], |attempt| attempt.camera = "dataset:/nowhere:0".to_owned());
    refused(3, &["no episode 97"], |attempt| {
        attempt.camera = crate::attempt::recorded_camera("").replace(":0", ":97");
    });
}

#[test]
fn a_task_longer_than_the_policy_reads() {
    refused(3, &["tokens", "48", "shorten it"], |attempt| attempt.task = "Open the gripper. ".repeat(40));
}

#[test]
fn an_empty_task() {
    refused(2, &["task is empty", "--task"], |attempt| attempt.task = " ".to_owned());
}

#[test]
fn a_device_that_is_not_there() {
    // The library of `cargo xtask setup` is built for the processor only, also on a machine with a GPU.
    let parts = ["CUDA execution provider is not available", "onnxruntime-gpu", "--device cpu"];
    refused(3, &parts, |attempt| attempt.more.extend(["--device", "cuda"].map(str::to_owned)));
}

#[test]
fn a_library_that_is_not_there() {
    refused(3, &["/nowhere.so", "--onnxruntime", "cargo xtask setup"], |attempt| {
        attempt.more.extend(["--onnxruntime", "/nowhere.so"].map(str::to_owned));
    });
}
