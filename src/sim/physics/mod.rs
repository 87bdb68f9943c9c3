//! The cell in contact physics that another program computes, in place of the rules of [`cell`](super::cell).
//!
//! The program is started with the cell as an MJCF model. From then on it is told, once every [`PHYSICS_STEP`], what the board's servos
//! pull with, and answers where joints and boxes have come to: mass, gravity, friction and contacts are its own. Everything else stays
//! as it is: the servos' profiles and limits, the encoders, the wire, the camera's pictures, and what counts as success.
//!
//! The language, little-endian: `roarm physics 1\n`, the model's length (64 bits) and the model go in, a state comes back; then records
//! of [`record`] to and fro until the input ends. `tests/mujoco/physics.py` speaks it.

mod inertia;
mod mjcf;
mod program;
mod record;

use std::time::Duration;

use calibration::kinematics::ForwardKinematics;
use calibration::{JointAngles, JointLimits};
use firmware_protocol::FirmwareAngles;
use firmware_protocol::emulator::Board;
use nalgebra::distance;

pub use program::PhysicsProgram;

use super::SimError;
use super::scene::{BOX_COUNT, BoxColour, BoxPose, Scene};
use program::Running;
use record::{Request, State};

/// Time between two exchanges.
pub const PHYSICS_STEP: Duration = Duration::from_millis(2);

/// What goes before the model; the number is the version of the language.
const GREETING: &[u8] = b"roarm physics 1\n";
/// Both have the same arm if its tool stands at the same place, metres.
const SAME_PLACE_M: f64 = 1e-9;

/// A cell whose joints and boxes another program moves.
#[derive(Debug)]
pub(super) struct Physics {
    running: Running,
    kinematics: ForwardKinematics,
    requests: u32,
    /// Time since the last exchange.
    since: Duration,
    state: State,
}

impl Physics {
    /// Starts the program on the cell of a scene, the arm at rest at `angles`.
    pub(super) fn start(
        program: &PhysicsProgram,
        scene: &Scene,
        angles: &JointAngles,
        limits: &JointLimits,
    ) -> Result<Self, SimError> {
        let model = mjcf::model(scene, angles, limits);
        let mut running = Running::start(program)?;
        let length = (model.len() as u64).to_le_bytes();
        running.send(&[GREETING, &length, model.as_bytes()].concat())?;
        let kinematics = ForwardKinematics::default();
        let state = answer(&mut running, &kinematics, 0)?;
        Ok(Self { running, kinematics, requests: 0, since: Duration::ZERO, state })
    }

    /// Time until the next exchange.
    pub(super) fn until_next(&self) -> Duration {
        PHYSICS_STEP.saturating_sub(self.since)
    }

    /// The board has gone on for `step`, at most [`Self::until_next`]: when that is due, moves its joints.
    pub(super) fn follow(&mut self, board: &mut Board, step: Duration) -> Result<(), SimError> {
        self.since += step;
        if self.since < PHYSICS_STEP {
            return Ok(());
        }
        self.requests += 1;
        let request =
            Request { number: self.requests, time_s: self.since.as_secs_f64(), drives: drives(board) };
        self.since = Duration::ZERO;
        self.running.send(&request.encode())?;
        self.state = answer(&mut self.running, &self.kinematics, self.requests)?;
        board.move_joints(FirmwareAngles::from(self.state.angles));
        Ok(())
    }

    pub(super) const fn boxes(&self) -> &[BoxPose; BOX_COUNT] {
        &self.state.boxes
    }

    /// Whether both jaws touch a box.
    pub(super) fn is_held(&self, colour: BoxColour) -> bool {
        self.state.held[colour.index()]
    }
}

/// What the servos pull with, joint frame.
fn drives(board: &Board) -> [[f64; 3]; 6] {
    let drives = board.drives();
    let targets = FirmwareAngles::from_array(drives.map(|drive| drive.target_rad));
    let targets_rad = JointAngles::from(targets).to_array_rad();
    std::array::from_fn(|joint| {
        [targets_rad[joint], drives[joint].stiffness_nm_per_rad, drives[joint].limit_nm]
    })
}

/// Waits for the answer to a request, and looks whether it can be.
fn answer(running: &mut Running, kinematics: &ForwardKinematics, request: u32) -> Result<State, SimError> {
    let mut bytes = [0; State::BYTES];
    running.receive(&mut bytes)?;
    let state = State::decode(&bytes, request).map_err(|what| running.wrong(what.to_owned()))?;
    let tool_m = kinematics.link_poses(&state.angles).tool_point_m();
    let apart_m = distance(&tool_m, &state.tool_m);
    if apart_m > SAME_PLACE_M {
        return Err(running.wrong(format!(
            "an arm whose tool stands {apart_m:.1e} m away from where the same joints put it"
        )));
    }
    Ok(state)
}

#[cfg(test)]
mod tests;
