//! `--teach`: from a ready arm to the last episode.

use std::time::{Duration, Instant};

use calibration::JointLimits;
use firmware_protocol::Generation;
use serde::Serialize;

use super::super::exit::{CliError, Exit};
use super::super::keyboard::Keyboard;
use super::super::live;
use super::super::plan;
use super::super::run::{open_arm, resolve_arm};
use super::super::signals::Signals;
use super::super::terminal::{self, Progress};
use super::RecordFlags;
use super::keys::{Key, Keys};
use crate::arm::port::{SystemFiles, check_port};
use crate::arm::{HandsOnArm, LinkEvent, SerialArm};
use crate::camera::{FrameSource, SourceSpec};
use crate::control::EndCause;
use crate::episode::{CameraInfo, DatasetOutline, DatasetWriter, PictureStorage};
use crate::runtime::{Steer, TaughtEpisode, TeachParts, TeachSession, TeachStatus};
use crate::types::{FramePool, JointAngles};

/// How often keys and signals are looked at where nothing is recorded.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// The name that LeRobot's plugin gives this arm.
const ROBOT_TYPE: &str = "roarm_m3";

/// The object of `--json`.
#[derive(Debug, Default, Serialize)]
struct Told {
    ok: bool,
    ended: String,
    out: std::path::PathBuf,
    /// Episodes and frames in the dataset.
    episodes: usize,
    frames: usize,
    /// Why episodes were forgotten, each.
    bad: Vec<String>,
    /// Episodes that were forgotten because somebody wished so.
    redone: usize,
}

pub(super) fn teach(flags: &RecordFlags) -> Result<Exit, CliError> {
    let seconds = |name: &str, value: f64| {
        Duration::try_from_secs_f64(value)
            .map_err(|_| CliError::Arguments(format!("--{name} {value}: give seconds, 0 or more")))
    };
    let longest = plan::duration(flags.episode_time)?;
    let (warmup, reset) =
        (seconds("warmup-time", flags.warmup_time)?, seconds("reset-time", flags.reset_time)?);
    if flags.task.trim().is_empty() {
        return Err(CliError::Arguments(
            "--task is empty: say what is done, as a policy will be told".to_owned(),
        ));
    }
    let (config, _text) = plan::load_config(flags.config.as_deref())?;
    let (port, generation) = resolve_arm(&flags.arm, flags.firmware, &config)?;
    let report = check_port(&port, &SystemFiles::default());
    if let Some(finding) = report.findings.iter().find(|finding| finding.blocks() && !flags.dry_run) {
        return Err(CliError::Refused(format!("{}: {finding}: {}", port.display(), finding.fix())));
    }
    if !(flags.yes || flags.dry_run || terminal::is_interactive()) {
        return Err(CliError::Refused(
            "nobody can be asked to hold the arm: start it on a terminal, or pass --yes if somebody does"
                .to_owned(),
        ));
    }
    let (cameras, infos) = cameras(&flags.camera)?;
    let storage = if flags.images { PictureStorage::Images } else { PictureStorage::Video };
    let outline = DatasetOutline { fps: flags.fps, robot_type: Some(ROBOT_TYPE.to_owned()), cameras: infos };
    if flags.dry_run {
        terminal::say(format!("dry run: nothing was opened at {} or written", port.display()));
        if flags.json {
            terminal::print_json(&serde_json::json!({ "ok": true, "ended": "dry run" }));
        }
        return Ok(Exit::Done);
    }
    let writer = DatasetWriter::create(&flags.out, outline, storage)?;
    let signals = Signals::catch()?;
    let (arm, handle) = open_arm(&port, generation, &config, plan::real_time(&config, None), None)?;
    let generation = live::wait_for_arm(&arm, &signals)?;
    let configured = plan::configured(&config, generation);
    let session = TeachSession::start(TeachParts {
        arm: handle,
        cameras,
        writer,
        task: flags.task.clone(),
        max_feedback_age: configured.max_feedback_age,
        max_frame_age: configured.max_frame_age,
        frozen_picture: configured.frozen_picture,
    })?;
    let keyboard = Keyboard::open(|_cause| (), |_key| true, |listen| listen);
    let told = Told { out: flags.out.clone(), ..Told::default() };
    let mut teacher = Teacher {
        session,
        arm,
        keyboard,
        keys: Keys::default(),
        signals,
        limits: JointLimits::of(generation),
        progress: Progress::new(),
        told,
    };
    let ended = teacher.run(flags, generation, longest, [warmup, reset]);
    teacher.finish(ended, flags.json)
}

