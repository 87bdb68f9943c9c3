//! The board from outside: its clock, its port, its joints.

use core::time::Duration;
use std::vec::Vec;

use super::bus::{Bus, TimedWrite, place};
use super::cpu::Cpu;
use super::flash::Flash;
use super::http::Web;
use super::options::BoardOptions;
use super::servo::{Contact, ServoRegisters};
use super::uart::Uart;
use crate::{FeedbackMode, FirmwareAngles, Generation, Joint, steps};

/// A line that the firmware took in, as it read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedLine {
    /// Time since the board was made.
    pub at: Duration,
    /// The line without its LF. Bytes that overflowed the receive ring are missing from it.
    pub bytes: Vec<u8>,
    /// Whether the board's JSON library took it. Lines that it refuses are dropped without a word.
    pub parsed: bool,
}

/// A virtual RoArm-M3. See the module's page.
pub struct Board {
    pub(super) options: BoardOptions,
    pub(super) now_ns: u64,
    pub(super) uart: Uart,
    pub(super) bus: Bus,
    pub(super) cpu: Cpu,
    pub(super) lines: Vec<ReceivedLine>,
    pub(super) lines_received: u64,
    pub(super) restarts: u64,
    pub(super) flash: Flash,
    pub(super) web: Web,
}

/// The servos' own loop.
const TICK_NS: u64 = 1_000_000;

impl Board {
    /// A board at time 0.
    #[must_use]
    pub fn new(options: BoardOptions) -> Self {
        let initial = steps::goals(options.generation, options.initial);
        let mut board = Self {
            now_ns: 0,
            uart: Uart::new(options.baud, options.receive_ring, options.transmit_fifo),
            bus: Bus::new(options.servos.clone(), initial, options.keep_writes),
            cpu: Cpu::new(options.boot_feedback_mode),
            lines: Vec::new(),
            lines_received: 0,
            restarts: 0,
            flash: Flash::default(),
            web: Web::default(),
            options,
        };
        if board.options.boot {
            board.bus.power_on();
            board.start_boot();
        } else {
            board.start_running();
        }
        board.run_cpu();
        board
    }

    /// The host writes to the port. The bytes travel at the baud rate from now on (or behind those still under way).
    pub fn receive(&mut self, bytes: &[u8]) {
        self.uart.receive(self.now_ns, bytes);
    }

