//! Joints that another simulator moves: the servos' electronics stay the board's, their mechanics are somebody else's.
//!
//! The board says what its servos pull with ([`Board::drives`]), the simulator where the joints have come to
//! ([`Board::move_joints`]). Profiles, gains, torque limits, protection, loads and feedback are those of the board; mass, friction,
//! gravity and contacts are the simulator's.

use super::board::Board;
use super::bus::{angle_rad, place, shaft_steps};
use crate::steps::STEP_RAD;
use crate::{FirmwareAngles, Joint};

/// What the servos of a joint do at this moment: a spring towards where their profile is, no stronger than their limit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct JointDrive {
    /// Where they pull to, rad, in the frame of the feedback.
    pub target_rad: f64,
    /// Torque for each radian of error, N·m; 0 with torque off.
    pub stiffness_nm_per_rad: f64,
    /// Greatest torque, N·m.
    pub limit_nm: f64,
}

impl Board {
    /// What the servos of each joint pull with now; both servos of the shoulder together.
    #[must_use]
    pub fn drives(&self) -> [JointDrive; 6] {
        Joint::ALL.map(|joint| {
            let (mut pull, mut stiffness, mut limit) = (0.0, 0.0, 0.0);
            for drive in self.bus.drives_of(joint).into_iter().flatten() {
                pull += drive.stiffness * drive.target;
                stiffness += drive.stiffness;
                limit += drive.limit;
            }
            if stiffness <= 0.0 {
                return JointDrive::default();
            }
            let servo = &self.bus.servos[place(joint)];
            JointDrive {
                target_rad: angle_rad(joint, pull / stiffness),
                stiffness_nm_per_rad: servo.torque_nm_of(stiffness) / STEP_RAD,
                limit_nm: servo.torque_nm_of(limit),
            }
        })
    }

    /// The joints have come to `angles` (frame of the feedback) since the last call. From the first call on the board moves no joint
    /// by itself: its gravity, friction, contacts and stuck joints rest.
    pub fn move_joints(&mut self, angles: FirmwareAngles) {
        let ticks = self.bus.outside.replace(0).unwrap_or(0).max(1);
        let shafts = shaft_steps(angles);
        for joint in Joint::ALL {
            self.bus.settle(joint, shafts[joint.index()], ticks);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use core::time::Duration;

    use crate::emulator::{Board, BoardOptions, JointDrive, ServoOptions};
    use crate::{Command, FirmwareAngles, Generation, GoalAngles, Joint, ServoAcceleration, ServoSpeed};

    fn board(options: BoardOptions) -> Board {
        let mut board = Board::new(options);
        board.advance(Duration::from_millis(100));
        board
    }

    /// 10 of 1000 of the stall torque for each step at P = 16, two servos at the shoulder, 30 % for the hand.
    #[test]
    fn drives_are_springs_of_the_firmwares_gain_and_limit() {
        let board = board(BoardOptions::default());
        let drives = board.drives();
        let one = 0.010 * 2.94 / crate::steps::STEP_RAD;
        for joint in Joint::ALL {
            let JointDrive { stiffness_nm_per_rad, limit_nm, target_rad } = drives[joint.index()];
            let servos = if joint == Joint::Shoulder { 2.0 } else { 1.0 };
            let limit = if joint == Joint::Hand { 0.3 } else { servos };
            assert!((stiffness_nm_per_rad - servos * one).abs() < 1e-9, "{joint:?}: {stiffness_nm_per_rad}");
            assert!((limit_nm - 2.94 * limit).abs() < 1e-9, "{joint:?}: {limit_nm}");
            let goal = board.goal().to_array()[joint.index()];
            assert!((target_rad - goal).abs() < 1e-9, "{joint:?}: {target_rad} for {goal}");
        }
    }

    #[test]
    fn torque_off_pulls_nothing() {
        let mut board = board(BoardOptions::default());
        board.receive(b"{\"T\":210,\"cmd\":0}\n");
        board.advance(Duration::from_millis(100));
        assert_eq!(board.drives(), [JointDrive::default(); 6]);
    }

    /// Joints stand where they are put, whatever the goal; the profile goes on, and the load follows from both.
    #[test]
    fn the_joints_are_where_the_simulator_says() {
        let stock = BoardOptions { servos: ServoOptions::stock(), ..BoardOptions::default() };
        let mut board = board(stock);
        let still = board.angles();
        board.move_joints(still);
        let goal = FirmwareAngles { base_rad: 0.5, ..BoardOptions::BOOT_POSE };
        let command = Command::Joints {
            goal: GoalAngles::clamped(goal, Generation::G1).unwrap(),
            speed: ServoSpeed::from_rad_per_s(2.0).unwrap(),
            acceleration: ServoAcceleration::from_rad_per_s2(20.0).unwrap(),
        };
        board.receive(command.encode(&mut [0; Command::MAX_BYTES]));
        for _ in 0..300 {
            board.advance(Duration::from_millis(2));
            board.move_joints(still);
        }
        assert_eq!(board.angles(), still, "gravity and drives move nothing");
        assert!((board.drives()[0].target_rad - 0.5).abs() < 0.01, "{:?}", board.drives()[0]);
        // 0.5 rad are 326 steps, and 3260 of 1000 is all the servo has; base steps count against the angle
        assert_eq!(board.bus.load(0), -1000);

        let moved = FirmwareAngles { base_rad: 0.49, ..still };
        board.move_joints(moved);
        assert!((board.angles().base_rad - 0.49).abs() < 1e-12);
        assert!((-80..=-50).contains(&board.bus.load(0)), "{}", board.bus.load(0));
    }

    /// More than 80 % for 2 s: 20 %, however rarely the simulator speaks.
    #[test]
    fn a_stalled_joint_protects_itself() {
        let mut board = board(BoardOptions::default());
        let still = board.angles();
        board.move_joints(still);
        board.receive(b"{\"T\":101,\"joint\":1,\"rad\":1.0,\"spd\":0,\"acc\":0}\n");
        board.advance(Duration::from_millis(500));
        for _ in 0..140 {
            board.move_joints(still);
            board.advance(Duration::from_millis(10));
        }
        assert!((board.drives()[0].limit_nm - 2.94).abs() < 1e-9);
        for _ in 0..40 {
            board.move_joints(still);
            board.advance(Duration::from_millis(10));
        }
        assert!((board.drives()[0].limit_nm - 0.2 * 2.94).abs() < 1e-9, "{:?}", board.drives()[0]);
    }
}
