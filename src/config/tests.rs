#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;

use super::*;

const VERSION: &str = "format_version = \"1.0\"\n";

fn parse(body: &str) -> Result<Config, ConfigError> {
    Config::parse(&format!("{VERSION}{body}"), "roarm.toml")
}

#[track_caller]
fn message(body: &str) -> String {
    parse(body).expect_err(body).to_string()
}

#[test]
fn a_file_with_only_the_version_gives_the_defaults() {
    let config = parse("").unwrap();
    assert_eq!(config, Config::defaults());
    assert_eq!(config.motion.ramp_speed_deg_s, 15.0);
    assert_eq!(config.motion.command_rate_hz, 50.0);
    assert_eq!(config.safety.max_feedback_age_ms, 250);
    assert_eq!(parse("[motion]\n[safety]\n[policy]\n").unwrap(), config, "empty tables change nothing");
}

#[test]
fn every_kind_of_value_is_read() {
    let config = parse(
        r#"
        [arm.left]
        port = "/dev/ttyUSB0"
        firmware = "g1b"
        cameras = ["front"]
        [camera.front]
        source = "v4l2:/dev/video0"
        [motion]
        max_velocity_deg_s = 60
        servo_speed_steps_s = 0x3E8
        start_pose = [0, 49.5, 25, 50, -1.5, 20]
        [safety]
        max_frame_age_ms = 1_000
        [policy]
        task = "Open the gripper."
        device = "cuda"
        n_action_steps = 10
        seed = 7
        "#,
    )
    .unwrap();
    let arm = &config.arms["left"];
    assert_eq!((arm.port.to_str(), arm.firmware), (Some("/dev/ttyUSB0"), Firmware::G1b));
    assert_eq!(config.cameras["front"].source, "v4l2:/dev/video0");
    assert_eq!((config.motion.max_velocity_deg_s, config.motion.servo_speed_steps_s), (60.0, 1000));
    assert_eq!(config.motion.start_pose, StartPose::Degrees([0.0, 49.5, 25.0, 50.0, -1.5, 20.0]));
    assert_eq!(config.safety.max_frame_age_ms, 1000);
    assert_eq!(config.policy.device, Device::Cuda);
    assert_eq!((config.policy.n_action_steps, config.policy.seed), (Some(10), 7));
}

#[test]
fn an_unknown_key_names_the_nearest_and_its_line() {
    assert_eq!(
        message("[motion]\nramp_speed_deg_s = 10\nmax_velocity_degs = 50\n"),
        "roarm.toml:4: unknown key `max_velocity_degs` in [motion]; did you mean `max_velocity_deg_s`?"
    );
    assert_eq!(
        message("[saftey]\n"),
        "roarm.toml:2: unknown key `saftey` in the top level; did you mean `safety`?"
    );
    let arm = message("[arm.left]\nport = \"/dev/ttyUSB0\"\nfirmwre = \"g1\"\n");
    assert!(arm.contains(":4:") && arm.contains("[arm.left]") && arm.contains("`firmware`?"), "{arm}");
}

#[test]
fn values_outside_their_range_are_refused_with_the_range() {
    for (body, expected) in [
        ("[motion]\nramp_speed_deg_s = 20", "`ramp_speed_deg_s` = 20 is not allowed; allowed: 1 to 15"),
        ("[motion]\nmax_velocity_deg_s = nan", "`max_velocity_deg_s` = NaN is not allowed"),
        ("[motion]\nmax_acceleration_deg_s2 = inf", "allowed: 10 to 5000"),
        ("[motion]\nservo_speed_steps_s = 0", "allowed: 1 to 3070"),
        ("[motion]\nservo_acceleration = 255", "allowed: 1 to 254"),
        ("[motion]\nservo_acceleration = -1", "`servo_acceleration` = -1"),
        ("[motion]\nstart_pose = \"mean\"", "\"dataset-mean\""),
        ("[motion]\nstart_pose = [0, 0, 0, 0, 0]", "six degrees"),
        ("[motion]\nstart_pose = [0, 0, 0, 0, 0, nan]", "six degrees"),
        ("[motion]\nstart_pose = [0, 0, 0, 0, 0, \"1\"]", "six degrees"),
        ("[safety]\nrejections_before_stop = 0", "allowed: 1 to 1000"),
        ("[safety]\nmax_feedback_age_ms = 18446744073709551616", "allowed: 50 to 2000"),
        ("[policy]\ndevice = \"gpu\"", "allowed: \"cpu\", \"cuda\""),
        ("[policy]\ntask = \" \"", "`task` = \"\""),
    ] {
        let found = message(body);
        assert!(found.contains(expected) && found.starts_with("roarm.toml:3: "), "{body}: {found}");
    }
}

