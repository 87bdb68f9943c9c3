//! The virtual board in virtual time: how often it speaks, and how old its news is.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod support;

use std::time::Duration;

use firmware_protocol::emulator::{Board, BoardOptions};
use firmware_protocol::{Command, FeedbackMode, FeedbackShape, FirmwareAngles, Generation, LineSplitter};
use proptest::prelude::*;
use support::{MS, bytes, frames, joints, running, send};

#[test]
fn g1_streams_204_bytes_at_56_hz() {
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
    assert!((rate_of_204 - 56.2).abs() <= 0.5, "{rate} Hz of {length} bytes");
    // Measured: 99.6 %.
    assert!(out.len() as f64 / 115_200.0 > 0.99, "the wire is full: {} bytes", out.len());
    let frame = frames(&out)[0];
    assert_eq!(frame.shape(), FeedbackShape::Keys16);
    assert!(frame.agrees_with_kinematics(1e-5) && frame.bus_fault().is_none());
}

/// The measurement: 281 frames and 57 344 bytes in 5.0 s.
#[test]
fn frames_of_exactly_204_bytes_come_at_56_hz() {
    for elbow_rad in [0.3, 0.9, 1.5, 2.1, 2.7] {
        let mut options = BoardOptions::new(Generation::G1);
        (options.servos.dead_zone_deg, options.servos.sag_deg) = ([0.0; 6], 0.0);
        let mut board = Board::new(options);
        // One step below 0 is read as 0: a base of few digits, so that loads can fill up the rest.
        let pose = FirmwareAngles::from_array([-0.0015, 0.1, elbow_rad, 0.1, 0.7, 3.1]);
        board.set_loads(Some([0; 7]));
        send(&mut board, joints(pose, 3000, 200));
        bytes(&mut board, 3000 * MS);
        let length = bytes(&mut board, 100 * MS).split(|&byte| byte == b'\n').nth(1).unwrap().len() + 1;
        let mut missing = 204 - length;
        let mut loads = [0; 7];
        for place in [0, 1, 3, 4, 5] {
            let digits = missing.min(4);
            loads[place] = [0, -3, -30, -300, -1000][digits];
            missing -= digits;
        }
        assert_eq!(missing, 0);
        board.set_loads(Some(loads));
        bytes(&mut board, 500 * MS);
        let out = bytes(&mut board, 5_000 * MS);
        let rate = frames(&out).len() as f64 / 5.0;
        assert!(out.split(|&byte| byte == b'\n').rev().skip(1).take(100).all(|line| line.len() == 203));
        assert!((rate - 56.2).abs() <= 0.4, "{rate} Hz");
        assert!((57_200..=57_600).contains(&out.len()), "{} bytes", out.len());
    }
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
    let rate_of_324 = rate * (out.len() as f64 / frames.len() as f64) / 324.0;
    assert!((rate_of_324 - 35.6).abs() <= 0.5, "{rate} Hz of {} bytes", out.len() / frames.len());
    assert_eq!(frames[0].shape(), FeedbackShape::Keys24);
    assert_eq!(frames[0].supply_volt, Some(12.1));
}

/// Polls as a client does: write T:105, wait for the whole line, then be busy for a while. Times of whole calls, ms.
fn polls(baud: u32, calls: usize, mut client: impl FnMut() -> Duration) -> Vec<f64> {
    let mut board = Board::new(BoardOptions { baud, ..BoardOptions::new(Generation::G1) });
    send(&mut board, Command::SetFeedbackMode(FeedbackMode::Quiet));
    bytes(&mut board, 200 * MS);
    let mut times = Vec::new();
    for _ in 0..calls {
        let start = board.now();
        // As Python's json writes it.
        board.receive(b"{\"T\": 105}\n");
        let (mut lines, mut done) = (LineSplitter::<512>::new(), false);
        while !done {
            let out = bytes(&mut board, Duration::from_micros(100));
            lines.push(&out, |_| done = true);
            assert!(board.now() - start < 100 * MS, "no answer");
        }
        board.advance(client());
        times.push((board.now() - start).as_secs_f64() * 1e3);
    }
    times
}

