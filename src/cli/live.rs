//! What `run` and `demo` share: from a ready arm to the summary.

use std::time::Duration;

use super::consent::{Consent, ConsentDialog, Decision, WayRules};
use super::exit::{CliError, Exit};
use super::keyboard::Keyboard;
use super::recording::PlannedLog;
use super::signals::Signals;
use super::terminal::{self, Progress};
use crate::arm::{ArmHandle, LinkEvent, LinkFault, SerialArm};
use crate::camera::FrameSource;
use crate::control::{AfterStop, ControlParameters, EndCause, Phase, Workspace};
use crate::inject::Drill;
use crate::policy::ChunkSource;
use crate::runtime::{RealTimeSettings, Session, SessionEnd, SessionParts, SessionStatus};
use crate::types::{DatasetAngles, Joint, JointAngles};

/// How often people see something new.
const REFRESH: Duration = Duration::from_millis(100);
/// How soon a signal reaches control.
const SIGNAL_POLL: Duration = Duration::from_millis(10);

/// A live run, ready to start.
pub(super) struct LiveRun {
    pub(super) arm: SerialArm,
    pub(super) handle: ArmHandle,
    pub(super) cameras: Vec<Box<dyn FrameSource>>,
    pub(super) source: Box<dyn ChunkSource>,
    /// Whether keys pause what is played.
    pub(super) playback_keys: bool,
    pub(super) parameters: ControlParameters,
    pub(super) tick_period: Duration,
    pub(super) real_time: RealTimeSettings,
    /// What goes wrong on purpose.
    pub(super) drill: Option<Drill>,
    /// Where the run is recorded.
    pub(super) log: Option<PlannedLog>,
    /// The board's generation, for the log.
    pub(super) firmware: String,
    pub(super) consent: Consent,
    /// Where the way to the start pose may lead; the policy's own bounds are in the parameters.
    pub(super) workspace: Workspace,
    pub(super) json: bool,
    /// Asked again and again while the policy moves the arm: whether the run has come to its end.
    pub(super) is_over: Option<Box<dyn FnMut() -> bool>>,
}

/// Waits for the arm's handshake, telling people what the board does meanwhile.
pub(super) fn wait_for_arm(
    arm: &SerialArm,
    signals: &Signals,
) -> Result<firmware_protocol::Generation, CliError> {
    let interrupted = std::cell::Cell::new(None);
    let show = |event: &LinkEvent| {
        if !matches!(event, LinkEvent::Fault(_)) {
            terminal::say(event.to_string());
        }
    };
    let ready = arm.wait_until_ready(show, || {
        interrupted.set(interrupted.get().or_else(|| signals.take()));
        interrupted.get().is_some()
    });
    match interrupted.get() {
        Some(cause) => Err(CliError::Signal(cause)),
        None => Ok(ready?),
    }
}

/// Runs to the end and prints the summary.
pub(super) fn run(live: LiveRun, signals: &Signals) -> Result<Exit, CliError> {
    let json = live.json;
    let (end, fault) = run_to_end(live, signals)?;
    let exit = report(&end, json);
    if let Some(fault) = fault {
        terminal::say(format!("error: {fault}"));
    }
    Ok(exit)
}

/// Runs to the end; what the link failed with, if it did.
pub(super) fn run_to_end(
    live: LiveRun,
    signals: &Signals,
) -> Result<(SessionEnd, Option<LinkFault>), CliError> {
    let LiveRun {
        arm,
        handle,
        cameras,
        source,
        playback_keys,
        parameters,
        tick_period,
        real_time,
        drill,
        log,
        firmware,
        consent,
        workspace,
        json: _,
        mut is_over,
    } = live;
    let rules = WayRules { planned: workspace, gate: parameters.workspace.clone() };
    let parameters = without_latch_nobody_can_release(parameters);
    let recording =
        log.map(|log| log.begin(&parameters, firmware, tick_period, drill.as_ref())).transpose()?;
    let mut session = match &drill {
        None => Session::start(SessionParts {
            arm: handle,
            cameras,
            source,
            parameters,
            tick_period,
            real_time,
            recording,
        }),
        Some(drill) => {
            let arm = drill.arm(handle);
            let parts = SessionParts { arm, cameras, source, parameters, tick_period, real_time, recording };
            Session::start_by(parts, drill.clocks())
        }
    }?;
    terminal::say(session.real_time().to_string());
    pass_signals_on(signals, &session);
    let steer = steering(&session, playback_keys);
    let keyboard = Keyboard::open(session.stopper(), steer, |listen| session.watch("keyboard", listen));
    let mut consent = ConsentDialog::new(consent);
    let (mut announced, mut frozen) = (None, 0);
    let mut progress = Progress::new();
    let mut refused = None;
    while !session.is_over() {
        std::thread::sleep(REFRESH);
        for event in arm.events().try_iter() {
            progress.say(event.to_string());
        }
        if let Some(notice) = session.take_recording_notice() {
            progress.say(notice);
        }
        let status = session.status();
        match status.phase {
            Phase::AwaitingGo(proposal) => match consent.step(&proposal, &rules, &keyboard, &progress) {
                Ok(Decision::Open) => {}
                Ok(Decision::Go) => {
                    keyboard.guard_motion(true);
                    session.allow_motion(proposal.number);
                }
                Ok(Decision::Declined) => session.stop(EndCause::Declined),
                Err(error) => {
                    refused = Some(error);
                    session.stop(EndCause::Declined);
                }
            },
            Phase::Stopped(_) => answer_stop(&keyboard, &session),
            Phase::Running => {
                if let Some(drill) = &drill {
                    drill.clock().start();
                }
                if is_over.as_mut().is_some_and(|is_over| is_over()) {
                    session.stop(EndCause::EpisodeOver);
                }
            }
            _ => {}
        }
        if let Some(text) = frozen_picture_text(&status, &mut frozen) {
            progress.say(text);
        }
        // Consent was given a moment ago: the ramp has begun or is about to.
        if !matches!(status.phase, Phase::AwaitingGo(_)) {
            keyboard.guard_motion(is_moving(&status.phase));
        }
        if announced != Some(status.phase.name()) {
            announced = Some(status.phase.name());
            if let Some(text) = announcement(&status.phase, keyboard.is_interactive(), playback_keys) {
                progress.say(text);
            }
        }
        let chunk_ms = session.chunk_p50_ms();
        progress.update(|| status_text(&status, chunk_ms));
    }
    progress.finish();
    drop(keyboard);
    let end = session.join(|| arm.statistics().link.feedback_hz);
    let fault = arm.fault();
    let _final_counters = arm.stop();
    match refused {
        Some(error) => Err(error),
        None => Ok((end, fault)),
    }
}

