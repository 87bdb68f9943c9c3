//! What the hand may do to a box.
#![allow(clippy::unwrap_used, clippy::panic)]

use calibration::JointLimits;
use calibration::kinematics::{InverseKinematics, ToolPose};
use firmware_protocol::emulator::{Board, BoardOptions};
use firmware_protocol::{Command, FirmwareAngles, Generation, GoalAngles, ServoAcceleration, ServoSpeed};
use proptest::prelude::*;

use super::*;

const STEP: Duration = Duration::from_millis(1);
const OPEN_RAD: f64 = 0.95;
/// Where a box is grasped in the hand: tips 4.5 mm above the table.
const IN_HAND_M: [f64; 3] = [0.023, 0.0, 0.1065];

fn box_at(x: f64, y: f64, yaw_rad: f64) -> BoxPose {
    BoxPose { centre_m: [x, y, BOX_HALF_SIZE_M], yaw_rad, tilt_rad: [0.0; 2] }
}

/// A white box in front of the arm, the red one far away.
fn white_at(x: f64, y: f64, yaw_rad: f64) -> Cell {
    Cell::with_boxes([box_at(x, y, yaw_rad), box_at(-0.3, 0.3, 0.0)])
}

/// The hand straight down, jaws opening to the right, with the point `in_hand_m` of the hand at `at_m`.
fn hand_at(in_hand_m: [f64; 3], at_m: [f64; 3], gripper_rad: f64) -> JointAngles {
    let inverse = InverseKinematics::new(JointLimits::of(Generation::G1));
    let near = JointAngles::from_array_rad([0.0, 0.6, 1.6, 0.9, 0.0, gripper_rad]);
    let pose = ToolPose::straight_down(in_hand_m.into(), at_m.into(), -std::f64::consts::FRAC_PI_2);
    inverse.solve(&pose, &near).unwrap()
}

/// An arm that goes where it is told, a little each millisecond, unless something is in the way.
struct Puppet {
    cell: Cell,
    angles: JointAngles,
}

impl Puppet {
    fn new(cell: Cell, angles: JointAngles) -> Self {
        let mut puppet = Self { cell, angles };
        puppet.cell.advance(STEP, &puppet.angles);
        puppet
    }

    fn go(&mut self, goal: &JointAngles) {
        for _ in 0..2500 {
            let mut next = self.angles;
            for joint in Joint::ALL {
                let way = (goal.get(joint) - next.get(joint)).clamp(-0.001, 0.001);
                let angle = next.get(joint) + way;
                let room = self.cell.obstacles().of(joint);
                let angle =
                    angle.max(room.least_rad.unwrap_or(f64::MIN)).min(room.most_rad.unwrap_or(f64::MAX));
                next.set(joint, angle);
            }
            self.angles = next;
            self.cell.advance(STEP, &self.angles);
            self.check();
        }
    }

    fn close(&mut self) {
        let mut goal = self.angles;
        goal.set(Joint::Gripper, 0.1);
        self.go(&goal);
    }

    /// No box is below the table or in a part of the hand.
    fn check(&self) {
        let links = self.cell.kinematics.link_poses(&self.angles);
        for colour in BoxColour::ALL {
            let place = &self.cell.boxes[colour.index()];
            assert!(self.cell.height_m(colour) > -1e-9 || self.cell.held() == Some(colour), "{place:?}");
            for shape in [&PALM, &FIXED_JAW, &MOVING_JAW] {
                if self.cell.held() == Some(colour) {
                    continue;
                }
                if let Some(overlap) = Solid::of(shape, &links).overlap(place) {
                    let inside_m = overlap.depth_m.min(overlap.below_top_m);
                    assert!(inside_m < 0.0015, "{inside_m} m of {:?} in {colour:?} at {place:?}", shape.link);
                }
            }
        }
    }
}

#[test]
fn a_box_between_the_jaws_is_held_and_lifted_and_falls_when_they_open() {
    for yaw_rad in [0.0, 0.2, -0.25, 1.4] {
        let open = hand_at(IN_HAND_M, [0.26, 0.0, 0.015], OPEN_RAD);
        let mut puppet = Puppet::new(white_at(0.26, 0.0, yaw_rad), open);
        assert_eq!(puppet.cell.held(), None, "open jaws hold nothing");
        puppet.close();
        assert_eq!(puppet.cell.held(), Some(BoxColour::White), "yaw {yaw_rad}");
        let opening_rad = puppet.angles.get(Joint::Gripper);
        assert!((0.5..0.7).contains(&opening_rad), "the box keeps the jaws open: {opening_rad}");

        puppet.go(&hand_at(IN_HAND_M, [0.26, 0.0, 0.10], 0.1));
        assert!(puppet.cell.height_m(BoxColour::White) > 0.08, "{:?}", puppet.cell.boxes);
        puppet.go(&hand_at(IN_HAND_M, [0.26, 0.05, 0.10], 0.1));
        assert!(puppet.cell.boxes[0].centre_m[1] > 0.03, "it goes along");
        puppet.go(&hand_at(IN_HAND_M, [0.26, 0.05, 0.10], OPEN_RAD));
        assert_eq!(puppet.cell.held(), None);
        assert_eq!(puppet.cell.height_m(BoxColour::White), 0.0, "it fell onto the table");
    }
}

