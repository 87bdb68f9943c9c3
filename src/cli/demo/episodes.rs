//! Many episodes in virtual time: faster than real time, and the same every time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use firmware_protocol::emulator::Board;

use super::ablation::{Ablation, BlankCamera};
use super::film::Film;
use super::instruction;
use super::tally::{Episode, Smoothness, Tally};
use super::{DemoFlags, Plan, board_options, cell_options, delay};
use crate::arm::LinkOptions;
use crate::camera::FrameGenerator;
use crate::cli::exit::{CliError, Exit};
use crate::cli::plan;
use crate::cli::signals::Signals;
use crate::cli::terminal::Progress;
use crate::control::StopKind;
use crate::policy::{ChunkProducer, ChunkSource, PolicyError};
use crate::sim::scene::{BoxColour, Scene};
use crate::sim::virtual_time::{self, VirtualCell, VirtualEnd, VirtualParts};
use crate::sim::{CellCamera, CellWorld};
use crate::types::{Chunk, Frame, ObservationRequest, Timestamp};

/// Time from request to chunk without a delay: about what the shipped policy takes on a processor.
const INFERENCE: Duration = Duration::from_millis(20);
/// The way to the start pose and the easing at the end, besides the policy's own time.
const BEFORE_AND_AFTER: Duration = Duration::from_secs(60);

pub(super) fn in_virtual_time(
    flags: &DemoFlags,
    plan: &Plan,
    count: u64,
    signals: &Signals,
    mut film: Option<&mut Film>,
) -> Result<Exit, CliError> {
    // One policy for each instruction: its words are read once.
    let mut policies = Policies { flags, plan, known: Vec::new() };
    let (mut episodes, mut stopped, mut successes) = (Vec::new(), 0, 0);
    let mut progress = Progress::new();
    for seed in flags.seed..flags.seed.saturating_add(count) {
        if let Some(cause) = signals.take() {
            progress.finish();
            return Ok(Exit::after_run(cause));
        }
        let text = instruction::of_episode(flags.instruction.as_deref(), seed);
        let target = instruction::target(&text)?;
        let policy = policies.told(&Plan::told(flags, &text, Some(target)))?;
        policy.lock().begin_episode(seed);
        let end = episode(flags, plan, seed, target, &policy)?;
        if let Some(film) = &mut film {
            film.add(&Scene::from_seed(seed), &end.shown)?;
        }
        let outcome = end.outcome.unwrap_or_default();
        stopped += usize::from(end.cause.kind() != StopKind::Normal);
        successes += u32::from(outcome.is_success());
        episodes.push(Episode {
            seed,
            instruction: text,
            target,
            success: outcome.is_success(),
            took_the_other: outcome.took_the_other,
            time_to_lift_s: outcome.lifted_after.map(|time| time.as_secs_f64()),
            ended: end.cause.to_string(),
            motion: Smoothness::of(&end.summary.motion),
        });
        progress.update(|| format!("episode {} of {count}, {successes} picked up", episodes.len()));
    }
    progress.finish();
    let tally = Tally::new(flags.seed, episodes, stopped);
    tally.tell(flags.json);
    // A protective stop is an episode that failed, and counts as one.
    Ok(Exit::Done)
}

fn episode(
    flags: &DemoFlags,
    plan: &Plan,
    seed: u64,
    target: BoxColour,
    policy: &SharedPolicy,
) -> Result<VirtualEnd, CliError> {
    let scene = Scene::from_seed(seed);
    let board = board_options(flags);
    let at_rest = Board::new(board.clone());
    let world = CellWorld::around(&scene, Some(target), flags.physics.as_ref(), &at_rest)?;
    let shown = Arc::new(Mutex::new(world.seen(plan.settings.start_pose.unwrap_or_default())));
    let read = Arc::clone(&shown);
    let state = Arc::new(move || *read.lock().unwrap_or_else(PoisonError::into_inner));
    let camera = CellCamera::new(cell_options(seed, plan.bundle.slots()), state);
    let camera: Box<dyn FrameGenerator> = if flags.ablate == Some(Ablation::BlankPicture) {
        Box::new(BlankCamera(camera))
    } else {
        Box::new(camera)
    };
    let parts = VirtualParts {
        board,
        link: LinkOptions { generation: Some(flags.firmware), ..LinkOptions::default() },
        parameters: plan.parameters(flags.firmware)?,
        tick_period: Duration::from_millis((1e3 / plan.config.motion.command_rate_hz).round() as u64),
        cameras: vec![camera],
        cell: Some(VirtualCell {
            world,
            show: Arc::new(move |seen| *shown.lock().unwrap_or_else(PoisonError::into_inner) = seen),
        }),
        source: Box::new(policy.clone()),
        inference_latency: INFERENCE + delay(flags),
        time_limit: BEFORE_AND_AFTER + plan.settings.duration.unwrap_or_default(),
    };
    Ok(virtual_time::run(parts)?)
}

/// One policy a text, loaded when it is first needed.
struct Policies<'a> {
    flags: &'a DemoFlags,
    plan: &'a Plan,
    known: Vec<(String, SharedPolicy)>,
}

impl Policies<'_> {
    fn told(&mut self, text: &str) -> Result<SharedPolicy, CliError> {
        if let Some((_, policy)) = self.known.iter().find(|(known, _)| known == text) {
            return Ok(policy.clone());
        }
        let Plan { config, bundle, .. } = self.plan;
        let engine = plan::engine(bundle, &self.flags.inference, config)?;
        let producer = plan::producer(engine, text, self.flags.seed, &config.policy.chunks, None)?;
        let policy = SharedPolicy(Arc::new(Mutex::new(producer)));
        self.known.push((text.to_owned(), policy.clone()));
        Ok(policy)
    }
}

/// A policy that one episode after another asks for chunks; never two at a time.
#[derive(Clone)]
struct SharedPolicy(Arc<Mutex<ChunkProducer>>);

impl SharedPolicy {
    fn lock(&self) -> std::sync::MutexGuard<'_, ChunkProducer> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ChunkSource for SharedPolicy {
    fn chunk(
        &mut self,
        request: &ObservationRequest,
        frames: &[Arc<Frame>],
        started: Timestamp,
        finished: &mut dyn FnMut() -> Timestamp,
    ) -> Result<Chunk, PolicyError> {
        self.lock().produce(request, frames, started, finished)
    }
}
