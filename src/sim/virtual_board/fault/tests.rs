//! The names and values of faults; the form of a list has its own tests beside `TimedFault`.
#![allow(clippy::unwrap_used)]

use super::*;
use firmware_protocol::Joint;

fn kind(text: &str) -> FaultKind {
    let faults = Fault::parse_list(text, 1).unwrap();
    assert_eq!(faults.len(), 1, "{text}");
    faults[0].kind
}

#[test]
fn every_example_of_the_help_is_valid() {
    for help in FaultHelp::ALL {
        let fault = &Fault::parse_list(help.example, 1).unwrap()[0];
        assert_eq!(fault.to_string(), help.example);
        assert!(help.example.starts_with(help.name));
    }
}

#[test]
fn values() {
    assert_eq!(kind("garbage"), FaultKind::Garbage { bursts_per_s: 5.0 });
    assert_eq!(kind("garbage=0.5"), FaultKind::Garbage { bursts_per_s: 0.5 });
    assert_eq!(kind("slow=500"), FaultKind::Slow { bytes_per_s: 500 });
    assert_eq!(kind("drop=0.25@1s"), FaultKind::Drop { probability: 0.25 });
    assert_eq!(kind("low-supply=4.9"), FaultKind::LowSupply { volt: 4.9 });
    assert_eq!(kind("stuck-joint=gripper"), FaultKind::StuckJoint(Joint::Hand));
    let FaultKind::DeadServo { servos } = kind("dead-servo=13") else { unreachable!() };
    assert_eq!(servos, [false, false, true, false, false, false, false]);
    assert_eq!(kind("dead-servo=all"), FaultKind::DeadServo { servos: [true; 7] });
}

#[test]
fn what_cannot_be_is_refused_with_the_fix() {
    for (list, parts) in [
        ("cutt@5s", vec!["`cutt`", "did you mean `cut`", "cut@5s:2s", "--fault help"]),
        ("dead_servo=14", vec!["did you mean `dead-servo`"]),
        ("serial.cut@5s", vec!["`serial.cut`"]),
        ("no-12V", vec!["did you mean `no-12v`"]),
        ("cut=3", vec!["cut takes no value", "cut@5s:2s"]),
        ("drop", vec!["drop takes a probability", "drop=0.01"]),
        ("drop=1.5", vec!["`drop=1.5`", "between 0 and 1"]),
        ("drop=NaN", vec!["between 0 and 1"]),
        ("drop=", vec!["between 0 and 1"]),
        ("slow=0", vec!["bytes a second"]),
        ("garbage=-1", vec!["bursts a second"]),
        ("dead-servo", vec!["11 to 17", "dead-servo=14"]),
        ("dead-servo=18", vec!["11 to 17"]),
        ("dead-servo=elbow", vec!["11 to 17"]),
        ("stuck-joint=hand", vec!["gripper", "stuck-joint=elbow"]),
        ("low-supply=12V", vec!["volts"]),
        ("reset@5s:2s", vec!["no duration", "reset@5s"]),
        ("3:cut", vec!["board 3", "there are 2", "--boards 3"]),
        ("cut@5h", vec!["`5h`", "ms or min"]),
    ] {
        let message = Fault::parse_list(list, 2).unwrap_err().to_string();
        assert!(parts.iter().all(|part| message.contains(part)), "{list}: {message}");
    }
}

#[test]
fn a_fault_of_one_board_is_not_the_others() {
    let faults = Fault::parse_list("cut,2:mute", 2).unwrap();
    assert!(faults[0].concerns(1) && faults[0].concerns(2));
    assert!(!faults[1].concerns(1) && faults[1].concerns(2));
    assert_eq!(faults[1].to_string(), "mute");
}
