//! What can happen to a board from outside: its reset line, its 12 V, its wire, something that jams a joint.

use super::board::Board;
use super::bus::place;
use crate::Joint;

impl Board {
    /// Pulls the reset line: the chip starts anew (boot text, homing motion, deaf meanwhile); the servos keep their registers.
    pub fn reset(&mut self) {
        self.cpu.abandon();
        self.reboot();
    }

    /// Changes the speed of the UART, bits a second, ten to a byte. Bytes under way keep their place.
    pub fn set_baud(&mut self, baud: u32) {
        self.uart.set_baud(baud);
    }

    /// Jams a joint where it stands, or frees it. Its servo pushes in vain: load rises, the encoder does not move.
    pub fn set_stuck(&mut self, joint: Joint, stuck: bool) {
        self.bus.stuck[joint.index()] = stuck.then(|| self.bus.servos[place(joint)].shaft);
    }

    /// Takes the servos' supply away for a moment: torque goes off, and registers in RAM fall back to what the factory set
    /// (P 32, torque limit 1000), not to what the firmware wrote at its boot. For a longer outage, [`Board::set_dead`] as well.
    pub fn lose_servo_supply(&mut self) {
        let Self { bus, .. } = self;
        for servo in &mut bus.servos {
            servo.write_torque(false, &bus.options);
            servo.power_on();
            (servo.torque, servo.speed) = (false, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use core::time::Duration;
    use std::string::String;
    use std::vec::Vec;

    use crate::emulator::{Board, BoardOptions};
    use crate::{Generation, Joint};

    const BASE_TO_1: &[u8] =
        b"{\"T\":102,\"base\":1,\"shoulder\":0.5,\"elbow\":1.57,\"wrist\":0,\"roll\":0,\"hand\":3.14,\"spd\":0,\"acc\":0}\n";

    fn running() -> Board {
        let mut board = Board::new(BoardOptions::new(Generation::G1));
        board.advance(Duration::from_millis(100));
        board
    }

    fn said(board: &mut Board) -> String {
        let mut bytes = Vec::new();
        board.transmit(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    #[test]
    fn a_reset_boots_again_even_out_of_a_command_that_blocks() {
        let mut board = running();
        board.receive(b"{\"T\":111,\"cmd\":3600000}\n");
        board.advance(Duration::from_secs(1));
        assert!(!board.is_listening());
        board.reset();
        let _ = said(&mut board);
        board.advance(Duration::from_secs(20));
        assert!(board.is_listening());
        let text = said(&mut board);
        assert!(text.contains("Server Starts.") && text.contains("\"T\":1051"), "{text}");
    }

    #[test]
    fn a_jammed_joint_stays_and_the_others_go() {
        let mut board = running();
        let before = board.angles();
        board.set_stuck(Joint::Base, true);
        board.receive(BASE_TO_1);
        board.advance(Duration::from_secs(2));
        assert!((board.angles().base_rad - before.base_rad).abs() < 1e-9);
        assert!((board.angles().shoulder_rad - 0.5).abs() < 0.02, "{:?}", board.angles());
        board.set_stuck(Joint::Base, false);
        board.advance(Duration::from_secs(2));
        assert!((board.angles().base_rad - 1.0).abs() < 0.02, "{:?}", board.angles());
    }

    #[test]
    fn without_supply_the_arm_falls() {
        let mut board = running();
        board.receive(BASE_TO_1);
        board.advance(Duration::from_secs(2));
        let before = board.angles().shoulder_rad;
        board.lose_servo_supply();
        board.set_dead([true; 7]);
        board.advance(Duration::from_secs(1));
        assert!(board.angles().shoulder_rad > before + 0.3, "{:?}", board.angles());
        assert_eq!(board.torque(), [false; 6]);
    }

    #[test]
    fn a_slower_wire_carries_fewer_frames() {
        let mut board = running();
        let _ = said(&mut board);
        board.set_baud(20_000);
        board.advance(Duration::from_secs(5));
        let bytes = said(&mut board).len();
        assert!((9_900..=10_130).contains(&bytes), "{bytes} bytes in 5 s at 2,000 a second");
    }
}
