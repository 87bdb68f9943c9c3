//! From reset to the loop: text, servo check, homing.

use core::time::Duration;
use std::vec;
use std::vec::Vec;

use super::board::Board;
use super::bus::ServoWrite;
use super::cpu::{Step, say};

/// Station address that the virtual chip prints.
pub(super) const MAC: &str = "24:6F:28:12:34:56";

const ROM: &str = "ets Jul 29 2019 12:21:46\r\n\r\nrst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n\
    configsip: 0, SPIWP:0xee\r\nclk_drv:0x00,q_drv:0x00,d_drv:0x00,cs0_drv:0x00,hd_drv:0x00,wp_drv:0x00\r\n\
    mode:DIO, clock div:1\r\nload:0x3fff0030,len:4832\r\nload:0x40078000,len:16460\r\nload:0x40080400,len:4\r\n\
    load:0x40080404,len:3504\r\nentry 0x400805cc";
const START_G3: &str = "Initialize LittleFS for Flash files ctrl.\r\nLittleFS mount succeed.\r\n\
    Initialize the pins used for 12V-switch ctrl.\r\nPower up the servos.\r\nServoCtrl init UART2TTL...\r\n\
    ServoCtrl init succeed.\r\nBus servos status check...";
const NETWORK_G3: &str = "Reset joint torque to ST_TORQUE_MAX.\r\nWiFi init.\r\ncound not found wifiConfig.json.\r\n\
    wifi mode on boot: AP\r\nAP mode starts...\r\nSSID: RoArm-M3\r\nPassword: 12345678\r\nAP Address: 192.168.4.1\r\n\
    http & web init.";
const MISSION: &str = "---=== File Content ===---\r\nreading file: [boot] starts:\n\r\n\
    {\"name\":\"boot\",\"intro\":\"these cmds run automatically at boot.\"}\r\r\n\
    ^^^ ^^^ ^^^ reading file: boot.mission ends. ^^^ ^^^ ^^^";

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
        let g3 = self.g3();
        let mut steps = vec![delay(50), say(ROM), delay(1200)];
        if g3 {
            steps.push(say(START_G3));
        }
        steps.extend([delay(500), Step::InitCheck]);
        steps.extend((11..=17).flat_map(|id| [register(id, 21, 16), register(id, 23, 0)]));
        steps.push(Step::Home);
        steps.extend((11..=17).map(|id| register(id, 48, 1000)));
        if g3 {
            steps.push(say(NETWORK_G3));
        }
        steps.extend([delay(300), say("Server Starts.")]);
        if g3 {
            steps.push(say("ESP-NOW init.\r\nRoArm-M3 started."));
        }
        steps.push(say(MAC));
        if g3 {
            steps.push(say("Application initialization settings.\r\nfile already exists."));
        }
        steps.push(say(MISSION));
        if g3 {
            steps.push(say("---\r\n[currentTimes: 1 ]\r\n[missionPlay finished.]"));
        }
        steps.push(register(17, 48, 300));
        if !g3 {
            // G1 ends with a Cartesian move home, at the speed and acceleration left over: none, and 20.
            let home = Step::Write(ServoWrite::All {
                goals: [MIDDLE, MIDDLE, MIDDLE, MIDDLE + 1, MIDDLE, MIDDLE, MIDDLE],
                speeds: [0; 7],
                accelerations: [20; 7],
            });
            steps.extend([home.clone(), delay(2), home]);
        }
        steps.extend([Step::Listen, Step::Pass]);
        self.cpu.first(steps);
    }

    /// T:600, or the reset line: the chip forgets everything, the servos keep theirs.
    pub(super) fn reboot(&mut self) {
        self.cpu.forget_everything(self.options.generation);
        self.start_boot();
    }

    /// Reads servos 11..=14, which must all answer for the arm to be homed, now or by T:100.
    pub(super) fn init_check(&mut self) {
        let silent: Vec<u8> = (11..=14).filter(|&id| self.bus.servos[usize::from(id - 11)].dead).collect();
        for joint in 0..3 {
            self.sample_joint(joint);
        }
        self.cpu.init_failed = !silent.is_empty();
        let mut steps: Vec<Step> = silent.iter().map(|_| delay(101)).collect();
        if !silent.contains(&11) && !silent.contains(&12) {
            steps.push(Step::SampleMirror);
        }
        let debug = self.cpu.feedback_mode == 1;
        if debug {
            steps.extend(silent.iter().map(|id| say(&std::format!("Servo ID:{id} status: failed."))));
        }
        // With debug text on, the firmware says this even when servos failed.
        let checked = debug || silent.is_empty();
        steps.push(say(if checked {
            "All bus servos status checked."
        } else {
            "Bus servos status check: failed."
        }));
        self.cpu.first(steps);
    }

    /// The homing of the boot.
    pub(super) fn home(&mut self) {
        let steps = self.homing();
        self.cpu.first(steps);
    }

    /// T:100 and the boot: base, shoulder, elbow, then the rest; servo 13 is re-zeroed on the way.
    pub(super) fn homing(&self) -> Vec<Step> {
        if self.cpu.init_failed {
            let debug = self.cpu.feedback_mode == 1;
            return if debug { vec![say("Init failed, skip moveInit.")] } else { vec![] };
        }
        vec![
            to_middle(11),
            Step::Write(ServoWrite::Torque { id: 13, value: 0 }),
            to_middle(12),
            Step::WaitNear { joint: 1, goal: MIDDLE, window: 120 },
            delay(1200),
            Step::Write(ServoWrite::Middle { id: 13 }),
            Step::Write(ServoWrite::Torque { id: 13, value: 1 }),
            delay(10),
            to_middle(14),
            Step::WaitNear { joint: 2, goal: MIDDLE, window: 80 },
            to_middle(15),
            to_middle(16),
            to_middle(17),
            delay(1000),
        ]
    }
}
