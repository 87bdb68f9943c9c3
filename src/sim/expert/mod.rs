//! The scripted hand that shows how a box is picked up: above it, down, close, lift.
//!
//! It knows where the boxes are, as no policy does. It works from any pose of the arm and goes back to the beginning when the box was
//! pushed away or lost, so that its demonstrations also show how to recover.

use calibration::kinematics::{ForwardKinematics, InverseKinematics, ToolPose, Unreachable};
use calibration::{Joint, JointAngles, JointLimits};
use nalgebra::{Point3, Vector3};

use crate::sim::scene::{BOX_COUNT, BoxColour, BoxPose};

/// Time between two actions, seconds.
pub const ACTION_PERIOD_S: f64 = 1.0 / 30.0;

/// Where the box's centre comes to lie in the hand's frame: the middle of the open jaws, tips just above the table.
const GRASP_IN_HAND_M: Vector3<f64> = Vector3::new(0.023, 0.0, 0.108);
/// Heights of the grasped point over the table.
const ABOVE_M: f64 = 0.085;
const DOWN_M: f64 = 0.017;
const LIFTED_M: f64 = 0.12;
/// Where the arm cannot reach so high with the hand straight down, it goes lower by so much at a time, this often.
const LOWER_BY_M: f64 = 0.006;
const LOWER_TIMES: u32 = 6;
/// Openings of the gripper, radians.
const OPEN_RAD: f64 = 0.95;
const CLOSED_RAD: f64 = 0.42;
/// Speed of the gripper, rad/s.
const GRIPPER_RAD_S: f64 = 1.2;
/// The way down is slower than the others.
const DOWN_SPEED: f64 = 0.55;
/// Plans are made anew when the box has moved by more than this, metres.
const MOVED_M: f64 = 0.004;
/// Servos sag: the goal is moved against the error that stays, by this share of it an action, at most so far (radians).
const SAG_GAIN: f64 = 0.12;
const MOST_SAG_RAD: f64 = 0.07;
/// Actions of closing before lifting, and of holding nothing before starting over.
const CLOSING_ACTIONS: u32 = 10;
const PATIENCE_ACTIONS: u32 = 28;

/// What the expert is about to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Go above the box, hand open.
    Above,
    /// Go down around it.
    Down,
    /// Close the jaws.
    Close,
    /// Lift it and keep it there.
    Lift,
}

/// Poses of the arm for each phase.
#[derive(Clone, Copy, Debug)]
struct Plan {
    box_m: [f64; 3],
    above: JointAngles,
    down: JointAngles,
    lift: JointAngles,
}

/// What the expert sees at each action.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The measured pose.
    pub measured: &'a JointAngles,
    /// The boxes.
    pub boxes: &'a [BoxPose; BOX_COUNT],
    /// The box in the jaws.
    pub held: Option<BoxColour>,
}

/// Picks up one box.
#[derive(Clone, Debug)]
pub struct Expert {
    inverse: InverseKinematics,
    forward: ForwardKinematics,
    target: BoxColour,
    speed_rad_s: f64,
    phase: Option<Phase>,
    actions_in_phase: u32,
    plan: Option<Plan>,
    /// The pose on the way, without what is added against sag.
    wanted: JointAngles,
    against_sag: [f64; 5],
}

impl Expert {
    /// An expert for a box, from the pose that is commanded now. Joints move at `speed_rad_s` at most.
    pub fn new(limits: JointLimits, target: BoxColour, commanded: JointAngles, speed_rad_s: f64) -> Self {
        Self {
            inverse: InverseKinematics::new(limits),
            forward: ForwardKinematics::default(),
            target,
            speed_rad_s,
            phase: None,
            actions_in_phase: 0,
            plan: None,
            wanted: commanded,
            against_sag: [0.0; 5],
        }
    }

    /// What it is about to do; `None` before the first action.
    pub const fn phase(&self) -> Option<Phase> {
        self.phase
    }

