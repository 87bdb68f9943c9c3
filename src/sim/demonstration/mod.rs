//! Demonstrations for training: the [expert](super::expert) picks up the box of an instruction on a virtual board in virtual time.
//!
//! What a policy will meet is drawn from the seed of each: servos that sag, stick and lag, commands that come late, a hand that is not
//! quite where it was sent, knocks that end a stretch of the demonstration, and a start near the wrong box. The picture is the
//! cell camera's, reduced to [`PICTURE_WIDTH`] x [`PICTURE_HEIGHT`].

mod driven_arm;
mod marks;
mod picture;

use calibration::kinematics::ForwardKinematics;
use calibration::{Joint, JointAngles, JointLimits};
use firmware_protocol::Generation;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub use self::marks::Marks;
pub use self::picture::{PICTURE_HEIGHT, PICTURE_WIDTH, SmallCamera, reduce};

use self::driven_arm::DrivenArm;
use super::cell::LIFTED_M;
use super::expert::{Expert, Phase, View};
use super::scene::{BoxColour, Scene};
use super::{PhysicsProgram, SimError};

/// Actions for which it must stay there.
const LIFTED_ACTIONS: u32 = 22;
/// A demonstration that takes longer than this many actions has failed.
const MOST_ACTIONS: u32 = 320;
/// Speed of the expert's joints, rad/s.
const EXPERT_SPEED_RAD_S: f64 = 0.9;
/// The pose from which a policy is started: forearm level, hand tilted down, half open.
pub const READY_POSE: JointAngles = JointAngles::from_array_rad([0.0, 0.0, 1.57, 1.15, 0.0, 0.35]);

/// The instruction for a box, as it stands in the training data.
pub fn instruction(colour: BoxColour) -> String {
    format!("Pick up the {} box", colour.name())
}

/// What goes into a training set at each action.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The measured pose.
    pub state: JointAngles,
    /// The pose that was commanded.
    pub action: JointAngles,
    /// RGB rows of the reduced picture; empty without pictures.
    pub picture: Vec<u8>,
    /// Where things are in it.
    pub marks: Marks,
    /// Counts the stretches without a knock between them.
    pub stretch: u32,
}

/// One demonstration, action by action.
pub struct Demonstration {
    scene: Scene,
    colour: BoxColour,
    generator: ChaCha8Rng,
    arm: DrivenArm,
    camera: SmallCamera,
    pictures: bool,
    kinematics: ForwardKinematics,
    expert: Expert,
    /// Slow wandering of what is executed against what is commanded, radians.
    wander: [f64; 6],
    wander_rad: f64,
    actions: u32,
    lifted_for: u32,
    knocks: u32,
    stretch: u32,
    disturbed: bool,
}

impl Demonstration {
    /// The demonstration of a seed. Without `disturbed` the servos are as good as they come, and nothing knocks.
    pub fn new(seed: u64, colour: BoxColour, disturbed: bool) -> Self {
        let scene = Scene::from_seed(seed);
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        // the scene's own aspects use the first streams
        generator.set_stream(64);
        let limits = JointLimits::of(Generation::G1);
        let mut start = READY_POSE;
        if disturbed {
            let spread = [0.4, 0.15, 0.25, 0.25, 0.1, 0.35];
            for joint in Joint::ALL {
                let by = spread[joint.index()] * generator.random_range(-1.0..1.0);
                start.set(joint, start.get(joint) + by);
            }
            if generator.random_bool(0.25)
                && let Some(near) = start_near_a_box(&scene, limits, &mut generator)
            {
                start = near;
            }
        }
        let start = limits.clamp(&start);
        let arm = DrivenArm::new(&scene, start, disturbed.then_some(&mut generator));
        let camera = SmallCamera::new(&scene);
        let wander_rad =
            if disturbed && generator.random_bool(0.6) { generator.random_range(0.0..0.025) } else { 0.0 };
        Self {
            scene,
            colour,
            generator,
            arm,
            camera,
            pictures: true,
            kinematics: ForwardKinematics::default(),
            expert: Expert::new(limits, colour, start, EXPERT_SPEED_RAD_S),
            wander: [0.0; 6],
            wander_rad,
            actions: 0,
            lifted_for: 0,
            knocks: 0,
            stretch: 0,
            disturbed,
        }
    }

    /// The same in the contact physics of a program, before the first action. What is disturbed in the servos' mechanics does not act
    /// there.
    ///
    /// # Errors
    /// When the program does not start, or does not answer as it should.
    pub fn in_physics(mut self, program: &PhysicsProgram) -> Result<Self, SimError> {
        self.arm = self.arm.in_physics(&self.scene, program)?;
        Ok(self)
    }

