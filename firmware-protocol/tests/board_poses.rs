//! Moves of the virtual board that are given as poses, in virtual time: T:103, T:104, T:110, and the boot's homing.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::time::Duration;

use firmware_protocol::emulator::{Board, BoardOptions, ServoWrite};
use firmware_protocol::{FirmwareAngles, Generation, kinematics};
use proptest::prelude::*;

const MS: Duration = Duration::from_millis(1);

fn options(generation: Generation) -> BoardOptions {
    let mut options = BoardOptions { keep_writes: true, ..BoardOptions::new(generation) };
    (options.servos.sag_deg, options.servos.fall_rad_per_s) = (0.0, 0.0);
    options
}

fn quiet(generation: Generation) -> Board {
    let mut board = Board::new(options(generation));
    board.receive(b"{\"T\":605,\"cmd\":0}\n");
    board.advance(100 * MS);
    board.transmit(&mut Vec::new());
    board
}

fn text(board: &mut Board) -> String {
    let mut out = Vec::new();
    board.transmit(&mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// Runs until something holds; the time that took, to 1 ms.
fn until(board: &mut Board, limit: Duration, holds: impl Fn(&Board) -> bool) -> Option<Duration> {
    let start = board.now();
    while board.now() - start < limit {
        if holds(board) {
            return Some(board.now() - start);
        }
        board.advance(MS);
    }
    None
}

/// Sends a line and waits until its command has begun, and then until it is over.
fn execute(board: &mut Board, line: &str, limit: Duration) -> Option<Duration> {
    board.receive(line.as_bytes());
    board.receive(b"\n");
    until(board, 100 * MS, |board| !board.is_listening())?;
    until(board, limit, Board::is_listening)
}

#[test]
fn a_move_of_100_mm_at_the_usual_speed_blocks_for_more_than_a_second() {
    let mut board = quiet(Generation::G1);
    let took =
        execute(&mut board, r#"{"T":104,"x":246,"y":0,"z":223,"t":0,"r":0,"g":3.14,"spd":0.25}"#, 3000 * MS)
            .unwrap();
    let writes = board.take_writes();
    assert!((400..=404).contains(&writes.len()), "{}", writes.len());
    // 2 ms of pause, and bus and arithmetic.
    assert!((1100..=1200).contains(&took.as_millis()), "{took:?}");
    let all = writes.iter().all(|timed| matches!(timed.write, ServoWrite::All { .. }));
    assert!(all);
    board.advance(500 * MS);
    let [x, _, z] = kinematics::forward(board.goal()).position_mm;
    assert!((x - 246.0).abs() < 1.5 && (z - 223.0).abs() < 1.5, "{x} {z}");
}

#[test]
fn a_move_is_eased_at_both_ends() {
    let mut board = quiet(Generation::G1);
    execute(&mut board, r#"{"T":104,"x":246,"y":0,"z":223,"t":0,"r":0,"g":3.14,"spd":0.25}"#, 3000 * MS)
        .unwrap();
    let elbow = |place: usize, writes: &[firmware_protocol::emulator::TimedWrite]| match writes[place].write {
        ServoWrite::All { goals, .. } => goals[3],
        other => panic!("{other:?}"),
    };
    let writes = board.take_writes();
    let (start, middle) = (elbow(20, &writes) - elbow(0, &writes), elbow(210, &writes) - elbow(190, &writes));
    let end = elbow(400, &writes) - elbow(380, &writes);
    assert!(start.abs() * 5 < middle.abs() && end.abs() * 5 < middle.abs(), "{start} {middle} {end}");
}

#[test]
fn while_a_pose_is_moved_to_the_board_says_and_hears_nothing() {
    let mut board = Board::new(options(Generation::G1));
    board.advance(500 * MS);
    board.receive(b"{\"T\":104,\"x\":246,\"y\":0,\"z\":223,\"t\":0,\"r\":0,\"g\":3.14,\"spd\":0.25}\n");
    until(&mut board, 100 * MS, |board| !board.is_listening()).unwrap();
    board.advance(60 * MS);
    text(&mut board);
    let taken = board.lines_received();
    for _ in 0..6 {
        board.receive(b"{\"T\":101,\"joint\":1,\"rad\":0.5,\"spd\":500,\"acc\":20}\n");
    }
    board.advance(800 * MS);
    assert_eq!((text(&mut board).as_str(), board.lines_received()), ("", taken));
    assert!(board.lost_bytes() > 0, "the ring holds 256 bytes");
    board.advance(600 * MS);
    assert!(board.is_listening() && text(&mut board).contains("1051"));
}

#[test]
fn speed_zero_hangs_g1_until_it_is_reset() {
    for line in [
        r#"{"T":104,"x":246,"y":0,"z":223,"t":0,"r":0,"g":3.14}"#,
        r#"{"T":103,"axis":1,"pos":246,"spd":0}"#,
        r#"{"T":104,"x":246,"y":0,"z":223,"t":0,"r":0,"g":3.14,"spd":-0.25}"#,
    ] {
        let mut board = quiet(Generation::G1);
        assert!(!board.is_hung());
        assert_eq!(execute(&mut board, line, 60_000 * MS), None, "{line}");
        assert!(board.is_hung());
        board.receive(b"{\"T\":0}\n{\"T\":600}\n");
        board.advance(5000 * MS);
        assert!(board.is_hung() && board.restarts() == 0 && text(&mut board).is_empty());
    }
}

#[test]
fn without_a_way_to_go_no_speed_hangs() {
    // The roll is where it was last commanded to by pose, and the hand is no part of the way.
    let mut board = quiet(Generation::G1);
    execute(&mut board, r#"{"T":103,"axis":6,"pos":2.5,"spd":0}"#, 1000 * MS).unwrap();
    assert!(!board.is_hung() && board.is_listening());
    assert_eq!(board.take_writes().len(), 2);
    board.advance(1000 * MS);
    assert!((board.angles().hand_rad - 2.5).abs() < 0.01);
}

#[test]
fn g3_refuses_speed_zero_and_loops_on_a_negative_one_until_it_is_stopped() {
    let pose = r#"{"T":104,"x":246,"y":0,"z":223,"t":0,"r":0,"g":3.14,"spd":"#;
    let mut board = quiet(Generation::G3);
    board.receive(format!("{pose}0}}\n{{\"T\":103,\"axis\":1,\"pos\":246}}\n").as_bytes());
    board.advance(500 * MS);
    assert!(board.is_listening() && board.take_writes().is_empty());

    assert_eq!(execute(&mut board, &format!("{pose}-0.25}}"), 20_000 * MS), None);
    assert!(board.is_hung() && board.take_writes().len() > 5000);
    board.receive(b"{\"T\":0}\n");
    board.advance(20 * MS);
    assert!(!board.is_hung() && board.is_listening());
    board.take_writes();

    // The flag ends every later move by pose at once, and nothing else.
    board.receive(format!("{pose}0.25}}\n{{\"T\":103,\"axis\":1,\"pos\":246,\"spd\":0.25}}\n").as_bytes());
    board.advance(500 * MS);
    assert!(board.take_writes().is_empty() && board.is_listening());
    let direct = r#"{"T":1041,"x":300,"y":0,"z":223,"t":0,"r":0,"g":3.14}"#;
    board.receive(format!("{direct}\n").as_bytes());
    board.advance(100 * MS);
    assert_eq!(board.take_writes().len(), 1);
    assert!(board.torque().iter().all(|&on| on));

    board.receive(b"{\"T\":999}\n");
    assert!(execute(&mut board, &format!("{pose}0.25}}"), 5000 * MS).is_some());
    assert!(board.take_writes().len() > 100);
}

#[test]
fn g3_is_stopped_in_the_middle_of_a_move() {
    let mut board = quiet(Generation::G3);
    board.receive(b"{\"T\":104,\"x\":246,\"y\":0,\"z\":223,\"t\":0,\"r\":0,\"g\":3.14,\"spd\":0.25}\n");
    board.advance(500 * MS);
    assert!(!board.is_listening());
    // With a space it is a command like any other, and waits.
    board.receive(b"{\"T\": 0}\n");
    board.advance(100 * MS);
    assert!(!board.is_listening());
    board.receive(b"{\"T\":0}\n");
    board.advance(10 * MS);
    let writes = board.take_writes().len();
    assert!(writes < 300 && board.is_listening(), "{writes}");
    board.advance(500 * MS);
    let [x, ..] = kinematics::forward(board.angles()).position_mm;
    assert!((270.0..340.0).contains(&x) && board.torque()[1], "{x}");
}

#[test]
fn one_coordinate_closes_the_hand() {
    let mut board = quiet(Generation::G1);
    board.receive(b"{\"T\":106,\"cmd\":2,\"spd\":0,\"acc\":0}\n");
    board.advance(1500 * MS);
    assert!((board.angles().hand_rad - 2.0).abs() < 0.01);
    execute(&mut board, r#"{"T":103,"axis":3,"pos":213,"spd":0.25}"#, 2000 * MS).unwrap();
    board.advance(1500 * MS);
    assert!((board.angles().hand_rad - core::f64::consts::PI).abs() < 0.01);
    let [x, y, z] = kinematics::forward(board.goal()).position_mm;
    assert!((z - 213.0).abs() < 1.5 && (x - 346.0).abs() < 1.5 && y.abs() < 1.5, "{x} {y} {z}");
}

#[test]
fn a_move_out_of_reach_ends_at_the_last_point_within() {
    let mut board = quiet(Generation::G1);
    execute(&mut board, r#"{"T":104,"x":900,"y":0,"z":100,"t":0,"r":0,"g":3.14,"spd":1}"#, 5000 * MS)
        .unwrap();
    board.advance(1000 * MS);
    let [x, _, z] = kinematics::forward(board.goal()).position_mm;
    // On its way down from z = 223 it meets the circle of the stretched arm's wrist, 383.2 mm from the shoulder, at x = 496.4.
    let wrist_mm = (x - 171.67).hypot(z + 13.69);
    assert!((494.5..=497.5).contains(&x) && (wrist_mm - 383.2).abs() < 1.5, "{x} {wrist_mm}");
    assert!(board.is_listening() && text(&mut board).is_empty());
}

#[test]
fn a_new_x_axis_turns_the_arm_and_calls_that_zero() {
    let mut board = quiet(Generation::G1);
    let took = execute(&mut board, r#"{"T":110,"xAxisAngle":30}"#, 60_000 * MS).unwrap();
    // Two pauses of 1 s and the motion at 500 steps/s.
    assert!((3000..=8000).contains(&took.as_millis()), "{took:?}");
    let writes = board.take_writes();
    assert_eq!(writes.last().unwrap().write, ServoWrite::Middle { id: 11 });
    let turned = ServoWrite::One { id: 11, goal: 2388, speed: 500, acceleration: 20 };
    assert_eq!(writes[writes.len() - 2].write, turned);
    board.advance(500 * MS);
    let angles = board.angles();
    assert!(angles.base_rad.abs() < 0.003, "30° to the right of the old x is the new one: {angles:?}");
    assert!(angles.elbow_rad.abs() < 0.01 && angles.shoulder_rad.abs() < 0.01);
}

#[test]
fn a_shoulder_that_dies_while_homing_makes_the_arm_limp() {
    let mut board = quiet(Generation::G1);
    board.receive(b"{\"T\":101,\"joint\":2,\"rad\":1,\"spd\":0,\"acc\":0}\n");
    board.advance(1500 * MS);
    board.receive(b"{\"T\":100}\n");
    board.advance(100 * MS);
    assert!(board.torque()[1]);
    let mut dead = [false; 7];
    dead[1] = true;
    board.set_dead(dead);
    board.advance(400 * MS);
    assert_eq!(board.torque(), [false, true, false, false, false, false]);
}

#[test]
fn a_servo_dead_at_boot_forbids_homing_for_good_and_the_others_jump() {
    let mut options = BoardOptions { boot: true, ..options(Generation::G1) };
    options.initial = FirmwareAngles { base_rad: 1.0, ..FirmwareAngles::HOME };
    options.servos.dead[3] = true;
    let mut board = Board::new(options);
    until(&mut board, 15_000 * MS, Board::is_listening).unwrap();
    let writes = board.take_writes();
    let alls: Vec<_> =
        writes.iter().filter(|timed| matches!(timed.write, ServoWrite::All { .. })).copied().collect();
    assert_eq!(alls.len(), 2);
    let ServoWrite::All { goals, speeds, accelerations } = alls[1].write else { panic!() };
    assert_eq!((goals, speeds[0], accelerations[0]), ([2047, 2047, 2047, 2048, 2047, 2047, 2047], 0, 20));
    assert!(!writes.iter().any(|timed| matches!(timed.write, ServoWrite::One { .. })), "no homing");
    assert!(text(&mut board).contains("Bus servos status check: failed.\r\n"));

    board.set_dead([false; 7]);
    board.receive(b"{\"T\":605,\"cmd\":0}\n");
    board.advance(1000 * MS);
    board.take_writes();
    board.receive(b"{\"T\":100}\n");
    board.advance(1000 * MS);
    assert!(board.take_writes().is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Whatever the numbers, moves by pose neither panic nor stop the clock, and the board's goals stay steps.
    #[test]
    fn any_pose_is_survived(
        which in 0_usize..5, numbers in prop::array::uniform7(prop_oneof![
            -800.0..800.0_f64, -4.0..4.0_f64, Just(0.0), Just(1e308), Just(-1e308), Just(1e-300),
        ]),
        g3: bool, instant: bool,
    ) {
        let generation = if g3 { Generation::G3 } else { Generation::G1 };
        let mut options = options(generation);
        options.servos.instant = instant;
        let mut board = Board::new(options);
        let [a, b, c, d, e, f, g] = numbers;
        let axis = (a as i32).rem_euclid(8);
        let line = match which {
            0 => format!("{{\"T\":104,\"x\":{a:e},\"y\":{b:e},\"z\":{c:e},\"t\":{d:e},\"r\":{e:e},\"g\":{f:e},\"spd\":{g:e}}}\n"),
            1 => format!("{{\"T\":103,\"axis\":{axis},\"pos\":{b:e},\"spd\":{g:e}}}\n"),
            2 => format!("{{\"T\":110,\"xAxisAngle\":{b:e}}}\n"),
            3 => format!("{{\"T\":123,\"m\":1,\"axis\":{axis},\"cmd\":1,\"spd\":{}}}\n", g as i32 & 255),
            _ => format!("{{\"T\":1041,\"x\":{a:e},\"y\":{b:e},\"z\":{c:e},\"t\":{d:e},\"r\":{e:e},\"g\":{f:e}}}\n"),
        };
        board.receive(line.as_bytes());
        board.advance(5000 * MS);
        prop_assert_eq!(board.now(), 5000 * MS);
        for goal in board.goal_steps() {
            prop_assert!((-1..=4096).contains(&goal), "{} {}", line, goal);
        }
    }
}
