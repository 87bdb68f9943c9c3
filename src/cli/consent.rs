//! The first-motion rule: show start and target, check the way against the table, wait for Enter.

use super::exit::CliError;
use super::keyboard::Keyboard;
use super::live::pose_text;
use super::terminal::Progress;
use crate::control::{StartProposal, WayRefused, Workspace, check_way, check_way_back};

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

/// Where ways may lead.
#[derive(Clone, Debug)]
pub(super) struct WayRules {
    /// A way that nobody but the program chose.
    pub(super) planned: Workspace,
    /// The policy's own motion, and the way back to where it was.
    pub(super) gate: Workspace,
}

impl WayRules {
    fn check(&self, proposal: &StartProposal) -> Result<(), WayRefused> {
        if proposal.resumes {
            return check_way_back(&proposal.from, &proposal.to, &self.planned, &self.gate);
        }
        check_way(&proposal.from, &proposal.to, &self.planned)
    }
}

/// Asks once for each proposal: one that was withdrawn because the arm moved is shown and asked for anew.
pub(super) struct ConsentDialog {
    consent: Consent,
    shown: Option<u32>,
    asked: bool,
}

impl ConsentDialog {
    pub(super) const fn new(consent: Consent) -> Self {
        Self { consent, shown: None, asked: false }
    }

    /// Looks at the present proposal; an error refuses it for good.
    pub(super) fn step(
        &mut self,
        proposal: &StartProposal,
        rules: &WayRules,
        keyboard: &Keyboard,
        progress: &Progress,
    ) -> Result<Decision, CliError> {
        if self.shown != Some(proposal.number) {
            self.shown = Some(proposal.number);
            return self.show(proposal, rules, keyboard, progress);
        }
        if !self.asked {
            return Ok(Decision::Open);
        }
        Ok(match keyboard.key() {
            Ok(Some(b'\n' | b'\r')) => Decision::Go,
            Ok(None) => Decision::Open,
            Ok(Some(_)) | Err(_) => Decision::Declined,
        })
    }

