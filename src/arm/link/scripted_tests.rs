//! The machine against scripted bytes, and against bytes that a real board sent.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::time::Duration;

use firmware_protocol::{FirmwareAngles, Generation};
use proptest::prelude::*;

use super::test_bench::{Bench, FRAME_PERIOD, HANDSHAKE, NEVER_READ, Tail, command, frame, home};
use super::*;
use crate::types::JointAngles;

#[test]
fn a_silent_port_is_given_up_after_3_s_and_says_why() {
    let mut bench = Bench::usual();
    bench.wait(Duration::from_millis(2990));
    assert_eq!(bench.news(), []);
    bench.wait(Duration::from_millis(30));
    assert_eq!(bench.news(), [LinkEvent::Fault(LinkFault::NoBytes)]);
    let message = LinkFault::NoBytes.to_string();
    assert!(["LADAR", "12 V", "homing"].iter().all(|cause| message.contains(cause)));
    // Final: a late byte brings nothing back.
    bench.stream(&home(), Duration::from_secs(3));
    assert_eq!(bench.news().len(), 1);
    assert!(!bench.machine.ready());
}

#[test]
fn noise_alone_is_a_booting_board_and_given_up_after_30_s() {
    let mut bench = Bench::usual();
    bench.stream(b"Servo ID:11 status: failed.\r\n", Duration::from_secs(29));
    assert_eq!(bench.news(), [LinkEvent::Booting]);
    bench.stream(b"{\"T\":50}\r\n", Duration::from_millis(1100));
    assert_eq!(bench.news(), [LinkEvent::Booting, LinkEvent::Fault(LinkFault::NoFeedback)]);
    assert!(bench.machine.statistics().noise_lines > 1000);
}

#[test]
fn a_board_that_boots_and_then_streams_becomes_ready() {
    let mut bench = Bench::usual();
    let boot = include_bytes!("../../../firmware-protocol/tests/data/wire/g3_boot_no_12v.log");
    for part in boot.chunks(100) {
        bench.feed(part);
        bench.wait(Duration::from_millis(9));
    }
    // Longer than the time-out of a port that never spoke: the arm homes.
    bench.wait(Duration::from_secs(8));
    bench.stream(
        &frame(FirmwareAngles::HOME, Tail::Keys24 { torque: 1, supply: 1211 }),
        Duration::from_millis(1200),
    );
    let ready = LinkEvent::Ready { generation: Generation::G3 };
    assert_eq!(bench.news(), [LinkEvent::InitFailed, LinkEvent::Booting, ready]);
}

#[test]
fn handshake_bytes_are_whole_lines_and_never_overfill_the_boards_ring() {
    let mut bench = Bench::usual();
    bench.stream(b"booting\r\n", Duration::from_secs(29));
    assert!(bench.sent.len() < 256, "{} bytes wait in the board's ring", bench.sent.len());
    assert!(bench.handshakes() >= 5, "a board that lost the first ones is asked again");
    assert_eq!(
        bench.handshakes() * HANDSHAKE.len(),
        bench.sent.len(),
        "nothing else is sent before the board is ready"
    );
}

#[test]
fn generations_are_told_by_their_keys() {
    let g3 = Tail::Keys24 { torque: 1, supply: 1190 };
    for (tail, told, seen) in [
        (Tail::Keys16, None, Generation::G1),
        (Tail::Keys17, None, Generation::G1),
        (g3, None, Generation::G3),
        (Tail::Keys16, Some(Generation::G1b), Generation::G1b),
        (g3, Some(Generation::G3), Generation::G3),
    ] {
        let mut bench = Bench::new(LinkOptions { generation: told, ..LinkOptions::default() });
        bench.stream(&frame(FirmwareAngles::HOME, tail), Duration::from_millis(1200));
        assert_eq!(bench.news(), [LinkEvent::Ready { generation: seen }]);
        assert_eq!(bench.machine.generation(), Some(seen));
    }
}

#[test]
fn a_configured_generation_that_is_not_on_the_wire_is_refused() {
    for (told, tail) in
        [(Generation::G1, Tail::Keys24 { torque: 1, supply: 1190 }), (Generation::G3, Tail::Keys16)]
    {
        let mut bench = Bench::new(LinkOptions { generation: Some(told), ..LinkOptions::default() });
        bench.stream(&frame(FirmwareAngles::HOME, tail), Duration::from_secs(1));
        assert_eq!(bench.news(), [LinkEvent::Fault(LinkFault::WrongGeneration)]);
    }
}

