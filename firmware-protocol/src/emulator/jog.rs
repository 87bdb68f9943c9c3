//! T:123: the arm moves on until told otherwise, a little every 10 ms.

use core::f64::consts::PI;

use super::board::Board;
use super::cartesian::ASSUMED_HAND_RAD;
use super::commands::all;
use super::json::Document;
use crate::{FirmwareAngles, steps};

/// The least time between two ticks, ms.
const TICK_MS: u64 = 10;
/// `cmd` of an axis that moves up, and down. 0 is off; anything else holds the axis active without moving it.
const UP: u8 = 1;
const DOWN: u8 = 2;
/// `m`.
const JOINTS: u8 = 0;
const POSE: u8 = 1;
/// Pitch, roll and hand move by this part of the speed in mm, rad.
const MM_PER_RAD: f32 = 200.0;

/// What the firmware remembers of T:123. Mode and speed are shared by all axes; angles and speed are single precision.
#[derive(Clone, Debug, Default)]
pub(super) struct Jog {
    mode: u8,
    /// A tick's way: rad, or mm.
    speed: f32,
    commands: [u8; 6],
    angles_rad: [f32; 6],
    /// The last pose that inverse kinematics had an answer for. Zeros until there is one.
    reachable: [f64; 6],
    last_tick_ms: u64,
}

impl Jog {
    /// Takes in T:123. An axis outside 1..=6 still sets mode and speed.
    pub(super) fn command(&mut self, command: &Document) {
        self.mode = command.byte("m");
        let speed = f64::from(command.byte("spd"));
        match self.mode {
            JOINTS => self.speed = (speed * 0.0005) as f32,
            POSE => self.speed = (speed * 0.1) as f32,
            _ => {}
        }
        let axis = usize::from(command.byte("axis").wrapping_sub(1));
        if let Some(axis) = self.commands.get_mut(axis) {
            *axis = command.byte("cmd");
        }
    }
}

impl Board {
    /// Every loop pass, and before the servos are read.
    pub(super) fn jog(&mut self) {
        let now_ms = self.now_ns / 1_000_000;
        if now_ms - self.cpu.jog.last_tick_ms < TICK_MS {
            return;
        }
        self.cpu.jog.last_tick_ms = now_ms;
        if self.cpu.jog.commands == [0; 6] {
            self.follow();
            return;
        }
        match self.cpu.jog.mode {
            JOINTS => self.jog_joints(),
            POSE => self.jog_pose(),
            _ => {}
        }
    }

    /// Without an active axis, the starting point of the next T:123 and T:103 is what the last scan saw.
    fn follow(&mut self) {
        let [x, y, z, pitch, roll] = self.cpu.poses.last;
        self.cpu.poses.goal = [x, y, z, pitch, roll, ASSUMED_HAND_RAD];
        self.cpu.jog.angles_rad = self.cpu.seen.to_array().map(|angle| angle as f32);
    }

    /// All joints at full speed to angles of which the active ones have moved on.
    fn jog_joints(&mut self) {
        let elbow_low = if self.g3() { 0.0 } else { -PI / 4.0 };
        let limits = [
            (-PI, PI),
            (-PI / 2.0, PI / 2.0),
            (elbow_low, PI),
            (-PI / 2.0, PI / 2.0),
            (-PI, PI),
            (-PI / 4.0, PI * 7.0 / 4.0),
        ];
        let Jog { commands, angles_rad, speed, .. } = &mut self.cpu.jog;
        for ((command, angle), (low, high)) in commands.iter_mut().zip(&mut *angles_rad).zip(limits) {
            match *command {
                UP => *angle += *speed,
                DOWN => *angle -= *speed,
                _ => continue,
            }
            // Only the end that the joint moves to stops it.
            if *command == UP && f64::from(*angle) > high {
                (*angle, *command) = (high as f32, 0);
            } else if *command == DOWN && f64::from(*angle) < low {
                (*angle, *command) = (low as f32, 0);
            }
        }
        let angles = FirmwareAngles::from_array(angles_rad.map(f64::from));
        self.cpu.left_over = ([0; 7], [0; 7]);
        self.cpu.first([all(steps::goals(self.options.generation, angles), [0; 7], [0; 7])]);
    }

    /// All joints, at the left-over speed, to a pose of which the active coordinates have moved on.
    fn jog_pose(&mut self) {
        let Jog { commands, speed, .. } = self.cpu.jog;
        for (axis, command) in commands.into_iter().enumerate() {
            let way = f64::from(if axis < 3 { speed } else { speed / MM_PER_RAD });
            match command {
                UP => self.cpu.poses.goal[axis] += way,
                DOWN => self.cpu.poses.goal[axis] -= way,
                _ => {}
            }
        }
        let write = match self.reach(self.cpu.poses.goal) {
            Some(write) => {
                self.cpu.jog.reachable = self.cpu.poses.goal;
                write
            }
            None => {
                self.cpu.poses.goal = self.cpu.jog.reachable;
                self.go(self.cpu.poses.goal)
            }
        };
        self.cpu.poses.arrive();
        self.cpu.first([write]);
    }
}
