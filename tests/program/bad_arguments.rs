//! Flags and configurations that mean nothing: exit code 2, and the port stays closed.

use crate::attempt::refused;

#[test]
fn values_outside_what_a_flag_takes() {
    for (flags, parts) in [
        (["--duration", "0"], ["--duration 0", "above 0"]),
        (["--duration", "-2"], ["--duration -2", "above 0"]),
        (["--duration", "NaN"], ["--duration NaN", "above 0"]),
        (["--duration", "soon"], ["soon", "--duration"]),
        (["--fps", "0"], ["--fps 0", "such as 30"]),
        (["--fps", "inf"], ["--fps inf", "such as 30"]),
        (["--n-action-steps", "51"], ["51", "1..=50"]),
        (["--n-action-steps", "0"], ["--n-action-steps 0", "horizon"]),
        (["--threads", "0"], ["--threads", "1 to 256"]),
        (["--firmware", "g2"], ["g2", "auto, g1, g1b or g3"]),
        (["--device", "gpu"], ["gpu", "cpu, cuda, cuda:N, tensorrt or tensorrt:N"]),
        (["--seed", "-1"], ["-1", "--help"]),
        (["--no-such-flag", "1"], ["--no-such-flag", "--help"]),
    ] {
        refused(2, &parts, |attempt| attempt.more.extend(flags.map(str::to_owned)));
    }
}

#[test]
fn start_poses_that_are_none() {
    for pose in ["up", "0,0,0", "0,0,0,0,0,x", "0,0,0,0,0,181", "NaN,0,0,0,0,0"] {
        refused(2, &["--start-pose", "dataset-mean", "six degrees"], |attempt| {
            attempt.more = vec!["--start-pose".to_owned(), pose.to_owned()];
        });
    }
}

#[test]
fn a_start_pose_of_an_episode_needs_one() {
    refused(2, &["--start-pose episode", "--camera dataset:DIR:EPISODE"], |attempt| {
        attempt.camera = "v4l2:/dev/video97".to_owned();
        attempt.more = ["--start-pose", "episode"].map(str::to_owned).to_vec();
    });
}

/// Runs with a configuration.
#[track_caller]
fn refused_configuration(text: &str, parts: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("roarm.toml");
    std::fs::write(&file, text).unwrap();
    refused(2, parts, |attempt| {
        attempt.more.extend(["--config".to_owned(), file.display().to_string()]);
    });
}

#[test]
fn a_configuration_with_an_unknown_key_names_the_nearest() {
    refused_configuration(
        "format_version = \"1.0\"\n[motion]\nramp_speed_deg = 10.0\n",
        &["roarm.toml:3", "unknown key `ramp_speed_deg`", "did you mean `ramp_speed_deg_s`"],
    );
}

#[test]
fn a_configuration_of_a_newer_format() {
    refused_configuration("format_version = \"2.0\"\n", &["roarm.toml:1", "2.0", "reads 1.x", "use a roarm"]);
}

#[test]
fn a_configuration_that_is_too_fast_to_stop() {
    refused_configuration(
        "format_version = \"1.0\"\n[motion]\nmax_velocity_deg_s = 200.0\n",
        &["max_velocity_deg_s = 200", "Lower the velocity"],
    );
}

#[test]
fn a_configuration_that_is_not_there() {
    refused(2, &["/nowhere.toml", "Check the path"], |attempt| {
        attempt.more.extend(["--config", "/nowhere.toml"].map(str::to_owned));
    });
}

#[test]
fn an_unknown_arm_lists_the_known_ones() {
    refused(2, &["no arm is named `lef`", "there is: none", "/dev/ttyUSB0", "[arm.lef]"], |attempt| {
        attempt.arm = "lef".to_owned();
    });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("roarm.toml");
    let text = "format_version = \"1.0\"\n[arm.left]\nport = \"/dev/ttyUSB97\"\n[arm.right]\nport = \"/dev/ttyUSB98\"\n";
    std::fs::write(&file, text).unwrap();
    refused(2, &["no arm is named `lef`", "there is: left, right"], |attempt| {
        attempt.arm = "lef".to_owned();
        attempt.more.extend(["--config".to_owned(), file.display().to_string()]);
    });
}

#[test]
fn an_arm_looks_through_its_own_cameras_only() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("roarm.toml");
    // The policy has no slot `wrist`: that camera is another arm's.
    let text = format!(
        "format_version = \"1.0\"\n[arm.left]\nport = \"/dev/ttyUSB97\"\ncameras = [\"front\"]\n\
         [camera.front]\nsource = \"{}\"\n[camera.wrist]\nsource = \"v4l2:/dev/video97\"\n",
        crate::attempt::recorded_camera("")
    );
    std::fs::write(&file, text).unwrap();
    let policy = crate::support::bundle_copy::shipped_bundle();
    let ended = crate::support::program::roarm([
        "run".as_ref(),
        "--arm=left".as_ref(),
        "--task=Open the gripper.".as_ref(),
        "--dry-run".as_ref(),
        "--policy".as_ref(),
        policy.as_os_str(),
        "--config".as_ref(),
        file.as_os_str(),
    ]);
    ended.assert_code(0);
    assert!(ended.stderr.contains("camera front = episode 0"), "{ended}");
}

#[test]
fn the_other_verbs_check_their_flags_too() {
    use crate::support::program::roarm;
    roarm(["demo", "--duration", "-1"]).assert_error(2, &["--duration -1", "above 0"]);
    roarm(["demo", "--firmware", "g2"]).assert_error(2, &["g2", "g1, g1b or g3"]);
    roarm(["sim", "--duration", "-1"]).assert_error(2, &["--duration -1", "above 0"]);
    roarm(["sim", "--link", "/dev/null"]).assert_error(3, &["/dev/null", "another --link"]);
    roarm(["sim", "--log", "/nowhere/board.log"]).assert_error(3, &["/nowhere/board.log", "--log"]);
}