#[test]
fn a_dead_bus_is_an_error_and_its_pose_is_never_shown() {
    let mut bench = Bench::usual();
    // The exact text of the reference (firmware.md §11 no. 15), at the 0.6 s a scan of six dead servos takes.
    let line = b"{\"T\":1051,\"x\":57.18,\"y\":-7.002530398e-15,\"z\":-223.13,\"tit\":-9.424777961,\"b\":3.141592654,\
        \"s\":-3.141592654,\"e\":-1.570796327,\"t\":-3.141592654,\"r\":3.141592654,\"g\":0,\"tB\":0,\"tS\":0,\"tE\":0,\
        \"tT\":0,\"tR\":0}\r\n";
    for _ in 0..3 {
        bench.feed(line);
        bench.wait(Duration::from_millis(610));
    }
    assert_eq!(bench.samples(), []);
    assert_eq!(*bench.news().last().unwrap(), LinkEvent::Fault(LinkFault::DeadBus));
}

#[test]
fn the_dead_bus_that_a_real_g3_board_streamed_is_an_error() {
    let mut bench = Bench::usual();
    let log = include_bytes!("../../../firmware-protocol/tests/data/wire/g3_dead_bus_feedback.log");
    assert_eq!(log.windows(9).filter(|window| window == b"\"T\":1051,").count(), 1);
    for part in log.chunks(64).chain(log.chunks(100)) {
        bench.feed(part);
        bench.wait(Duration::from_millis(6));
    }
    assert_eq!(*bench.news().last().unwrap(), LinkEvent::Fault(LinkFault::DeadBus));
    assert_eq!(bench.samples(), []);
}

#[test]
fn a_bus_that_dies_while_ready_is_an_error() {
    let mut bench = Bench::ready();
    bench.feed(&frame(NEVER_READ, Tail::Keys16));
    assert!(bench.machine.ready(), "one frame is no proof");
    bench.feed(&frame(NEVER_READ, Tail::Keys16));
    assert_eq!(*bench.news().last().unwrap(), LinkEvent::Fault(LinkFault::DeadBus));
    assert!(!bench.machine.ready());
}

#[test]
fn a_broken_supply_meter_and_limp_servos_are_warnings_said_once() {
    let mut bench = Bench::usual();
    bench.stream(
        &frame(FirmwareAngles::HOME, Tail::Keys24 { torque: 1, supply: 0 }),
        Duration::from_millis(1200),
    );
    assert_eq!(bench.news(), [LinkEvent::LowSupply, LinkEvent::Ready { generation: Generation::G3 }]);
    let limp = frame(FirmwareAngles::HOME, Tail::Keys24 { torque: 0, supply: 1200 });
    let held = frame(FirmwareAngles::HOME, Tail::Keys24 { torque: 1, supply: 1200 });
    for line in [&limp, &limp, &held, &limp] {
        bench.feed(line);
    }
    assert_eq!(bench.news()[2..], [LinkEvent::TorqueOff, LinkEvent::TorqueOff]);
}

#[test]
fn an_arm_that_moves_is_waited_for() {
    let mut bench = Bench::usual();
    for step in 0..150 {
        let moving = FirmwareAngles { base_rad: f64::from(step) * 0.01, ..FirmwareAngles::HOME };
        bench.feed(&frame(moving, Tail::Keys16));
        bench.wait(FRAME_PERIOD);
    }
    assert_eq!(bench.news(), [LinkEvent::WaitingForStillness]);
    assert!(!bench.machine.ready());
    bench.stream(&home(), Duration::from_millis(900));
    assert!(!bench.machine.ready(), "still for less than 1 s");
    bench.stream(&home(), Duration::from_millis(200));
    assert!(bench.machine.ready());
}

#[test]
fn an_arm_that_never_rests_is_given_up() {
    let mut bench = Bench::usual();
    for step in 0..1600 {
        let moving = FirmwareAngles { base_rad: f64::from(step) * 0.001, ..FirmwareAngles::HOME };
        bench.feed(&frame(moving, Tail::Keys16));
        bench.wait(FRAME_PERIOD);
    }
    assert_eq!(*bench.news().last().unwrap(), LinkEvent::Fault(LinkFault::NeverStill));
}

