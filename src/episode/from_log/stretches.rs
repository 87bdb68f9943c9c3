//! The stretches of a run in which the policy moved the arm, as frames.

use std::path::Path;
use std::time::Duration;

use super::ticks::{LoggedTick, LoggedTicks};
use super::{LoggedEpisode, LoggedFrame};
use crate::control::{EndCause, Phase};
use crate::types::{MAX_CAMERAS, Timestamp};

/// A picture this much older than its tick shows the past: the camera stood still, or pictures are missing in the log. LeRobot's
/// cameras give up after twice as long.
const OLDEST_PICTURE: Duration = Duration::from_millis(250);
/// Shorter ones teach nothing.
const FEWEST_FRAMES: usize = 2;

/// All episodes of a log at `fps` frames a second.
pub(super) fn episodes(log: &Path, logged: &LoggedTicks, fps: f64) -> Vec<LoggedEpisode> {
    let ticks = &logged.ticks;
    let running = |tick: &LoggedTick| matches!(tick.phase, Phase::Running);
    let mut episodes = Vec::new();
    let mut start = 0;
    while let Some(first) = ticks[start..].iter().position(running).map(|place| start + place) {
        let length = ticks[first..].iter().take_while(|tick| running(tick)).count();
        start = first + length;
        let frames = frames(logged, &ticks[first..start], fps);
        if frames.frames.len() < FEWEST_FRAMES {
            continue;
        }
        let set_aside = why_it_ended(logged, &ticks[start - 1..])
            .or_else(|| missing_ticks(&ticks[first..start]))
            .or(frames.problem);
        episodes.push(LoggedEpisode {
            log: log.to_owned(),
            number: episodes.len(),
            task: logged.run.task.clone(),
            set_aside,
            frames: frames.frames,
        });
    }
    episodes
}

/// Why the stretch before `ticks` failed; they begin with its last one.
fn why_it_ended(logged: &LoggedTicks, ticks: &[LoggedTick]) -> Option<String> {
    let after = ticks.iter().find_map(|tick| match tick.phase {
        Phase::Easing(cause)
        | Phase::Holding(cause)
        | Phase::Parking(cause)
        | Phase::Stopped(cause)
        | Phase::Ended(cause) => Some(cause),
        Phase::Disconnected => Some(EndCause::LinkLost),
        _ => None,
    });
    match after.or_else(|| logged.cause()) {
        Some(cause) if !cause.is_success() => return Some(cause.to_string()),
        // Nobody saw how it went on.
        None => {
            let broken = logged.broken.as_deref().unwrap_or("the log does not say how the run ended");
            return Some(format!("the episode is incomplete: {broken}"));
        }
        Some(_) => {}
    }
    // The run's own judgement is about its last stretch; labels may belong to any.
    let last = !ticks.iter().skip(1).any(|tick| matches!(tick.phase, Phase::Running));
    let summary = logged.end.as_ref().map(|end| end.summary.as_str()).unwrap_or_default();
    let summary: serde_json::Value = serde_json::from_str(summary).unwrap_or_default();
    if summary.pointer("/motion/gripper_idle") == Some(&true.into()) {
        return Some(EndCause::GripperIdle.to_string());
    }
    let ended = logged.end.as_ref().map(|end| end.text.clone()).unwrap_or_default();
    (last && summary.get("ok") == Some(&false.into())).then_some(ended)
}

fn missing_ticks(ticks: &[LoggedTick]) -> Option<String> {
    let gaps = ticks.windows(2).filter(|pair| pair[1].number != pair[0].number + 1).count();
    (gaps > 0).then(|| format!("the log lacks ticks in {gaps} places: the disk was too slow"))
}

struct Frames {
    frames: Vec<LoggedFrame>,
    problem: Option<String>,
}

/// One frame every 1/fps from the first of `ticks` on: what was known and done in the nearest tick.
fn frames(logged: &LoggedTicks, ticks: &[LoggedTick], fps: f64) -> Frames {
    let mut frames = Vec::new();
    let (mut missing, mut old) = ([0_usize; MAX_CAMERAS], [0_usize; MAX_CAMERAS]);
    let mut unknown = 0;
    let (Some(first), Some(last)) = (ticks.first(), ticks.last()) else {
        return Frames { frames, problem: None };
    };
    let mut nearest = 0;
    for number in 0.. {
        let due = first.now + Duration::from_secs_f64(number as f64 / fps);
        if due > last.now {
            break;
        }
        let far = |tick: &LoggedTick| tick.now.distance(due);
        while ticks.get(nearest + 1).is_some_and(|next| far(next) < far(&ticks[nearest])) {
            nearest += 1;
        }
        let tick = &ticks[nearest];
        let (Some(measured), Some(goal)) = (tick.measured, tick.goal.or(tick.measured)) else {
            unknown += 1;
            continue;
        };
        let mut pictures = [None; MAX_CAMERAS];
        for (slot, taken) in logged.pictures.iter().enumerate().take(MAX_CAMERAS) {
            let picture = tick.pictures[slot].and_then(|newest| shown(taken, newest, tick.now));
            if picture.is_none() {
                let late = tick.pictures[slot].is_some_and(|newest| tick.now.since(newest) > OLDEST_PICTURE);
                let count = if late { &mut old } else { &mut missing };
                count[slot] += 1;
            }
            pictures[slot] = picture;
        }
        frames.push(LoggedFrame { state: measured.into(), action: goal.into(), pictures });
    }
    let count = frames.len();
    let without = missing.iter().enumerate().find(|(_, missing)| **missing > 0).map(|(slot, missing)| {
        let camera = &logged.run.cameras[slot].name;
        let fix = if logged.lost.policy_frames + logged.lost.other_frames > 0 {
            "the disk was too slow for them"
        } else {
            "record with --log-frames all"
        };
        format!("{missing} of {count} frames have no picture of camera {camera}: {fix}")
    });
    let stood_still = old.iter().enumerate().find(|(_, old)| **old > 0).map(|(slot, old)| {
        let camera = &logged.run.cameras[slot].name;
        format!("camera {camera} stood still or was too slow: in {old} of {count} frames its newest picture was older than 250 ms")
    });
    let without = stood_still.or(without);
    let unmeasured = (unknown > 0).then(|| format!("{unknown} frames have no measured pose"));
    Frames { frames, problem: unmeasured.or(without) }
}

/// The newest recorded picture that was taken by `newest`, unless it is too old at `now`.
fn shown(taken: &[Timestamp], newest: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let place = taken.partition_point(|captured| *captured <= newest);
    let captured = *taken.get(place.checked_sub(1)?)?;
    (now.since(captured) <= OLDEST_PICTURE).then_some(captured)
}
