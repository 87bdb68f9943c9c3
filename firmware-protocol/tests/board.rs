//! The virtual board in virtual time: rates, delays, losses, and what each generation does with a stop.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::time::Duration;

use firmware_protocol::emulator::{Board, BoardOptions, Contact, TorqueReturn};
use firmware_protocol::{
    BusFault, Command, Feedback, FeedbackMode, FeedbackShape, FirmwareAngles, Generation, GoalAngles, Joint,
    Line, LineSplitter, ServoAcceleration, ServoSpeed, limits, parse_line,
};
use proptest::prelude::*;

const MS: Duration = Duration::from_millis(1);

fn running(generation: Generation) -> Board {
    Board::new(BoardOptions { keep_lines: true, ..BoardOptions::new(generation) })
}

fn send(board: &mut Board, command: Command) {
    board.receive(command.encode(&mut [0; Command::MAX_BYTES]));
}

fn joints(angles: FirmwareAngles, speed: u16, acceleration: u8) -> Command {
    Command::Joints {
        goal: GoalAngles::new(angles).unwrap(),
        speed: ServoSpeed::new(speed).unwrap(),
        acceleration: ServoAcceleration::new(acceleration).unwrap(),
    }
}

fn bytes(board: &mut Board, duration: Duration) -> Vec<u8> {
    board.advance(duration);
    let mut out = Vec::new();
    board.transmit(&mut out);
    out
}

