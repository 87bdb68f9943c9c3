//! Latched stops, park poses and lost links.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;
use std::time::Duration;

use calibration::collision::{ReachCylinder, Workspace};

use super::test_script::{Script, assert_bounds, first_angle, parameters, pose};
use super::{
    AfterLinkLoss, AfterStop, ControlParameters, EndCause, FrozenPicture, Park, Phase, ShellReport, StopKind,
};
use crate::types::{Joint, LinkStatus};

fn without_end() -> ControlParameters {
    ControlParameters { duration: None, ..parameters() }
}

fn running(parameters: ControlParameters) -> Script {
    let mut script = Script::new(parameters);
    script.run_until(600, |phase| matches!(phase, Phase::Running));
    for _ in 0..40 {
        script.tick(None);
    }
    script
}

fn ticks(script: &mut Script, count: usize) {
    for _ in 0..count {
        script.tick(None);
    }
}

/// Why the arm is stopping or has stopped.
fn cause(script: &Script) -> Option<EndCause> {
    match script.controller.phase() {
        Phase::Easing(cause) | Phase::Holding(cause) | Phase::Stopped(cause) | Phase::Ended(cause) => {
            Some(cause)
        }
        _ => None,
    }
}

#[test]
fn a_stop_is_latched_until_it_is_reset_and_then_asks_again() {
    let mut script = running(ControlParameters { after_stop: AfterStop::Wait, ..without_end() });
    script.tick(Some(EndCause::EmergencyStop));
    script.run_until(60, |phase| matches!(phase, Phase::Stopped(EndCause::EmergencyStop)));
    ticks(&mut script, 100);
    let (count, held) = (script.written.len(), script.arm);
    ticks(&mut script, 500);
    assert_eq!(script.written.len(), count, "after the hold nothing more is written");
    assert!(script.arm.max_difference(&held) < 1e-12);

    script.reset = true;
    script.consent = false;
    ticks(&mut script, 200);
    let proposal = script.controller.proposal();
    assert!(proposal.is_some_and(|way| !way.resumes), "{:?}", script.controller.phase());
    assert_eq!(script.written.len(), count, "a reset alone moves nothing");
    script.consent = true;
    script.run_until(600, |phase| matches!(phase, Phase::Running));
    ticks(&mut script, 100);
    assert_eq!(script.controller.report().resets, 1);
    assert_bounds(&script.written, pose(0.1), 1.5, 15.0);
}

#[test]
fn a_reset_does_nothing_while_the_arm_moves() {
    let mut script = running(ControlParameters { after_stop: AfterStop::Wait, ..without_end() });
    script.reset = true;
    script.tick(None);
    assert_eq!(script.controller.phase(), Phase::Running);
    script.tick(Some(EndCause::EmergencyStop));
    script.reset = true;
    script.tick(None);
    script.run_until(60, |phase| matches!(phase, Phase::Stopped(_)));
    ticks(&mut script, 200);
    assert!(matches!(script.controller.phase(), Phase::Stopped(_)), "it was asked for too early");
}

#[test]
fn a_more_urgent_stop_takes_over_and_a_less_urgent_one_does_not() {
    for (first, second, counts) in [
        (EndCause::Interrupted, EndCause::EmergencyStop, EndCause::EmergencyStop),
        (EndCause::Interrupted, EndCause::CameraFailed, EndCause::CameraFailed),
        (EndCause::CameraFailed, EndCause::EmergencyStop, EndCause::EmergencyStop),
        (EndCause::EmergencyStop, EndCause::Interrupted, EndCause::EmergencyStop),
        (EndCause::CameraFailed, EndCause::Interrupted, EndCause::CameraFailed),
    ] {
        let mut script = Script::new(without_end());
        script.run_until(600, |phase| matches!(phase, Phase::Running));
        // In the middle of the way to the first actions.
        ticks(&mut script, 12);
        script.tick(Some(first));
        script.tick(Some(second));
        let phase = script.controller.phase();
        assert!(
            matches!(phase, Phase::Easing(cause) | Phase::Holding(cause) if cause == counts),
            "{first} and then {second}: {phase:?}"
        );
        assert_eq!(script.run_to_end(), counts);
        // While it holds the same rule applies.
        let mut script = running(without_end());
        script.tick(Some(first));
        script.run_until(60, |phase| matches!(phase, Phase::Holding(_)));
        script.tick(Some(second));
        assert_eq!(script.run_to_end(), counts, "holding after {first}, then {second}");
    }
}