#[test]
fn a_box_whose_centre_is_beside_the_jaws_is_pinched_and_not_held() {
    // along the width of the jaws, to either side
    for beside_m in [0.0135, -0.0135] {
        let open = hand_at([IN_HAND_M[0], beside_m, IN_HAND_M[2]], [0.26, 0.0, 0.015], OPEN_RAD);
        let mut puppet = Puppet::new(white_at(0.26, 0.0, 0.0), open);
        puppet.close();
        assert_eq!(puppet.cell.held(), None, "{beside_m}");
        assert!(puppet.angles.get(Joint::Gripper) > 0.4, "it is in the way all the same");
        puppet.go(&hand_at([IN_HAND_M[0], beside_m, IN_HAND_M[2]], [0.26, 0.0, 0.10], 0.1));
        assert_eq!(puppet.cell.height_m(BoxColour::White), 0.0, "it stays where it is");
    }
    // just inside
    let open = hand_at([IN_HAND_M[0], 0.009, IN_HAND_M[2]], [0.26, 0.0, 0.015], OPEN_RAD);
    let mut puppet = Puppet::new(white_at(0.26, 0.0, 0.0), open);
    puppet.close();
    assert_eq!(puppet.cell.held(), Some(BoxColour::White));
}

#[test]
fn a_box_that_one_jaw_touches_is_pushed_and_not_held() {
    // the fixed jaw at its side, pushing it along
    let beside = |y| hand_at([0.0, 0.0, IN_HAND_M[2]], [0.26, y, 0.015], OPEN_RAD);
    let mut puppet = Puppet::new(white_at(0.26, 0.0, 0.0), beside(0.017));
    puppet.go(&beside(-0.03));
    assert_eq!(puppet.cell.held(), None);
    let [_, y, z] = puppet.cell.boxes[0].centre_m;
    assert!((y + 0.045).abs() < 0.002 && z == BOX_HALF_SIZE_M, "{:?}", puppet.cell.boxes[0]);
    // the back of the fixed jaw, hand closed: nothing is between the jaws
    let back = |y| hand_at([-0.009, 0.0, IN_HAND_M[2]], [0.26, y, 0.015], 0.0);
    let mut puppet = Puppet::new(white_at(0.26, 0.0, 0.0), back(-0.018));
    puppet.go(&back(0.03));
    assert_eq!(puppet.cell.held(), None);
    assert!(puppet.cell.boxes[0].centre_m[1] > 0.04, "{:?}", puppet.cell.boxes[0]);
}

#[test]
fn a_hand_that_hardly_reaches_over_the_box_does_not_hold_it() {
    let high = [IN_HAND_M[0], 0.0, 0.1195];
    let mut puppet = Puppet::new(white_at(0.26, 0.0, 0.0), hand_at(high, [0.26, 0.0, 0.015], OPEN_RAD));
    puppet.close();
    assert_eq!(puppet.cell.held(), None, "tips {:?}", puppet.angles);
}

#[test]
fn a_finger_stands_on_a_box_and_one_box_pushes_the_other() {
    let over = |z| hand_at([-0.0045, 0.0, 0.1205], [0.26, 0.0, z], OPEN_RAD);
    let mut puppet = Puppet::new(white_at(0.26, 0.0, 0.0), over(0.06));
    puppet.go(&over(0.005));
    let links = puppet.cell.kinematics.link_poses(&puppet.angles);
    let tip_m = Solid::of(&FIXED_JAW, &links).lowest().z;
    assert!((tip_m - 0.03).abs() < 0.0015, "the finger stands on the box: {tip_m}");
    assert!(puppet.cell.obstacles().of(Joint::Shoulder) != Room::default());
    assert!((puppet.cell.boxes[0].centre_m[0] - 0.26).abs() < 1e-9, "and the box stands still");
    assert_eq!(puppet.cell.held(), None);
    assert_eq!(
        puppet.cell.obstacles().of(Joint::Gripper),
        Room::default(),
        "it is no matter of the gripper's"
    );

    // a finger on the edge of a box, whose centre lies between the open jaws: only one of them touches it
    let edge = |z| hand_at([0.010, 0.0, 0.1205], [0.26, 0.0, z], OPEN_RAD);
    let mut puppet = Puppet::new(white_at(0.26, 0.0, 0.0), edge(0.06));
    puppet.go(&edge(0.005));
    assert_eq!(puppet.cell.held(), None);

    let two = Cell::with_boxes([box_at(0.26, 0.0, 0.0), box_at(0.26, -0.035, 0.0)]);
    let beside = |y| hand_at([0.0, 0.0, IN_HAND_M[2]], [0.26, y, 0.015], OPEN_RAD);
    let mut puppet = Puppet::new(two, beside(0.017));
    puppet.go(&beside(-0.03));
    let [white, red] = *puppet.cell.boxes();
    assert!(box_overlap(&white, &red).is_none_or(|overlap| overlap.depth_m < 1e-6), "{white:?} {red:?}");
    assert!(red.centre_m[1] < -0.07, "{red:?}");
}

