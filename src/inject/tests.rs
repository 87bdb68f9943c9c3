//! What `--inject` accepts and refuses.

use super::*;

#[test]
fn every_example_of_the_table_is_read_as_its_own_fault() {
    for help in DrillHelp::ALL {
        let drill = Drill::parse_list(help.example).unwrap();
        assert_eq!(drill.faults[0].timed.name, help.name);
    }
}

#[test]
fn what_cannot_be_meant_is_named_with_the_fix() {
    for (list, parts) in [
        ("camera.frezee", ["`camera.freeze`", "--inject help"]),
        ("policy.slow", ["milliseconds", "policy.slow=300"]),
        ("policy.slow=0", ["milliseconds", "policy.slow=300"]),
        ("camera.drop=0", ["probability", "camera.drop=0.5"]),
        ("camera.drop=nan", ["probability", "camera.drop=0.5"]),
        ("thread.panic=main", ["watchdog", "thread.panic=control"]),
        ("clock.step", ["10 minutes", "clock.step=2s@3s"]),
        ("clock.step=0s", ["10 minutes", "clock.step=2s@3s"]),
        ("clock.step=11min", ["10 minutes", "clock.step=2s@3s"]),
        ("clock.step=2s@3s:1s", ["no duration", "clock.step=2s@3s"]),
        ("policy.nan=1", ["no value", "policy.nan@3s"]),
        ("2:policy.nan", ["only cameras", "leave the number"]),
    ] {
        let message = Drill::parse_list(list).unwrap_err().to_string();
        assert!(parts.iter().all(|part| message.contains(part)), "{list}: {message}");
    }
}

#[test]
fn a_real_arm_may_see_spoilt_pictures_and_a_full_disk_only() {
    for help in DrillHelp::ALL {
        let drill = Drill::parse_list(help.example).unwrap();
        let refused = drill.first_for_emulated_arms_only().is_some();
        assert_eq!(refused, !(help.name.starts_with("camera.") || help.name == "disk.full"), "{}", help.name);
    }
}