/// Opens the cameras and looks at a picture of each.
#[expect(clippy::type_complexity, reason = "names with sources, and what the dataset says of them")]
fn cameras(flags: &[String]) -> Result<(Vec<(String, Box<dyn FrameSource>)>, Vec<CameraInfo>), CliError> {
    let (mut sources, mut infos) = (Vec::new(), Vec::<CameraInfo>::new());
    for flag in flags {
        let named =
            flag.split_once('=').filter(|(name, _)| !name.is_empty() && !name.contains([':', '?', '/']));
        let Some((name, source)) = named else {
            let text = format!("--camera {flag}: give the camera a name, as in front={flag}");
            return Err(CliError::Arguments(text));
        };
        let key = format!("observation.images.{name}");
        if infos.iter().any(|info| info.key == key) {
            return Err(CliError::Arguments(format!("camera {name} is given twice")));
        }
        let mut camera = plan::open_camera(&SourceSpec::parse(source)?)?;
        terminal::say(format!("camera {name} = {}", camera.description()));
        let Some(frame) = camera.next_frame(&FramePool::new(1))? else {
            return Err(CliError::Refused(format!("camera {name} has no picture at all")));
        };
        let (width, height) = (frame.metadata.width, frame.metadata.height);
        infos.push(CameraInfo { key, width, height, storage: PictureStorage::Images });
        sources.push((name.to_owned(), camera));
    }
    Ok((sources, infos))
}

/// A recording and the person who guides the arm.
struct Teacher {
    session: TeachSession,
    arm: SerialArm,
    keyboard: Keyboard,
    keys: Keys,
    signals: Signals,
    limits: JointLimits,
    progress: Progress,
    told: Told,
}

/// What a wait ended with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waited {
    Over,
    Pressed(Key),
    Signal(EndCause),
}

/// Why recording ended: all episodes, Esc, a signal.
type Ended = Result<Option<EndCause>, CliError>;

impl Teacher {
    fn run(
        &mut self,
        flags: &RecordFlags,
        generation: Generation,
        longest: Duration,
        [warmup, reset]: [Duration; 2],
    ) -> Ended {
        if !flags.yes {
            let fold = if generation == Generation::G3 {
                " This board first FOLDS the arm by itself, then lets go: keep clear of it, and hold it only then."
            } else {
                ""
            };
            self.progress.say(format!(
                "the torque will be switched off and the arm falls: HOLD IT, then press Enter.{fold} (Esc ends)"
            ));
            match self.wait(Duration::MAX, |_| "waiting for Enter".to_owned()) {
                Waited::Pressed(Key::Enter) => {}
                Waited::Signal(cause) => return Ok(Some(cause)),
                _ => return Ok(None),
            }
        }
        self.session.let_go(HandsOnArm::confirmed());
        self.wait_for_link(LinkEvent::LetGo)?;
        if generation == Generation::G3 {
            self.wait_until_folded()?;
        }
        self.progress.say("keys: right ends an episode, left records it again, Esc stops");
        if let Some(ended) = self.pause("first episode", warmup) {
            return Ok(ended);
        }
        while self.told.episodes < flags.episodes {
            let number = self.told.episodes + 1;
            self.progress.say(format!("episode {number} of {}: go", flags.episodes));
            match self.episode(number, flags.episodes, longest)? {
                Ok(TaughtEpisode::Saved { frames }) => {
                    self.told.episodes += 1;
                    self.told.frames += frames;
                    self.progress.say(format!("episode {number}: {frames} frames, saved"));
                }
                Ok(TaughtEpisode::Forgotten(Steer::Stop)) => return Ok(None),
                Ok(TaughtEpisode::Forgotten(_)) => {
                    self.told.redone += 1;
                    self.progress.say(format!("episode {number}: forgotten, once more"));
                }
                Ok(TaughtEpisode::Bad(reason)) => {
                    self.progress.say(format!("episode {number} is BAD and not saved: {reason}"));
                    self.told.bad.push(reason);
                    if self.told.bad.len() >= MOST_BAD {
                        let problem = format!("{MOST_BAD} episodes were bad: mend that first");
                        return Err(CliError::Refused(problem));
                    }
                }
                Err(cause) => return Ok(Some(cause)),
            }
            if self.told.episodes < flags.episodes
                && let Some(ended) = self.pause("next episode", reset)
            {
                return Ok(ended);
            }
        }
        Ok(None)
    }

