//! What the core does when the policy no longer gets on.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use super::test_script::{Script, parameters};
use super::*;
use crate::types::Joint;

/// A policy that wants the same pose for ever.
fn standing(settings: ControlParameters) -> Script {
    let mut script = Script::new(ControlParameters { duration: None, ..settings });
    script.wanted = 0.4;
    script.run_until(1_000, |phase| *phase == Phase::Running);
    script
}

fn plateau(action: PlateauAction) -> ControlParameters {
    let plateau = Plateau { threshold_rad: 0.01, window: Duration::from_secs(1), action };
    ControlParameters { plateau: Some(plateau), ..parameters() }
}

#[test]
fn a_plateau_ends_the_run_where_it_is_told_to_and_the_arm_may_park() {
    let park = Some(Park { pose: super::test_script::pose(0.2), release_torque: false });
    let mut script = standing(ControlParameters { park, ..plateau(PlateauAction::Stop) });
    assert_eq!(script.run_to_end(), EndCause::Plateau);
    assert_eq!(script.controller.report().plateaus, 1);
    assert!((script.arm.get(Joint::Base) - 0.2).abs() < 1e-6, "{:?}", script.arm);
}

#[test]
fn a_plateau_may_only_be_counted() {
    let mut script = standing(plateau(PlateauAction::Warn));
    (0..400).for_each(|_| script.tick(None));
    assert_eq!(script.controller.phase(), Phase::Running);
    assert!(script.controller.report().plateaus >= 2, "found again after each further window");
}

#[test]
fn a_plateau_perturbs_the_next_observation_once() {
    let noise = PlateauAction::Noise { amplitude_rad: 0.05, seed: 7 };
    let mut script = standing(plateau(noise));
    (0..400).for_each(|_| script.tick(None));
    let plateaus = usize::try_from(script.controller.report().plateaus).unwrap();
    let perturbed = script.observations.iter().filter(|request| request.perturbation.is_some()).count();
    assert!(plateaus >= 2 && (plateaus - 1..=plateaus).contains(&perturbed), "{perturbed} for {plateaus}");
    assert!(script.observations.len() > perturbed, "the others are left as measured");
}

fn idle(ends: bool) -> ControlParameters {
    let gripper_idle =
        Some(GripperIdle { closed_below_rad: 0.3, threshold_rad: 0.02, time: Duration::from_secs(1), ends });
    ControlParameters { gripper_idle, ..parameters() }
}

#[test]
fn a_gripper_that_closed_on_nothing_labels_the_episode_and_ends_it_where_told_to() {
    let mut ends = standing(idle(true));
    assert_eq!(ends.run_to_end(), EndCause::GripperIdle);
    assert!(!EndCause::GripperIdle.is_success(), "the episode counts as failed");
    let mut goes_on = standing(idle(false));
    (0..200).for_each(|_| goes_on.tick(None));
    assert_eq!(goes_on.controller.phase(), Phase::Running);
    assert!(goes_on.controller.report().gripper_idle, "it is labelled all the same");
}