    /// Something moved the arm: starts from what is measured.
    pub fn start_over(&mut self, measured: &JointAngles) {
        self.phase = None;
        self.wanted = *measured;
    }

    /// The next action: the pose to command, for a period of [`ACTION_PERIOD_S`]. An error where the box is out of reach.
    pub fn act(&mut self, view: &View<'_>) -> Result<JointAngles, Unreachable> {
        let place = &view.boxes[self.target.index()];
        let holds = view.held == Some(self.target);
        let approaching = matches!(self.phase, None | Some(Phase::Above | Phase::Down));
        let stale = self.plan.is_none_or(|plan| distance_m(&plan.box_m, &place.centre_m) > MOVED_M);
        if self.phase.is_none() || (approaching && !holds && stale) {
            self.plan = Some(self.plan_for(place)?);
            let phase = self.entry(view, holds);
            self.enter(phase);
        }
        let Some(plan) = self.plan else { return Ok(self.wanted) };
        let phase = self.phase.unwrap_or(Phase::Above);
        let lost =
            matches!(phase, Phase::Close | Phase::Lift) && !holds && self.actions_in_phase > PATIENCE_ACTIONS;
        if lost {
            self.plan = Some(self.plan_for(place)?);
            self.enter(Phase::Above);
        }
        let target = match phase {
            Phase::Above => plan.above,
            Phase::Down | Phase::Close => plan.down,
            Phase::Lift => plan.lift,
        };
        self.step_to(phase, &target);
        self.actions_in_phase += 1;
        let error_rad = self.correct_sag(phase, view.measured);
        let command = self.command();
        match phase {
            Phase::Above if error_rad < 0.035 && view.measured.get(Joint::Gripper) > OPEN_RAD - 0.12 => {
                self.enter(Phase::Down);
            }
            Phase::Down if error_rad < 0.015 => self.enter(Phase::Close),
            Phase::Close if holds && self.actions_in_phase > CLOSING_ACTIONS => self.enter(Phase::Lift),
            _ => {}
        }
        Ok(command)
    }

    fn enter(&mut self, phase: Phase) {
        (self.phase, self.actions_in_phase) = (Some(phase), 0);
    }

    /// Where to begin, for the arm as it stands.
    fn entry(&self, view: &View<'_>, holds: bool) -> Phase {
        if holds {
            return Phase::Close;
        }
        let links = self.forward.link_poses(view.measured);
        let hand = links.pose(calibration::kinematics::Link::Link5);
        let point = hand * Point3::from(GRASP_IN_HAND_M);
        let [x, y, _] = view.boxes[self.target.index()].centre_m;
        let down = (hand.rotation * Vector3::z()).z < -0.98;
        let over = (point.x - x).hypot(point.y - y) < 0.006;
        if down && over && view.measured.get(Joint::Gripper) > OPEN_RAD - 0.12 {
            Phase::Down
        } else {
            Phase::Above
        }
    }

    fn plan_for(&self, place: &BoxPose) -> Result<Plan, Unreachable> {
        let [x, y, _] = place.centre_m;
        let mut near = JointAngles::from_array_rad([y.atan2(x), 0.2, 1.8, 1.1, 0.0, OPEN_RAD]);
        let mut poses = [near; 3];
        for (pose, (height_m, gripper_rad)) in
            poses.iter_mut().zip([(ABOVE_M, OPEN_RAD), (DOWN_M, OPEN_RAD), (LIFTED_M, CLOSED_RAD)])
        {
            let at = |times: u32| {
                self.straight_down(Point3::new(x, y, height_m - f64::from(times) * LOWER_BY_M), &near)
            };
            let lower = if height_m > DOWN_M { LOWER_TIMES } else { 0 };
            // a rolled hand is the arm bent backwards over itself
            let upright = |pose: &JointAngles| pose.get(Joint::Roll).abs() < 0.1;
            *pose =
                (0..lower).find_map(|times| at(times).ok().filter(upright)).map_or_else(|| at(lower), Ok)?;
            pose.set(Joint::Gripper, gripper_rad);
            near = *pose;
        }
        let [above, down, lift] = poses;
        Ok(Plan { box_m: place.centre_m, above, down, lift })
    }

