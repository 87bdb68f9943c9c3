//! The firmware's loop as a list of what it does next, each thing with the time that it takes.

use core::time::Duration;
use std::collections::VecDeque;
use std::vec;
use std::vec::Vec;

use super::board::{Board, ReceivedLine};
use super::bus::{FIRST_ID, POLLED, ServoWrite};
use super::cartesian::Poses;
use super::jog::Jog;
use super::services::{Service, Services};
use super::{frame, json};
use crate::{FeedbackMode, FirmwareAngles, Generation, kinematics, steps};

/// One thing that the firmware does.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// A loop pass begins.
    Pass,
    /// Read the receive ring and execute each complete line (G1).
    Drain,
    /// Execute one line of the queue (G3).
    TakeQueued,
    /// Read the polled servos.
    Scan,
    /// What the servos say is taken over.
    Sample,
    /// Debug text about servos that did not answer.
    Complain,
    /// Something besides moving servos.
    Service(Service),
    /// Text about the supply (G3).
    ComplainSupply,
    /// Print T:1051.
    Frame,
    /// Print T:1051 if the feedback mode says so.
    Stream,
    /// The pass ends; the next begins after the rest of the firmware's work.
    EndOfPass,
    /// Print bytes, from an index on.
    Print(Vec<u8>, usize),
    Delay(Duration),
    Write(ServoWrite),
    /// Wait until a joint was last seen within a window around a step, looking every 10 ms. If it did not answer then, all
    /// torque goes off and the wait is over.
    WaitNear {
        joint: usize,
        goal: i32,
        window: i32,
    },
    /// Read the servo of this id.
    Look(u8),
    /// Move on with T:123.
    Jog,
    /// The next point of an interpolated move.
    MoveThrough {
        fraction: f64,
        increment: f64,
    },
    /// `initCheck` of the boot.
    InitCheck,
    /// The Cartesian move home that ends the boot of G1.
    GoHome,
    /// The part of homing that follows the servo check, if it went well.
    Home,
    /// Boot is over.
    Listen,
    /// A command is done with.
    Executed,
    /// The chip restarts.
    Restart,
    /// Nothing more happens until the chip is reset.
    Hang,
}

/// What servos said when they were last read.
#[derive(Clone, Debug, Default)]
pub(super) struct Measured {
    pub(super) steps: [i32; 6],
    pub(super) loads: [i16; 6],
    pub(super) answered: [bool; 6],
    pub(super) torque: [bool; 6],
    pub(super) mirror_load: i16,
}

/// The firmware's state.
pub(super) struct Cpu {
    steps: VecDeque<Step>,
    wake_ns: u64,
    /// Blocked on a full transmit FIFO.
    printing: bool,
    listening: bool,
    /// In the middle of a command.
    executing: bool,
    /// In a command that never ends.
    pub(super) hung: bool,
    /// Loop passes begun.
    pub(super) passes: u64,
    /// The line being received (G1: in the loop; G3: in the serial task).
    line: Vec<u8>,
    /// Lines waiting for the loop (G3).
    pub(super) queue: VecDeque<Vec<u8>>,
    pub(super) measured: Measured,
    /// The joints as the last scan saw them.
    pub(super) seen: FirmwareAngles,
    pub(super) poses: Poses,
    pub(super) jog: Jog,
    pub(super) feedback_mode: u8,
    pub(super) esp_now_mode: u8,
    pub(super) stop_flag: bool,
    pub(super) init_failed: bool,
    /// Speed and acceleration left over by the last command, for those that bring none.
    pub(super) left_over: ([u16; 7], [u8; 7]),
    pub(super) services: Services,
}

/// The servo that no scan reads.
const MIRROR_ID: u8 = 13;
pub(super) const QUEUE_LINES: usize = 50;
pub(super) const QUEUE_LINE_BYTES: usize = 255;
const DEAD_SERVO: Duration = Duration::from_millis(101);