#[test]
fn values_of_the_wrong_type_are_refused() {
    for (body, expected) in [
        ("[motion]\nramp_speed_deg_s = \"15\"", "`ramp_speed_deg_s` must be a number, not a text"),
        ("[motion]\nservo_speed_steps_s = 2000.0", "must be a whole number, not a number"),
        ("[arm.left]\nport = 3", "`port` must be a text in quotes"),
        ("[arm.left]\nport = \"x\"\ncameras = \"front\"", "must be a list of texts"),
        ("arm = 1", "`arm` must be a table, not a whole number"),
        ("[arm]\nleft = 1", "`arm.left` must be a table"),
        ("[motion]\nstart_pose = true", "not true or false"),
    ] {
        let found = message(body);
        assert!(found.contains(expected), "{body}: {found}");
    }
}

#[test]
fn a_required_key_is_asked_for_with_an_example() {
    let found = message("\n[arm.left]\nfirmware = \"g1\"");
    assert_eq!(found, "roarm.toml:3: [arm.left] needs `port`, for example port = \"/dev/ttyUSB0\"");
    assert!(message("[camera.front]").contains("needs `source`"));
}

#[test]
fn the_stop_must_end_in_time() {
    assert!(parse("[motion]\nmax_velocity_deg_s = 153.0").is_ok(), "900 x 0.17 = 153");
    let found = message("[motion]\nmax_velocity_deg_s = 153.1");
    assert!(
        found.starts_with("roarm.toml:3: max_velocity_deg_s = 153.1") && found.contains("allows 153.0"),
        "{found}"
    );
    let found = message("[motion]\nstop_deceleration_deg_s2 = 500");
    assert!(found.starts_with("roarm.toml:3:") && found.contains("allows 85.0"), "{found}");
}

#[test]
fn versions_of_other_programs_are_refused() {
    let refused = |text| Config::parse(text, "a.toml").unwrap_err().to_string();
    assert!(refused("").contains("`format_version` is missing"));
    assert_eq!(
        refused("[new_table]\nx = 1\n").as_str(),
        "a.toml: `format_version` is missing; write format_version = \"1.0\" as the first line"
    );
    // Before anything else in the file is judged.
    let newer = refused("format_version = \"2.3\"\nnew_key = 1\n");
    assert_eq!(
        newer,
        "a.toml:1: this file has format version 2.3, this roarm reads 1.x; use a roarm that reads 2.3"
    );
    assert!(Config::parse("format_version = \"1.7\"\n", "a.toml").is_ok());
    for wrong in [
        "format_version = 1",
        "format_version = \"1\"",
        "format_version = \"0.9\"",
        "format_version = \"x.y\"",
    ] {
        assert!(refused(wrong).contains("format_version"), "{wrong}");
    }
}

#[test]
fn a_camera_without_a_table_is_refused() {
    let found = message("[arm.left]\nport = \"x\"\ncameras = [\"front\"]\n");
    assert_eq!(
        found,
        "roarm.toml: [arm.left] names the camera `front`, but there is no table [camera.front]"
    );
}

#[test]
fn what_is_not_toml_is_refused_with_its_line() {
    assert!(message("[motion\n").starts_with("roarm.toml:2: "));
    assert!(message("[motion]\nramp_speed_deg_s = 1\nramp_speed_deg_s = 2\n").starts_with("roarm.toml:4: "));
}

