//! T:113 to 115: the two 12 V outputs.

use super::board::Board;
use super::json::Document;

/// A 12 V output: an H-bridge behind a PWM channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SwitchOutput {
    /// Which way the bridge conducts. The light of T:114 uses output A in reverse.
    pub drive: Drive,
    /// The last duty given to the PWM channel; 255 is full, larger values are passed on as they are. It stays when the
    /// bridge is switched off.
    pub duty: u32,
}

/// State of an output's bridge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Drive {
    /// Both inputs low.
    #[default]
    Off,
    /// First input low, second high: positive values.
    Forward,
    /// First input high, second low: negative values.
    Reverse,
}

impl SwitchOutput {
    fn set(&mut self, value: i32) {
        // The firmware takes the value through a `float`, which saturates at the ends.
        let value = value as f32 as i32;
        self.drive = match value.signum() {
            1 => Drive::Forward,
            -1 => Drive::Reverse,
            _ => Drive::Off,
        };
        if value != 0 {
            self.duty = value.unsigned_abs();
        }
    }
}

impl Board {
    /// T:113 both outputs, T:114 the light, T:115 all off.
    pub(super) fn output_command(&mut self, command: &Document) {
        let [a, b] = &mut self.cpu.services.outputs;
        match command.code() {
            113 => {
                a.set(command.int("pwm_a"));
                b.set(command.int("pwm_b"));
            }
            114 => a.set(command.int("led").wrapping_abs().wrapping_neg()),
            _ => [a, b].into_iter().for_each(|output| output.drive = Drive::Off),
        }
    }

    /// The 12 V outputs A and B.
    #[must_use]
    pub fn switch_outputs(&self) -> [SwitchOutput; 2] {
        self.cpu.services.outputs
    }
}
