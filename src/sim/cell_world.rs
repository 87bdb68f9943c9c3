//! Board and cell together, step by step.

use std::time::Duration;

use calibration::{JointAngles, JointLimits};
use firmware_protocol::emulator::Board;

use super::SimError;
use super::cell::{Cell, Outcome, Trial};
use super::physics::{Physics, PhysicsProgram};
use super::renderer::CellState;
use super::scene::{BOX_COUNT, BOX_HALF_SIZE_M, BoxColour, BoxPose, Scene};

/// The cell is looked at so often: a finger moves by less than a millimetre in it.
pub const CELL_STEP: Duration = Duration::from_millis(1);

/// Who says what the hand does to the boxes, and they to the hand.
#[derive(Debug)]
enum Mechanics {
    /// The rules of [`super::cell`].
    Rules(Box<Cell>),
    /// Another program.
    Physics(Box<Physics>),
}

/// The boxes around a virtual board, and the watch over an instruction.
#[derive(Debug)]
pub struct CellWorld {
    mechanics: Mechanics,
    trial: Option<Trial>,
}

impl CellWorld {
    /// The boxes of a scene. With a target somebody watches whether it is picked up.
    pub fn new(scene: &Scene, target: Option<BoxColour>) -> Self {
        Self { mechanics: Mechanics::Rules(Box::new(Cell::new(scene))), trial: target.map(Trial::new) }
    }

    /// The same around a board that stands at rest; with a program, in its contact physics.
    ///
    /// # Errors
    /// When the program does not start, or does not answer as it should.
    pub fn around(
        scene: &Scene,
        target: Option<BoxColour>,
        program: Option<&PhysicsProgram>,
        board: &Board,
    ) -> Result<Self, SimError> {
        let Some(program) = program else { return Ok(Self::new(scene, target)) };
        let limits = JointLimits::of(board.generation());
        let physics = Physics::start(program, scene, &JointAngles::from(board.angles()), &limits)?;
        Ok(Self { mechanics: Mechanics::Physics(Box::new(physics)), trial: target.map(Trial::new) })
    }

    /// Advances the board by `time` in steps, the boxes with it.
    ///
    /// # Errors
    /// When a program computes the physics, and has failed.
    pub fn advance(&mut self, board: &mut Board, mut time: Duration) -> Result<(), SimError> {
        while !time.is_zero() {
            let longest = match &self.mechanics {
                Mechanics::Rules(_) => CELL_STEP,
                Mechanics::Physics(physics) => physics.until_next(),
            };
            let step = time.min(longest);
            board.advance(step);
            self.follow(board, step)?;
            time -= step;
        }
        Ok(())
    }

    /// The board has moved for `step`: moves the boxes, and the joints or what stands in their way.
    fn follow(&mut self, board: &mut Board, step: Duration) -> Result<(), SimError> {
        match &mut self.mechanics {
            Mechanics::Rules(cell) => {
                let before = *cell.obstacles();
                cell.advance(step, &JointAngles::from(board.angles()));
                cell.obstacles().apply(&before, board);
            }
            Mechanics::Physics(physics) => physics.follow(board, step)?,
        }
        let carried_m = BoxColour::ALL.map(|colour| self.is_held(colour).then(|| self.height_m(colour)));
        if let Some(trial) = &mut self.trial {
            trial.advance(step, carried_m);
        }
        Ok(())
    }

    /// Where the boxes are.
    pub fn boxes(&self) -> &[BoxPose; BOX_COUNT] {
        match &self.mechanics {
            Mechanics::Rules(cell) => cell.boxes(),
            Mechanics::Physics(physics) => physics.boxes(),
        }
    }

    /// Whether the hand has a box: by the rules of the cell, or because both jaws touch it.
    pub fn is_held(&self, colour: BoxColour) -> bool {
        match &self.mechanics {
            Mechanics::Rules(cell) => cell.held() == Some(colour),
            Mechanics::Physics(physics) => physics.is_held(colour),
        }
    }

    /// The box that the hand has.
    pub fn held(&self) -> Option<BoxColour> {
        BoxColour::ALL.into_iter().find(|colour| self.is_held(*colour))
    }

    /// How high a box's centre is above where it lies on the table, metres.
    pub fn height_m(&self, colour: BoxColour) -> f64 {
        self.boxes()[colour.index()].centre_m[2] - BOX_HALF_SIZE_M
    }

    /// What a camera sees, with the arm at `angles`.
    pub fn seen(&self, angles: JointAngles) -> CellState {
        CellState { angles, boxes: *self.boxes() }
    }

    /// What has come of the instruction.
    pub fn outcome(&self) -> Option<Outcome> {
        self.trial.map(|trial| trial.outcome())
    }

    /// Whether the instruction has been followed, or another was.
    pub fn is_decided(&self) -> bool {
        self.trial.is_some_and(|trial| trial.is_decided())
    }

    /// The policy takes over now.
    pub fn start_clock(&mut self) {
        if let Some(trial) = &mut self.trial {
            trial.start_clock();
        }
    }
}
