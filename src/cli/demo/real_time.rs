//! Episodes in real time: the arm behind a pseudo-terminal, the runtime as with a real one.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::ablation::{Ablation, BlankCamera};
use super::film::{Film, Filming};
use super::instruction;
use super::tally::{Episode, Smoothness, Tally};
use super::{DemoFlags, Plan, board_options, cell_options, delay};
use crate::camera::{FrameSource, PacedSource};
use crate::cli::consent::Consent;
use crate::cli::exit::{CliError, Exit};
use crate::cli::inject;
use crate::cli::live::{self, LiveRun};
use crate::cli::plan;
use crate::cli::recording::{self, ConfigurationText, RunFacts};
use crate::cli::run::open_arm;
use crate::cli::signals::Signals;
use crate::cli::terminal;
use crate::control::StopKind;
use crate::inject::Drill;
use crate::policy::{ChunkReport, ChunkSource, Interrupter, PolicyError};
use crate::runtime::{self, SessionEnd};
use crate::sim::cell::Outcome;
use crate::sim::renderer::CellState;
use crate::sim::scene::{BoxColour, Scene};
use crate::sim::{ArmPose, CellCamera, SharedCell, StateReader, VirtualBoard, VirtualBoardOptions};
use crate::types::{Chunk, Frame, JOINT_COUNT, ObservationRequest, Timestamp};

/// One episode to watch.
pub(super) fn one(
    flags: &DemoFlags,
    plan: &Plan,
    drill: Option<Drill>,
    signals: &Signals,
    film: Option<&mut Film>,
) -> Result<Exit, CliError> {
    const INSTRUCTION: &str = "Pick up the white box";
    let text = flags.instruction.as_deref().unwrap_or(INSTRUCTION);
    let target = plan.target(text)?;
    let ended = run(flags, plan, text, flags.seed, drill, signals, film)?;
    let Some(target) = target else {
        return Ok(live::report(&ended.end, flags.json));
    };
    let verdict = ended.verdict(target);
    if flags.json {
        terminal::say(ended.end.summary.to_string());
        terminal::say(&verdict);
        let mut summary = serde_json::to_value(&ended.end.summary).unwrap_or_default();
        if let Some(object) = summary.as_object_mut() {
            object.insert("instruction".to_owned(), text.into());
            object.insert("success".to_owned(), ended.outcome.is_success().into());
            object.insert("took_the_other".to_owned(), ended.outcome.took_the_other.into());
            object.insert("time_to_lift_s".to_owned(), ended.time_to_lift_s.into());
        }
        terminal::print_json(&summary);
    } else {
        terminal::print(ended.end.summary.to_string());
        terminal::print(&verdict);
    }
    Ok(live::exit_of(&ended.end))
}

/// Episodes to count.
pub(super) fn many(
    flags: &DemoFlags,
    plan: &Plan,
    count: u64,
    drill: Option<&Drill>,
    signals: &Signals,
    mut film: Option<&mut Film>,
) -> Result<Exit, CliError> {
    if drill.is_some() {
        return Err(CliError::Arguments("--inject is for one episode: leave --episodes out".to_owned()));
    }
    let (mut episodes, mut stopped) = (Vec::new(), 0);
    for seed in flags.seed..flags.seed.saturating_add(count) {
        let text = instruction::of_episode(flags.instruction.as_deref(), seed);
        let target = instruction::target(&text)?;
        let ended = run(flags, plan, &text, seed, None, signals, film.as_deref_mut())?;
        terminal::say(format!("episode {seed}: {}", ended.verdict(target)));
        if let exit @ Exit::Signal(_) = live::exit_of(&ended.end) {
            return Ok(exit);
        }
        stopped += usize::from(ended.end.cause.kind() != StopKind::Normal);
        episodes.push(Episode {
            seed,
            instruction: text,
            target,
            success: ended.outcome.is_success(),
            took_the_other: ended.outcome.took_the_other,
            time_to_lift_s: ended.time_to_lift_s,
            ended: ended.end.cause.to_string(),
            motion: Smoothness::of(&ended.end.summary.run.motion),
        });
    }
    let tally = Tally::new(flags.seed, episodes, stopped);
    tally.tell(flags.json);
    // A protective stop is an episode that failed, and counts as one.
    Ok(Exit::Done)
}

/// How an episode ended.
struct Ended {
    end: SessionEnd,
    outcome: Outcome,
    /// From the policy's first moment.
    time_to_lift_s: Option<f64>,
}

impl Ended {
    fn verdict(&self, target: BoxColour) -> String {
        let name = target.name();
        match (self.outcome.took_the_other, self.time_to_lift_s) {
            (true, _) => format!("the {} box was picked up instead of the {name} one", target.other().name()),
            (false, Some(seconds)) => format!("the {name} box was picked up after {seconds:.1} s"),
            (false, None) => format!("the {name} box was not picked up"),
        }
    }
}

