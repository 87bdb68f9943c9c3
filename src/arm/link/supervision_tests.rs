//! Connections that end and begin again, and feedback that is not to be believed.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::time::Duration;

use firmware_protocol::emulator::BoardOptions;
use firmware_protocol::{FirmwareAngles, Generation, Joint as FirmwareJoint};
use proptest::prelude::*;

use super::test_bench::{Bench, FRAME_PERIOD, HANDSHAKE, NEVER_READ, Tail, command, frame, home};
use super::test_rig::Rig;
use super::*;
use crate::types::{Joint, JointAngles, LinkStatus, Parked};

const G1_READY: LinkEvent = LinkEvent::Ready { generation: Generation::G1 };

impl Bench {
    fn lose_port(&mut self) {
        self.machine.port_lost(self.now, &mut |event| self.events.push(event));
        self.out = WriteBuffer::default();
    }

    fn open_port(&mut self) {
        self.machine.port_opened(self.now, &mut |event| self.events.push(event));
    }
}

#[test]
fn a_port_that_comes_back_is_a_new_connection_with_a_handshake_and_a_still_arm() {
    let mut bench = Bench::ready();
    assert_eq!(bench.machine.status(), LinkStatus { connection: 0, connected: true, ready: true });
    let handshakes = bench.handshakes();
    let lost = bench.now;
    bench.lose_port();
    assert_eq!(bench.machine.state(), LinkState::Reconnecting { since: lost });
    assert_eq!(bench.machine.status(), LinkStatus { connection: 1, connected: false, ready: false });
    bench.wait(Duration::from_secs(5));
    assert_eq!(bench.handshakes(), handshakes, "nothing is written without a port");
    bench.open_port();
    bench.stream(&home(), Duration::from_millis(900));
    assert!(!bench.machine.ready(), "the arm may have moved meanwhile");
    assert_eq!(bench.machine.state(), LinkState::Reconnecting { since: lost });
    bench.stream(&home(), Duration::from_millis(300));
    assert_eq!(bench.machine.status(), LinkStatus { connection: 1, connected: true, ready: true });
    assert_eq!(bench.machine.state(), LinkState::Ready);
    assert_eq!(bench.handshakes(), handshakes + 1);
    assert_eq!(bench.news(), [G1_READY, LinkEvent::PortLost, LinkEvent::PortBack, G1_READY]);
    assert_eq!(bench.machine.statistics().interruptions, 1);
}

/// The port went before its last bytes were taken: nobody will ever report that line.
#[test]
fn a_command_that_went_down_with_the_port_does_not_block_the_next_connection() {
    let mut bench = Bench::ready();
    bench.machine.write_joints(&command(0)).unwrap();
    bench.lose_port();
    bench.open_port();
    bench.stream(&home(), Duration::from_millis(1200));
    assert_eq!(bench.machine.status(), LinkStatus { connection: 1, connected: true, ready: true });
    assert!(bench.machine.write_joints(&command(1)).is_ok());
}

#[test]
fn nothing_of_the_old_connection_is_left() {
    let mut bench = Bench::ready();
    bench.machine.write_joints(&command(0)).unwrap();
    // Half a line of feedback, and a command half on its way.
    bench.feed(&home()[..90]);
    let frames = bench.samples().len();
    bench.lose_port();
    bench.open_port();
    assert_eq!(bench.machine.written(bench.now), None, "its report belongs to nobody");
    bench.feed(&home()[90..]);
    assert_eq!(bench.samples().len(), frames, "two halves of two connections are no line");
    bench.stream(&home(), Duration::from_millis(1200));
    assert!(bench.machine.write_joints(&command(1)).is_ok());
    assert_eq!(bench.machine.written(bench.now).unwrap().command.sequence, 1);
}

