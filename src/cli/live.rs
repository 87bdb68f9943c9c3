//! What `run` and `demo` share: from a ready arm to the summary.

use std::time::Duration;

use super::exit::{CliError, Exit};
use super::signals::Signals;
use super::terminal::{self, Progress};
use crate::arm::{ArmHandle, LinkEvent, SerialArm};
use crate::camera::FrameSource;
use crate::control::{ControlParameters, EndCause, Phase, StartProposal, check_way};
use crate::policy::ChunkProducer;
use crate::runtime::{ArmPort, Session, SessionEnd, SessionParts};
use crate::types::{CommandWritten, DatasetAngles, FeedbackSample, Joint, JointAngles, JointCommand};

/// How often people see something new.
const REFRESH: Duration = Duration::from_millis(100);

/// Whether the first motion waits for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Consent {
    /// An emulated arm, or `--yes`.
    Given,
    /// Ask for Enter.
    Ask,
}

/// A live run, ready to start.
pub(super) struct LiveRun {
    pub(super) arm: SerialArm,
    pub(super) handle: ArmHandle,
    pub(super) cameras: Vec<Box<dyn FrameSource>>,
    pub(super) producer: ChunkProducer,
    pub(super) parameters: ControlParameters,
    pub(super) tick_period: Duration,
    pub(super) consent: Consent,
    pub(super) table_clearance_m: f64,
    pub(super) json: bool,
}

/// The link's mailboxes and its owner as one port.
struct LinkedArm {
    handle: ArmHandle,
    link: SerialArm,
}

impl ArmPort for LinkedArm {
    fn latest_feedback(&mut self) -> Option<FeedbackSample> {
        self.handle.latest_feedback()
    }
    fn ready(&self) -> bool {
        self.handle.ready()
    }
    fn offer(&mut self, command: JointCommand) {
        self.handle.offer(command);
    }
    fn take_written(&mut self) -> Option<CommandWritten> {
        self.handle.take_written()
    }
    fn is_lost(&self) -> bool {
        self.handle.link_fault().is_some()
    }
    fn feedback_hz(&self) -> f64 {
        self.link.statistics().link.feedback_hz
    }
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
    let clearance_m = live.table_clearance_m;
    let mut session = Session::start(SessionParts {
        arm: LinkedArm { handle: live.handle, link: live.arm },
        cameras: live.cameras,
        producer: live.producer,
        parameters: live.parameters,
        tick_period: live.tick_period,
    })?;
    let mut consent = ConsentDialog::new(live.consent, terminal::is_interactive());
    let mut progress = Progress::new();
    let mut refused = None;
    while !session.is_over() {
        std::thread::sleep(REFRESH);
        if let Some(cause) = signals.take() {
            progress.say(format!("{cause}: easing to the hold"));
            session.stop(cause);
        }
        let status = session.status();
        if let Phase::AwaitingGo(proposal) = status.phase {
            match consent.step(&proposal, clearance_m, &progress) {
                Ok(Some(true)) => session.allow_motion(),
                Ok(Some(false)) => session.stop(EndCause::Declined),
                Ok(None) => {}
                Err(error) => {
                    refused = Some(error);
                    session.stop(EndCause::Declined);
                }
            }
        }
        let chunk_ms = session.chunk_p50_ms();
        progress.update(|| {
            let report = &status.report;
            let pose = status.measured.map(pose_text).unwrap_or_default();
            format!(
                "{:<9} tick {}  chunks {} ({chunk_ms:.0} ms)  commands {}  missed {}  {pose}",
                phase_text(&status.phase),
                report.ticks,
                report.chunks,
                report.commands_written,
                status.missed_ticks,
            )
        });
    }
    progress.finish();
    let (end, arm) = session.join()?;
    let fault = arm.handle.link_fault();
    let _final_counters = arm.link.stop();
    if let Some(error) = refused {
        return Err(error);
    }
    let exit = report(&end, live.json);
    if let Some(fault) = fault {
        terminal::say(format!("error: {fault}"));
    }
    Ok(exit)
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

/// The first-motion rule: show start and target, check the way against the table, wait for Enter.
struct ConsentDialog {
    consent: Consent,
    /// Whether a person can answer.
    interactive: bool,
    answer: Option<std::sync::mpsc::Receiver<bool>>,
    decided: bool,
}

impl ConsentDialog {
    const fn new(consent: Consent, interactive: bool) -> Self {
        Self { consent, interactive, answer: None, decided: false }
    }

