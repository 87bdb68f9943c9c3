//! What the G3 board says about supply and current, every loop pass while it lasts.

use super::board::Board;
use super::cpu::say;

/// From a log of a board on USB power.
const LOW_SUPPLY: &str = "Low operating voltage detected. The servo cannot operate properly. UI controls have been disabled. \
    Please use the device's operating voltage for power supply.";
/// Only that there is such a text is known.
const HIGH_SUPPLY: &str = "High operating voltage detected.";
const HIGH_CURRENT: &str = "Servo stall detected.";

const LOW_SUPPLY_VOLT: f64 = 6.0;
const HIGH_SUPPLY_VOLT: f64 = 12.9;
const HIGH_CURRENT_MA: f64 = 2000.0;

impl Board {
    pub(super) fn complain_supply(&mut self) {
        if !self.g3() {
            return;
        }
        let volt = self.options.supply_volt;
        let complaints = [
            (self.bus.greatest_current_ma() >= HIGH_CURRENT_MA, HIGH_CURRENT),
            (volt > HIGH_SUPPLY_VOLT, HIGH_SUPPLY),
            (volt < LOW_SUPPLY_VOLT, LOW_SUPPLY),
        ];
        self.cpu.first(complaints.into_iter().filter(|(holds, _)| *holds).map(|(_, text)| say(text)));
    }
}