#[test]
fn a_port_that_stays_away_is_given_up_and_flapping_does_not_prolong_it() {
    let mut bench = Bench::ready();
    for _ in 0..19 {
        bench.lose_port();
        bench.wait(Duration::from_millis(500));
        bench.open_port();
        bench.wait(Duration::from_millis(500));
    }
    bench.lose_port();
    assert_eq!(bench.machine.fault(), None);
    bench.wait(Duration::from_millis(1100));
    assert_eq!(bench.machine.fault(), Some(LinkFault::Lost));
    // Final.
    bench.open_port();
    bench.stream(&home(), Duration::from_secs(3));
    assert_eq!(bench.machine.state(), LinkState::Failed(LinkFault::Lost));
}

#[test]
fn without_a_reconnect_timeout_and_before_the_first_readiness_a_lost_port_is_final() {
    let options = LinkOptions { reconnect_timeout: Duration::ZERO, ..LinkOptions::default() };
    let mut bench = Bench::new(options);
    bench.stream(&home(), Duration::from_millis(1500));
    assert!(bench.machine.ready());
    bench.lose_port();
    assert_eq!(bench.machine.fault(), Some(LinkFault::Lost));
    let mut bench = Bench::usual();
    bench.stream(&home(), Duration::from_millis(500));
    bench.lose_port();
    assert_eq!(bench.machine.fault(), Some(LinkFault::Lost));
}

#[test]
fn another_board_at_the_port_is_refused() {
    for other in [Tail::Keys17, Tail::Keys24 { torque: 1, supply: 1190 }] {
        let mut bench = Bench::ready();
        bench.lose_port();
        bench.open_port();
        bench.stream(&frame(FirmwareAngles::HOME, other), Duration::from_millis(1500));
        assert_eq!(bench.machine.fault(), Some(LinkFault::AnotherBoard));
        assert!(!bench.machine.ready());
    }
}

/// The port stays, but the board boots and moves the arm by itself: as new to control as a port that was lost.
#[test]
fn a_reset_and_a_pause_of_feedback_are_new_connections() {
    let mut bench = Bench::ready();
    bench.machine.write_joints(&command(0)).unwrap();
    bench.feed(b"rst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n");
    assert_eq!(bench.machine.status(), LinkStatus { connection: 1, connected: false, ready: false });
    assert_eq!(bench.machine.written(bench.now), None, "a report of before the reset");
    assert_eq!(bench.machine.statistics().commands, 1, "but its line was completed");
    bench.stream(&home(), Duration::from_millis(1200));
    assert_eq!(bench.machine.status(), LinkStatus { connection: 1, connected: true, ready: true });
    bench.wait(Duration::from_millis(1100));
    assert_eq!(bench.machine.status(), LinkStatus { connection: 2, connected: false, ready: false });
}

#[test]
fn an_impossible_jump_is_not_shown_unless_it_stays() {
    let mut bench = Bench::ready();
    let far = frame(FirmwareAngles { base_rad: 1.0, ..FirmwareAngles::HOME }, Tail::Keys16);
    let shown = bench.samples().len();
    bench.stream(&far, FRAME_PERIOD);
    bench.stream(&home(), FRAME_PERIOD);
    assert_eq!(bench.samples().len(), shown + 1);
    assert!(bench.samples().iter().all(|sample| sample.angles.get(Joint::Base).abs() < 0.01));
    let Some(LinkEvent::ImpossibleJump { joint: Joint::Base, jump_rad }) = bench.news().last().copied()
    else {
        panic!("{:?}", bench.news())
    };
    assert!((jump_rad - 1.0).abs() < 1e-6);
    assert_eq!(bench.machine.statistics().implausible_frames, 1);
    bench.stream(&far, FRAME_PERIOD * 3);
    assert_eq!(bench.samples().last().unwrap().angles.get(Joint::Base), 1.0, "three frames agree");
    assert_eq!(bench.machine.statistics().implausible_frames, 3);
}