/// A board with the cell around it, driven by T:102.
fn driven(board: &mut Board, cell: &mut Cell, goal: &JointAngles, milliseconds: u32) {
    let joints = Command::Joints {
        goal: GoalAngles::clamped(FirmwareAngles::from(*goal), Generation::G1).unwrap(),
        speed: ServoSpeed::new(800).unwrap(),
        acceleration: ServoAcceleration::new(100).unwrap(),
    };
    board.receive(joints.encode(&mut [0; Command::MAX_BYTES]));
    let mut scratch = Vec::new();
    for _ in 0..milliseconds {
        board.advance(STEP);
        board.transmit(&mut scratch);
        scratch.clear();
        let before = *cell.obstacles();
        cell.advance(STEP, &JointAngles::from(board.angles()));
        cell.obstacles().apply(&before, board);
    }
}

fn board_at(angles: JointAngles) -> Board {
    Board::new(BoardOptions { initial: FirmwareAngles::from(angles), ..BoardOptions::new(Generation::G1) })
}

#[test]
fn the_table_stops_the_fingers_of_a_board_and_lets_them_rise_again() {
    let tips = |z| hand_at([0.0, 0.0, 0.1205], [0.26, 0.0, z], 0.3);
    let (mut board, mut cell) = (board_at(tips(0.03)), white_at(-0.3, -0.3, 0.0));
    driven(&mut board, &mut cell, &tips(-0.04), 1500);
    let lowest = |board: &Board| {
        let links = ForwardKinematics::default().link_poses(&JointAngles::from(board.angles()));
        Solid::of(&FIXED_JAW, &links).lowest().z.min(Solid::of(&MOVING_JAW, &links).lowest().z)
    };
    assert!((-0.002..0.001).contains(&lowest(&board)), "{}", lowest(&board));
    driven(&mut board, &mut cell, &tips(0.05), 1500);
    assert!(lowest(&board) > 0.04 && cell.obstacles().is_empty(), "{}", lowest(&board));
}

#[test]
fn a_held_box_stalls_the_gripper_of_a_board() {
    let open = hand_at(IN_HAND_M, [0.26, 0.0, 0.015], OPEN_RAD);
    let (mut board, mut cell) = (board_at(open), white_at(0.26, 0.0, 0.1));
    let mut closed = open;
    closed.set(Joint::Gripper, 0.2);
    driven(&mut board, &mut cell, &closed, 1500);
    assert_eq!(cell.held(), Some(BoxColour::White));
    let opening_rad = JointAngles::from(board.angles()).get(Joint::Gripper);
    assert!(opening_rad > 0.5, "the servo stalls on the box: {opening_rad}");
    driven(&mut board, &mut cell, &open, 1500);
    assert_eq!(cell.held(), None, "and opens again");
}

#[test]
fn the_same_steps_give_the_same_boxes() {
    let run = || {
        let open = hand_at(IN_HAND_M, [0.26, 0.004, 0.015], OPEN_RAD);
        let mut puppet = Puppet::new(white_at(0.26, 0.0, 0.17), open);
        puppet.close();
        puppet.go(&hand_at(IN_HAND_M, [0.22, 0.05, 0.08], 0.1));
        *puppet.cell.boxes()
    };
    assert_eq!(run(), run());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever the hand does, [`Puppet::check`] holds at every step.
    #[test]
    fn boxes_are_never_in_the_hand_or_the_table(
        yaw_rad in -0.8..0.8_f64,
        ways in prop::collection::vec((-0.05..0.05_f64, -0.05..0.05_f64, 0.004..0.08_f64, 0.0..1.2_f64), 4),
    ) {
        let start = hand_at(IN_HAND_M, [0.26, 0.0, 0.12], OPEN_RAD);
        let cell = Cell::with_boxes([box_at(0.26, 0.0, yaw_rad), box_at(0.25, 0.05, -yaw_rad)]);
        let mut puppet = Puppet::new(cell, start);
        for (x, y, z, gripper_rad) in ways {
            puppet.go(&hand_at(IN_HAND_M, [0.26 + x, y, z], gripper_rad));
        }
    }
}