    /// The pose with the open hand above a box.
    pub fn pose_above(&self, place: &BoxPose) -> Result<JointAngles, Unreachable> {
        self.plan_for(place).map(|plan| plan.above)
    }

    /// The arm with the grasped point at `point_m`, hand straight down, not rolled.
    fn straight_down(&self, point_m: Point3<f64>, near: &JointAngles) -> Result<JointAngles, Unreachable> {
        let mut heading_rad = point_m.y.atan2(point_m.x);
        let mut pose =
            ToolPose::straight_down(GRASP_IN_HAND_M, point_m, heading_rad - std::f64::consts::FRAC_PI_2);
        // the heading that leaves the roll at zero: each turn of the hand moves the tool a little
        for _ in 0..6 {
            heading_rad = pose.position_m.y.atan2(pose.position_m.x);
            pose =
                ToolPose::straight_down(GRASP_IN_HAND_M, point_m, heading_rad - std::f64::consts::FRAC_PI_2);
        }
        self.inverse.solve(&pose, near)
    }

    /// Moves the wanted pose towards the phase's, all joints together, the gripper by itself.
    fn step_to(&mut self, phase: Phase, target: &JointAngles) {
        let way = Joint::ALL.map(|joint| target.get(joint) - self.wanted.get(joint));
        let longest = way[..5].iter().fold(0.0, |longest: f64, way| longest.max(way.abs()));
        let speed = self.speed_rad_s * if phase == Phase::Down { DOWN_SPEED } else { 1.0 };
        let share = (speed * ACTION_PERIOD_S / longest.max(1e-9)).min(1.0);
        for joint in Joint::ALL {
            let way = if joint == Joint::Gripper {
                let closed = if phase == Phase::Close { CLOSED_RAD } else { target.get(joint) };
                (closed - self.wanted.get(joint))
                    .clamp(-GRIPPER_RAD_S * ACTION_PERIOD_S, GRIPPER_RAD_S * ACTION_PERIOD_S)
            } else {
                way[joint.index()] * share
            };
            self.wanted.set(joint, self.wanted.get(joint) + way);
        }
    }

    /// Adds against what the servos sag; the largest error of the arm's joints to the wanted pose's end, radians.
    fn correct_sag(&mut self, phase: Phase, measured: &JointAngles) -> f64 {
        let target = match (phase, self.plan) {
            (Phase::Above, Some(plan)) => plan.above,
            (Phase::Down | Phase::Close, Some(plan)) => plan.down,
            (Phase::Lift, Some(plan)) => plan.lift,
            (_, None) => self.wanted,
        };
        let mut largest: f64 = 0.0;
        for joint in &Joint::ALL[..5] {
            let to_go = target.get(*joint) - measured.get(*joint);
            largest = largest.max(to_go.abs());
            // only what stays once the wanted pose has arrived is sag
            if (target.get(*joint) - self.wanted.get(*joint)).abs() < 1e-6 {
                let sag = &mut self.against_sag[joint.index()];
                *sag = (*sag + SAG_GAIN * to_go).clamp(-MOST_SAG_RAD, MOST_SAG_RAD);
            }
        }
        largest
    }

    fn command(&self) -> JointAngles {
        let mut command = self.wanted;
        for joint in &Joint::ALL[..5] {
            command.set(*joint, command.get(*joint) + self.against_sag[joint.index()]);
        }
        self.inverse.limits().clamp(&command)
    }
}

fn distance_m(a: &[f64; 3], b: &[f64; 3]) -> f64 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}
