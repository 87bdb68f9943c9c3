//! Each fault shows at the client, in the log and in the summary.
//!
//! Times are those of the board's own clock, as its log has them: a loaded machine changes nothing.

use std::time::Duration;

use firmware_protocol::{Line, parse_line};

use crate::sim_clients::{ASK, NoLine, PATIENCE, connect, open};
use crate::sim_run::{SimEnd, SimRun};

const SHORT: Duration = Duration::from_millis(700);

fn is_frame(line: &[u8]) -> bool {
    matches!(parse_line(line.trim_ascii_end()), Line::Feedback(_))
}

/// Asserts that the only fault is in log, summary and on standard error, and gives what was counted of it.
#[track_caller]
fn told(end: &SimEnd, fault: &str) -> String {
    let board = end.only_board();
    let report = board["faults"].as_array().unwrap();
    assert_eq!((report.len(), &report[0]["fault"]), (1, &fault.into()), "{board}");
    let began_s = end.log().event(&format!("fault {fault}"));
    assert!((report[0]["began_s"].as_f64().unwrap() - began_s).abs() < 1e-5, "{board}");
    assert!(end.ended.stderr.contains(&format!("s: fault {fault}")), "{}", end.ended);
    report[0]["effect"].as_str().unwrap_or_default().to_owned()
}

/// The two numbers of an effect: towards the board, towards the client.
#[track_caller]
fn numbers(effect: &str) -> (u64, u64) {
    let mut numbers = effect.split(' ').filter_map(|word| word.parse().ok());
    (numbers.next().unwrap(), numbers.next().unwrap())
}

#[test]
fn cut_takes_the_port_away_and_brings_it_back() {
    let mut sim = SimRun::start(&["--fault", "cut@4s:2s", "--tcp", "0", "--http", "0"]);
    let (tcp, http) = (sim.address("tcp "), sim.address("http://"));
    let (mut serial, mut network) = (open(&sim.port()), connect(tcp));
    let mut frames = 0;
    let gone = loop {
        match serial.line(PATIENCE) {
            Ok(line) => frames += u32::from(is_frame(&line)),
            Err(reason) => break reason,
        }
    };
    assert_eq!(gone, NoLine::Gone, "after {frames} frames");
    while network.line(PATIENCE).is_ok() {}
    assert_eq!(network.line(PATIENCE), Err(NoLine::Gone));
    sim.program.wait_until_said("the port is back as");
    open(&sim.port()).feedback();
    connect(tcp).feedback();
    assert!(crate::sim_clients::get(http, "/").0.contains("200"));
    let end = sim.end();
    told(&end, "cut@4s:2s");
    let log = end.log();
    assert!((log.event("fault cut@4s:2s begins") - 4.0).abs() < 1e-6);
    assert!((log.event("fault cut@4s:2s ends") - 6.0).abs() < 1e-6);
    assert!(end.only_board()["faults"][0]["ended_s"].as_f64() == Some(6.0));
}

#[test]
fn replug_brings_the_port_back_as_another_device_under_the_same_link() {
    let mut sim = SimRun::start(&["--fault", "replug@3s:1s"]);
    let before = std::fs::read_link(sim.port()).unwrap();
    let mut serial = open(&sim.port());
    while serial.line(PATIENCE).is_ok() {}
    assert_eq!(serial.line(PATIENCE), Err(NoLine::Gone));
    // The old device is free again, and still not taken.
    drop(serial);
    sim.program.wait_until_said("the port is back as");
    let device = std::fs::read_link(sim.port()).unwrap();
    assert_ne!(device, before);
    open(&sim.port()).feedback();
    let end = sim.end();
    told(&end, "replug@3s:1s");
}

#[test]
fn cut_removes_the_link() {
    let mut sim = SimRun::start(&["--fault", "cut@0.1s"]);
    sim.program.wait_until_said("fault cut@100ms begins");
    let begun = std::time::Instant::now();
    while sim.port().is_symlink() {
        assert!(begun.elapsed() < PATIENCE, "the link of a cut port stays");
        std::thread::sleep(Duration::from_millis(5));
    }
    let end = sim.end();
    end.log().event("fault cut@100ms lasts to the end");
}

#[test]
fn garbage_stands_between_and_inside_lines() {
    let sim = SimRun::start(&["--fault", "garbage=100", "--seed", "3"]);
    let mut client = open(&sim.port());
    let (mut whole, mut broken) = (0, 0);
    while whole < 20 || broken < 20 {
        match client.line(PATIENCE).unwrap() {
            line if is_frame(&line) => whole += 1,
            _ => broken += 1,
        }
    }
    let end = sim.end();
    let (inward, outward) = numbers(&told(&end, "garbage=100"));
    assert!(inward > 20 && outward > 20);
    // the board itself sent whole lines only
    assert!(end.log().of("<").iter().all(|line| is_frame(line.as_bytes())));
}

#[test]
fn slow_makes_the_firmware_wait_for_the_wire() {
    let sim = SimRun::start(&["--fault", "slow=1000"]);
    let mut client = open(&sim.port());
    for _ in 0..8 {
        client.feedback();
    }
    let end = sim.end();
    told(&end, "slow=1000");
    let board = end.only_board();
    let (bytes, seconds) = (board["bytes_out"].as_f64().unwrap(), board["board_time_s"].as_f64().unwrap());
    assert!((0.85..1.1).contains(&(bytes / seconds / 1000.0)), "{board}");
}