    /// Records one episode; the outer error ends everything, the inner one is a signal.
    fn episode(
        &mut self,
        number: usize,
        count: usize,
        longest: Duration,
    ) -> Result<Result<TaughtEpisode, EndCause>, CliError> {
        let Self { session, keyboard, keys, signals, limits, progress, arm, .. } = self;
        let (mut signal, mut warned) = (None, None);
        let mut steer = |status: &TeachStatus| {
            for event in arm.events().try_iter() {
                progress.say(event.to_string());
            }
            let outside = status.measured.and_then(|pose| outside(limits, &pose));
            if outside.as_ref().map(|(joint, _)| *joint) != warned {
                warned = outside.as_ref().map(|(joint, _)| *joint);
                if let Some((_, text)) = outside {
                    progress
                        .say(format!("warning: {text}: the arm cannot be commanded there, do not go on so"));
                }
            }
            progress.update(|| {
                let TeachStatus { frames, elapsed_s, .. } = status;
                let left = (longest.as_secs_f64() - elapsed_s).max(0.0);
                format!("episode {number} of {count}: {elapsed_s:.1} s, {frames} frames, {left:.0} s left")
            });
            signal = signal.or_else(|| signals.take());
            match keys.next(keyboard) {
                _ if signal.is_some() => Steer::Stop,
                Some(Key::Right) => Steer::End,
                Some(Key::Left) => Steer::Redo,
                Some(Key::Escape) => Steer::Stop,
                Some(Key::Enter) | None => Steer::GoOn,
            }
        };
        let taught = session.record(longest, &mut steer)?;
        Ok(signal.map_or(Ok(taught), Err))
    }

    /// Time before an episode; right goes on at once. `Some` where everything ends.
    fn pause(&mut self, before: &str, time: Duration) -> Option<Option<EndCause>> {
        match self.wait(time, |left| format!("{before} in {:.0} s (right: now)", left.as_secs_f64().ceil())) {
            Waited::Over | Waited::Pressed(Key::Right | Key::Enter | Key::Left) => None,
            Waited::Pressed(Key::Escape) => Some(None),
            Waited::Signal(cause) => Some(Some(cause)),
        }
    }

    /// Waits for a key, a signal, or until the time is over.
    fn wait(&mut self, time: Duration, text: impl Fn(Duration) -> String) -> Waited {
        let begun = Instant::now();
        while begun.elapsed() < time {
            for event in self.arm.events().try_iter() {
                self.progress.say(event.to_string());
            }
            if let Some(cause) = self.signals.take() {
                return Waited::Signal(cause);
            }
            if let Some(key) = self.keys.next(&self.keyboard) {
                return Waited::Pressed(key);
            }
            let left = time.saturating_sub(begun.elapsed());
            self.progress.update(|| text(left));
            std::thread::sleep(LOOK_AGAIN.min(left));
        }
        Waited::Over
    }

