//! Faulty boards: dead servos, no 12 V, a restart by the control lines.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod support;

use firmware_protocol::emulator::{Board, BoardOptions, Contact, NanToInt, ResetCircuit, ServoOptions};
use firmware_protocol::{BusFault, FirmwareAngles, Generation, Joint};
use support::{MS, bytes, frames, joints, running, send, text};

const HOME: FirmwareAngles = BoardOptions::BOOT_POSE;

#[test]
fn a_board_without_servo_power_shows_the_signature_slowly() {
    for boot in [true, false] {
        let options = BoardOptions { boot, supply_volt: 4.8, ..BoardOptions::new(Generation::G1) };
        let mut board = Board::new(options);
        let out = bytes(&mut board, 12_000 * MS);
        let frames = frames(&out);
        assert!((1..=20).contains(&frames.len()), "{}", frames.len());
        assert_eq!(frames[0].bus_fault(), Some(BusFault::NeverRead));
        assert_eq!(text(&out).contains("Bus servos status check: failed."), boot);
    }
}

#[test]
fn g3_on_usb_power_says_so() {
    let mut g3 = running(Generation::G3);
    g3.set_supply_volt(4.8);
    g3.receive(b"{\"T\":105}\n");
    let out = bytes(&mut g3, 3000 * MS);
    assert_eq!(frames(&out)[0].bus_fault(), Some(BusFault::LowSupply));
    assert!(
        text(&out).contains("Servo ID:15 status: failed.\r\n")
            && text(&out).contains("Low operating voltage")
    );
    g3.set_supply_volt(12.1);
    bytes(&mut g3, 1000 * MS);
    assert!(!text(&bytes(&mut g3, 1000 * MS)).contains("operating voltage"));
}

/// Reference: text every loop pass above 12.90 V, below 6.00 V, and with 2000 mA in a servo; G1 measures neither.
#[test]
fn g3_complains_of_high_supply_and_of_stalled_servos_every_pass() {
    let complaints = |board: &mut Board, words: &str| text(&bytes(board, 1000 * MS)).matches(words).count();
    let mut g3 = running(Generation::G3);
    for (volt, expected) in [(12.9, false), (12.91, true), (13.5, true), (6.0, false), (5.99, true)] {
        g3.set_supply_volt(volt);
        bytes(&mut g3, 1500 * MS);
        let seen = complaints(&mut g3, "operating voltage") > 0;
        assert_eq!(seen, expected, "{volt} V");
    }
    g3.set_supply_volt(13.0);
    bytes(&mut g3, 1000 * MS);
    assert!(complaints(&mut g3, "operating voltage") > 50, "every pass");
    g3.set_supply_volt(12.1);

    let mut g3 = running(Generation::G3);
    g3.set_contact(Joint::Base, Some(Contact::Below(-0.1)));
    assert_eq!(complaints(&mut g3, "stall"), 0);
    send(&mut g3, joints(FirmwareAngles { base_rad: -1.0, ..HOME }, 2000, 100));
    bytes(&mut g3, 700 * MS);
    assert!(complaints(&mut g3, "stall") > 50);
    bytes(&mut g3, 1500 * MS);
    assert_eq!(complaints(&mut g3, "stall"), 0, "the servo protects itself, and draws less");

    let mut g1 = running(Generation::G1);
    g1.set_supply_volt(13.5);
    assert!(!text(&bytes(&mut g1, 1000 * MS)).contains("voltage"));
}

#[test]
fn servos_that_lose_their_supply_come_back_with_the_factorys_registers() {
    let mut board = running(Generation::G1);
    bytes(&mut board, 500 * MS);
    let held = board.angles();
    board.set_supply_volt(0.0);
    bytes(&mut board, 3000 * MS);
    assert_eq!(board.torque(), [false; 6]);
    assert!(board.angles().elbow_rad - held.elbow_rad > 0.2, "the arm falls");
    let frozen = frames(&bytes(&mut board, 3000 * MS)).pop().unwrap();
    assert!((frozen.angles.elbow_rad - held.elbow_rad).abs() < 0.1, "and the feedback is frozen");
    assert!(frozen.bus_fault().is_none());
    board.set_supply_volt(12.1);
    let lying = board.angles();
    bytes(&mut board, 2000 * MS);
    assert!((board.angles().elbow_rad - lying.elbow_rad).abs() < 0.02, "no jump");
    let registers = board.servo_registers();
    assert!(registers.iter().all(|servo| servo.p_gain == 32 && servo.torque_limit == 1000 && servo.torque));
    // It was homed before: T:100 still works.
    board.receive(b"{\"T\":100}\n");
    bytes(&mut board, 8000 * MS);
    assert!((board.angles().elbow_rad - HOME.elbow_rad).abs() < 0.03);
    // A restart sets the gains again.
    board.receive(b"{\"T\":600}\n");
    bytes(&mut board, 12_000 * MS);
    assert!(board.servo_registers().iter().all(|servo| servo.p_gain == 16));
    assert_eq!(board.servo_registers()[6].torque_limit, 300);
}