#[test]
fn a_doubted_frame_still_gives_room_for_a_command() {
    let mut bench = Bench::ready();
    bench.machine.write_joints(&command(0)).unwrap();
    bench.machine.written(bench.now).unwrap();
    bench.feed(&frame(FirmwareAngles { base_rad: 1.0, ..FirmwareAngles::HOME }, Tail::Keys16));
    assert!(bench.machine.ready(), "the board's loop went round, whatever it read");
}

#[test]
fn feedback_that_freezes_while_goals_move_on_is_told_once() {
    let mut bench = Bench::ready();
    for sequence in 0..50 {
        let mut away = command(sequence);
        away.goal.set(Joint::Base, (sequence as f64 * 0.02).min(0.3));
        bench.machine.write_joints(&away).unwrap();
        bench.machine.written(bench.now).unwrap();
        bench.stream(&home(), FRAME_PERIOD);
    }
    assert!(bench.machine.feedback_is_frozen());
    assert_eq!(bench.machine.statistics().frozen_feedback, 1);
    assert!(matches!(bench.news()[..], [G1_READY, LinkEvent::FeedbackFrozen { .. }]), "{:?}", bench.news());
}

#[test]
fn an_arm_that_follows_or_rests_is_not_frozen() {
    for generation in [Generation::G1, Generation::G3] {
        let mut rig = Rig::new(BoardOptions::new(generation));
        rig.run(Duration::from_secs(6), |sequence| {
            let mut goal = JointAngles::from(BoardOptions::BOOT_POSE);
            goal.set(Joint::Base, (sequence as f64 * 0.02).sin() * 0.5);
            Some(goal)
        });
        let rest = *rig.written.last().unwrap();
        rig.run(Duration::from_secs(3), |_| Some(rest.command.goal));
        assert_eq!(rig.machine.statistics().frozen_feedback, 0, "{:?}", rig.events);
        assert_eq!(rig.machine.statistics().implausible_frames, 0);
    }
}

#[test]
fn the_rate_of_feedback_falls_when_it_stops() {
    let mut bench = Bench::ready();
    bench.stream(&home(), Duration::from_secs(1));
    assert!((bench.machine.statistics().feedback_hz - 50.0).abs() < 1.0);
    let before = bench.now;
    bench.wait(Duration::from_millis(600));
    assert!(bench.machine.feedback_age(bench.now) >= bench.now.since(before));
    bench.wait(Duration::from_millis(350));
    assert!(bench.machine.statistics().feedback_hz < 45.0, "{}", bench.machine.statistics().feedback_hz);
}

#[test]
fn pacing_and_wholeness_hold_across_lost_ports_and_resets() {
    for generation in [Generation::G1, Generation::G3] {
        let mut rig = Rig::new(BoardOptions::new(generation));
        let sweep = |sequence: u64| {
            let mut goal = JointAngles::from(BoardOptions::BOOT_POSE);
            goal.set(Joint::Base, (sequence as f64 * 0.01).sin() * 0.3);
            Some(goal)
        };
        for round in 0..6 {
            rig.run(Duration::from_millis(2500), sweep);
            let commands = rig.machine.statistics().commands;
            rig.machine.port_lost(rig.now, &mut |event| rig.events.push(event));
            rig.out = WriteBuffer::default();
            // The board goes on; what it says is lost with the port.
            rig.board.advance(Duration::from_millis(300 + 170 * round));
            rig.board.transmit(&mut Vec::new());
            assert_eq!(rig.machine.statistics().commands, commands);
            rig.now = rig.now + Duration::from_millis(300 + 170 * round);
            rig.machine.port_opened(rig.now, &mut |event| rig.events.push(event));
        }
        rig.run(Duration::from_millis(1500), sweep);
        rig.idle(Duration::from_millis(100));
        let statistics = rig.machine.statistics();
        assert!(statistics.commands > 200 && statistics.commands <= statistics.feedback_lines);
        let lines = rig.board.take_lines();
        let joints: Vec<_> = lines.iter().filter(|line| line.bytes.starts_with(b"{\"T\":102,")).collect();
        assert!(joints.iter().all(|line| line.parsed && line.bytes.ends_with(b"}")));
        assert_eq!(joints.len(), rig.written.len());
        // One command a frame: the board is never more than two behind.
        assert_eq!((rig.board.lost_bytes(), statistics.queue_full), (0, 0));
        assert_eq!(rig.machine.connection(), 6);
    }
}