impl Cpu {
    pub(super) fn new(feedback_mode: FeedbackMode) -> Self {
        Self {
            steps: VecDeque::new(),
            wake_ns: 0,
            printing: false,
            listening: false,
            executing: false,
            hung: false,
            passes: 0,
            line: Vec::new(),
            queue: VecDeque::new(),
            measured: Measured::default(),
            seen: FirmwareAngles::default(),
            poses: Poses::new(),
            jog: Jog::default(),
            feedback_mode: feedback_mode as u8,
            esp_now_mode: 3,
            stop_flag: false,
            init_failed: false,
            left_over: ([0; 7], [20; 7]),
            services: Services::default(),
        }
    }

    /// When the firmware goes on; `None` while it waits for the transmit FIFO.
    pub(super) fn wake_ns(&self) -> Option<u64> {
        (!self.printing).then_some(self.wake_ns)
    }

    /// When the pause between two loop passes ends, if the firmware is in it.
    pub(super) fn next_pass_ns(&self) -> Option<u64> {
        (self.listening && matches!(self.steps.front(), Some(Step::Pass))).then_some(self.wake_ns)
    }

    pub(super) fn is_listening(&self) -> bool {
        self.listening && !self.executing
    }

    /// Does these before everything else, in this order.
    pub(super) fn first(&mut self, steps: impl IntoIterator<Item = Step>) {
        let steps: Vec<Step> = steps.into_iter().collect();
        for step in steps.into_iter().rev() {
            self.steps.push_front(step);
        }
    }

    /// The steps of a command and its end. Until then the board does not listen.
    pub(super) fn begin_command(&mut self, mut steps: Vec<Step>) -> Vec<Step> {
        if !steps.is_empty() {
            self.executing = true;
            steps.push(Step::Executed);
        }
        steps
    }

    pub(super) fn forget_everything(&mut self, feedback_mode: FeedbackMode) {
        *self = Self { wake_ns: self.wake_ns, passes: self.passes, ..Self::new(feedback_mode) };
    }
}

/// Text as the firmware prints it: with CR LF.
pub(super) fn say(text: &str) -> Step {
    let mut bytes = text.as_bytes().to_vec();
    bytes.extend(b"\r\n");
    Step::Print(bytes, 0)
}

impl Board {
    /// A board that has been running: servos read, nothing received.
    pub(super) fn start_running(&mut self) {
        // What its boot printed is long gone.
        drop(self.create_boot_mission());
        self.look(MIRROR_ID);
        self.sample();
        let [base, shoulder, elbow, wrist, ..] = self.options.initial.to_array();
        self.cpu.poses.commanded_rad = [base, shoulder, elbow, wrist];
        self.cpu.first([Step::Listen, Step::Pass]);
    }

    pub(super) fn g3(&self) -> bool {
        self.options.generation == Generation::G3
    }

    /// Runs the firmware up to now.
    pub(super) fn run_cpu(&mut self) {
        while self.cpu.printing || self.cpu.wake_ns <= self.now_ns {
            self.cpu.printing = false;
            self.cpu.wake_ns = self.cpu.wake_ns.max(self.now_ns);
            let Some(step) = self.cpu.steps.pop_front() else {
                self.cpu.first([Step::Pass]);
                continue;
            };
            self.execute_step(step);
            if self.cpu.printing {
                break;
            }
        }
    }

    fn sleep(&mut self, duration: Duration) {
        self.cpu.wake_ns = self.now_ns + duration.as_nanos() as u64;
    }

