//! The boxes over time: what the hand pushes, holds and lets fall, and what stops the hand.
//!
//! Nothing here has mass but a falling box; the rules are those of slow motion:
//! * a part of the hand that enters a box pushes it sideways, the shortest way out; one box pushes the other;
//! * a part that comes down on a box or on the table stops: the joints that would lower it stall ([`Obstacles`]);
//! * a box between both jaws turns until its faces lie flat on them. It is **held** when both jaws touch it while its centre lies
//!   between them, and for as long: then it goes with the hand, and the gripper stalls on it. A box that the jaws pinch beside its
//!   centre blocks the gripper all the same, but is not held;
//! * a box that is not held falls.
//!
//! The same steps give the same boxes: nothing is drawn by chance.

mod obstacles;
mod solid;
mod trial;

use std::time::Duration;

use calibration::kinematics::{ForwardKinematics, Link, LinkPoses};
use calibration::{Joint, JointAngles};
use nalgebra::{Point3, Vector3};

pub use obstacles::{Obstacles, Room};
pub use trial::{LIFTED_M, LIFTED_TIME, Outcome, Trial};

use self::solid::{Solid, box_overlap};
use crate::sim::scene::{BOX_COUNT, BOX_HALF_SIZE_M, BoxColour, BoxPose, FIXED_JAW, MOVING_JAW, PALM, Scene};

/// The longest step that is taken at once: at top speed a finger moves by 1 mm in it.
const LONGEST_STEP: Duration = Duration::from_millis(1);
/// A part that reaches over a box's edge by less than this slides off it and pushes; more, and it stands on the box. The edges of box
/// and fingers are broken, and the arm gives way a little.
const EDGE_SLIP_M: f64 = 0.003;
/// Jaws that lie on a box overlap with it by no more than this.
const TOUCH_M: f64 = 1e-4;
/// Half of the jaws' width, metres: how far beside the middle of the jaws a held box's centre may be.
const HALF_JAW_WIDTH_M: f64 = 0.0105;
/// Where the fixed jaw begins and ends along the hand, metres from the hand's origin.
const JAW_SPAN_M: [f64; 2] = [0.0515, 0.1205];
/// Distance from the hand's origin to the moving jaw's axis, along the hand, metres.
const JAW_AXIS_M: f64 = 0.052_035;
/// How far the moving jaw's tip must reach below the top of a box to hold it, metres.
const LEAST_BITE_M: f64 = 0.004;
/// Length of the moving jaw, metres.
const JAW_LENGTH_M: f64 = 0.064;
/// The gripper has let go when it is open by so much more than when it closed on the box, radians.
const LETTING_GO_RAD: f64 = 0.01;
/// How far a pinched box forces the gripper open in one step, radians.
const FORCED_OPEN_RAD: f64 = 0.005;
/// How far the jaws turn a box in one step, radians.
const TURN_STEP_RAD: f64 = 0.005;
const TURN_STEPS: usize = 8;
const GRAVITY_M_S2: f64 = 9.81;

/// A box in the jaws.
#[derive(Clone, Copy, Debug)]
struct Hold {
    colour: BoxColour,
    /// Its centre in the hand's frame, metres.
    centre_in_hand_m: Point3<f64>,
    /// Its turn against the hand's, radians.
    yaw_in_hand_rad: f64,
    /// Opening of the gripper that it keeps, radians.
    gripper_rad: f64,
}

/// Both boxes and what the hand does to them.
#[derive(Clone, Debug)]
pub struct Cell {
    kinematics: ForwardKinematics,
    boxes: [BoxPose; BOX_COUNT],
    fall_m_s: [f64; BOX_COUNT],
    hold: Option<Hold>,
    obstacles: Obstacles,
}

/// The parts of the hand that touch things.
struct Hand {
    palm: Solid,
    fixed: Solid,
    moving: Solid,
}

/// What one part of the hand did to a box.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Touch {
    None,
    Pushed,
    OnTop,
}

