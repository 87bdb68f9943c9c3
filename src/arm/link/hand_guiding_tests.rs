//! Guiding by hand against the virtual board, in virtual time.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use firmware_protocol::Generation;
use firmware_protocol::emulator::BoardOptions;

use super::hand_guiding::{GuidingRefused, HandsOnArm};
use super::test_rig::Rig;
use super::*;
use crate::types::{Joint, JointAngles, ServoProfile};

const PROFILE: ServoProfile = ServoProfile { speed_rad_s: 0.3, acceleration_rad_s2: 1.0 };

fn ready(generation: Generation) -> Rig {
    let mut rig = Rig::new(BoardOptions::new(generation));
    rig.idle(Duration::from_millis(1500));
    assert!(rig.machine.is_connected());
    rig
}

fn let_go(rig: &mut Rig) -> Result<(), GuidingRefused> {
    let Rig { machine, out, events, .. } = rig;
    machine.let_go(HandsOnArm::confirmed(), out, &mut |event| events.push(event))
}

/// Asks again and again, as the link's thread does.
fn hold_again(rig: &mut Rig) {
    for _ in 0..20_000 {
        let asked = rig.machine.hold_again(PROFILE, &mut rig.out);
        if asked.is_ok() {
            return;
        }
        rig.idle(Duration::from_millis(1));
    }
    panic!("it never held: {:?}", rig.machine.hold_again(PROFILE, &mut rig.out));
}

/// Moves the limp arm to a pose and keeps it there, as a hand does.
fn guide(rig: &mut Rig, to: [i32; 7], time_ms: u64) {
    for _ in 0..time_ms {
        rig.board.set_encoder_steps(to);
        rig.idle(Duration::from_millis(1));
    }
}

#[test]
fn the_arm_is_let_go_guided_and_held_where_it_stands() {
    for generation in [Generation::G1, Generation::G3] {
        let mut rig = ready(generation);
        let at_home = rig.board.encoder_steps();
        assert_eq!(let_go(&mut rig), Ok(()), "{generation}");
        // G3 folds by itself before it lets go.
        rig.idle(Duration::from_secs(15));
        assert_eq!(rig.board.torque(), [false; 6], "{generation}");
        assert_eq!(rig.machine.state(), LinkState::HandGuided);
        assert!(!rig.machine.ready(), "nothing can be commanded");
        let mut pose = at_home;
        pose[0] += 200;
        guide(&mut rig, pose, 1500);
        let frames = rig.samples.len();
        assert!(frames > 50 && rig.samples[frames - 1].angles.get(Joint::Base).abs() > 0.25, "it is seen");
        let stands = rig.samples[frames - 1].angles;
        hold_again(&mut rig);
        rig.idle(Duration::from_secs(1));
        assert_eq!(rig.board.torque(), [true; 6], "{generation}");
        assert_eq!(rig.machine.state(), LinkState::Ready);
        let own = |event: &&LinkEvent| matches!(event, LinkEvent::LetGo | LinkEvent::HeldAgain);
        let told: Vec<_> = rig.events.iter().filter(own).collect();
        assert_eq!(told, [&LinkEvent::LetGo, &LinkEvent::HeldAgain], "{generation}");
        let now = rig.samples.last().unwrap().angles;
        assert!(
            now.max_difference(&stands) < 0.1,
            "{generation}: it stands where it was left: {now:?} {stands:?}"
        );
        let lines = rig.board.take_lines();
        let kinds: Vec<&[u8]> = lines.iter().map(|line| &line.bytes[..line.bytes.len().min(10)]).collect();
        let place = |kind: &[u8]| kinds.iter().position(|line| line.starts_with(kind)).unwrap();
        let (off, goal) = (place(b"{\"T\":210,"), place(b"{\"T\":102,"));
        let on = kinds.iter().rposition(|line| line.starts_with(b"{\"T\":210,")).unwrap();
        assert!(off < goal && goal < on, "{generation}: the goal goes out before the torque comes on");
        assert_eq!(
            (&lines[off].bytes[..], &lines[on].bytes[..]),
            (&b"{\"T\":210,\"cmd\":0}"[..], &b"{\"T\":210,\"cmd\":1}"[..])
        );
        // The goal is the measured pose.
        let text = String::from_utf8_lossy(&lines[goal].bytes).into_owned();
        let base: f64 = text.split("\"base\":").nth(1).unwrap().split(',').next().unwrap().parse().unwrap();
        assert!((base - stands.get(Joint::Base)).abs() < 2e-3, "{text} {stands:?}");
    }
}

#[test]
fn an_arm_that_moves_or_stands_outside_its_range_is_not_caught() {
    let mut rig = ready(Generation::G1);
    let at_home = rig.board.encoder_steps();
    assert_eq!(rig.machine.hold_again(PROFILE, &mut rig.out), Err(GuidingRefused::NotConnected));
    assert_eq!(let_go(&mut rig), Ok(()));
    rig.idle(Duration::from_secs(1));
    for step in 0..200 {
        let mut pose = at_home;
        pose[0] += step;
        guide(&mut rig, pose, 5);
    }
    assert_eq!(rig.machine.hold_again(PROFILE, &mut rig.out), Err(GuidingRefused::Moving));
    // Elbow -60 degrees: G1 would go to -45.
    let mut pose = at_home;
    pose[3] = 1024 - 683;
    guide(&mut rig, pose, 2500);
    let refused = rig.machine.hold_again(PROFILE, &mut rig.out);
    assert_eq!(
        refused,
        Err(GuidingRefused::OutsideLimits { joint: Joint::Elbow }),
        "{:?}",
        rig.samples.last()
    );
    assert!(rig.out.is_empty());
    guide(&mut rig, at_home, 2500);
    assert_eq!(rig.machine.hold_again(PROFILE, &mut rig.out), Ok(()));
}

#[test]
fn a_board_that_resets_meanwhile_is_waited_for_and_nothing_is_held() {
    let mut rig = ready(Generation::G1);
    let connection = rig.machine.connection();
    assert_eq!(let_go(&mut rig), Ok(()));
    rig.idle(Duration::from_millis(200));
    rig.machine.receive(
        b"ets Jul 29 2019 12:21:46\r\n\r\nrst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n",
        rig.now,
        &mut |event| rig.events.push(event),
    );
    assert_eq!(rig.machine.hold_again(PROFILE, &mut rig.out), Err(GuidingRefused::NotConnected));
    assert_ne!(rig.machine.connection(), connection);
    assert!(!rig.machine.owes_hold(), "a limp arm is nobody's to bring to rest");
}

#[test]
fn no_goal_is_written_while_the_arm_is_guided() {
    let mut rig = ready(Generation::G1);
    assert_eq!(let_go(&mut rig), Ok(()));
    let goal = JointAngles::from(BoardOptions::BOOT_POSE);
    rig.run(Duration::from_secs(2), |_| Some(goal));
    assert!(rig.written.is_empty());
    let moving = rig.board.take_lines().iter().any(|line| line.bytes.starts_with(b"{\"T\":102"));
    assert!(!moving);
}