    fn execute_step(&mut self, step: Step) {
        match step {
            Step::Pass => {
                self.cpu.passes += 1;
                let input = if self.g3() { Step::TakeQueued } else { Step::Drain };
                self.cpu.first([
                    input,
                    Step::Service(Service::Serve),
                    Step::Jog,
                    Step::Scan,
                    Step::Complain,
                    Step::ComplainSupply,
                    Step::Service(Service::Lead),
                    Step::Stream,
                    Step::EndOfPass,
                ]);
            }
            Step::Drain => self.drain(),
            Step::TakeQueued => {
                if let Some(line) = self.cpu.queue.pop_front() {
                    self.take_line(line);
                }
            }
            Step::Scan => {
                let half = Step::Delay(self.options.scan / 2);
                let ids = POLLED.map(|place| FIRST_ID + place as u8);
                let dead = ids.into_iter().filter(|&id| self.bus.answering(id).is_none()).count();
                let timeouts = Step::Delay(DEAD_SERVO * dead as u32);
                self.cpu.first([half.clone(), Step::Sample, half, timeouts]);
            }
            Step::Sample => self.sample(),
            Step::Complain => self.complain(),
            Step::ComplainSupply => self.complain_supply(),
            Step::Service(service) => self.do_service(service),
            Step::Frame => {
                let frame = frame::text(self);
                self.cpu.first([say(&frame)]);
                self.cpu.services.http_info = frame.into_bytes();
            }
            Step::Stream => {
                if self.cpu.feedback_mode == 2 {
                    self.cpu.first([Step::Frame]);
                }
            }
            Step::EndOfPass => {
                // Never 0, or a loop without work would stop the clock.
                self.sleep(self.options.other_work.max(Duration::from_micros(1)));
                self.cpu.first([Step::Pass]);
            }
            Step::Print(bytes, start) => {
                let end = start + self.uart.print(self.now_ns, &bytes[start..]);
                if end < bytes.len() {
                    self.cpu.first([Step::Print(bytes, end)]);
                    self.cpu.printing = true;
                }
            }
            Step::Delay(duration) => self.sleep(duration),
            Step::Write(write) => self.write(write),
            Step::WaitNear { joint, goal, window } => {
                if (self.cpu.measured.steps[joint] - goal).abs() > window {
                    let then = if self.cpu.measured.answered[joint] {
                        let look = Step::Look(FIRST_ID + POLLED[joint] as u8);
                        vec![look, Step::Delay(Duration::from_millis(10)), step]
                    } else {
                        vec![Step::Write(ServoWrite::Torque { id: 254, value: 0 })]
                    };
                    self.cpu.first(then);
                }
            }
            Step::Look(id) => self.look(id),
            Step::Jog => self.jog(),
            Step::MoveThrough { fraction, increment } => self.move_through(fraction, increment),
            Step::InitCheck => self.init_check(),
            Step::Home => self.home(),
            Step::GoHome => self.go_home(),
            Step::Listen => self.cpu.listening = true,
            Step::Executed => self.cpu.executing = false,
            Step::Restart => self.reboot(),
            Step::Hang => {
                self.cpu.hung = true;
                self.cpu.first([Step::Delay(Duration::from_secs(1)), Step::Hang]);
            }
        }
    }

    fn write(&mut self, write: ServoWrite) {
        let unanswered = self.bus.is_unanswered(write);
        self.bus.write(self.now(), write);
        self.sleep(match write {
            _ if unanswered => DEAD_SERVO,
            _ if self.options.servos.instant => Duration::ZERO,
            ServoWrite::All { .. } => self.options.packet_to_all,
            _ => self.options.answered_write,
        });
    }

    fn sample(&mut self) {
        for joint in 0..POLLED.len() {
            self.sample_joint(joint);
        }
        self.cpu.seen = steps::feedback_angles(self.cpu.measured.steps);
        self.cpu.poses.believe(kinematics::forward(self.cpu.seen));
    }

    /// Takes over what a joint's servo says; a dead one leaves the old values, without a mark in the feedback.
    pub(super) fn sample_joint(&mut self, joint: usize) -> bool {
        let answering = self.bus.answering(FIRST_ID + POLLED[joint] as u8);
        let measured = &mut self.cpu.measured;
        measured.answered[joint] = answering.is_some();
        measured.torque[joint] = false;
        let Some(place) = answering else { return false };
        let servo = &self.bus.servos[place];
        measured.torque[joint] = servo.torque;
        measured.steps[joint] = servo.measured();
        measured.loads[joint] = self.bus.load(place);
        true
    }

