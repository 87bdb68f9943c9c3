//! A virtual board that is driven action by action, with the cell around it.

use std::time::Duration;

use calibration::JointAngles;
use firmware_protocol::emulator::{Board, BoardOptions, LoadedSpeed, ServoOptions};
use firmware_protocol::steps::STEP_RAD;
use firmware_protocol::{Command, FirmwareAngles, Generation, GoalAngles, ServoAcceleration, ServoSpeed};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::sim::scene::Scene;
use crate::sim::{CellWorld, PhysicsProgram, SimError};

const STEP: Duration = Duration::from_millis(1);
/// Milliseconds between commands on the wire.
const COMMAND_MS: u64 = 20;
/// Actions come 30 a second: three in 100 ms.
const ACTION_TENTHS_OF_MS: u64 = 333;

/// Board and cell on one clock.
pub(super) struct DrivenArm {
    board: Board,
    cell: CellWorld,
    speed_rad_s: f64,
    acceleration_rad_s2: f64,
    latency_ms: u64,
    now_ms: u64,
    /// End of the action under way, tenths of a millisecond.
    due_tenths: u64,
    before: JointAngles,
    /// Commands on their way: when they arrive, and the goal.
    on_the_way: std::collections::VecDeque<(u64, JointAngles)>,
    scratch: Vec<u8>,
}

impl DrivenArm {
    /// An arm that stands at `start`. With a generator its servos and its line are drawn by chance.
    pub(super) fn new(scene: &Scene, start: JointAngles, generator: Option<&mut ChaCha8Rng>) -> Self {
        let mut options =
            BoardOptions { initial: FirmwareAngles::from(start), ..BoardOptions::new(Generation::G1) };
        let (mut speed_rad_s, mut acceleration_rad_s2, mut latency_ms) = (2.0, 14.0, 15);
        if let Some(generator) = generator {
            options.servos = ServoOptions {
                sag_deg: generator.random_range(0.0..2.0),
                dead_zone_deg: std::array::from_fn(|_| generator.random_range(0.05..0.5)),
                loaded_speed: if generator.random_bool(0.5) {
                    LoadedSpeed::FallsWithLoad
                } else {
                    LoadedSpeed::Unlimited
                },
                ..ServoOptions::clean()
            };
            speed_rad_s = generator.random_range(1.5..3.0);
            acceleration_rad_s2 = generator.random_range(8.0..20.0);
            latency_ms = generator.random_range(5..45);
        }
        Self {
            board: Board::new(options),
            cell: CellWorld::new(scene, None),
            speed_rad_s,
            acceleration_rad_s2,
            latency_ms,
            now_ms: 0,
            due_tenths: 0,
            before: start,
            on_the_way: std::collections::VecDeque::new(),
            scratch: Vec::new(),
        }
    }

    /// Has a program compute the physics around the arm, which has not moved yet.
    pub(super) fn in_physics(mut self, scene: &Scene, program: &PhysicsProgram) -> Result<Self, SimError> {
        self.cell = CellWorld::around(scene, None, Some(program), &self.board)?;
        Ok(self)
    }

    pub(super) const fn cell(&self) -> &CellWorld {
        &self.cell
    }

    /// Where the arm really is.
    pub(super) fn angles(&self) -> JointAngles {
        JointAngles::from(self.board.angles())
    }

    /// What the encoders say.
    pub(super) fn measured(&self) -> JointAngles {
        self.angles().map(|angle_rad| (angle_rad / STEP_RAD).round() * STEP_RAD)
    }

    /// One action: on the straight line from the one before, in a thirtieth of a second.
    pub(super) fn go_to(&mut self, goal: &JointAngles) -> Result<(), SimError> {
        let start_tenths = self.due_tenths;
        self.due_tenths += ACTION_TENTHS_OF_MS;
        while self.now_ms * 10 < self.due_tenths {
            if self.now_ms.is_multiple_of(COMMAND_MS) {
                let elapsed = (self.now_ms * 10).saturating_sub(start_tenths) as f64 + 100.0;
                let share = (elapsed / ACTION_TENTHS_OF_MS as f64).clamp(0.0, 1.0);
                let arrives_ms = self.now_ms + self.latency_ms;
                self.on_the_way.push_back((arrives_ms, self.before.interpolate(goal, share)));
            }
            while let Some((_, command)) =
                self.on_the_way.pop_front_if(|(arrives_ms, _)| *arrives_ms <= self.now_ms)
            {
                self.send(command);
            }
            self.cell.advance(&mut self.board, STEP)?;
            self.scratch.clear();
            self.board.transmit(&mut self.scratch);
            self.now_ms += 1;
        }
        self.before = *goal;
        Ok(())
    }

    /// A goal that the protocol refuses (one that is not finite) is not sent.
    fn send(&mut self, command: JointAngles) {
        if let (Ok(goal), Ok(speed), Ok(acceleration)) = (
            GoalAngles::clamped(FirmwareAngles::from(command), Generation::G1),
            ServoSpeed::from_rad_per_s(self.speed_rad_s),
            ServoAcceleration::from_rad_per_s2(self.acceleration_rad_s2),
        ) {
            let command = Command::Joints { goal, speed, acceleration };
            self.board.receive(command.encode(&mut [0; Command::MAX_BYTES]));
        }
    }
}