#[test]
fn one_command_a_frame_and_none_while_one_is_in_flight() {
    let mut bench = Bench::ready();
    assert!(bench.machine.write_joints(&command(0)).is_ok());
    assert_eq!(bench.machine.write_joints(&command(1)), Err(CommandRefused::NotReady));
    bench.feed(&home());
    assert!(!bench.machine.ready(), "the first is still in flight");
    let report = bench.machine.written(bench.now).unwrap();
    assert_eq!((report.command.sequence, report.written), (0, bench.now));
    assert_eq!(bench.machine.written(bench.now), None, "reported once");
    assert!(bench.machine.write_joints(&command(1)).is_ok());
    bench.machine.written(bench.now).unwrap();
    assert!(!bench.machine.ready(), "no frame since");
    // Three frames in one read are one credit.
    bench.feed(&[home(), home(), home()].concat());
    assert!(bench.machine.write_joints(&command(2)).is_ok());
    bench.machine.written(bench.now).unwrap();
    assert!(!bench.machine.ready());
}

#[test]
fn a_command_is_one_whole_line_with_every_field() {
    let mut bench = Bench::ready();
    let line = bench.machine.write_joints(&command(0)).unwrap();
    assert_eq!(
        std::str::from_utf8(line).unwrap(),
        "{\"T\":102,\"base\":0.0000,\"shoulder\":0.0000,\"elbow\":1.5708,\"wrist\":0.0000,\"roll\":0.0000,\"hand\":3.1416,\
         \"spd\":1956,\"acc\":50}\n"
    );
}

#[test]
fn a_goal_that_is_no_number_is_refused_and_takes_no_credit() {
    let mut bench = Bench::ready();
    let mut bad = command(0);
    bad.goal = JointAngles::from_array_rad([0.0, f64::NAN, 0.0, 0.0, 0.0, 0.0]);
    assert!(matches!(bench.machine.write_joints(&bad), Err(CommandRefused::Goal(_))));
    assert!(bench.machine.ready());
}

#[test]
fn lost_feedback_ends_readiness_and_is_won_back() {
    let mut bench = Bench::ready();
    let handshakes = bench.handshakes();
    bench.wait(Duration::from_millis(1100));
    assert_eq!(*bench.news().last().unwrap(), LinkEvent::FeedbackLost);
    assert!(!bench.machine.ready());
    assert!(bench.handshakes() > handshakes, "the board may have fallen back to its boot mode");
    bench.stream(&home(), Duration::from_millis(500));
    assert!(!bench.machine.ready(), "the arm must stand still again");
    bench.stream(&home(), Duration::from_millis(700));
    assert!(bench.machine.ready());
    assert_eq!(bench.machine.statistics().interruptions, 1);
}

#[test]
fn a_reset_of_the_board_ends_readiness_at_once() {
    let mut bench = Bench::ready();
    bench
        .feed(b"ets Jul 29 2019 12:21:46\r\n\r\nrst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n");
    assert_eq!(*bench.news().last().unwrap(), LinkEvent::BoardReset);
    assert!(!bench.machine.ready());
}

#[test]
fn a_spliced_frame_is_no_pose() {
    let mut bench = Bench::ready();
    let before = bench.samples().len();
    let text = String::from_utf8(home()).unwrap();
    bench.feed(text.replace("\"e\":1.570796327", "\"e\":1.070796327").as_bytes());
    bench.feed(&text.as_bytes()[..40]);
    bench.feed(text.as_bytes());
    assert_eq!(bench.samples().len(), before);
    assert!(bench.machine.statistics().invalid_feedback_lines >= 2);
}

#[test]
fn a_pose_is_as_old_as_its_line_and_what_came_behind() {
    let mut bench = Bench::usual();
    let line = home();
    bench.now = bench.now + Duration::from_secs(1);
    bench.feed(&[line.clone(), line.clone()].concat());
    let ages: Vec<Duration> = bench.samples().iter().map(|sample| bench.now.since(sample.measured)).collect();
    let wire = BYTE_TIME * line.len() as u32;
    assert_eq!(ages, [wire * 2, wire]);
}