#[test]
fn a_run_parks_at_its_own_end_only() {
    let park = Some(Park { pose: pose(0.2), release_torque: true });
    let mut script = Script::new(ControlParameters { park, ..parameters() });
    assert_eq!(script.run_to_end(), EndCause::Duration);
    assert!((first_angle(&script.arm) - 0.2).abs() < 1e-6, "{:?}", script.arm);
    assert!(script.torque_released, "as the settings ask");
    assert_bounds(&script.written, pose(0.1), 1.5, 10.0);

    for cause in [EndCause::Interrupted, EndCause::EmergencyStop, EndCause::CameraFailed] {
        let mut script = running(ControlParameters { park, ..without_end() });
        let before = first_angle(&script.arm);
        script.tick(Some(cause));
        assert_eq!(script.run_to_end(), cause);
        assert!(first_angle(&script.arm) >= before - 1e-9, "{cause}: it goes nowhere");
        assert!(!script.torque_released, "{cause}: torque off elsewhere drops the arm");
    }
}

#[test]
fn torque_stays_on_at_the_park_pose_unless_asked_for() {
    let park = Some(Park { pose: pose(0.2), release_torque: false });
    let mut script = Script::new(ControlParameters { park, ..parameters() });
    assert_eq!(script.run_to_end(), EndCause::Duration);
    assert!(!script.torque_released);
}

const AWAY: LinkStatus = LinkStatus { connection: 1, connected: false, ready: false };
const BACK: LinkStatus = LinkStatus { connection: 1, ..LinkStatus::READY };

#[test]
fn a_lost_link_ends_the_run_where_it_is_told_to() {
    let mut script = running(without_end());
    script.link = AWAY;
    script.tick(None);
    assert_eq!(script.controller.ended(), Some(EndCause::LinkLost));
}

#[test]
fn a_lost_link_is_resumed_from_where_it_was_lost_after_consent() {
    let mut script = running(ControlParameters { after_link_loss: AfterLinkLoss::Resume, ..without_end() });
    let lost_at = script.written.last().unwrap().command.goal;
    let (count, requests) = (script.written.len(), script.requests);
    script.link = AWAY;
    ticks(&mut script, 100);
    assert_eq!(script.controller.phase(), Phase::Disconnected);
    // A board that was reset drives to a first pose of its own.
    script.arm = pose(0.3);
    script.consent = false;
    script.link = BACK;
    ticks(&mut script, 200);
    let Phase::AwaitingGo(proposal) = script.controller.phase() else {
        panic!("{:?}", script.controller.phase());
    };
    assert_eq!((script.written.len(), script.requests), (count, requests), "nothing old, nothing unasked");
    assert!(proposal.to.max_difference(&lost_at) < 1e-9, "back to where it was lost");
    assert!(proposal.resumes, "which is judged as the policy's own motion");
    assert!(
        (first_angle(&proposal.from) - 0.3).abs() < 1e-9,
        "from where the arm stands: {:?}",
        proposal.from
    );
    script.consent = true;
    script.run_until(800, |phase| matches!(phase, Phase::Running));
    assert_eq!(script.controller.report().link_losses, 1);
    let again = &script.written[count..];
    assert_bounds(again, again[0].command.goal, 0.27, 10.0);
}

/// A reset board holds what it stands at. The goal from before, though near, is no longer held by anything.
#[test]
fn a_board_that_was_reset_near_its_goal_is_held_where_it_stands() {
    let mut script = running(ControlParameters { after_link_loss: AfterLinkLoss::Resume, ..without_end() });
    // Goals and sag at rest: the policy wants no more.
    ticks(&mut script, 100);
    let count = script.written.len();
    let held = script.written[count - 1].command.goal;
    script.link = AWAY;
    ticks(&mut script, 10);
    // Moved by less than the lead limit.
    let mut stands = held;
    stands.set(Joint::Base, held.get(Joint::Base) - 0.05);
    script.arm = stands;
    script.link = BACK;
    script.run_until(300, |phase| matches!(phase, Phase::Ramping));
    ticks(&mut script, 1);
    let first = script.written[count].command.goal;
    assert!(first.max_difference(&stands) < 1e-9, "{first:?} although it stands at {stands:?}");
}

/// A link that takes a command, neither writes it nor throws it away, and goes on reporting poses.
#[test]
fn a_command_that_is_never_written_is_a_lost_link_after_half_a_second() {
    let mut script = running(without_end());
    let offered = script.now;
    script.report_delay = Duration::from_secs(60);
    script.link_period = u64::MAX;
    script.run_until(60, |phase| matches!(phase, Phase::Easing(_) | Phase::Holding(_) | Phase::Ended(_)));
    let waited = script.now.since(offered);
    assert_eq!(cause(&script), Some(EndCause::LinkLost));
    assert!((Duration::from_millis(500)..=Duration::from_millis(540)).contains(&waited), "{waited:?}");
}