    /// One read of one servo, outside of the scans.
    pub(super) fn look(&mut self, id: u8) {
        let answering = self.bus.answering(id);
        if let (MIRROR_ID, Some(place)) = (id, answering) {
            self.cpu.measured.mirror_load = self.bus.load(place);
        }
        if let Some(joint) = POLLED.iter().position(|&place| place + usize::from(FIRST_ID) == usize::from(id))
        {
            self.sample_joint(joint);
        }
        if answering.is_none() {
            let complaint = say(&std::format!("Servo ID:{id} status: failed."));
            let complaint = (self.cpu.feedback_mode == 1).then_some(complaint);
            self.cpu.first([Step::Delay(DEAD_SERVO)].into_iter().chain(complaint));
        }
    }

    fn complain(&mut self) {
        let mut text = Vec::new();
        if self.cpu.feedback_mode == 1 {
            for (joint, place) in POLLED.into_iter().enumerate() {
                if !self.cpu.measured.answered[joint] {
                    text.push(say(&std::format!("Servo ID:{} status: failed.", place + 11)));
                }
            }
        }
        self.cpu.first(text);
    }

    fn complain_supply(&mut self) {
        if self.g3() && self.options.supply_volt < 6.0 {
            self.cpu.first([say(
                "Low operating voltage detected. The servo cannot operate properly. UI controls have been disabled. \
                 Please use the device's operating voltage for power supply.",
            )]);
        }
    }

    /// G1: reads what has come in; a complete line is executed at once, and if it blocks, the rest waits in the ring.
    fn drain(&mut self) {
        while let Some(byte) = self.uart.read() {
            self.cpu.line.push(byte);
            if byte == b'\n' {
                let line = core::mem::take(&mut self.cpu.line);
                self.cpu.first([Step::Drain]);
                self.take_line(line);
                return;
            }
        }
    }

    /// G3: a task of its own, every millisecond, also while the loop is blocked.
    pub(super) fn serial_task(&mut self) {
        if !self.g3() || !self.cpu.listening {
            return;
        }
        while let Some(byte) = self.uart.read() {
            if byte != b'\n' {
                if self.cpu.line.len() < QUEUE_LINE_BYTES {
                    self.cpu.line.push(byte);
                }
                continue;
            }
            let mut line = core::mem::take(&mut self.cpu.line);
            let holds = |text: &[u8]| line.windows(text.len()).any(|window| window == text);
            if holds(b"\"T\":999") {
                self.log(&line, true);
                self.cpu.stop_flag = false;
            } else if holds(b"\"T\":0") {
                self.log(&line, true);
                self.emergency_flag();
            } else if self.cpu.queue.len() < QUEUE_LINES {
                line.push(b'\n');
                self.cpu.queue.push_back(line);
            } else {
                self.log(&line, false);
                // The other task may be in the middle of a line; this one comes after it.
                let behind = usize::from(matches!(self.cpu.steps.front(), Some(Step::Print(..))));
                self.cpu.steps.insert(behind, say("{\"error\":\"Queue full\"}"));
            }
        }
    }

    fn log(&mut self, line: &[u8], parsed: bool) {
        self.lines_received += 1;
        if self.options.keep_lines {
            let bytes = line.strip_suffix(b"\n").unwrap_or(line).to_vec();
            self.lines.push(ReceivedLine { at: self.now(), bytes, parsed });
        }
    }

    /// Parses a line (with its LF) and executes it.
    fn take_line(&mut self, line: Vec<u8>) {
        let document = json::read(&line, self.options.json);
        self.log(&line, document.is_some());
        let Some(document) = document else { return };
        let echoes = self.cpu.feedback_mode == 1 && !self.g3();
        let steps = self.execute(&document);
        let steps = self.cpu.begin_command(steps);
        self.cpu.first(steps);
        if echoes {
            let mut echo = line;
            echo.extend(b"\r\n");
            self.cpu.first([Step::Print(echo, 0)]);
        }
    }
}