fn frames(bytes: &[u8]) -> Vec<Feedback> {
    let (mut lines, mut frames) = (LineSplitter::<512>::new(), Vec::new());
    lines.push(bytes, |line| {
        if let Line::Feedback(feedback) = parse_line(line) {
            frames.push(feedback);
        }
    });
    frames
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn g1_streams_at_the_measured_rate() {
    let mut board = running(Generation::G1);
    board.set_loads(Some([0, -33, 0, 40, 0, 0, 0]));
    let pose = FirmwareAngles::from_array([-0.4, 0.1, 1.47, 0.0, -0.7, 3.1]);
    send(&mut board, joints(pose, 3000, 200));
    bytes(&mut board, 3000 * MS);
    let out = bytes(&mut board, 10_000 * MS);
    let rate = frames(&out).len() as f64 / 10.0;
    let length = out.len() as f64 / (rate * 10.0);
    // The measurement was 56.2 Hz of 204 bytes; this pose's frame is a little longer or shorter.
    assert!((195.0..=220.0).contains(&length), "{length}");
    let rate_of_204 = rate * length / 204.0;
    assert!((rate_of_204 - 56.2).abs() <= 1.0, "{rate} Hz of {length} bytes");
    assert!(out.len() as f64 / 115_200.0 > 0.985, "the wire is full: {} bytes", out.len());
    let frame = frames(&out)[0];
    assert_eq!(frame.shape(), FeedbackShape::Keys16);
    assert!(frame.agrees_with_kinematics(1e-5) && frame.bus_fault().is_none());
}

#[test]
fn g3_streams_24_keys_at_36_hz_when_told() {
    let mut board = running(Generation::G3);
    assert!(frames(&bytes(&mut board, 500 * MS)).is_empty(), "mode 1 after boot");
    send(&mut board, Command::SetFeedbackMode(FeedbackMode::Stream));
    send(&mut board, joints(FirmwareAngles::from_array([0.4, 0.3, 1.2, -0.35, 0.7, 2.2]), 3000, 200));
    board.set_loads(Some([21, -133, 0, 104, -12, 5, 16]));
    bytes(&mut board, 3000 * MS);
    let out = bytes(&mut board, 10_000 * MS);
    let frames = frames(&out);
    let rate = frames.len() as f64 / 10.0;
    assert!((rate - 36.0).abs() <= 1.5, "{rate} Hz of {} bytes", out.len() / frames.len());
    assert_eq!(frames[0].shape(), FeedbackShape::Keys24);
    assert_eq!(frames[0].supply_volt, Some(12.1));
}

#[test]
fn a_poll_costs_the_scan_and_the_wire() {
    let mut board = running(Generation::G1);
    send(&mut board, Command::SetFeedbackMode(FeedbackMode::Quiet));
    bytes(&mut board, 200 * MS);
    send(&mut board, Command::ReadFeedback);
    // 0.9 ms in, up to a pass of waiting, 9 ms of scan, 17 ms out.
    let early = bytes(&mut board, 24 * MS);
    assert!(frames(&early).is_empty());
    let late = bytes(&mut board, 15 * MS);
    assert_eq!(frames(&[early, late].concat()).len(), 1);
    assert!(bytes(&mut board, 500 * MS).is_empty());
}

#[test]
fn a_trapezoid_takes_its_time_and_ends_on_the_goal() {
    let mut board = running(Generation::G1);
    let goal = FirmwareAngles { base_rad: 1.0, ..BoardOptions::BOOT_POSE };
    // 652 steps at 652 steps/s with ramps of 1000 steps/s²: 0.652 s to speed, which takes 213 steps at each end.
    send(&mut board, joints(goal, 652, 10));
    bytes(&mut board, 30 * MS);
    let start = board.angles().base_rad;
    bytes(&mut board, 826 * MS);
    let middle = board.angles().base_rad;
    assert!((middle - start - 0.5).abs() < 0.06, "half way after half of the time: {middle}");
    bytes(&mut board, 830 * MS);
    let near_end = board.angles().base_rad;
    assert!((near_end - 1.0).abs() < 0.01, "{near_end}");
    bytes(&mut board, 500 * MS);
    let end = board.angles().base_rad;
    // One step of bias and the dead zone.
    assert!((end - 1.0).abs() < 0.005, "{end}");
    let reported = frames(&bytes(&mut board, 50 * MS)).pop().unwrap().angles.base_rad;
    assert!((reported - end).abs() < 0.001);
}

#[test]
fn speed_is_limited_by_the_command_and_by_the_servo() {
    for (speed, expected) in [(200, 200.0), (60_000, 3070.0)] {
        let mut board = running(Generation::G1);
        send(&mut board, joints(FirmwareAngles { base_rad: -3.0, ..BoardOptions::BOOT_POSE }, speed, 254));
        bytes(&mut board, 200 * MS);
        let before = board.angles().base_rad;
        bytes(&mut board, 200 * MS);
        let steps_per_s = (before - board.angles().base_rad) / firmware_protocol::steps::STEP_RAD / 0.2;
        assert!((steps_per_s - expected).abs() < expected * 0.02, "{steps_per_s}");
    }
}

#[test]
fn missing_fields_are_zero_and_a_missing_code_drops_the_arm_on_g1() {
    let mut board = running(Generation::G1);
    board.receive(b"{\"T\":102,\"base\":0.5}\n");
    bytes(&mut board, 3000 * MS);
    let angles = board.angles();
    assert!((angles.base_rad - 0.5).abs() < 0.01 && angles.elbow_rad.abs() < 0.02 && angles.hand_rad < 1.08);

    send(&mut board, joints(BoardOptions::BOOT_POSE, 3000, 200));
    bytes(&mut board, 3000 * MS);
    let held = board.angles();
    board.receive(b"{}\n");
    bytes(&mut board, 5000 * MS);
    assert_eq!(board.torque(), [false; 6]);
    let fallen = board.angles();
    assert!(
        fallen.elbow_rad - held.elbow_rad > 0.3 || fallen.shoulder_rad - held.shoulder_rad > 0.3,
        "{fallen:?}"
    );
    assert!(!board.is_listening());
    bytes(&mut board, 5100 * MS);
    assert_eq!(board.torque(), [true; 6]);
    assert!(board.is_listening());
    let caught = board.angles();
    bytes(&mut board, 500 * MS);
    assert!((board.angles().elbow_rad - caught.elbow_rad).abs() < 0.02, "it holds where it is by default");
}

#[test]
fn torque_may_return_to_the_old_goal() {
    let mut options = BoardOptions::new(Generation::G1);
    options.servos.torque_return = TorqueReturn::OldGoal;
    let mut board = Board::new(options);
    board.receive(b"{\"T\":0}\n");
    bytes(&mut board, 12_000 * MS);
    let goal = board.goal();
    assert!((goal.elbow_rad - BoardOptions::BOOT_POSE.elbow_rad).abs() < 0.01);
    assert!((board.angles().elbow_rad - goal.elbow_rad).abs() < 0.02);
}

#[test]
fn the_ring_of_g1_loses_bytes_while_the_board_is_deaf() {
    let mut board = running(Generation::G1);
    board.receive(b"{\"T\":111,\"cmd\":500}\n");
    for _ in 0..4 {
        send(&mut board, joints(BoardOptions::BOOT_POSE, 100, 10));
    }
    bytes(&mut board, 600 * MS);
    assert!(board.lost_bytes() > 100, "{}", board.lost_bytes());
    let lines = board.take_lines();
    assert!(lines.len() < 5 && lines[0].bytes == b"{\"T\":111,\"cmd\":500}");
    let mut listening = running(Generation::G1);
    for _ in 0..50 {
        send(&mut listening, joints(BoardOptions::BOOT_POSE, 100, 10));
        bytes(&mut listening, 20 * MS);
    }
    bytes(&mut listening, 40 * MS);
    assert_eq!((listening.lost_bytes(), listening.lines_received()), (0, 50));
    assert!(listening.take_lines().iter().all(|line| line.parsed));
}

#[test]
fn g3_queues_fifty_and_then_says_so() {
    let mut board = running(Generation::G3);
    for _ in 0..120 {
        // As the mode after boot is, so that nothing else is printed.
        board.receive(b"{\"T\":605,\"cmd\":1 }\n");
    }
    let out = text(&bytes(&mut board, 210 * MS));
    // 120 lines arrive in 198 ms, and the loop takes one every 10.5 ms.
    assert!(out.contains("{\"error\":\"Queue full\"}\r\n"), "{out}");
    bytes(&mut board, 2000 * MS);
    let executed = board.take_lines().iter().filter(|line| line.parsed).count();
    assert!((65..=75).contains(&executed), "{executed}");
    assert_eq!(board.lost_bytes(), 0);
}

#[test]
fn g3_stops_by_text_without_losing_torque() {
    let mut board = running(Generation::G3);
    for _ in 0..20 {
        send(&mut board, joints(FirmwareAngles { base_rad: 2.0, ..BoardOptions::BOOT_POSE }, 100, 10));
    }
    board.receive(b"{\"T\":0}\n");
    bytes(&mut board, 2000 * MS);
    let lines = board.take_lines();
    assert_eq!(lines.iter().filter(|line| line.bytes == b"{\"T\":0}").count(), 1);
    assert!(lines.len() < 21, "the queue was flushed: {}", lines.len());
    assert_eq!(board.torque(), [true; 6]);
    board.receive(b"{\"T\":210,\"cmd\":0}\n");
    bytes(&mut board, 6000 * MS);
    assert_eq!(board.torque(), [false; 6]);
}

#[test]
fn boot_talks_homes_and_then_streams() {
    let start = FirmwareAngles::from_array([1.0, 0.6, 0.9, 0.3, -0.5, 2.0]);
    let options = BoardOptions { boot: true, initial: start, ..BoardOptions::new(Generation::G1) };
    let mut board = Board::new(options);
    let early = bytes(&mut board, 3000 * MS);
    assert!(frames(&early).is_empty());
    assert!(text(&early).contains("rst:0x1") && text(&early).contains("All bus servos status checked.\r\n"));
    let late = bytes(&mut board, 7000 * MS);
    let words = text(&late);
    assert!(
        words.contains("Server Starts.\r\n24:6F:28:12:34:56\r\n---=== File Content ===---\r\n"),
        "{words}"
    );
    assert!(frames(&late).len() > 50);
    let home = board.angles();
    assert!(
        (home.base_rad).abs() < 0.01
            && (home.elbow_rad - FirmwareAngles::HOME.elbow_rad).abs() < 0.05
            && home.shoulder_rad.abs() < 0.05
    );
    board.receive(b"{\"T\":600}\n");
    let again = bytes(&mut board, 300 * MS);
    assert!(text(&again).contains("rst:0x1"));
}

#[test]
fn a_board_without_servo_power_shows_the_signature_slowly() {
    for boot in [true, false] {
        let mut options = BoardOptions { boot, ..BoardOptions::new(Generation::G1) };
        options.servos.dead = [true; 7];
        let mut board = Board::new(options);
        let out = bytes(&mut board, 12_000 * MS);
        let frames = frames(&out);
        assert!((1..=20).contains(&frames.len()), "{}", frames.len());
        assert_eq!(frames[0].bus_fault(), Some(BusFault::NeverRead));
        assert_eq!(text(&out).contains("Bus servos status check: failed."), boot);
    }
    let mut g3 = running(Generation::G3);
    g3.set_supply_volt(4.8);
    g3.set_dead([true; 7]);
    g3.receive(b"{\"T\":105}\n");
    let out = bytes(&mut g3, 3000 * MS);
    assert_eq!(frames(&out)[0].bus_fault(), Some(BusFault::LowSupply));
    assert!(
        text(&out).contains("Servo ID:15 status: failed.\r\n")
            && text(&out).contains("Low operating voltage")
    );
}

#[test]
fn a_hand_on_an_object_stalls_and_pushes() {
    let mut board = running(Generation::G1);
    send(&mut board, joints(FirmwareAngles { hand_rad: 2.0, ..BoardOptions::BOOT_POSE }, 1000, 50));
    bytes(&mut board, 2000 * MS);
    board.set_contact(Joint::Hand, Some(Contact::Above(2.6)));
    send(&mut board, joints(BoardOptions::BOOT_POSE, 1000, 50));
    bytes(&mut board, 2000 * MS);
    assert!((board.angles().hand_rad - 2.6).abs() < 1e-9);
    // The hand's load is only sent by builds with ArduinoJson 7.
    board.set_contact(Joint::Hand, None);
    bytes(&mut board, 100 * MS);
    assert!((board.angles().hand_rad - BoardOptions::BOOT_POSE.hand_rad).abs() < 0.01);
    board.set_contact(Joint::Base, Some(Contact::Below(-0.2)));
    send(&mut board, joints(FirmwareAngles { base_rad: -1.0, ..BoardOptions::BOOT_POSE }, 1000, 50));
    let frame = frames(&bytes(&mut board, 2000 * MS)).pop().unwrap();
    assert!((board.angles().base_rad + 0.2).abs() < 1e-9);
    assert_eq!(frame.loads[0], Some(1000));
}

#[test]
fn sag_and_dead_zone_are_as_large_as_the_options_say() {
    let mut options = BoardOptions::new(Generation::G1);
    (options.servos.sag_deg, options.servos.dead_zone_deg) = (3.0, 0.0);
    let mut board = Board::new(options);
    // Stretched out level: shoulder forward, elbow and wrist straight.
    let level = FirmwareAngles { shoulder_rad: 1.5, elbow_rad: 0.0707, ..BoardOptions::BOOT_POSE };
    send(&mut board, joints(level, 2000, 100));
    bytes(&mut board, 3000 * MS);
    let sag_deg = (board.angles().shoulder_rad - board.goal().shoulder_rad).to_degrees();
    assert!((2.7..=3.0).contains(&sag_deg), "{sag_deg}");
}

#[test]
fn feedback_is_measured_before_it_is_sent() {
    let mut board = running(Generation::G1);
    send(&mut board, joints(FirmwareAngles { base_rad: 3.0, ..BoardOptions::BOOT_POSE }, 652, 254));
    bytes(&mut board, 1000 * MS);
    // At 1 rad/s an age of A shows as A radians; scan and wire make 20-45 ms of it.
    for _ in 0..20 {
        let frames = frames(&bytes(&mut board, 36 * MS));
        let newest = frames.last().unwrap();
        let age_s = board.angles().base_rad - newest.angles.base_rad;
        assert!((0.015..0.06).contains(&age_s), "{age_s}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// How time is cut into calls makes no difference to a single byte.
    #[test]
    fn time_may_be_cut_anyhow(cuts in prop::collection::vec(1_u64..40_000, 1..40), g3: bool) {
        let generation = if g3 { Generation::G3 } else { Generation::G1 };
        let prepare = || {
            let mut board = running(generation);
            send(&mut board, Command::SetFeedbackMode(FeedbackMode::Stream));
            send(&mut board, joints(FirmwareAngles { base_rad: 1.0, ..BoardOptions::BOOT_POSE }, 500, 20));
            board
        };
        let (mut whole, mut cut) = (prepare(), prepare());
        let mut pieces = Vec::new();
        for &micros in &cuts {
            pieces.extend(bytes(&mut cut, Duration::from_micros(micros)));
        }
        prop_assert_eq!(bytes(&mut whole, Duration::from_micros(cuts.iter().sum())), pieces);
        prop_assert_eq!(whole.angles(), cut.angles());
    }

    /// No bytes make the board panic or stop its loop for good, short of commands that block.
    #[test]
    fn any_bytes_are_survived(garbage in prop::collection::vec(any::<u8>(), 0..300), g3: bool) {
        let mut board = running(if g3 { Generation::G3 } else { Generation::G1 });
        board.receive(&garbage);
        board.receive(b"\n");
        bytes(&mut board, 15_000 * MS);
        board.receive(b"{\"T\":605,\"cmd\":2}\n");
        prop_assert!(!frames(&bytes(&mut board, 500 * MS)).is_empty());
    }

    /// encode -> board: every goal inside the generation's limits arrives as commanded and is executed.
    #[test]
    fn goals_inside_the_limits_are_reached(
        parts in prop::array::uniform6(0.0..=1.0_f64), which in 0..3_usize, speed in 1_u16..5000, acceleration in 1..=254_u8,
    ) {
        let generation = Generation::ALL[which];
        let ranges = limits::ranges(generation);
        let angles = Joint::ALL.map(|joint| {
            let range = ranges[joint.index()];
            range.min_rad + parts[joint.index()] * (range.max_rad - range.min_rad)
        });
        let mut options = BoardOptions { keep_lines: true, ..BoardOptions::new(generation) };
        options.servos.instant = true;
        let mut board = Board::new(options);
        send(&mut board, joints(FirmwareAngles::from_array(angles), speed, acceleration));
        bytes(&mut board, 100 * MS);
        let lines = board.take_lines();
        prop_assert_eq!(lines.len(), 1);
        prop_assert!(lines[0].parsed);
        for (reached, wanted) in board.angles().to_array().into_iter().zip(angles) {
            // Half a step of rounding, one of bias.
            prop_assert!((reached - wanted).abs() < 1.6 * firmware_protocol::steps::STEP_RAD);
        }
    }
}