/// A client's time between a line's end and the next command: 5..11 ms, deterministic.
fn busy_client() -> impl FnMut() -> Duration {
    let mut state = 1_u64;
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Duration::from_micros(5000 + (state >> 33) % 6000)
    }
}

/// Reference: about 23 Hz, 35-50 ms a call, at 115200 baud; about 42 Hz with the firmware rebuilt for 1 Mbaud. The board's
/// part: the rest of a loop pass, a scan of its own, the wire. The client's, from the end of a line to the next command, is
/// 5-11 ms here: USB polling, Python's parsing and the caller's own work.
#[test]
fn polling_costs_what_was_measured() {
    let calls = polls(115_200, 400, busy_client());
    let mean = calls.iter().sum::<f64>() / calls.len() as f64;
    assert!((1000.0 / mean - 23.0).abs() <= 2.0, "{:.1} Hz", 1000.0 / mean);
    let within = calls.iter().filter(|&&call| (34.0..=50.0).contains(&call)).count();
    assert!(within * 100 >= calls.len() * 95, "{within} of {} calls in 34-50 ms", calls.len());

    println!("a poll at 115200 baud: {mean:.1} ms");
    let fast = polls(1_000_000, 400, busy_client());
    let mean = fast.iter().sum::<f64>() / fast.len() as f64;
    assert!((1000.0 / mean - 42.0).abs() <= 3.0, "{:.1} Hz", 1000.0 / mean);

    println!("a poll at 1 Mbaud: {mean:.1} ms");
    // The board alone, asked at once: never faster than scan and wire.
    let alone = polls(115_200, 100, || Duration::ZERO);
    println!("alone: {:.1} ms", alone.iter().sum::<f64>() / 100.0);
    assert!(alone.iter().all(|&call| (28.0..=40.0).contains(&call)), "{alone:?}");
}

#[test]
fn quiet_is_quiet_and_a_poll_is_one_frame() {
    let mut board = running(Generation::G1);
    send(&mut board, Command::SetFeedbackMode(FeedbackMode::Quiet));
    bytes(&mut board, 200 * MS);
    send(&mut board, Command::ReadFeedback);
    // 0.9 ms in, up to a pass of waiting, 10 ms of scan, 17 ms out.
    let early = bytes(&mut board, 25 * MS);
    assert!(frames(&early).is_empty());
    let late = bytes(&mut board, 15 * MS);
    assert_eq!(frames(&[early, late].concat()).len(), 1);
    assert!(bytes(&mut board, 500 * MS).is_empty());
}

#[test]
fn each_dead_servo_costs_101_ms_and_six_bring_the_stream_below_1_6_hz() {
    let mut board = running(Generation::G1);
    board.set_dead([true, false, false, false, false, false, false]);
    bytes(&mut board, 1000 * MS);
    let one = frames(&bytes(&mut board, 20_000 * MS)).len() as f64 / 20.0;
    // Printing overlaps with the timeouts: scan, timeout, and the part of a frame that the FIFO does not hold.
    assert!((one - 1000.0 / (10.5 + 101.0 + 6.5)).abs() < 0.3, "{one} Hz");
    board.set_dead([true; 7]);
    bytes(&mut board, 2000 * MS);
    let six = frames(&bytes(&mut board, 60_000 * MS)).len() as f64 / 60.0;
    assert!((1.4..=1.6).contains(&six), "{six} Hz");
    // Servo 13 is not polled: dead alone, it costs nothing.
    board.set_dead([false, false, true, false, false, false, false]);
    bytes(&mut board, 2000 * MS);
    assert!(frames(&bytes(&mut board, 10_000 * MS)).len() > 500);
}

#[test]
fn feedback_is_measured_before_it_is_sent() {
    let mut board = running(Generation::G1);
    send(&mut board, joints(FirmwareAngles { base_rad: 3.0, ..BoardOptions::BOOT_POSE }, 652, 254));
    bytes(&mut board, 1000 * MS);
    // At 1 rad/s an age of A shows as A radians; scan and wire make 20-45 ms of it.
    for _ in 0..20 {
        let frames = frames(&bytes(&mut board, 45 * MS));
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
}