/// Brings signals to control from a thread of their own: a terminal that does not take our lines must not keep them back.
fn pass_signals_on(signals: &Signals, session: &Session) {
    let (signals, stop) = (signals.clone(), session.stopper());
    std::thread::spawn(session.watch("signals", move || {
        loop {
            std::thread::sleep(SIGNAL_POLL);
            if let Some(cause) = signals.take() {
                stop(cause);
            }
        }
    }));
}

/// What keys do while the arm moves; whether a key was one of them.
fn steering(session: &Session, playback_keys: bool) -> impl Fn(u8) -> bool + Send + 'static {
    let (toggle_pause, step_once) = session.playback();
    move |key| {
        match key {
            b' ' if playback_keys => toggle_pause(),
            b'n' if playback_keys => step_once(),
            _ => return false,
        }
        true
    }
}

/// A stop that waits for a key would wait for ever without a keyboard.
fn without_latch_nobody_can_release(parameters: ControlParameters) -> ControlParameters {
    if parameters.after_stop == AfterStop::End || terminal::is_interactive() {
        return parameters;
    }
    terminal::say("after_stop = \"wait\" needs a terminal to be reset at: a stop ends this run instead");
    ControlParameters { after_stop: AfterStop::End, ..parameters }
}

/// The keys of a latched stop.
fn answer_stop(keyboard: &Keyboard, session: &Session) {
    match keyboard.key() {
        Ok(Some(b'r')) => session.reset(),
        Ok(Some(b'q')) => session.stop(EndCause::Interrupted),
        _ => {}
    }
}

const fn is_moving(phase: &Phase) -> bool {
    matches!(phase, Phase::Ramping | Phase::Running | Phase::Parking(_) | Phase::Easing(_))
}

/// What people are told when a phase begins.
fn announcement(phase: &Phase, interactive: bool, playback_keys: bool) -> Option<String> {
    match phase {
        Phase::Ramping if interactive && playback_keys => Some(
            "space pauses and goes on, n goes on by one action; any other key stops the arm at once; Ctrl-C ends gently"
                .to_owned(),
        ),
        Phase::Ramping if interactive => Some("any key stops the arm at once; Ctrl-C ends gently".to_owned()),
        Phase::Easing(cause) => Some(format!("{cause}: easing to the hold")),
        Phase::Parking(_) => Some("going to the park pose".to_owned()),
        Phase::Stopped(cause) => {
            Some(format!("stopped ({cause}); the arm holds. r starts again from where it stands, q ends"))
        }
        Phase::Disconnected => Some("the link is lost: the arm holds by itself; waiting for it".to_owned()),
        _ => None,
    }
}

/// What people are told when a camera is found to be frozen, once for each time.
fn frozen_picture_text(status: &SessionStatus, told: &mut u64) -> Option<String> {
    let counts = status.report.frozen_pictures;
    let found: u64 = counts.iter().sum();
    if std::mem::replace(told, found) == found {
        return None;
    }
    let slots: Vec<String> = (0..)
        .zip(counts)
        .filter(|(_, count)| *count > 0)
        .map(|(slot, _): (usize, _)| slot.to_string())
        .collect();
    Some(format!(
        "warning: camera slot {} goes on delivering the same picture: the policy may see the past (see [frozen_picture] of the configuration)",
        slots.join(", ")
    ))
}

fn status_text(status: &SessionStatus, chunk_ms: f64) -> String {
    let report = &status.report;
    format!(
        "{:<12} tick {}  chunks {} ({chunk_ms:.0} ms)  commands {}  missed {}  {}",
        status.phase.name(),
        report.ticks,
        report.chunks,
        report.commands_written,
        status.missed_ticks,
        status.measured.map(pose_text).unwrap_or_default()
    )
}

/// Prints the summary.
pub(super) fn report(end: &SessionEnd, json: bool) -> Exit {
    if json {
        terminal::say(end.summary.to_string());
        terminal::print_json(&end.summary);
    } else {
        terminal::print(end.summary.to_string());
    }
    exit_of(end)
}

/// The exit code of a run that came to its end.
pub(super) fn exit_of(end: &SessionEnd) -> Exit {
    match Exit::after_run(end.cause) {
        // It came to its end, and was not what it should be: too rough, or labelled as failed.
        Exit::Done if !end.summary.run.ok => Exit::Failed,
        exit => exit,
    }
}

/// Degrees for people, one name a joint.
pub(super) fn pose_text(pose: JointAngles) -> String {
    let degrees = DatasetAngles::from(pose);
    Joint::ALL.map(|joint| format!("{joint} {:.1}°", degrees.get(joint))).join(", ")
}