fn run(
    flags: &DemoFlags,
    plan: &Plan,
    text: &str,
    seed: u64,
    drill: Option<Drill>,
    signals: &Signals,
    film: Option<&mut Film>,
) -> Result<Ended, CliError> {
    let Plan { config, bundle, .. } = plan;
    let target = plan.target(text)?;
    let board_faults = drill.as_ref().map(inject::board_faults).transpose()?.unwrap_or_default();
    let engine = plan::engine(bundle, &flags.inference, config)?;
    let threads = engine.threads();
    let told = Plan::told(flags, text, target);
    let producer = plan::producer(engine, &told, seed, &config.policy.chunks, drill.as_ref())?;
    let source: Box<dyn ChunkSource> = match delay(flags) {
        Duration::ZERO => Box::new(producer),
        delay => Box::new(Late { source: producer, delay }),
    };
    let scene = Scene::from_seed(seed);
    let board = VirtualBoard::spawn(VirtualBoardOptions {
        log: flags.board_log.clone(),
        faults: board_faults,
        seed,
        // a policy that knows nothing of boxes has them in the picture only
        cell: target.map(|target| (scene.clone(), target)),
        physics: flags.physics.clone(),
        ..VirtualBoardOptions::new(board_options(flags))
    })?;
    let state = state_reader(board.cell(), board.arm_pose(), &scene);
    let filming = film.is_some().then(|| Filming::start(Arc::clone(&state))).transpose()?;
    let camera = CellCamera::new(cell_options(seed, bundle.slots()), state);
    let camera: Box<dyn FrameSource> = if flags.ablate == Some(Ablation::BlankPicture) {
        Box::new(PacedSource::new(BlankCamera(camera), runtime::now))
    } else {
        Box::new(PacedSource::new(camera, runtime::now))
    };
    terminal::say(format!(
        "emulated arm (firmware {}) on {}, {}",
        flags.firmware,
        board.path().display(),
        camera.description()
    ));
    terminal::say(format!("instruction {text:?}"));
    let facts = RunFacts {
        verb: "demo",
        task: &told,
        arm: format!("emulated ({})", board.path().display()),
        seed,
        threads,
        // None is read: what differs from the defaults stands in the parameters.
        configuration: ConfigurationText::default(),
        cameras: vec![camera.description()],
        bundle,
        inference: &flags.inference,
        config,
    };
    let log = recording::plan_log(&flags.log, drill.as_ref(), facts)?;
    let real_time = plan::real_time(config, flags.control_cpu);
    let (arm, handle) = open_arm(&board.path(), None, config, real_time, drill.as_ref())?;
    let generation = live::wait_for_arm(&arm, signals)?;
    let (watch, lifted) = watch(board.cell());
    let live = LiveRun {
        arm,
        handle,
        cameras: inject::cameras(drill.as_ref(), vec![camera]),
        source,
        playback_keys: false,
        parameters: plan.parameters(generation)?,
        tick_period: Duration::from_secs_f64(1.0 / config.motion.command_rate_hz),
        real_time,
        drill,
        log,
        firmware: generation.to_string(),
        consent: Consent::Given,
        workspace: plan::workspace(&config.safety),
        json: flags.json,
        is_over: Some(watch),
    };
    let (end, fault) = live::run_to_end(live, signals)?;
    if let Some(fault) = fault {
        terminal::say(format!("error: {fault}"));
    }
    board.check().map_err(CliError::BoardEnded)?;
    let outcome = board.cell().and_then(|cell| cell.outcome()).unwrap_or_default();
    board.stop();
    if let (Some(film), Some(filming)) = (film, filming) {
        film.add(&scene, &filming.stop())?;
    }
    Ok(Ended { end, outcome, time_to_lift_s: lifted.get() })
}

/// What the camera sees: the cell, or the arm among boxes that nothing moves.
fn state_reader(cell: Option<SharedCell>, pose: ArmPose, scene: &Scene) -> StateReader {
    let boxes = scene.boxes;
    match cell {
        Some(cell) => Arc::new(move || cell.seen()),
        None => Arc::new(move || CellState { angles: pose.get(), boxes }),
    }
}

/// When the box was up, seconds from the first question.
type Noted = Rc<Cell<Option<f64>>>;

/// Asks the cell whether the instruction is decided, and notes when the box was up.
fn watch(cell: Option<SharedCell>) -> (Box<dyn FnMut() -> bool>, Noted) {
    let lifted = Noted::default();
    let (noted, mut first) = (Rc::clone(&lifted), None);
    let watch = move || {
        let began = *first.get_or_insert_with(Instant::now);
        let outcome = cell.as_ref().and_then(SharedCell::outcome).unwrap_or_default();
        if outcome.lifted_after.is_some() && noted.get().is_none() {
            noted.set(Some(began.elapsed().as_secs_f64()));
        }
        outcome.lifted_after.is_some() || outcome.took_the_other
    };
    (Box::new(watch), lifted)
}

/// A source whose chunks come later than they would.
struct Late<S> {
    source: S,
    delay: Duration,
}

impl<S: ChunkSource> ChunkSource for Late<S> {
    fn warm_up(&mut self) -> Result<(), PolicyError> {
        self.source.warm_up()
    }

    fn chunk(
        &mut self,
        request: &ObservationRequest,
        frames: &[Arc<Frame>],
        started: Timestamp,
        finished: &mut dyn FnMut() -> Timestamp,
    ) -> Result<Chunk, PolicyError> {
        std::thread::sleep(self.delay);
        self.source.chunk(request, frames, started, finished)
    }

    fn noise_seed(&self) -> u64 {
        self.source.noise_seed()
    }

    fn said(&self) -> (&[[f32; JOINT_COUNT]], &[f32]) {
        self.source.said()
    }

    fn report(&self) -> Option<&ChunkReport> {
        self.source.report()
    }

    fn interrupter(&self) -> Option<Interrupter> {
        self.source.interrupter()
    }
}
