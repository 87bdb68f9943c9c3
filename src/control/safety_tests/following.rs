//! Joints that do and do not follow, and holds that neither sink nor let go: on the board's model with its sag.

use std::time::Duration;

use firmware_protocol::Generation;
use firmware_protocol::emulator::{Contact, ServoOptions};

use crate::control::{AfterStop, ControlParameters, EndCause, Phase};
use crate::types::{Joint, JointAngles};

use super::rig::{Answer, Rig, degrees, home, parameters};
use super::script::firmware_joint;

/// A reach at which gravity pulls: the shoulder hangs about 3° below its goal.
fn reaching() -> JointAngles {
    degrees([0.0, 45.0, 45.0, 30.0, 0.0, 40.0])
}

fn running(parameters: ControlParameters, generation: Generation) -> Rig {
    let mut rig = Rig::new(parameters, ServoOptions::stock(), generation);
    rig.answer = Answer::Towards(reaching(), 60);
    rig.run_until(3_000, |rig| rig.phase() == Phase::Running);
    rig
}

fn at_rest(rig: &mut Rig) {
    rig.run_until(500, |rig| matches!(rig.phase(), Phase::Stopped(_)));
    rig.run(150);
}

#[test]
fn twenty_stops_and_resets_neither_sink_the_arm_nor_drop_what_it_holds() {
    for generation in [Generation::G1, Generation::G3] {
        let waits = ControlParameters { after_stop: AfterStop::Wait, ..parameters(generation) };
        let mut rig = running(waits, generation);
        // A box between the jaws: they meet it at 25° and press on.
        let contact = Contact::Above(firmware_hand(25.0));
        rig.board.set_contact(firmware_joint(Joint::Gripper), Some(contact));
        rig.answer = Answer::Towards(degrees([0.0, 45.0, 45.0, 30.0, 0.0, 10.0]), 60);
        rig.run(400);
        let mut first: Option<JointAngles> = None;
        for cycle in 0..20 {
            rig.stop = Some(EndCause::EmergencyStop);
            at_rest(&mut rig);
            let stands = rig.arm();
            let begun = *first.get_or_insert(stands);
            let drift_deg = stands.max_difference(&begun).to_degrees();
            assert!(
                drift_deg <= 1.0,
                "{generation:?}, cycle {cycle}: {drift_deg}° from where it stood first"
            );
            let squeezed = stands.get(Joint::Gripper) - rig.goal().get(Joint::Gripper);
            assert!(squeezed > 0.02, "{generation:?}, cycle {cycle}: the box is not held ({squeezed} rad)");
            // The policy asks for nothing new: it stays where it is.
            let commanded = rig.sent.last().map(|sent| sent.command.command.goal).unwrap();
            rig.answer = Answer::Towards(commanded, 1);
            rig.reset = true;
            rig.run_until(3_000, |rig| rig.phase() == Phase::Running);
            rig.run(20);
        }
        assert_eq!(rig.controller.report().resets, 20);
        let sag = (rig.goal().get(Joint::Shoulder) - rig.arm().get(Joint::Shoulder)).abs().to_degrees();
        assert!(sag > 1.0, "without sag nothing was shown: {sag}°");
    }
}

/// The firmware's hand angle of a gripper that is open by so many degrees.
fn firmware_hand(open_deg: f64) -> f64 {
    std::f64::consts::PI - open_deg.to_radians()
}

#[test]
fn a_stuck_joint_is_a_protective_stop_after_its_time_and_the_goal_goes_back() {
    for joint in [Joint::Base, Joint::Shoulder, Joint::Elbow, Joint::Wrist, Joint::Roll] {
        let mut rig = running(parameters(Generation::G1), Generation::G1);
        rig.board.set_stuck(firmware_joint(joint), true);
        let mut away = reaching();
        away.set(joint, away.get(joint) + if joint == Joint::Elbow { -0.7 } else { 0.7 });
        rig.answer = Answer::Towards(away, 30);
        rig.run_until(600, |rig| matches!(rig.phase(), Phase::Easing(_) | Phase::Stopped(_)));
        let found = match rig.phase() {
            Phase::Easing(cause) | Phase::Stopped(cause) => cause,
            phase => panic!("{phase:?}"),
        };
        assert_eq!(found, EndCause::NotFollowing { joint });
        at_rest(&mut rig);
        let pressing_deg = (rig.goal().get(joint) - rig.arm().get(joint)).abs().to_degrees();
        assert!(pressing_deg < 6.5, "{joint}: it still presses, {pressing_deg}° ahead");
    }
}

#[test]
fn fast_motion_sag_and_a_held_box_are_no_stuck_joints() {
    let mut rig = running(parameters(Generation::G1), Generation::G1);
    let contact = Contact::Above(firmware_hand(25.0));
    rig.board.set_contact(firmware_joint(Joint::Gripper), Some(contact));
    for turn in 0..6 {
        let side = if turn % 2 == 0 { 60.0 } else { -60.0 };
        rig.answer = Answer::Towards(degrees([side, 45.0, 45.0, 30.0, 0.0, 10.0]), 20);
        rig.run(120);
    }
    assert_eq!((rig.phase(), rig.gate().tracking), (Phase::Running, 0));
    assert!(rig.arm().max_difference(&home()) > 0.5, "it moved");
    assert!(rig.controller.report().motion.jerk_rad_s3 > 0.0);
    rig.run(usize::try_from(Duration::from_secs(3).as_millis() / 20).unwrap());
    assert_eq!(rig.phase(), Phase::Running, "and standing, with the box held");
}