    /// `Some` with the decision, once.
    fn step(
        &mut self,
        proposal: &StartProposal,
        clearance_m: f64,
        progress: &Progress,
    ) -> Result<Option<bool>, CliError> {
        if self.decided {
            return Ok(None);
        }
        if let Some(answer) = &self.answer {
            let answer = answer.try_recv().ok();
            self.decided = answer.is_some();
            return Ok(answer);
        }
        progress.say(format!(
            "measured pose {}\nstart pose    {}\nthe arm moves there in {:.1} s",
            pose_text(proposal.from),
            pose_text(proposal.to),
            proposal.duration.as_secs_f64()
        ));
        if let Err(error) = check_way(&proposal.from, &proposal.to, clearance_m) {
            self.decided = true;
            return Err(error.into());
        }
        if self.consent == Consent::Given {
            self.decided = true;
            return Ok(Some(true));
        }
        if !self.interactive {
            self.decided = true;
            return Err(CliError::Refused(
                "the first motion of a real arm needs a person: run on a terminal and press Enter, or pass --yes".to_owned(),
            ));
        }
        progress.say("keep clear of the arm; Enter starts the motion, Ctrl-C ends");
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            let go = matches!(std::io::stdin().read_line(&mut line), Ok(read) if read > 0);
            // The run may have ended meanwhile, and nobody listens any more.
            let _gone = sender.send(go);
        });
        self.answer = Some(receiver);
        Ok(None)
    }
}

fn phase_text(phase: &Phase) -> &'static str {
    match phase {
        Phase::Settling => "settling",
        Phase::AwaitingGo(_) => "waiting",
        Phase::Ramping => "ramping",
        Phase::Running => "running",
        Phase::Easing(_) => "easing",
        Phase::Holding(_) => "holding",
        Phase::Ended(_) => "ended",
    }
}

/// Degrees for people, one name a joint.
pub(super) fn pose_text(pose: JointAngles) -> String {
    let degrees = DatasetAngles::from(pose);
    Joint::ALL.map(|joint| format!("{joint} {:.1}°", degrees.get(joint))).join(", ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const CLEARANCE_M: f64 = 0.01;

    fn proposal(to_deg: [f64; 6]) -> StartProposal {
        StartProposal {
            from: DatasetAngles::from_array_deg([0.0, 0.0, 90.0, 0.0, 0.0, 0.0]).into(),
            to: DatasetAngles::from_array_deg(to_deg).into(),
            duration: Duration::from_secs(4),
        }
    }

    const RAISED: [f64; 6] = [-2.0, 52.0, 10.0, 66.0, 3.0, 30.0];
    const THROUGH_THE_TABLE: [f64; 6] = [0.0, 80.0, 90.0, 0.0, 0.0, 0.0];

    #[test]
    fn a_real_arm_without_a_person_is_refused_once() {
        let mut dialog = ConsentDialog::new(Consent::Ask, false);
        let error = dialog.step(&proposal(RAISED), CLEARANCE_M, &Progress::new()).unwrap_err();
        assert_eq!(error.exit(), Exit::Refused);
        assert!(error.to_string().contains("press Enter, or pass --yes"), "{error}");
        assert_eq!(dialog.step(&proposal(RAISED), CLEARANCE_M, &Progress::new()).unwrap(), None);
    }

    #[test]
    fn consent_given_lets_the_arm_go_once() {
        let mut dialog = ConsentDialog::new(Consent::Given, false);
        assert_eq!(dialog.step(&proposal(RAISED), CLEARANCE_M, &Progress::new()).unwrap(), Some(true));
        assert_eq!(dialog.step(&proposal(RAISED), CLEARANCE_M, &Progress::new()).unwrap(), None);
    }

    #[test]
    fn a_way_through_the_table_is_refused_even_with_consent() {
        for consent in [Consent::Given, Consent::Ask] {
            let mut dialog = ConsentDialog::new(consent, true);
            let error = dialog.step(&proposal(THROUGH_THE_TABLE), CLEARANCE_M, &Progress::new()).unwrap_err();
            assert!(matches!(error, CliError::Table(_)), "{error}");
            assert_eq!(error.exit(), Exit::Refused);
            assert_eq!(dialog.step(&proposal(RAISED), CLEARANCE_M, &Progress::new()).unwrap(), None);
        }
    }
}