/// A policy that wants further out than it may is held back, and after a while told that it is no use.
#[test]
fn a_policy_that_insists_on_leaving_the_workspace_is_stopped_after_the_patience() {
    let patience = Duration::from_secs(2);
    let reach_cylinder = Some(ReachCylinder { radius_m: 0.35, top_m: f64::INFINITY });
    let workspace = Workspace { reach_cylinder, ..Workspace::default() };
    let mut script = Script::new(ControlParameters {
        workspace,
        workspace_patience: patience,
        start_pose: Some(pose(0.0)),
        ..without_end()
    });
    script.arm = pose(0.0);
    script.wanted = 1.1;
    script.run_until(600, |phase| matches!(phase, Phase::Running));
    let refusals = |script: &Script| script.controller.report().gate.workspace.reach;
    while refusals(&script) == 0 {
        script.tick(None);
    }
    let first = script.now;
    script.run_until(200, |phase| !matches!(phase, Phase::Running));
    let waited = script.now.since(first);
    assert_eq!(cause(&script), Some(EndCause::WorkspaceRefused));
    assert!((patience..=patience + Duration::from_millis(100)).contains(&waited), "{waited:?}");
}

#[test]
fn consent_is_for_one_connection() {
    let mut script = running(ControlParameters { after_link_loss: AfterLinkLoss::Resume, ..without_end() });
    script.consent = false;
    script.link = AWAY;
    ticks(&mut script, 10);
    script.link = BACK;
    script.run_until(300, |phase| matches!(phase, Phase::AwaitingGo(_)));
    let Phase::AwaitingGo(first) = script.controller.phase() else { unreachable!() };
    script.link = LinkStatus { connection: 2, ..BACK };
    script.tick(None);
    assert_eq!(script.controller.phase(), Phase::Settling, "the board was reset meanwhile");
    script.run_until(300, |phase| matches!(phase, Phase::AwaitingGo(_)));
    let Phase::AwaitingGo(second) = script.controller.phase() else { unreachable!() };
    assert!(second.number > first.number);
    script.link = LinkStatus { connection: 3, ..AWAY };
    script.tick(None);
    assert_eq!(script.controller.phase(), Phase::Disconnected);
}

#[test]
fn a_stop_ends_a_run_whose_link_is_away() {
    let mut script = running(ControlParameters { after_link_loss: AfterLinkLoss::Resume, ..without_end() });
    script.link = AWAY;
    ticks(&mut script, 5);
    script.tick(Some(EndCause::Interrupted));
    assert_eq!(script.controller.ended(), Some(EndCause::Interrupted));
}

#[test]
fn an_emergency_stop_comes_to_rest_within_its_time() {
    for slope in [0.0, 0.02, -0.02] {
        let mut script = Script::new(without_end());
        script.slope = slope;
        script.run_until(600, |phase| matches!(phase, Phase::Running));
        ticks(&mut script, 30);
        script.tick(Some(EndCause::EmergencyStop));
        let before = script.now;
        script.run_until(100, |phase| matches!(phase, Phase::Holding(_)));
        let took = script.now.since(before);
        // 1.5 rad/s at 15 rad/s² is 0.1 s; then a tick to see it written and one to see it rest.
        assert!(took <= Duration::from_millis(180), "slope {slope}: {took:?}");
    }
}

const CAUSES: [EndCause; 26] = [
    EndCause::Duration,
    EndCause::SourceEnded,
    EndCause::EpisodeOver,
    EndCause::Interrupted,
    EndCause::Terminated,
    EndCause::HungUp,
    EndCause::Declined,
    EndCause::NotStill,
    EndCause::OutsideLimits { joint: Joint::Elbow },
    EndCause::TorqueOff,
    EndCause::ProgramFailed,
    EndCause::FeedbackStale { age: Duration::from_millis(300) },
    EndCause::FrameStale { slot: 0, age: Some(Duration::from_millis(600)) },
    EndCause::FrameStale { slot: 1, age: None },
    EndCause::PictureFrozen { slot: 0 },
    EndCause::ChunksRejected { count: 3 },
    EndCause::PolicyStalled { waited: Duration::from_millis(3_000) },
    EndCause::PolicyFailed,
    EndCause::CameraFailed,
    EndCause::LinkLost,
    EndCause::DeadBus,
    EndCause::NotFollowing { joint: Joint::Shoulder },
    EndCause::WorkspaceRefused,
    EndCause::Plateau,
    EndCause::EmergencyStop,
    EndCause::ControlStalled,
];