/// A board may have been left without its ESP-NOW switched off: frames alone prove nothing.
#[test]
fn no_arm_is_ready_before_the_handshake_went_out() {
    let mut bench = Bench::usual();
    for _ in 0..100 {
        bench.feed(&home());
        bench.now = bench.now + FRAME_PERIOD;
    }
    assert!(!bench.machine.is_connected());
    bench.stream(&home(), FRAME_PERIOD * 2);
    assert!(bench.machine.is_connected() && bench.handshakes() == 1);
}

#[test]
fn a_single_frame_of_another_shape_decides_nothing() {
    let mut bench = Bench::usual();
    bench.stream(&home(), Duration::from_millis(500));
    bench.feed(&frame(FirmwareAngles::HOME, Tail::Keys24 { torque: 1, supply: 1190 }));
    bench.stream(&home(), Duration::from_millis(1000));
    assert_eq!(bench.machine.generation(), Some(Generation::G1), "{:?}", bench.news());
    assert!(bench.machine.ready());
}

#[test]
fn a_handshake_waits_until_the_line_in_flight_is_complete() {
    let mut bench = Bench::ready();
    bench.machine.write_joints(&command(0)).unwrap();
    bench.feed(b"\nrst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n");
    let handshakes = bench.handshakes();
    bench.wait(Duration::from_millis(500));
    assert_eq!(bench.handshakes(), handshakes, "it would be spliced into the line");
    bench.machine.written(bench.now);
    bench.wait(Duration::from_millis(50));
    assert_eq!(bench.handshakes(), handshakes + 1);
}

/// Lines that a busy machine hands on in lumps: what was measured later is never stamped earlier.
#[test]
fn stamps_never_run_backwards() {
    let mut bench = Bench::usual();
    bench.now = bench.now + Duration::from_secs(1);
    let line = home();
    for lines in [1, 3, 1, 2, 5, 1] {
        bench.feed(&line.repeat(lines));
        bench.now = bench.now + Duration::from_millis(2);
    }
    let stamps: Vec<Timestamp> = bench.samples().iter().map(|sample| sample.measured).collect();
    assert_eq!(stamps.len(), 13);
    assert!(stamps.is_sorted(), "{stamps:?}");
}

#[test]
fn the_measured_pose_is_in_the_joint_frame() {
    let mut bench = Bench::usual();
    bench.feed(&frame(FirmwareAngles::from_array([0.1, -0.2, 1.3, 0.4, -0.5, 2.0]), Tail::Keys17));
    let expected = JointAngles::from_array_rad([0.1, -0.2, 1.3, 0.4, -0.5, std::f64::consts::PI - 2.0]);
    assert!(bench.samples()[0].angles.max_difference(&expected) < 1e-8);
}

#[test]
fn feedback_rate_is_measured() {
    let mut bench = Bench::usual();
    bench.stream(&home(), Duration::from_millis(2100));
    assert!((bench.machine.statistics().feedback_hz - 50.0).abs() < 0.1);
}

proptest! {
    /// Whatever arrives, in whatever pieces: no panic, only whole known lines go out, and never more commands than frames.
    #[test]
    fn any_bytes_give_whole_lines_and_no_more_commands_than_frames(
        parts in prop::collection::vec(prop_oneof![
            6 => Just(home()),
            1 => prop::collection::vec(any::<u8>(), 0..80),
            1 => Just(b"Servo ID:11 status: failed.\r\n".to_vec()),
            1 => Just(home()[..100].to_vec()),
            1 => Just(b"{\"error\":\"Queue full\"}\r\n".to_vec()),
        ], 0..200),
        waits_ms in prop::collection::vec(1_u64..60, 200),
    ) {
        let mut bench = Bench::new(LinkOptions { still_time: Duration::from_millis(100), ..LinkOptions::default() });
        let mut commands = 0;
        for (part, wait) in parts.iter().zip(waits_ms) {
            bench.feed(part);
            bench.wait(Duration::from_millis(wait));
            while bench.machine.ready() {
                let line = bench.machine.write_joints(&command(commands)).unwrap().to_vec();
                let whole = line.starts_with(b"{\"T\":102,") && line.ends_with(b"}\n");
                prop_assert!(whole);
                bench.machine.written(bench.now).unwrap();
                commands += 1;
            }
        }
        prop_assert!(commands <= bench.machine.statistics().feedback_lines);
        prop_assert_eq!(bench.handshakes() * HANDSHAKE.len(), bench.sent.len());
    }
}