impl Cell {
    /// The boxes as the scene places them.
    pub fn new(scene: &Scene) -> Self {
        Self::with_boxes(scene.boxes)
    }

    /// Boxes at given places.
    pub fn with_boxes(boxes: [BoxPose; BOX_COUNT]) -> Self {
        Self {
            kinematics: ForwardKinematics::default(),
            boxes,
            fall_m_s: [0.0; BOX_COUNT],
            hold: None,
            obstacles: Obstacles::default(),
        }
    }

    /// Where the boxes are, in the order of [`BoxColour::ALL`].
    pub const fn boxes(&self) -> &[BoxPose; BOX_COUNT] {
        &self.boxes
    }

    /// The box that the jaws hold.
    pub fn held(&self) -> Option<BoxColour> {
        self.hold.map(|hold| hold.colour)
    }

    /// How high a box's centre is above where it lies on the table, metres.
    pub fn height_m(&self, colour: BoxColour) -> f64 {
        self.boxes[colour.index()].centre_m[2] - BOX_HALF_SIZE_M
    }

    /// What is in the way of the joints now.
    pub const fn obstacles(&self) -> &Obstacles {
        &self.obstacles
    }

    /// The arm has come to `angles` in the time of `step`. Steps longer than a millisecond are counted as one: call it more often.
    pub fn advance(&mut self, step: Duration, angles: &JointAngles) {
        let links = self.kinematics.link_poses(angles);
        let hand = Hand {
            palm: Solid::of(&PALM, &links),
            fixed: Solid::of(&FIXED_JAW, &links),
            moving: Solid::of(&MOVING_JAW, &links),
        };
        self.obstacles = Obstacles::default();
        self.carry(&links, angles);
        self.fall(step.min(LONGEST_STEP).as_secs_f64());
        for colour in BoxColour::ALL {
            if self.held() != Some(colour) && self.touch(colour, &hand, &links, angles) {
                // what the hand pushes does not give way to the other
                self.separate(colour);
            }
        }
        if let Some(held) = self.held() {
            self.separate(held);
        }
        self.meet_the_table(&hand, &links, angles);
    }

    /// Takes the held box along, or lets go of it.
    fn carry(&mut self, links: &LinkPoses, angles: &JointAngles) {
        let Some(hold) = self.hold else { return };
        if angles.get(Joint::Gripper) > hold.gripper_rad + LETTING_GO_RAD {
            self.hold = None;
            return;
        }
        let hand = links.pose(Link::Link5);
        let place = &mut self.boxes[hold.colour.index()];
        place.centre_m = (hand * hold.centre_in_hand_m).coords.into();
        place.yaw_rad = hand_yaw_rad(links) + hold.yaw_in_hand_rad;
        self.fall_m_s[hold.colour.index()] = 0.0;
        self.obstacles.stop_closing(hold.gripper_rad);
    }

    fn fall(&mut self, step_s: f64) {
        for colour in BoxColour::ALL {
            if self.held() == Some(colour) {
                continue;
            }
            let rest_m = self.rest_height_m(colour);
            let (place, speed) = (&mut self.boxes[colour.index()], &mut self.fall_m_s[colour.index()]);
            if place.centre_m[2] > rest_m {
                *speed += GRAVITY_M_S2 * step_s;
                place.centre_m[2] = (place.centre_m[2] - *speed * step_s).max(rest_m);
            } else {
                // a box that was let go of while it was pressed against the table lies on it
                place.centre_m[2] = rest_m;
                *speed = 0.0;
            }
        }
    }

    /// Where a box's centre comes to rest: on the table, or on the other box that lies below it.
    fn rest_height_m(&self, colour: BoxColour) -> f64 {
        let (upper, lower) = (&self.boxes[colour.index()], &self.boxes[colour.other().index()]);
        let on_other_m = lower.centre_m[2] + 2.0 * BOX_HALF_SIZE_M;
        let mut level = *upper;
        level.centre_m[2] = lower.centre_m[2];
        let above = upper.centre_m[2] >= on_other_m - EDGE_SLIP_M;
        if above && box_overlap(lower, &level).is_some() { on_other_m } else { BOX_HALF_SIZE_M }
    }