#[test]
fn every_cause_says_something_of_its_own() {
    let texts: BTreeSet<String> = CAUSES.iter().map(ToString::to_string).collect();
    assert_eq!(texts.len(), CAUSES.len(), "{texts:?}");
    assert!(texts.contains("no feedback for 300 ms") && texts.contains("3 chunks in a row were rejected"));
}

#[test]
fn only_what_can_be_in_order_again_may_be_reset_and_only_own_ends_park() {
    for cause in CAUSES {
        assert!(!(cause.may_reset() && cause.may_park()), "{cause}");
        assert!(!cause.may_park() || cause.is_success(), "{cause}");
        assert!(!cause.may_reset() || cause.kind() > StopKind::Normal, "{cause}");
    }
    let reset: Vec<_> = CAUSES.into_iter().filter(|cause| cause.may_reset()).collect();
    assert!(reset.contains(&EndCause::EmergencyStop) && !reset.contains(&EndCause::DeadBus));
    assert!(!EndCause::Declined.is_success() && EndCause::Interrupted.is_success());
}

#[test]
fn a_summary_has_the_cores_counters_the_cause_and_what_failed() {
    let mut script = Script::new(parameters());
    let cause = script.run_to_end();
    let report = *script.controller.report();
    let shell = ShellReport { error: Some("it broke".to_owned()), missed_ticks: 3, ..ShellReport::default() };
    let summary = report.summary(cause, shell);
    assert_eq!((summary.ticks, summary.missed_ticks, summary.chunks), (report.ticks, 3, report.chunks));
    assert_eq!(summary.commands_sent, report.commands_written);
    assert_eq!(summary.ended, "duration reached: it broke");
    assert_eq!(summary.gate["acceleration"], report.gate.acceleration);
    assert_eq!(summary.gate.len(), report.gate.by_rule().len());
}

#[test]
fn phases_have_words_of_their_own() {
    let mut script = Script::new(parameters());
    // It is still moving when its time is over.
    (script.wanted, script.slope) = (0.0, 0.02);
    let mut seen = Vec::new();
    while script.controller.ended().is_none() {
        script.tick(None);
        let name = script.controller.phase().name();
        if seen.last() != Some(&name) {
            seen.push(name);
        }
    }
    assert_eq!(seen, ["settling", "waiting", "ramping", "running", "easing", "holding", "ended"]);
    for (phase, name) in [
        (Phase::Parking(EndCause::Duration), "parking"),
        (Phase::Stopped(EndCause::EmergencyStop), "stopped"),
        (Phase::Disconnected, "disconnected"),
    ] {
        assert_eq!(phase.name(), name);
    }
}

#[test]
fn a_hold_is_repeated_often_enough_on_a_slow_link_and_ends_on_a_dead_one() {
    let held_for = |link_period: u64, ready: bool| {
        let mut script = running(without_end());
        script.tick(Some(EndCause::CameraFailed));
        script.run_until(300, |phase| matches!(phase, Phase::Holding(_)));
        let (count, began) = (script.written.len(), script.now);
        script.link_period = link_period;
        script.link.ready = ready;
        assert_eq!(script.run_to_end(), EndCause::CameraFailed);
        let last = script.written.last().unwrap().command.goal;
        assert!(script.written[count..].iter().all(|written| written.command.goal == last));
        (script.written.len() - count, script.now.since(began))
    };
    let (repeats, time) = held_for(1, true);
    assert!(repeats > 20 && time < Duration::from_millis(600), "{repeats} in {time:?}");
    let (repeats, time) = held_for(10, true);
    // The first one was written in the tick that the hold began in.
    assert!((9..=11).contains(&repeats), "{repeats} in {time:?}");
    let (repeats, time) = held_for(1, false);
    assert!(repeats == 0 && time > Duration::from_secs(3) && time < Duration::from_millis(3100), "{time:?}");
}

#[test]
fn a_frozen_picture_is_counted_or_ends_the_run_as_it_is_told_to() {
    let watching = |ends| ControlParameters {
        frozen_picture: Some(FrozenPicture { time: Duration::from_secs(1), every_source: false, ends }),
        ..without_end()
    };
    let mut script = running(watching(false));
    script.digest = Some(7);
    ticks(&mut script, 200);
    assert_eq!(script.controller.phase(), Phase::Running);
    assert_eq!(script.controller.report().frozen_pictures, [1, 0, 0, 0]);
    let mut script = running(watching(true));
    script.digest = Some(7);
    assert_eq!(script.run_to_end(), EndCause::PictureFrozen { slot: 0 });
    assert_eq!(EndCause::PictureFrozen { slot: 0 }.kind(), StopKind::Protective);
}
