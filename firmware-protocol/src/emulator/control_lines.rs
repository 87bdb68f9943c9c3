//! DTR and RTS: how opening a port can reset the board, or land it in the chip's loader.

use super::board::Board;
use super::boot::delay;
use super::cpu::{Step, say};
use super::options::ResetCircuit;

/// The control lines as the host holds them; true is asserted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ControlLines {
    dtr: bool,
    rts: bool,
}

impl ControlLines {
    /// The chip is held in reset.
    fn holds_reset(self) -> bool {
        self.rts && !self.dtr
    }

    /// GPIO0 is low: out of reset the chip stays in its loader.
    fn asks_for_loader(self) -> bool {
        self.dtr && !self.rts
    }
}

/// Time that the reset pin takes to rise, ms: long enough for esptool's two separate line changes.
const RESET_RISE_MS: u64 = 1;

const LOADER: &str = "ets Jul 29 2019 12:21:46\r\n\r\nrst:0x1 (POWERON_RESET),boot:0x3 (DOWNLOAD_BOOT(UART0/UART1/SDIO_REI_REO_V2))\r\n\
    waiting for download";

impl Board {
    /// The host sets the control lines of the port (true: asserted, low at the chip). Call it once for each change, in the
    /// order in which the operating system makes them: with the standard circuit, DTR off before RTS passes through reset.
    ///
    /// | DTR | RTS | effect |
    /// |---|---|---|
    /// | on | on | none |
    /// | on | off | GPIO0 low: a chip that now comes out of reset stays in its loader, deaf to commands |
    /// | off | on | reset, as long as it lasts |
    /// | off | off | none; out of reset the board boots and **homes the arm** |
    pub fn control_lines(&mut self, dtr: bool, rts: bool) {
        let before = core::mem::replace(&mut self.control_lines, ControlLines { dtr, rts });
        if self.options.reset_circuit == ResetCircuit::NotConnected {
            return;
        }
        match (before.holds_reset(), self.control_lines.holds_reset()) {
            (false, true) => {
                self.restart_chip();
                self.cpu.halted = true;
            }
            (true, false) => {
                self.restart_chip();
                self.cpu.first([delay(RESET_RISE_MS), Step::Strap]);
                self.run_cpu();
            }
            _ => {}
        }
    }

    /// Whether the chip is held in reset or waits in its loader. Only the control lines get it out.
    #[must_use]
    pub fn is_halted(&self) -> bool {
        self.cpu.halted
    }

    /// Everything volatile of the chip is gone; the servos keep theirs.
    pub(super) fn restart_chip(&mut self) {
        self.uart.reset();
        self.cpu.forget_everything(self.options.boot_feedback_mode);
        self.cpu.wake_from(self.now_ns);
    }

    pub(super) fn strap(&mut self) {
        if self.control_lines.asks_for_loader() {
            self.cpu.first([say(LOADER), Step::Halt]);
        } else {
            self.uart.reset();
            self.start_boot();
        }
    }
}