#[test]
fn the_example_file_shows_the_defaults() {
    let example = Config::parse(include_str!("../../roarm.example.toml"), "roarm.example.toml").unwrap();
    assert_eq!(example.motion, MotionConfig::default());
    assert_eq!(example.safety, SafetyConfig::default());
    assert_eq!(example.real_time, RealTimeConfig::default());
    assert!(!example.arms.is_empty() && !example.cameras.is_empty());
}

#[test]
fn the_example_file_names_every_key() {
    let example = include_str!("../../roarm.example.toml");
    for key in Config::keys() {
        let set = |line: &str| line.trim_start_matches("# ").starts_with(&format!("{} = ", key.key));
        assert!(example.lines().any(set), "{} of [{}] is not in roarm.example.toml", key.key, key.table);
    }
}

/// Rows of docs/configuration.md: (table, key, default, allowed).
fn documented() -> Vec<(String, String, String, String)> {
    let mut table = String::new();
    let mut rows = Vec::new();
    for line in include_str!("../../docs/configuration.md").lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            table = heading.trim_matches(|character| "`[]".contains(character)).to_owned();
        }
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        if let ["", key, default, allowed, ..] = cells.as_slice()
            && key.starts_with('`')
        {
            let plain = |cell: &str| cell.replace('`', "");
            rows.push((table.clone(), plain(key), plain(default), plain(allowed)));
        }
    }
    rows
}

#[test]
fn the_manual_describes_exactly_the_keys_that_are_read() {
    let read: Vec<_> = Config::keys()
        .into_iter()
        .map(|key| {
            let table = if key.table.is_empty() { "Top level".to_owned() } else { key.table };
            (table, key.key.to_owned(), key.default, key.allowed)
        })
        .collect();
    assert!(read.len() > 25, "the reader lists its keys");
    let documented = documented();
    for key in &read {
        assert!(documented.contains(key), "not so in docs/configuration.md: {key:?}");
    }
    for row in &documented {
        assert!(read.contains(row), "docs/configuration.md has a row for what is not read: {row:?}");
    }
}

/// Pieces that make near-valid files, which random text never does.
fn near_valid() -> impl Strategy<Value = String> {
    let keys = Config::keys().into_iter().map(|key| key.key.to_owned());
    let words = [
        "format_version",
        "[motion]",
        "[safety]",
        "[policy]",
        "[arm.a]",
        "[camera.b]",
        "=",
        "\n",
        "1",
        "-1",
        "1e999",
        "nan",
    ]
    .into_iter()
    .chain([
        "\"x\"",
        "\"1.0\"",
        "[",
        "]",
        "{",
        "}",
        ".",
        ",",
        "true",
        "1979-05-27",
        "é",
        "0x7fffffffffffffff",
    ])
    .map(str::to_owned);
    proptest::collection::vec(prop::sample::select(keys.chain(words).collect::<Vec<_>>()), 0..30)
        .prop_map(|words| words.join(" "))
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        let _ = Config::parse(&text, "any.toml");
        let _ = Config::parse(&format!("{VERSION}{text}"), "any.toml");
    }

    #[test]
    fn any_near_valid_text_is_read_or_refused(text in near_valid()) {
        let _ = Config::parse(&text, "any.toml");
        let _ = Config::parse(&format!("{VERSION}{text}"), "any.toml");
    }

    #[test]
    fn an_accepted_velocity_can_always_be_stopped_in_time(velocity in -10.0..400.0_f64, deceleration in -10.0..6000.0_f64) {
        let text = format!("[motion]\nmax_velocity_deg_s = {velocity:?}\nstop_deceleration_deg_s2 = {deceleration:?}\n");
        if let Ok(config) = parse(&text) {
            prop_assert!(config.motion.max_velocity_deg_s <= config.motion.stop_deceleration_deg_s2 * 0.17);
            prop_assert!((1.0..=270.0).contains(&config.motion.max_velocity_deg_s));
        }
    }
}