#[test]
fn torque_is_released_once_and_nothing_is_sent_after_it() {
    for generation in [Generation::G1, Generation::G3] {
        let mut rig = Rig::new(BoardOptions::new(generation));
        let mut goal = JointAngles::from(BoardOptions::BOOT_POSE);
        goal.set(Joint::Base, 0.2);
        rig.run(Duration::from_millis(1500), |_| Some(goal));
        let mut events = Vec::new();
        let mut release = |rig: &mut Rig| {
            rig.machine.release_torque(Parked::at_rest(), &mut rig.out, &mut |event| events.push(event))
        };
        assert_eq!(release(&mut rig), Err(TorqueRefused::Moving), "{generation}");
        rig.run(Duration::from_secs(2), |_| Some(goal));
        rig.idle(Duration::from_millis(100));
        let command = JointCommand {
            sequence: 999,
            tick: 0,
            goal,
            profile: crate::types::ServoProfile { speed_rad_s: 3.0, acceleration_rad_s2: 7.7 },
        };
        rig.machine.write_joints(&command).unwrap();
        assert_eq!(release(&mut rig), Err(TorqueRefused::InFlight));
        rig.machine.written(rig.now);
        assert_eq!(rig.board.torque(), [true; 6]);
        rig.idle(Duration::from_millis(100));
        assert_eq!(release(&mut rig), Ok(()));
        assert_eq!(events, [LinkEvent::TorqueReleased]);
        assert_eq!(rig.machine.state(), LinkState::TorqueReleased);
        // Commands, a pause of feedback and a reset of the board bring nothing more.
        rig.run(Duration::from_secs(12), |_| Some(goal));
        assert_eq!(rig.board.torque(), [false; 6], "{generation}");
        rig.board.advance(Duration::from_secs(2));
        rig.now = rig.now + Duration::from_secs(2);
        rig.run(Duration::from_secs(1), |_| Some(goal));
        assert!(rig.machine.write_joints(&command).is_err());
        rig.machine.take_over(&mut |_| panic!("there is nothing to hold"));
        let lines = rig.board.take_lines();
        assert_eq!(lines.last().unwrap().bytes, b"{\"T\":210,\"cmd\":0}", "{generation}");
        let releases = lines.iter().filter(|line| line.bytes.starts_with(b"{\"T\":210")).count();
        assert_eq!(releases, 1);
    }
}

#[test]
fn torque_stays_on_while_the_board_is_away() {
    let mut bench = Bench::ready();
    bench.lose_port();
    let refused = bench.machine.release_torque(Parked::at_rest(), &mut bench.out, &mut |_| {});
    assert_eq!(refused, Err(TorqueRefused::NotConnected));
    assert!(bench.out.is_empty());
}

/// A servo's angle garbled on the bus, in a line that is sound otherwise.
#[test]
fn a_garbled_encoder_on_the_board_is_passed_over() {
    let mut rig = Rig::new(BoardOptions::new(Generation::G1));
    rig.idle(Duration::from_millis(1500));
    let real = rig.board.encoder_steps();
    let shown = rig.samples.len();
    let mut garbled = real;
    garbled[FirmwareJoint::Base.index()] += 900;
    rig.board.set_encoder_steps(garbled);
    while rig.machine.statistics().implausible_frames == 0 {
        rig.idle(Duration::from_millis(1));
    }
    rig.board.set_encoder_steps(real);
    rig.idle(Duration::from_millis(500));
    let base = |sample: &crate::types::FeedbackSample| sample.angles.get(Joint::Base).abs();
    assert!(rig.samples[shown..].iter().all(|sample| base(sample) < 0.05), "{:?}", rig.events);
}