    /// Waits until the link says so. A signal ends the wait, and leaves the arm as it is.
    fn wait_for_link(&mut self, wanted: LinkEvent) -> Result<(), CliError> {
        loop {
            match self.arm.events().recv_timeout(LOOK_AGAIN) {
                Ok(event) if event == wanted => {
                    self.progress.say(event.to_string());
                    return Ok(());
                }
                Ok(LinkEvent::Fault(fault)) => return Err(fault.into()),
                Ok(event @ (LinkEvent::GuidingRefused | LinkEvent::FeedbackLost | LinkEvent::BoardReset)) => {
                    return Err(CliError::Refused(event.to_string()));
                }
                Ok(event) => self.progress.say(event.to_string()),
                Err(_) => {
                    if let Some(fault) = self.arm.fault() {
                        return Err(fault.into());
                    }
                    if self.signals.take().is_some() {
                        let text = "the servos were left as they are: support the arm, its next command switches them on";
                        return Err(CliError::Refused(text.to_owned()));
                    }
                }
            }
        }
    }

    /// G3 sends nothing while it folds the arm.
    fn wait_until_folded(&mut self) -> Result<(), CliError> {
        let begun = Instant::now();
        while begun.elapsed() < FOLD_BEGINS || self.session.feedback_age() > FOLDED {
            if begun.elapsed() > LONGEST_FOLD {
                return Err(CliError::Refused(
                    "the board was told to let go and is silent since then".to_owned(),
                ));
            }
            self.progress.update(|| "the board folds the arm".to_owned());
            std::thread::sleep(LOOK_AGAIN);
        }
        Ok(())
    }

    /// Has the arm hold again and tells what there is.
    fn finish(mut self, ended: Ended, json: bool) -> Result<Exit, CliError> {
        let limp = self.arm.state() == crate::arm::LinkState::HandGuided;
        let mut held = Ok(());
        if limp {
            self.progress.say("hold the arm still inside its range: it will hold itself");
            self.session.hold_again();
            held = self.wait_for_link(LinkEvent::HeldAgain);
        }
        self.progress.finish();
        let Self { session, arm, keyboard, mut told, .. } = self;
        drop(keyboard);
        // Ends the cameras, and waits until what was closed is written.
        drop(session);
        let _final_counters = arm.stop();
        let (mut exit, mut text) = match &ended {
            Ok(None) => (Exit::Done, "done".to_owned()),
            Ok(Some(cause)) => (Exit::after_run(*cause), cause.to_string()),
            Err(error) => (error.exit(), error.to_string()),
        };
        if let Err(error) = held {
            // One result, one reason to begin with: why it ended comes first, and that the arm is limp is never left out.
            exit = if exit == Exit::Done { error.exit() } else { exit };
            text = format!("{text}; the arm does NOT hold itself again, support it: {error}");
        }
        (told.ok, told.ended) = (matches!(exit, Exit::Done), text);
        let line = format!(
            "{}: {} episodes, {} frames; {}",
            told.out.display(),
            told.episodes,
            told.frames,
            told.ended
        );
        if json {
            terminal::say(line);
            terminal::print_json(&told);
        } else {
            terminal::print(line);
        }
        Ok(exit)
    }
}

/// By then the board has read that it shall let go, and feedback pauses.
const FOLD_BEGINS: Duration = Duration::from_secs(1);
/// Feedback flows again.
const FOLDED: Duration = Duration::from_millis(200);
/// At 53 °/s it takes half of this at most.
const LONGEST_FOLD: Duration = Duration::from_secs(15);

/// So many bad episodes are no accident.
const MOST_BAD: usize = 10;

/// The first joint that stands where the firmware cannot be commanded to, in words.
fn outside(limits: &JointLimits, pose: &JointAngles) -> Option<(crate::types::Joint, String)> {
    let violation = limits.violations(pose).next()?;
    let [at, low, high] = [violation.angle_rad, violation.min_rad, violation.max_rad].map(f64::to_degrees);
    let text = format!("{} stands at {at:.0}°, its range is {low:.0}° to {high:.0}°", violation.joint);
    Some((violation.joint, text))
}
