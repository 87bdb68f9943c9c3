//! `roarm replay`: a recorded episode on a virtual arm, judged on the board's log.

use std::path::Path;

use calibration::JointLimits;
use firmware_protocol::Generation;
use roarm::episode::Dataset;
use roarm::types::JointAngles;

use crate::support::port::{SilentPort, VirtualArm};
use crate::support::program::{Ended, roarm};
use crate::support::repository;

const DATASET: &str = "tests/data/lerobot_v3_av1";

fn replay(port: &Path, flags: &[&str]) -> Ended {
    let (port, dataset) = (port.display().to_string(), repository(DATASET).display().to_string());
    let config = repository("tests/program/patient.toml").display().to_string();
    let fixed =
        ["replay", "--arm", &port, "--dataset", &dataset, "--episode", "0", "--config", &config, "--json"];
    roarm(fixed.iter().chain(flags))
}

/// The recorded actions, as far as this firmware goes: the episode leaves its limits.
fn recorded(firmware: Generation) -> Vec<JointAngles> {
    let limits = JointLimits::of(firmware);
    let episode = Dataset::open(repository(DATASET)).unwrap().episode(0).unwrap();
    episode.actions.into_iter().map(|action| limits.clamp(&JointAngles::from(action))).collect()
}

#[test]
fn the_arm_goes_where_it_was_recorded_and_stays_at_the_last_action() {
    for firmware in [Generation::G1, Generation::G3] {
        let arm = VirtualArm::start(&firmware.to_string());
        // Slowly enough for the lead limit: the recording is made up, and as fast as 135 °/s.
        let ended = replay(&arm.port(), &["--speed", "0.2"]);
        let summary = ended.assert_code(0).summary();
        assert_eq!((&summary["ok"], &summary["ended"]), (&true.into(), &"the episode is over".into()));
        let log = arm.end();
        log.assert_limits(firmware);
        log.assert_steps();
        log.assert_held();
        let (actions, goals) = (recorded(firmware), &log.commands);
        let last = goals.last().unwrap().goal.max_difference(actions.last().unwrap());
        assert!(last < 2e-3, "{firmware}: it ends {last} rad from the last action");
        // On a busy machine commands are missing here and there (`tests/virtual_run.rs` judges each action), but not most of them.
        let mut from = 0;
        let met = actions.iter().filter(|action| {
            let near = goals[from..].iter().position(|command| command.goal.max_difference(action) < 0.035);
            from += near.unwrap_or(0);
            near.is_some()
        });
        assert!(met.count() * 2 > actions.len(), "{firmware}: the arm went another way");
    }
}

#[test]
fn a_dry_run_says_what_the_arm_cannot_do_and_opens_nothing() {
    let port = SilentPort::open();
    let ended = replay(port.path(), &["--dry-run"]);
    let found = ended.assert_code(0).json();
    assert_eq!(
        (&found["ended"], &found["actions"]),
        (&"dry run".into(), &recorded(Generation::G1).len().into())
    );
    for firmware in ["g1", "g3"] {
        assert!(found["by_firmware"][firmware]["beyond_limits"].is_array(), "{found}");
        assert!(ended.stderr.contains(&format!("firmware {firmware}: ")), "{ended}");
    }
    assert_eq!(port.received(), "", "the port was opened");
}

#[test]
fn what_cannot_be_replayed_is_refused_before_the_port_is_opened() {
    let port = SilentPort::open();
    let cases: [(&[&str], i32, &str); 4] = [
        (&["--speed", "0"], 2, "--speed 0 is outside 0.05 to 2"),
        (&["--speed", "NaN"], 2, "--speed NaN"),
        (&["--park", "dataset-mean"], 2, "--park home"),
        (&["--firmware", "g2"], 2, "auto, g1, g1b or g3"),
    ];
    for (flags, code, part) in cases {
        replay(port.path(), flags).assert_error(code, &[part]);
    }
    let port_name = port.path().display().to_string();
    let dataset = repository(DATASET).display().to_string();
    let of = |dataset: &str, episode: &str| {
        roarm(["replay", "--arm", &port_name, "--dataset", dataset, "--episode", episode, "--json"])
    };
    of(&dataset, "99").assert_error(3, &["99"]);
    of("/nowhere", "0").assert_error(3, &["/nowhere"]);
    assert_eq!(port.received(), "", "the port was opened");
}