    /// The same without pictures, for those who look at the motion alone: most of the time goes into pictures.
    #[must_use]
    pub fn without_pictures(self) -> Self {
        Self { pictures: false, ..self }
    }

    /// Whether the box has been lifted for long enough: then the demonstration is at its end.
    pub const fn has_succeeded(&self) -> bool {
        self.lifted_for >= LIFTED_ACTIONS
    }

    /// What the expert is about to do.
    pub const fn phase(&self) -> Option<Phase> {
        self.expert.phase()
    }

    /// The box in the jaws.
    pub fn held(&self) -> Option<BoxColour> {
        self.arm.cell().held()
    }

    /// How high the instruction's box has been lifted, metres.
    pub fn height(&self) -> f64 {
        self.arm.cell().height_m(self.colour)
    }

    /// Actions so far, those of knocks included.
    pub const fn actions(&self) -> u32 {
        self.actions
    }

    /// The next action and what was seen before it; `None` at the end.
    ///
    /// # Errors
    /// Where a box came to lie out of reach, or the program that computes the physics has failed.
    pub fn next_action(&mut self) -> Result<Option<Shown>, SimError> {
        if self.has_succeeded() || self.actions >= MOST_ACTIONS {
            return Ok(None);
        }
        let approaching = matches!(self.expert.phase(), Some(Phase::Above | Phase::Down | Phase::Close));
        if self.disturbed && approaching && self.knocks < 3 && self.generator.random_bool(0.02) {
            self.knock()?;
        }
        let cell = self.arm.cell();
        let state = self.arm.measured();
        let picture = if self.pictures {
            self.camera.picture(&self.arm.angles(), cell.boxes(), u64::from(self.actions))
        } else {
            Vec::new()
        };
        let hand = self.kinematics.link_poses(&self.arm.angles()).tool_point_m();
        let marks = Marks::of(self.camera.camera(), cell.boxes(), self.colour, &hand);
        let view = View { measured: &state, boxes: cell.boxes(), held: cell.held() };
        let action = self.expert.act(&view)?;
        self.execute(&action)?;
        let cell = self.arm.cell();
        let lifted = cell.held() == Some(self.colour) && cell.height_m(self.colour) >= LIFTED_M;
        self.lifted_for = if lifted { self.lifted_for + 1 } else { 0 };
        Ok(Some(Shown { state, action, picture, marks, stretch: self.stretch }))
    }

    fn execute(&mut self, action: &JointAngles) -> Result<(), SimError> {
        let mut executed = *action;
        if self.wander_rad > 0.0 {
            for joint in &Joint::ALL[..5] {
                let wander = &mut self.wander[joint.index()];
                *wander = 0.9 * *wander + self.wander_rad * 0.75 * self.generator.random_range(-1.0..1.0);
                executed.set(*joint, executed.get(*joint) + *wander);
            }
        }
        self.arm.go_to(&executed)?;
        self.actions += 1;
        Ok(())
    }

    /// Something pushes the arm for a moment; the expert begins anew, and so does the stretch.
    fn knock(&mut self) -> Result<(), SimError> {
        self.knocks += 1;
        self.stretch += 1;
        let spread = [0.13, 0.087, 0.087, 0.13, 0.05, 0.17];
        let mut pushed = self.arm.measured();
        for joint in Joint::ALL {
            // the sum of three even draws is near a bell
            let by: f64 = (0..3).map(|_| self.generator.random_range(-1.0..1.0)).sum();
            pushed.set(joint, pushed.get(joint) + spread[joint.index()] * by);
        }
        let pushed = JointLimits::of(Generation::G1).clamp(&pushed);
        for _ in 0..self.generator.random_range(4..10) {
            self.arm.go_to(&pushed)?;
            self.actions += 1;
        }
        self.expert.start_over(&pushed);
        Ok(())
    }
}

/// A pose above or near one of the boxes, the wrong one as often as not.
fn start_near_a_box(scene: &Scene, limits: JointLimits, generator: &mut ChaCha8Rng) -> Option<JointAngles> {
    let mut place = scene.boxes[usize::from(generator.random_bool(0.5))];
    for axis in 0..2 {
        place.centre_m[axis] += generator.random_range(-0.03..0.03);
    }
    let above =
        Expert::new(limits, BoxColour::White, READY_POSE, EXPERT_SPEED_RAD_S).pose_above(&place).ok()?;
    let mut start = above;
    for joint in &Joint::ALL[..5] {
        start.set(*joint, start.get(*joint) + generator.random_range(-0.1..0.1));
    }
    start.set(Joint::Gripper, generator.random_range(0.0..1.1));
    Some(start)
}

#[cfg(test)]
mod tests;
