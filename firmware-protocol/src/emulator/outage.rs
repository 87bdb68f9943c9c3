//! What can happen to a board from outside, besides its control lines and its supply: a reset button, a slower wire.

use super::board::Board;

impl Board {
    /// Presses the reset button: the chip starts anew (boot text, homing motion, deaf meanwhile); the servos keep their registers.
    pub fn reset(&mut self) {
        self.restart_chip();
        self.start_boot();
    }

    /// Changes the speed of the UART, bits a second, ten to a byte. Bytes under way keep their place.
    pub fn set_baud(&mut self, baud: u32) {
        self.uart.set_baud(baud);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use core::time::Duration;
    use std::string::String;
    use std::vec::Vec;

    use crate::Generation;
    use crate::emulator::{Board, BoardOptions};

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
    fn a_slower_wire_carries_fewer_frames() {
        let mut board = running();
        let _ = said(&mut board);
        board.set_baud(20_000);
        board.advance(Duration::from_secs(5));
        let bytes = said(&mut board).len();
        assert!((9_900..=10_130).contains(&bytes), "{bytes} bytes in 5 s at 2,000 a second");
    }
}