    /// Everything that the hand does to a free box; whether it pushed it.
    fn touch(&mut self, colour: BoxColour, hand: &Hand, links: &LinkPoses, angles: &JointAngles) -> bool {
        let mut standing: Option<&Solid> = None;
        let (mut closing_stops, mut pushed, mut both_jaws) = (false, false, false);
        for _ in 0..4 {
            let palm = self.push(colour, &hand.palm);
            let fixed = self.push(colour, &hand.fixed);
            let moving = self.push(colour, &hand.moving);
            for (touch, part) in [(palm, &hand.palm), (fixed, &hand.fixed), (moving, &hand.moving)] {
                if touch == Touch::OnTop {
                    standing = Some(part);
                }
            }
            closing_stops |= moving == Touch::OnTop;
            if [palm, fixed, moving].iter().all(|touch| *touch != Touch::Pushed) {
                break;
            }
            pushed = true;
            both_jaws = fixed == Touch::Pushed && moving == Touch::Pushed;
        }
        if let Some(part) = standing {
            let top_m = self.boxes[colour.index()].centre_m[2] + BOX_HALF_SIZE_M;
            for point in part.corners_m.iter().filter(|point| point.z < top_m) {
                self.obstacles.stop_sinking(point, links, angles);
            }
        }
        if closing_stops {
            self.obstacles.stop_closing(angles.get(Joint::Gripper));
        } else if both_jaws && standing.is_none() && self.is_squeezed(colour, hand) {
            self.squeeze(colour, hand, links, angles);
        }
        pushed
    }

    /// A part of the hand pushes a box out of its way, unless it stands on it.
    fn push(&mut self, colour: BoxColour, part: &Solid) -> Touch {
        let place = &mut self.boxes[colour.index()];
        match part.overlap(place) {
            None => Touch::None,
            Some(overlap) if overlap.depth_m > EDGE_SLIP_M && overlap.below_top_m < overlap.depth_m => {
                Touch::OnTop
            }
            Some(overlap) => {
                place.centre_m[0] += overlap.way_m.x;
                place.centre_m[1] += overlap.way_m.y;
                Touch::Pushed
            }
        }
    }

    /// Whether neither jaw can give way: what one is pushed out of, the other is in.
    fn is_squeezed(&self, colour: BoxColour, hand: &Hand) -> bool {
        let place = &self.boxes[colour.index()];
        let depth = |part: &Solid| part.overlap(place).map_or(0.0, |overlap| overlap.depth_m);
        depth(&hand.fixed).max(depth(&hand.moving)) > TOUCH_M
    }

    /// The jaws press on a box from both sides: it turns flat onto them, and is held or pinched.
    fn squeeze(&mut self, colour: BoxColour, hand: &Hand, links: &LinkPoses, angles: &JointAngles) {
        let gripper_rad = angles.get(Joint::Gripper);
        for _ in 0..TURN_STEPS {
            let askew_rad = self.askew_rad(colour, links);
            if askew_rad.abs() < 1e-9 {
                break;
            }
            self.boxes[colour.index()].yaw_rad -= askew_rad.clamp(-TURN_STEP_RAD, TURN_STEP_RAD);
            for _ in 0..2 {
                let _ = self.push(colour, &hand.moving);
                let _ = self.push(colour, &hand.fixed);
            }
            if !self.is_squeezed(colour, hand) {
                return;
            }
        }
        if self.hold.is_some() || !self.is_between_jaws(colour, links, gripper_rad) {
            // a box is harder than the gripper is strong
            self.obstacles.stop_closing(gripper_rad + FORCED_OPEN_RAD);
            return;
        }
        self.obstacles.stop_closing(gripper_rad);
        // flat on the fixed jaw
        let pose = links.pose(Link::Link5);
        let mut centre_in_hand_m =
            pose.inverse_transform_point(&Point3::from(self.boxes[colour.index()].centre_m));
        centre_in_hand_m.x = BOX_HALF_SIZE_M;
        self.boxes[colour.index()].centre_m = (pose * centre_in_hand_m).coords.into();
        let yaw_in_hand_rad = self.boxes[colour.index()].yaw_rad - hand_yaw_rad(links);
        self.hold = Some(Hold { colour, centre_in_hand_m, yaw_in_hand_rad, gripper_rad });
    }

