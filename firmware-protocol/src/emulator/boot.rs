//! From reset to the loop: text, servo check, homing.

use core::time::Duration;
use std::vec;
use std::vec::Vec;

use super::board::Board;
use super::bus::ServoWrite;
use super::cartesian::HOME;
use super::commands::torque_limit;
use super::cpu::{Step, say};
use super::services::Service;

/// Station address that the virtual chip prints.
pub(super) const MAC: &str = "24:6F:28:12:34:56";

const ROM: &str = "ets Jul 29 2019 12:21:46\r\n\r\nrst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n\
    configsip: 0, SPIWP:0xee\r\nclk_drv:0x00,q_drv:0x00,d_drv:0x00,cs0_drv:0x00,hd_drv:0x00,wp_drv:0x00\r\n\
    mode:DIO, clock div:1\r\nload:0x3fff0030,len:4832\r\nload:0x40078000,len:16460\r\nload:0x40080400,len:4\r\n\
    load:0x40080404,len:3504\r\nentry 0x400805cc";
const START_DEBUG: &str = "Initialize LittleFS for Flash files ctrl.\r\nLittleFS mount succeed.\r\n\
    Initialize the pins used for 12V-switch ctrl.\r\nPower up the servos.\r\nServoCtrl init UART2TTL...\r\n\
    ServoCtrl init succeed.\r\nBus servos status check...";

const MIDDLE: i32 = 2047;

fn delay(ms: u64) -> Step {
    Step::Delay(Duration::from_millis(ms))
}

fn to_middle(id: u8) -> Step {
    Step::Write(ServoWrite::One { id, goal: MIDDLE, speed: 600, acceleration: 20 })
}

fn register(id: u8, address: u8, value: i32) -> Step {
    Step::Write(ServoWrite::Register { id, address, value })
}

impl Board {
    /// Everything from reset to the loop. The port is not read meanwhile: what arrives waits in the ring, or is lost.
    pub(super) fn start_boot(&mut self) {
        let debug = self.cpu.feedback_mode == 1;
        let mut steps = vec![Step::Delay(self.options.loader), say(ROM), delay(1200)];
        if debug {
            steps.push(say(START_DEBUG));
        }
        steps.extend([delay(500), Step::InitCheck]);
        steps.extend((11..=17).flat_map(|id| [register(id, 21, 16), register(id, 23, 0)]));
        steps.push(Step::Home);
        steps.extend((11..=17).flat_map(|id| torque_limit(id, 1000)));
        if debug {
            steps.push(say("Reset joint torque to ST_TORQUE_MAX.\r\nWiFi init."));
        }
        steps.push(Step::Service(Service::StartNetwork));
        if debug {
            steps.push(say("http & web init."));
        }
        steps.extend([Step::Delay(self.options.network_start), say("Server Starts.")]);
        if debug {
            steps.push(say("ESP-NOW init.\r\nRoArm-M3 started."));
        }
        steps.push(say(MAC));
        if debug {
            steps.push(say("Application initialization settings."));
        }
        steps.push(Step::Service(Service::BootMission));
        steps.extend(torque_limit(17, 300));
        if !self.g3() {
            steps.push(Step::GoHome);
        }
        steps.extend([Step::Listen, Step::Pass]);
        self.cpu.first(steps);
    }

    /// T:600, or the reset line: the chip forgets everything, the servos keep theirs.
    pub(super) fn reboot(&mut self) {
        self.restarts += 1;
        self.cpu.forget_everything(self.options.boot_feedback_mode);
        self.start_boot();
    }

    /// Reads servos 11..=14, which must all answer for the arm to be homed, now or by T:100.
    pub(super) fn init_check(&mut self) {
        // The check ends at the first servo that does not answer.
        let silent = (11_u8..=14).find(|&id| self.bus.answering(id).is_none());
        self.cpu.init_failed = silent.is_some();
        let mut steps: Vec<Step> = (11..=silent.unwrap_or(14)).map(Step::Look).collect();
        // With debug text on, the firmware says that all is well even when it is not.
        let well = "All bus servos status checked.";
        match (silent, self.cpu.feedback_mode == 1) {
            (None, false) => steps.push(say(well)),
            (None, true) => steps.extend([say(well), say(well)]),
            (Some(_), false) => steps.push(say("Bus servos status check: failed.")),
            (Some(_), true) => steps.push(say(well)),
        }
        self.cpu.first(steps);
    }

    /// The Cartesian move that ends the boot of G1, at the speed and acceleration left over: none, and 20.
    pub(super) fn go_home(&mut self) {
        let steps = self.move_to(HOME, 0.25);
        self.cpu.first(steps);
    }

    /// The homing of the boot.
    pub(super) fn home(&mut self) {
        let steps = self.homing();
        self.cpu.first(steps);
    }

    /// T:100 and the boot: base, shoulder, elbow, then the rest; servo 13 is re-zeroed on the way.
    pub(super) fn homing(&self) -> Vec<Step> {
        let debug = self.cpu.feedback_mode == 1;
        let text = |text: &str| if debug { say(text) } else { Step::Print(Vec::new(), 0) };
        if self.cpu.init_failed {
            return vec![text("Init failed, skip moveInit.")];
        }
        vec![
            text("Stop moving to initPos.\r\nMoving BASE_JOINT to initPos."),
            to_middle(11),
            text("Unlock the torque of SHOULDER_DRIVEN_SERVO."),
            Step::Write(ServoWrite::Torque { id: 13, value: 0 }),
            text("Moving SHOULDER_JOINT to initPos."),
            to_middle(12),
            Step::WaitNear { joint: 1, goal: MIDDLE, window: 120 },
            text("...\r\nSet this pos as the middle pos for SHOULDER_DRIVEN_SERVO."),
            delay(1200),
            Step::Write(ServoWrite::Middle { id: 13 }),
            text("SHOULDER_DRIVEN_SERVO starts producing torque."),
            Step::Write(ServoWrite::Torque { id: 13, value: 1 }),
            delay(10),
            text("Moving ELBOW_SERVO to middle position."),
            to_middle(14),
            Step::WaitNear { joint: 2, goal: MIDDLE, window: 80 },
            to_middle(15),
            to_middle(16),
            text("Moving GRIPPER_SERVO to middle position."),
            to_middle(17),
            delay(1000),
        ]
    }
}
