//! What `run` and `demo` share: from a ready arm to the summary.

use std::time::Duration;

use super::consent::{Consent, ConsentDialog, Decision};
use super::exit::{CliError, Exit};
use super::signals::Signals;
use super::terminal::{self, Progress};
use crate::arm::{ArmHandle, LinkEvent, SerialArm};
use crate::camera::FrameSource;
use crate::control::{ControlParameters, EndCause, Phase};
use crate::policy::ChunkProducer;
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
    pub(super) producer: ChunkProducer,
    pub(super) parameters: ControlParameters,
    pub(super) tick_period: Duration,
    pub(super) real_time: RealTimeSettings,
    pub(super) consent: Consent,
    pub(super) table_clearance_m: f64,
    pub(super) json: bool,
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
    let LiveRun {
        arm,
        handle,
        cameras,
        producer,
        parameters,
        tick_period,
        real_time,
        consent,
        table_clearance_m,
        json,
    } = live;
    let parts = SessionParts { arm: handle, cameras, producer, parameters, tick_period, real_time };
    let mut session = Session::start(parts)?;
    terminal::say(session.real_time().to_string());
    pass_signals_on(signals, &session);
    let mut consent = ConsentDialog::new(consent, terminal::is_interactive());
    let mut progress = Progress::new();
    let mut refused = None;
    let mut ending = false;
    while !session.is_over() {
        std::thread::sleep(REFRESH);
        for event in arm.events().try_iter() {
            progress.say(event.to_string());
        }
        let status = session.status();
        match status.phase {
            Phase::AwaitingGo(proposal) => match consent.step(&proposal, table_clearance_m, &progress) {
                Ok(Decision::Open) => {}
                Ok(Decision::Go) => session.allow_motion(proposal.number),
                Ok(Decision::Declined) => session.stop(EndCause::Declined),
                Err(error) => {
                    refused = Some(error);
                    session.stop(EndCause::Declined);
                }
            },
            Phase::Easing(cause) if !ending => {
                ending = true;
                progress.say(format!("{cause}: easing to the hold"));
            }
            _ => {}
        }
        let chunk_ms = session.chunk_p50_ms();
        progress.update(|| status_text(&status, chunk_ms));
    }
    progress.finish();
    let end = session.join(|| arm.statistics().link.feedback_hz);
    let fault = arm.fault();
    let _final_counters = arm.stop();
    if let Some(error) = refused {
        return Err(error);
    }
    let exit = report(&end, json);
    if let Some(fault) = fault {
        terminal::say(format!("error: {fault}"));
    }
    Ok(exit)
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

fn report(end: &SessionEnd, json: bool) -> Exit {
    if json {
        terminal::say(end.summary.to_string());
        terminal::print_json(&end.summary);
    } else {
        terminal::print(end.summary.to_string());
    }
    Exit::after_run(end.cause)
}

/// Degrees for people, one name a joint.
pub(super) fn pose_text(pose: JointAngles) -> String {
    let degrees = DatasetAngles::from(pose);
    Joint::ALL.map(|joint| format!("{joint} {:.1}°", degrees.get(joint))).join(", ")
}
