//! The first-motion rule: show start and target, check the way against the table, wait for Enter.

use std::io::BufRead;
use std::sync::mpsc::{Receiver, TryRecvError, channel};

use super::exit::CliError;
use super::live::pose_text;
use super::terminal::Progress;
use crate::control::{StartProposal, check_way};

/// Whether the first motion waits for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Consent {
    /// An emulated arm, or `--yes`.
    Given,
    /// Ask for Enter.
    Ask,
}

/// What is decided about a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// Nothing yet.
    Open,
    /// It may happen.
    Go,
    /// It may not.
    Declined,
}

/// Asks once for each proposal: one that was withdrawn because the arm moved is shown and asked for anew.
pub(super) struct ConsentDialog {
    consent: Consent,
    /// Whether a person can answer.
    interactive: bool,
    shown: Option<u32>,
    /// Lines that a person typed; whether each was empty.
    answers: Option<Receiver<bool>>,
}

impl ConsentDialog {
    pub(super) const fn new(consent: Consent, interactive: bool) -> Self {
        Self { consent, interactive, shown: None, answers: None }
    }

    /// Looks at the present proposal; an error refuses it for good.
    pub(super) fn step(
        &mut self,
        proposal: &StartProposal,
        clearance_m: f64,
        progress: &Progress,
    ) -> Result<Decision, CliError> {
        if self.shown != Some(proposal.number) {
            self.shown = Some(proposal.number);
            return self.show(proposal, clearance_m, progress);
        }
        Ok(match self.answers.as_ref().map(Receiver::try_recv) {
            Some(Ok(true)) => Decision::Go,
            Some(Ok(false) | Err(TryRecvError::Disconnected)) => Decision::Declined,
            Some(Err(TryRecvError::Empty)) | None => Decision::Open,
        })
    }

    fn show(
        &mut self,
        proposal: &StartProposal,
        clearance_m: f64,
        progress: &Progress,
    ) -> Result<Decision, CliError> {
        progress.say(format!(
            "measured pose {}\nstart pose    {}\nthe arm moves there in {:.1} s",
            pose_text(proposal.measured),
            pose_text(proposal.to),
            proposal.duration.as_secs_f64()
        ));
        check_way(&proposal.from, &proposal.to, clearance_m)?;
        if self.consent == Consent::Given {
            return Ok(Decision::Go);
        }
        if !self.interactive {
            return Err(CliError::Refused(
                "the first motion of a real arm needs a person: run on a terminal and press Enter, or pass --yes".to_owned(),
            ));
        }
        self.forget_what_was_typed_before();
        progress.say("keep clear of the arm; Enter alone starts the motion, anything else or Ctrl-C ends");
        Ok(Decision::Open)
    }

    /// An Enter from before the question is no answer to it.
    fn forget_what_was_typed_before(&mut self) {
        // Where standard input cannot be flushed, nothing was typed into a terminal.
        let _no_terminal = rustix::termios::tcflush(std::io::stdin(), rustix::termios::QueueSelector::IFlush);
        match &self.answers {
            Some(answers) => while answers.try_recv().is_ok() {},
            None => {
                let (sender, receiver) = channel();
                std::thread::spawn(move || {
                    for line in std::io::stdin().lock().lines() {
                        // The run may have ended meanwhile, and nobody listens any more.
                        if !line.is_ok_and(|line| sender.send(line.trim().is_empty()).is_ok()) {
                            return;
                        }
                    }
                });
                self.answers = Some(receiver);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::exit::Exit;
    use super::*;
    use crate::types::DatasetAngles;

    const CLEARANCE_M: f64 = 0.01;
    const RAISED: [f64; 6] = [-2.0, 52.0, 10.0, 66.0, 3.0, 30.0];
    const THROUGH_THE_TABLE: [f64; 6] = [0.0, 80.0, 90.0, 0.0, 0.0, 0.0];

    fn proposal(number: u32, to_deg: [f64; 6]) -> StartProposal {
        StartProposal {
            number,
            measured: DatasetAngles::from_array_deg([0.0, 0.0, 90.0, 0.0, 0.0, 0.0]).into(),
            from: DatasetAngles::from_array_deg([0.0, 0.0, 90.0, 0.0, 0.0, 0.0]).into(),
            to: DatasetAngles::from_array_deg(to_deg).into(),
            duration: Duration::from_secs(4),
        }
    }

    #[test]
    fn a_real_arm_without_a_person_is_refused() {
        let mut dialog = ConsentDialog::new(Consent::Ask, false);
        let error = dialog.step(&proposal(1, RAISED), CLEARANCE_M, &Progress::new()).unwrap_err();
        assert_eq!(error.exit(), Exit::Refused);
        assert!(error.to_string().contains("press Enter, or pass --yes"), "{error}");
        let later = dialog.step(&proposal(1, RAISED), CLEARANCE_M, &Progress::new()).unwrap();
        assert_eq!(later, Decision::Open, "it never becomes a Go");
    }

    #[test]
    fn a_proposal_is_answered_once_and_a_new_one_anew() {
        let (sender, receiver) = channel();
        let mut dialog =
            ConsentDialog { consent: Consent::Ask, interactive: true, shown: None, answers: Some(receiver) };
        let progress = Progress::new();
        sender.send(true).unwrap();
        let mut step = |number| dialog.step(&proposal(number, RAISED), CLEARANCE_M, &progress).unwrap();
        assert_eq!(step(1), Decision::Open, "what was typed before the question is no answer");
        assert_eq!(step(1), Decision::Open);
        sender.send(true).unwrap();
        assert_eq!(
            step(2),
            Decision::Open,
            "the arm moved: an Enter for the old way is none for the new one"
        );
        sender.send(true).unwrap();
        assert_eq!(step(2), Decision::Go);
        sender.send(false).unwrap();
        assert_eq!(step(2), Decision::Declined, "a word is no Enter");
    }

    #[test]
    fn a_way_through_the_table_is_refused_even_with_consent() {
        for consent in [Consent::Given, Consent::Ask] {
            let mut dialog = ConsentDialog::new(consent, true);
            let error =
                dialog.step(&proposal(1, THROUGH_THE_TABLE), CLEARANCE_M, &Progress::new()).unwrap_err();
            assert!(matches!(error, CliError::Table(_)), "{error}");
            assert_eq!(error.exit(), Exit::Refused);
        }
        let mut free = ConsentDialog::new(Consent::Given, false);
        assert_eq!(free.step(&proposal(1, RAISED), CLEARANCE_M, &Progress::new()).unwrap(), Decision::Go);
    }
}