/// What may happen to a link.
#[derive(Clone, Debug)]
enum Happening {
    Frame,
    HalfFrame,
    Reset,
    Quiet(u64),
    PortLost,
    PortOpened,
    Offer,
    Written,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    /// Whatever happens in whatever order: connections only grow, no report is of an earlier one, no command is begun without
    /// a frame since the last, and only whole known lines go out.
    #[test]
    fn no_order_of_events_mixes_connections(
        happenings in prop::collection::vec(prop_oneof![
            40 => Just(Happening::Frame),
            1 => Just(Happening::HalfFrame),
            1 => Just(Happening::Reset),
            2 => (1_u64..1500).prop_map(Happening::Quiet),
            1 => Just(Happening::PortLost),
            3 => Just(Happening::PortOpened),
            20 => Just(Happening::Offer),
            15 => Just(Happening::Written),
        ], 50..400),
    ) {
        let options = LinkOptions { still_time: Duration::from_millis(100), ..LinkOptions::default() };
        let mut bench = Bench::new(options);
        let (mut sequence, mut begun, mut connection) = (0, None, 0);
        let mut frame_since = false;
        for happening in happenings {
            match happening {
                Happening::Frame => {
                    bench.feed(&home());
                    frame_since = true;
                    bench.wait(FRAME_PERIOD);
                }
                Happening::HalfFrame => bench.feed(&home()[..70]),
                Happening::Reset => bench.feed(b"\nrst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n"),
                Happening::Quiet(millis) => bench.wait(Duration::from_millis(millis)),
                Happening::PortLost => {
                    bench.lose_port();
                    begun = None;
                    frame_since = false;
                }
                Happening::PortOpened => bench.open_port(),
                Happening::Offer => {
                    let status = bench.machine.status();
                    if let Ok(line) = bench.machine.write_joints(&command(sequence)) {
                        prop_assert!(status.ready && status.connected && frame_since && begun.is_none());
                        let whole = line.starts_with(b"{\"T\":102,") && line.ends_with(b"}\n");
                        prop_assert!(whole);
                        begun = Some((sequence, bench.machine.connection()));
                        sequence += 1;
                        frame_since = false;
                    } else {
                        prop_assert!(!status.ready);
                    }
                }
                Happening::Written => {
                    let report = bench.machine.written(bench.now);
                    let expected = begun.take().filter(|(_, of)| *of == bench.machine.connection());
                    prop_assert_eq!(report.map(|report| report.command.sequence), expected.map(|(number, _)| number));
                }
            }
            prop_assert!(bench.machine.connection() >= connection);
            connection = bench.machine.connection();
        }
        prop_assert_eq!(bench.handshakes() * HANDSHAKE.len(), bench.sent.len());
    }
}

/// An arm that moves under somebody else's command: the credit alone does not let it fall.
#[test]
fn torque_stays_on_while_the_arm_moves_though_nothing_is_on_its_way() {
    let mut bench = Bench::ready();
    let mut angles = FirmwareAngles::HOME;
    for _ in 0..10 {
        angles.base_rad += 0.05;
        bench.feed(&frame(angles, Tail::Keys16));
        bench.wait(FRAME_PERIOD);
    }
    assert!(bench.machine.ready(), "it would take a command");
    let refused = bench.machine.release_torque(Parked::at_rest(), &mut bench.out, &mut |_| {});
    assert_eq!(refused, Err(TorqueRefused::Moving));
    assert!(bench.out.is_empty());
}