    fn show(
        &mut self,
        proposal: &StartProposal,
        rules: &WayRules,
        keyboard: &Keyboard,
        progress: &Progress,
    ) -> Result<Decision, CliError> {
        self.asked = false;
        let target = if proposal.resumes { "where it was " } else { "start pose   " };
        progress.say(format!(
            "measured pose {}\n{target} {}\nthe arm moves there in {:.1} s",
            pose_text(proposal.measured),
            pose_text(proposal.to),
            proposal.duration.as_secs_f64()
        ));
        rules.check(proposal)?;
        if self.consent == Consent::Given {
            return Ok(Decision::Go);
        }
        if !keyboard.is_interactive() {
            return Err(CliError::Refused(
                "the first motion of a real arm needs a person: run on a terminal and press Enter, or pass --yes".to_owned(),
            ));
        }
        // An Enter from before the question is no answer to it.
        keyboard.forget();
        self.asked = true;
        progress.say("keep clear of the arm; Enter starts the motion, any other key or Ctrl-C ends");
        Ok(Decision::Open)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use super::super::exit::Exit;
    use super::*;
    use crate::types::DatasetAngles;

    fn rules() -> WayRules {
        let above = |clearance_m| {
            let table = crate::control::Table { height_m: 0.0, clearance_m };
            Workspace { self_margin_m: 0.005, table: Some(table), ..Workspace::default() }
        };
        WayRules { planned: above(0.01), gate: above(0.0) }
    }

    const RAISED: [f64; 6] = [-2.0, 52.0, 10.0, 66.0, 3.0, 30.0];
    const THROUGH_THE_TABLE: [f64; 6] = [0.0, 80.0, 90.0, 0.0, 0.0, 0.0];

    fn proposal(number: u32, to_deg: [f64; 6]) -> StartProposal {
        StartProposal {
            number,
            measured: DatasetAngles::from_array_deg([0.0, 0.0, 90.0, 0.0, 0.0, 0.0]).into(),
            from: DatasetAngles::from_array_deg([0.0, 0.0, 90.0, 0.0, 0.0, 0.0]).into(),
            to: DatasetAngles::from_array_deg(to_deg).into(),
            duration: Duration::from_secs(4),
            resumes: false,
        }
    }

    #[test]
    fn a_real_arm_without_a_person_is_refused() {
        let (mut dialog, keyboard) = (ConsentDialog::new(Consent::Ask), Keyboard::none());
        let progress = Progress::new();
        let error = dialog.step(&proposal(1, RAISED), &rules(), &keyboard, &progress).unwrap_err();
        assert_eq!(error.exit(), Exit::Refused);
        assert!(error.to_string().contains("press Enter, or pass --yes"), "{error}");
        let later = dialog.step(&proposal(1, RAISED), &rules(), &keyboard, &progress).unwrap();
        assert_eq!(later, Decision::Open, "it never becomes a Go");
    }

    #[test]
    fn a_proposal_is_answered_once_and_a_new_one_anew() {
        let (sender, receiver) = channel();
        let (mut dialog, keyboard) = (ConsentDialog::new(Consent::Ask), Keyboard::scripted(receiver));
        let progress = Progress::new();
        sender.send(b'\n').unwrap();
        let mut step =
            |number| dialog.step(&proposal(number, RAISED), &rules(), &keyboard, &progress).unwrap();
        assert_eq!(step(1), Decision::Open, "what was typed before the question is no answer");
        assert_eq!(step(1), Decision::Open);
        sender.send(b'\n').unwrap();
        assert_eq!(
            step(2),
            Decision::Open,
            "the arm moved: an Enter for the old way is none for the new one"
        );
        sender.send(b'\n').unwrap();
        assert_eq!(step(2), Decision::Go);
        sender.send(b'n').unwrap();
        assert_eq!(step(2), Decision::Declined, "another key is no Enter");
        drop(sender);
        assert_eq!(step(2), Decision::Declined, "a closed terminal answers nothing");
    }

    #[test]
    fn a_way_through_the_table_is_refused_even_with_consent() {
        let (keyboard, progress) = (Keyboard::none(), Progress::new());
        for consent in [Consent::Given, Consent::Ask] {
            let mut dialog = ConsentDialog::new(consent);
            let through = proposal(1, THROUGH_THE_TABLE);
            let error = dialog.step(&through, &rules(), &keyboard, &progress).unwrap_err();
            assert!(matches!(error, CliError::Way(_)), "{error}");
            assert_eq!(error.exit(), Exit::Refused);
        }
        let mut free = ConsentDialog::new(Consent::Given);
        let decision = free.step(&proposal(1, RAISED), &rules(), &keyboard, &progress).unwrap();
        assert_eq!(decision, Decision::Go);
    }

    /// 9.6 mm over the table is where a policy may be, and no start pose.
    #[test]
    fn a_way_back_may_end_nearer_to_the_table_than_a_start_pose() {
        // The arm leans forward until its hand is just about to touch.
        let arm = calibration::collision::ArmCapsules::default();
        let room_m = |shoulder_deg| {
            let pose = DatasetAngles::from_array_deg([0.0, shoulder_deg, 90.0, 0.0, 0.0, 0.0]).into();
            rules().gate.clearances(&arm.place(&pose).unwrap()).room_m()
        };
        let lowest = (0..800_u32).map(|step| f64::from(step) * 0.1).take_while(|deg| room_m(*deg) > 0.002);
        let low = [0.0, lowest.last().unwrap(), 90.0, 0.0, 0.0, 0.0];
        let judged = |resumes, to_deg| {
            let proposal = StartProposal { resumes, ..proposal(1, to_deg) };
            let mut dialog = ConsentDialog::new(Consent::Given);
            dialog.step(&proposal, &rules(), &Keyboard::none(), &Progress::new()).is_ok()
        };
        assert!(judged(true, low) && !judged(false, low));
        assert!(!judged(true, THROUGH_THE_TABLE), "the gate's own rule holds for a way back too");
    }
}