#[test]
fn drop_loses_bytes_both_ways() {
    let sim = SimRun::start(&["--fault", "drop=0.05", "--firmware", "g3"]);
    let mut client = open(&sim.port());
    // 40 lines of 10 bytes: that each arrives whole has a chance of 1 in 10^9
    for _ in 0..40 {
        client.send(ASK);
        std::thread::sleep(Duration::from_millis(30));
    }
    while client.line(SHORT).is_ok() {}
    let end = sim.end();
    let (inward, outward) = numbers(&told(&end, "drop=0.05"));
    let board = end.only_board();
    assert!(inward > 0 && outward > 0, "{board}");
    assert_eq!(board["bytes_in"].as_u64().unwrap(), 400 - inward);
    assert!(board["lines_refused"].as_u64() >= Some(1), "{board}");
    assert_eq!(end.log().of(">?").len() as u64, board["lines_refused"].as_u64().unwrap());
}

#[test]
fn mute_and_deaf_leave_the_port() {
    let sim = SimRun::start(&["--fault", "mute"]);
    let mut client = open(&sim.port());
    client.send(ASK);
    assert_eq!(client.line(SHORT), Err(NoLine::Silence));
    let end = sim.end();
    let (inward, outward) = numbers(&told(&end, "mute"));
    assert!(inward == 0 && outward > 1000);
    assert_eq!(end.only_board()["lines_received"], 1, "it hears");

    let sim = SimRun::start(&["--fault", "deaf"]);
    let mut client = open(&sim.port());
    client.send(ASK);
    for _ in 0..10 {
        client.feedback();
    }
    let end = sim.end();
    assert_eq!(numbers(&told(&end, "deaf")), (10, 0));
    assert_eq!(end.only_board()["lines_received"], 0, "it does not hear");
}

#[test]
fn reset_boots_the_board() {
    let sim = SimRun::start(&["--fault", "reset@1s"]);
    let mut client = open(&sim.port());
    client.line_that("the boot text", |line| line.starts_with(b"rst:0x1"));
    let end = sim.end();
    told(&end, "reset@1s");
    end.log().event("fault reset@1s happens");
    assert_eq!(end.only_board()["faults"][0]["ended_s"], 1.0);
}

#[test]
fn a_dead_servo_is_complained_about_and_slows_the_loop() {
    let sim = SimRun::start(&["--fault", "dead-servo=14", "--firmware", "g3"]);
    let mut client = open(&sim.port());
    client.line_that("the complaint", |line| line.starts_with(b"Servo ID:14 status: failed."));
    client.send(b"{\"T\":605,\"cmd\":2}\n");
    for _ in 0..12 {
        client.feedback();
    }
    let end = sim.end();
    told(&end, "dead-servo=14");
    let log = end.log();
    let frames: Vec<f64> =
        log.0.iter().filter(|(_, _, text)| text.starts_with("{\"T\":1051")).map(|(at, _, _)| *at).collect();
    // each scan waits 101 ms for it
    let mean = (frames[frames.len() - 1] - frames[1]) / (frames.len() - 2) as f64;
    assert!((0.1..0.2).contains(&mean), "a frame each {mean} s");
}

#[test]
fn a_stuck_joint_stays_while_the_others_move() {
    let sim = SimRun::start(&["--fault", "stuck-joint=base"]);
    let mut client = open(&sim.port());
    client.send(
        b"{\"T\":102,\"base\":0.8,\"shoulder\":0.4,\"elbow\":1.57,\"wrist\":0,\"roll\":0,\"hand\":3.14,\"spd\":0,\"acc\":0}\n",
    );
    let begun = std::time::Instant::now();
    let feedback = loop {
        let feedback = client.feedback();
        if (feedback.angles.shoulder_rad - 0.4).abs() < 0.05 {
            break feedback;
        }
        assert!(begun.elapsed() < PATIENCE, "{feedback:?}");
    };
    assert!(feedback.angles.base_rad.abs() < 0.01, "{feedback:?}");
    told(&sim.end(), "stuck-joint=base");
}

#[test]
fn low_supply_is_reported_by_g3() {
    let sim = SimRun::start(&["--fault", "low-supply=5.2", "--firmware", "g3"]);
    let mut client = open(&sim.port());
    client.line_that("the complaint", |line| line.starts_with(b"Low operating voltage detected."));
    client.send(ASK);
    let volt = client.feedback().supply_volt.unwrap();
    assert!((volt - 5.2).abs() < 1e-6, "{volt} V");
    told(&sim.end(), "low-supply=5.2");
}

#[test]
fn without_12_v_no_servo_answers_and_the_arm_falls() {
    let sim = SimRun::start(&["--fault", "no-12v@0.5s", "--firmware", "g3", "--pose", "0,45,45,0,0,0"]);
    let mut client = open(&sim.port());
    for id in [11, 12, 14, 15, 16, 17] {
        let complaint = format!("Servo ID:{id} status: failed.");
        client.line_that(&complaint, |line| line.starts_with(complaint.as_bytes()));
    }
    client.send(ASK);
    let volt = client.feedback().supply_volt.unwrap();
    assert!(volt < 6.0, "{volt} V");
    let end = sim.end();
    told(&end, "no-12v@500ms");
    let shoulder_deg = end.only_board()["pose_deg"][1].as_f64().unwrap();
    assert!(shoulder_deg > 50.0, "the shoulder stands at {shoulder_deg} degrees and was at 45");
}