/// Reference: "powered, but does not go to init".
#[test]
fn twelve_volts_after_the_boot_leave_a_board_that_will_not_home() {
    let lying = FirmwareAngles { elbow_rad: 2.5, shoulder_rad: -0.4, ..HOME };
    let options =
        BoardOptions { boot: true, supply_volt: 4.8, initial: lying, ..BoardOptions::new(Generation::G1) };
    let mut board = Board::new(options);
    bytes(&mut board, 15_000 * MS);
    board.set_supply_volt(12.1);
    bytes(&mut board, 2000 * MS);
    assert!(frames(&bytes(&mut board, 1000 * MS)).len() > 50, "it streams at full speed");
    let before = board.angles();
    board.receive(b"{\"T\":100}\n");
    bytes(&mut board, 3000 * MS);
    assert_eq!(board.angles(), before);
    // Other commands work, and a restart cures it.
    send(&mut board, joints(FirmwareAngles { base_rad: 0.5, ..lying }, 1000, 50));
    bytes(&mut board, 2000 * MS);
    assert!((board.angles().base_rad - 0.5).abs() < 0.01);
    board.receive(b"{\"T\":600}\n");
    bytes(&mut board, 15_000 * MS);
    assert!((board.angles().elbow_rad - HOME.elbow_rad).abs() < 0.03);
}

#[test]
fn torque_when_the_supply_comes_is_an_option() {
    for on in [true, false] {
        let servos = ServoOptions { torque_at_power_on: on, ..ServoOptions::clean() };
        let mut board = Board::new(BoardOptions { servos, ..BoardOptions::new(Generation::G1) });
        board.set_supply_volt(3.0);
        bytes(&mut board, 100 * MS);
        board.set_supply_volt(12.0);
        bytes(&mut board, 100 * MS);
        assert_eq!(board.torque(), [on; 6]);
    }
}

/// Reference, circuit: RTS alone is reset, DTR alone is GPIO0, both or none are nothing.
#[test]
fn control_lines_reset_the_board_as_the_circuit_says() {
    let opened = |changes: &[(bool, bool)]| {
        let mut board = running(Generation::G1);
        for &(dtr, rts) in changes {
            board.control_lines(dtr, rts);
            bytes(&mut board, MS / 10);
        }
        board
    };
    // The kernel asserts both; RTS off first, then DTR: nothing happens.
    let mut safe = opened(&[(true, true), (true, false), (false, false)]);
    let out = bytes(&mut safe, 500 * MS);
    assert!(!text(&out).contains("rst:") && frames(&out).len() > 20);
    // DTR off first passes through reset: boot text, homing.
    let mut careless = opened(&[(true, true), (false, true), (false, false)]);
    let out = bytes(&mut careless, 10_000 * MS);
    assert!(
        text(&out).contains("rst:0x1 (POWERON_RESET),boot:0x13") && text(&out).contains("Server Starts.")
    );
    assert!(!frames(&out).is_empty());
    // RTS left on: held in reset, silent and deaf.
    let mut held = opened(&[(true, true), (false, true)]);
    bytes(&mut held, 20 * MS);
    held.receive(b"{\"T\":102}\n");
    assert!(bytes(&mut held, 2000 * MS).is_empty() && held.is_halted());
    // esptool's sequence, one line after the other: the chip's loader, which ignores commands.
    let mut loader = opened(&[(false, true), (true, true), (true, false)]);
    let out = bytes(&mut loader, 2000 * MS);
    assert!(text(&out).contains("DOWNLOAD_BOOT") && text(&out).ends_with("waiting for download\r\n"));
    loader.receive(b"{\"T\":105}\n");
    assert!(bytes(&mut loader, 2000 * MS).is_empty() && loader.is_halted());
    loader.control_lines(false, false);
    assert!(bytes(&mut loader, 1000 * MS).is_empty(), "only a reset gets it out");
    loader.control_lines(false, true);
    loader.control_lines(false, false);
    assert!(text(&bytes(&mut loader, 3000 * MS)).contains("SPI_FAST_FLASH_BOOT"));

    let options =
        BoardOptions { reset_circuit: ResetCircuit::NotConnected, ..BoardOptions::new(Generation::G1) };
    let mut free = Board::new(options);
    free.control_lines(false, true);
    assert!(frames(&bytes(&mut free, 500 * MS)).len() > 20);
}

#[test]
fn a_reset_drops_what_the_board_had_not_read() {
    let mut board = running(Generation::G1);
    board.receive(b"{\"T\":111,\"cmd\":5000}\n");
    bytes(&mut board, 50 * MS);
    board.receive(b"{\"T\":106,\"cmd\":2.0,\"spd\":500,\"acc\":50}\n");
    bytes(&mut board, 50 * MS);
    board.control_lines(false, true);
    board.control_lines(false, false);
    bytes(&mut board, 12_000 * MS);
    assert!(board.is_listening());
    assert!((board.angles().hand_rad - HOME.hand_rad).abs() < 0.01, "the old command is gone");
}

#[test]
fn what_nan_becomes_is_an_option() {
    // 5 m ahead.
    let line = b"{\"T\":1041,\"x\":5000,\"y\":0,\"z\":0,\"t\":0,\"r\":0,\"g\":3}\n";
    for (rule, expected) in
        [(NanToInt::Largest, [2047, 2046, 512, 2046]), (NanToInt::Smallest, [2047, 2047, 512, 2047])]
    {
        let mut board = Board::new(BoardOptions { nan_to_int: rule, ..BoardOptions::new(Generation::G1) });
        board.receive(line);
        bytes(&mut board, 100 * MS);
        assert_eq!(board.goal_steps()[..4], expected, "{rule:?}");
    }
}