    /// How a box's faces are turned against the jaws', radians in −45°..45°.
    fn askew_rad(&self, colour: BoxColour, links: &LinkPoses) -> f64 {
        let quarter = std::f64::consts::FRAC_PI_2;
        let turn_rad = self.boxes[colour.index()].yaw_rad - hand_yaw_rad(links);
        turn_rad - (turn_rad / quarter).round() * quarter
    }

    /// Whether a box's centre lies between the jaws and the moving one reaches far enough over it.
    fn is_between_jaws(&self, colour: BoxColour, links: &LinkPoses, gripper_rad: f64) -> bool {
        let place = Point3::from(self.boxes[colour.index()].centre_m);
        let in_hand = links.pose(Link::Link5).inverse_transform_point(&place);
        let beyond_axis_m = in_hand.z - JAW_AXIS_M;
        let [begin, end] = JAW_SPAN_M;
        let tip_m = JAW_LENGTH_M * gripper_rad.cos();
        in_hand.y.abs() <= HALF_JAW_WIDTH_M
            && (begin..=end).contains(&in_hand.z)
            && in_hand.x > 0.0
            && in_hand.x < beyond_axis_m * gripper_rad.tan()
            && tip_m >= beyond_axis_m - BOX_HALF_SIZE_M + LEAST_BITE_M
    }

    /// Boxes do not stand in each other: the other one gives way to `pushing`.
    fn separate(&mut self, pushing: BoxColour) {
        let moved = pushing.other();
        let other = self.boxes[pushing.index()];
        let place = &mut self.boxes[moved.index()];
        let apart_m = (place.centre_m[2] - other.centre_m[2]).abs();
        if apart_m < 2.0 * BOX_HALF_SIZE_M - EDGE_SLIP_M
            && let Some(overlap) = box_overlap(&other, place)
        {
            place.centre_m[0] += overlap.way_m.x;
            place.centre_m[1] += overlap.way_m.y;
        }
    }

    /// The table stops the fingers and a held box.
    fn meet_the_table(&mut self, hand: &Hand, links: &LinkPoses, angles: &JointAngles) {
        let held = self.hold.map(|hold| Solid::of_box(&self.boxes[hold.colour.index()]));
        for solid in [hand.palm, hand.fixed, hand.moving].into_iter().chain(held) {
            for point in solid.corners_m.iter().filter(|point| point.z < 0.0) {
                self.obstacles.stop_sinking(point, links, angles);
            }
        }
        if hand.moving.lowest().z < 0.0 && angles.get(Joint::Gripper) > 0.0 {
            let jaw = links.pose(Link::Gripper);
            let axis = jaw.rotation * Vector3::z();
            let rise_m = axis.cross(&(hand.moving.lowest() - Point3::from(jaw.translation.vector))).z;
            // closing lowers the tip
            if rise_m > 0.0 && self.hold.is_none() {
                self.obstacles.stop_closing(angles.get(Joint::Gripper));
            }
        }
    }
}

/// Bearing of the hand's y axis, along which the jaws are wide, radians.
fn hand_yaw_rad(links: &LinkPoses) -> f64 {
    let across = links.pose(Link::Link5).rotation * Vector3::y();
    across.y.atan2(across.x)
}

#[cfg(test)]
mod tests;
