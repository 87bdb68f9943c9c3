//! Board and cell together, step by step.

use std::time::Duration;

use calibration::JointAngles;
use firmware_protocol::emulator::Board;

use super::cell::{Cell, Outcome, Trial};
use super::renderer::CellState;
use super::scene::{BOX_COUNT, BoxColour, BoxPose, Scene};

/// The cell is looked at so often: a finger moves by less than a millimetre in it.
pub const CELL_STEP: Duration = Duration::from_millis(1);

/// The boxes around a virtual board, and the watch over an instruction.
#[derive(Clone, Debug)]
pub struct CellWorld {
    cell: Cell,
    trial: Option<Trial>,
}

impl CellWorld {
    /// The boxes of a scene. With a target somebody watches whether it is picked up.
    pub fn new(scene: &Scene, target: Option<BoxColour>) -> Self {
        Self { cell: Cell::new(scene), trial: target.map(Trial::new) }
    }

    /// The board has moved for `step`, at most [`CELL_STEP`]: moves the boxes, and puts what they are in the way of in its way.
    pub fn follow(&mut self, board: &mut Board, step: Duration) {
        let before = *self.cell.obstacles();
        self.cell.advance(step, &JointAngles::from(board.angles()));
        self.cell.obstacles().apply(&before, board);
        if let Some(trial) = &mut self.trial {
            trial.advance(step, &self.cell);
        }
    }

    /// Advances the board by `time` in steps, the boxes with it.
    pub fn advance(&mut self, board: &mut Board, mut time: Duration) {
        while !time.is_zero() {
            let step = time.min(CELL_STEP);
            board.advance(step);
            self.follow(board, step);
            time -= step;
        }
    }

    /// Where the boxes are.
    pub const fn boxes(&self) -> &[BoxPose; BOX_COUNT] {
        self.cell.boxes()
    }

    /// What a camera sees, with the arm at `angles`.
    pub const fn seen(&self, angles: JointAngles) -> CellState {
        CellState { angles, boxes: *self.cell.boxes() }
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