/// A goal was just written: the arm stands still as yet, and will not.
#[test]
fn torque_stays_on_while_the_board_has_not_answered_the_last_goal() {
    let mut bench = Bench::ready();
    bench.machine.write_joints(&command(0)).unwrap();
    assert!(bench.machine.written(bench.now).is_some());
    let refused = bench.machine.release_torque(Parked::at_rest(), &mut bench.out, &mut |_| {});
    assert_eq!(refused, Err(TorqueRefused::Moving));
    bench.feed(&home());
    assert_eq!(bench.machine.release_torque(Parked::at_rest(), &mut bench.out, &mut |_| {}), Ok(()));
}

/// What a board that fell silent has not read still fills its ring: handshakes leave room for it.
#[test]
fn handshakes_to_a_silent_board_leave_room_for_the_command_that_it_did_not_read() {
    let mut bench = Bench::ready();
    let before = bench.sent.len();
    let line = bench.machine.write_joints(&command(0)).unwrap().len();
    assert!(bench.machine.written(bench.now).is_some());
    for _ in 0..290 {
        bench.feed(b"noise\r\n");
        bench.wait(Duration::from_millis(100));
    }
    let waiting = line + bench.sent.len() - before;
    assert!(bench.sent.len() > before, "it is asked again");
    assert!(waiting < 256, "{waiting} bytes wait in the board's ring");
}

/// Behind another port nothing of this side waits to be read: it is asked as often as at the start.
#[test]
fn a_port_that_comes_back_is_asked_as_if_nothing_had_been_sent() {
    let mut bench = Bench::ready();
    bench.machine.write_joints(&command(0)).unwrap();
    assert!(bench.machine.written(bench.now).is_some());
    bench.lose_port();
    bench.open_port();
    let before = bench.handshakes();
    for _ in 0..290 {
        bench.feed(b"booting\r\n");
        bench.wait(Duration::from_millis(100));
    }
    assert!(bench.handshakes() - before >= 5, "{} handshakes", bench.handshakes() - before);
}

/// Frames of a dead bus between good ones are a loose contact, not a dead bus.
#[test]
fn dead_frames_that_do_not_follow_each_other_are_no_dead_bus() {
    let mut bench = Bench::ready();
    for _ in 0..5 {
        bench.feed(&frame(NEVER_READ, Tail::Keys16));
        bench.wait(FRAME_PERIOD);
        bench.feed(&home());
        bench.wait(FRAME_PERIOD);
    }
    assert!(bench.machine.ready(), "{:?}", bench.news());
}

/// What was found out about one board says nothing about the next.
#[test]
fn a_warning_is_said_again_on_a_new_connection() {
    let mut bench = Bench::usual();
    let low = frame(FirmwareAngles::HOME, Tail::Keys24 { torque: 1, supply: 0 });
    bench.stream(&low, Duration::from_millis(1500));
    bench.lose_port();
    bench.open_port();
    bench.stream(&low, Duration::from_millis(1500));
    let said = bench.news().iter().filter(|event| matches!(event, LinkEvent::LowSupply)).count();
    assert_eq!(said, 2, "{:?}", bench.news());
}

/// Goals of before do not make the feedback of a new connection frozen: the arm never got them, or went elsewhere.
#[test]
fn goals_of_an_old_connection_do_not_make_a_still_arm_frozen() {
    let mut bench = Bench::ready();
    for sequence in 0..5 {
        let mut away = command(sequence);
        away.goal.set(Joint::Base, 0.05 * (sequence + 1) as f64);
        bench.machine.write_joints(&away).unwrap();
        bench.machine.written(bench.now).unwrap();
        bench.stream(&home(), FRAME_PERIOD);
    }
    bench.lose_port();
    bench.open_port();
    bench.stream(&home(), Duration::from_secs(3));
    assert!(bench.machine.ready() && !bench.machine.feedback_is_frozen(), "{:?}", bench.news());
    assert_eq!(bench.machine.statistics().frozen_feedback, 0);
}