    /// Lets time pass.
    pub fn advance(&mut self, duration: Duration) {
        let end_ns = self.now_ns + u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX / 2);
        loop {
            let next_tick_ns = (self.now_ns / TICK_NS + 1) * TICK_NS;
            let events = [self.uart.next_event_ns(), self.cpu.wake_ns(), Some(next_tick_ns)];
            let next_ns = events.into_iter().flatten().min().unwrap_or(next_tick_ns);
            if next_ns > end_ns {
                break;
            }
            self.now_ns = next_ns;
            self.uart.step(next_ns);
            if next_ns == next_tick_ns {
                self.bus.tick();
                self.serial_task();
            }
            self.run_cpu();
        }
        self.now_ns = end_ns;
    }

    /// Appends the bytes that have left the board since the last call.
    pub fn transmit(&mut self, out: &mut Vec<u8>) {
        self.uart.fetch(out);
    }

    /// Time since the board was made.
    #[must_use]
    pub fn now(&self) -> Duration {
        Duration::from_nanos(self.now_ns)
    }

    /// The firmware's generation.
    #[must_use]
    pub fn generation(&self) -> Generation {
        self.options.generation
    }

    /// The joints as they really stand: what a perfect encoder would read, in the frame of the feedback.
    #[must_use]
    pub fn angles(&self) -> FirmwareAngles {
        self.bus.angles()
    }

    /// The goals of the servos, in the frame of the feedback: one step off the commanded angle where the firmware is.
    #[must_use]
    pub fn goal(&self) -> FirmwareAngles {
        steps::feedback_angles(self.goal_steps())
    }

    /// The goal registers of the joints' servos.
    #[must_use]
    pub fn goal_steps(&self) -> [i32; 6] {
        Joint::ALL.map(|joint| self.bus.servos[place(joint)].goal)
    }

    /// Whether each joint's servo has its torque on.
    #[must_use]
    pub fn torque(&self) -> [bool; 6] {
        Joint::ALL.map(|joint| self.bus.servos[place(joint)].torque)
    }

    /// Puts something in a joint's way, or takes it away. The joint stalls there, its load rises to the torque limit.
    pub fn set_contact(&mut self, joint: Joint, contact: Option<Contact>) {
        self.bus.contacts[joint.index()] = contact;
    }

    /// Makes servos (ids 11..=17) deaf and mute, or brings them back. Each costs the board 101 ms a scan.
    pub fn set_dead(&mut self, dead: [bool; 7]) {
        for (servo, dead) in self.bus.servos.iter_mut().zip(dead) {
            servo.dead = dead;
        }
    }

    /// Loads that the servos (ids 11..=17) report from now on; `None` lets the model say.
    pub fn set_loads(&mut self, loads: Option<[i16; 7]>) {
        self.bus.options.loads = loads;
    }

    /// Turns the shafts of servos 11..=17 by hand to encoder steps, goals unchanged. With torque on and servos that are not
    /// instant they go back.
    pub fn set_encoder_steps(&mut self, steps: [i32; 7]) {
        for (servo, steps) in self.bus.servos.iter_mut().zip(steps) {
            servo.place(f64::from(steps));
        }
    }

    /// Encoder steps of servos 11..=17.
    #[must_use]
    pub fn encoder_steps(&self) -> [i32; 7] {
        core::array::from_fn(|place| self.bus.servos[place].measured())
    }

    /// Supply voltage from now on.
    pub fn set_supply_volt(&mut self, volt: f64) {
        self.options.supply_volt = volt;
    }

    /// Lines taken in since the start.
    #[must_use]
    pub fn lines_received(&self) -> u64 {
        self.lines_received
    }

    /// The lines taken in since the last call, if the options say to keep them.
    pub fn take_lines(&mut self) -> Vec<ReceivedLine> {
        core::mem::take(&mut self.lines)
    }

    /// The servo writes since the last call, if the options say to keep them.
    pub fn take_writes(&mut self) -> Vec<TimedWrite> {
        self.bus.writes.as_mut().map(core::mem::take).unwrap_or_default()
    }

    /// Bytes of the host that were lost in the receive ring.
    #[must_use]
    pub fn lost_bytes(&self) -> u64 {
        self.uart.lost()
    }

    /// Whether the board is in its loop: booted, and not inside a command that blocks.
    #[must_use]
    pub fn is_listening(&self) -> bool {
        self.cpu.is_listening()
    }

    /// Passes that the firmware's loop has begun since the board was made.
    #[must_use]
    pub fn loop_passes(&self) -> u64 {
        self.cpu.passes
    }

    /// When the next loop pass begins; `None` unless the firmware is between two passes.
    #[must_use]
    pub fn next_pass(&self) -> Option<Duration> {
        self.cpu.next_pass_ns().map(Duration::from_nanos)
    }

    /// Changes [`BoardOptions::other_work`], from the end of the loop pass under way on.
    pub fn set_other_work(&mut self, other_work: Duration) {
        self.options.other_work = other_work;
    }

    /// Whether the firmware is caught in a move without end: T:103 or T:104 with speed 0 (G1) or a negative one. It hears
    /// nothing until it is reset. G3 leaves it on T:0; with a negative speed, so does either when it comes to a point out
    /// of reach.
    #[must_use]
    pub fn is_hung(&self) -> bool {
        self.cpu.hung
    }

    /// How often the firmware restarted itself (T:600).
    #[must_use]
    pub fn restarts(&self) -> u64 {
        self.restarts
    }

    /// The feedback mode as T:605 left it: 0 quiet, 1 debug text, 2 stream.
    #[must_use]
    pub fn feedback_mode(&self) -> u8 {
        self.cpu.feedback_mode
    }

    /// Changes the feedback mode without a line on the wire.
    pub fn set_feedback_mode(&mut self, mode: FeedbackMode) {
        self.cpu.feedback_mode = mode as u8;
    }

    /// The ESP-NOW mode as T:301 left it.
    #[must_use]
    pub fn esp_now_mode(&self) -> u8 {
        self.cpu.esp_now_mode
    }

    /// Registers of servos 11..=17.
    #[must_use]
    pub fn servo_registers(&self) -> [ServoRegisters; 7] {
        core::array::from_fn(|place| self.bus.servos[place].registers())
    }
}
