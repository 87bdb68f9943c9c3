//! `roarm replay --dataset`: a recorded episode on the arm.

use std::path::Path;
use std::time::Duration;

use calibration::JointLimits;
use firmware_protocol::Generation;

use super::super::consent::Consent;
use super::super::exit::{CliError, Exit};
use super::super::live::{self, LiveRun};
use super::super::plan;
use super::super::run::{open_arm, resolve_arm};
use super::super::signals::Signals;
use super::super::terminal;
use super::ReplayFlags;
use crate::arm::port::{SystemFiles, check_port};
use crate::config::Config;
use crate::control::{AfterStop, Aggregation, ChunkSchedule, ControlParameters, Park};
use crate::episode::{Dataset, Episode};
use crate::replay::{Inspection, RecordedActions};
use crate::types::JointAngles;

/// The slowest and the fastest replay.
const SPEEDS: std::ops::RangeInclusive<f64> = 0.05..=2.0;

/// Plays the episode with this number of the dataset in `folder` on `arm`.
pub(super) fn replay(flags: &ReplayFlags, folder: &Path, number: usize, arm: &str) -> Result<Exit, CliError> {
    let speed = flags.speed.unwrap_or(1.0);
    if !SPEEDS.contains(&speed) {
        return Err(CliError::Arguments(format!(
            "--speed {speed} is outside {} to {}: 1 is as fast as it was recorded",
            SPEEDS.start(),
            SPEEDS.end()
        )));
    }
    let (config, _text) = plan::load_config(flags.config.as_deref())?;
    let (port, generation) = resolve_arm(arm, flags.firmware, &config)?;
    let episode = Dataset::open(folder).and_then(|dataset| dataset.episode(number));
    // Nothing has moved yet.
    let episode = episode.map_err(|error| CliError::Refused(error.to_string()))?;
    let period = Duration::from_secs_f64(1.0 / (episode.fps * speed));
    let actions = episode.actions.iter().copied().map(JointAngles::from).collect();
    let recording = RecordedActions::new(actions)
        .ok_or_else(|| CliError::Refused(format!("episode {number} has no actions: choose another one")))?;
    let park = plan::park(flags.park.as_ref(), &config, None)?;
    terminal::say(title(&episode, speed, period));
    if flags.dry_run {
        return Ok(dry_run(flags, &config, generation, &recording, period));
    }
    let port_report = check_port(&port, &SystemFiles::default());
    if let Some(finding) = port_report.findings.iter().find(|finding| finding.blocks()) {
        return Err(CliError::Refused(format!("{}: {finding}: {}", port.display(), finding.fix())));
    }
    let signals = Signals::catch()?;
    let real_time = plan::real_time(&config, flags.control_cpu);
    let (arm, handle) = open_arm(&port, generation, &config, real_time, None)?;
    let generation = live::wait_for_arm(&arm, &signals)?;
    let parameters = parameters(&config, generation, &recording, period, park);
    terminal::say(inspect(&recording, period, generation, &parameters).to_string());
    let consent = if flags.yes || port_report.is_pty { Consent::Given } else { Consent::Ask };
    let live = LiveRun {
        arm,
        handle,
        cameras: Vec::new(),
        source: Box::new(recording),
        playback_keys: true,
        parameters,
        tick_period: Duration::from_secs_f64(1.0 / config.motion.command_rate_hz),
        real_time,
        drill: None,
        log: None,
        firmware: generation.to_string(),
        consent,
        workspace: plan::workspace(&config.safety),
        json: flags.json,
        is_over: None,
    };
    live::run(live, &signals)
}

/// What is played, in a line.
fn title(episode: &Episode, speed: f64, period: Duration) -> String {
    let seconds = period.as_secs_f64() * episode.actions.len() as f64;
    let speed = if speed == 1.0 { String::new() } else { format!(" at {speed} of the recorded speed") };
    format!(
        "episode {}: {} actions, {seconds:.1} s{speed}, \"{}\"",
        episode.index,
        episode.actions.len(),
        episode.task
    )
}

fn parameters(
    config: &Config,
    generation: Generation,
    recording: &RecordedActions,
    period: Duration,
    park: Option<Park>,
) -> ControlParameters {
    ControlParameters {
        start_pose: Some(recording.first()),
        action_period: period,
        // Chunks agree where they overlap: whichever is taken, it is the same recording.
        schedule: ChunkSchedule::Async { aggregation: Aggregation::Latest },
        queue_threshold: 0.5,
        cameras: 0,
        duration: None,
        park,
        // After a stop the arm stands in the middle of the episode, which then is no longer what was recorded.
        after_stop: AfterStop::End,
        plateau: None,
        gripper_idle: None,
        frozen_picture: None,
        ..plan::configured(config, generation)
    }
}

fn inspect(
    recording: &RecordedActions,
    period: Duration,
    generation: Generation,
    parameters: &ControlParameters,
) -> Inspection {
    Inspection::of(
        recording.actions(),
        period.as_secs_f64(),
        &JointLimits::of(generation),
        &parameters.workspace,
        parameters.max_velocity_rad_s,
    )
}

fn dry_run(
    flags: &ReplayFlags,
    config: &Config,
    generation: Option<Generation>,
    recording: &RecordedActions,
    period: Duration,
) -> Exit {
    let generations = generation.map_or_else(|| vec![Generation::G1, Generation::G3], |known| vec![known]);
    let mut found = serde_json::Map::new();
    for generation in generations {
        let parameters = parameters(config, generation, recording, period, None);
        let inspection = inspect(recording, period, generation, &parameters);
        terminal::say(format!("firmware {generation}: {inspection}"));
        found.insert(generation.to_string(), inspection_json(&inspection));
    }
    if flags.json {
        terminal::print_json(&serde_json::json!({
            "ok": true, "ended": "dry run", "actions": recording.actions().len(), "by_firmware": found,
        }));
    }
    Exit::Done
}

fn inspection_json(inspection: &Inspection) -> serde_json::Value {
    let limits = inspection.limits.iter().map(|beyond| {
        serde_json::json!({
            "joint": beyond.joint.to_string(),
            "limit_deg": beyond.limit_rad.to_degrees(),
            "actions": beyond.count,
            "furthest_deg": beyond.furthest_rad.to_degrees(),
        })
    });
    serde_json::json!({
        "clear": inspection.is_clear(),
        "beyond_limits": limits.collect::<Vec<_>>(),
        "beyond_workspace": inspection.workspace.map_or(0, |beyond| beyond.count),
        "too_fast": inspection.speed.map_or(0, |beyond| beyond.count),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::DatasetAngles;

    #[test]
    fn the_arm_starts_at_the_first_action_and_ends_after_a_stop() {
        let first = DatasetAngles::from_array_deg([5.0, 10.0, 80.0, 0.0, 0.0, 20.0]).into();
        let recording = RecordedActions::new(vec![first, JointAngles::ZERO]).unwrap();
        let mut config = Config::defaults();
        config.safety.after_stop = crate::config::AfterStop::Wait;
        let settings = parameters(&config, Generation::G1, &recording, Duration::from_millis(33), None);
        assert_eq!(settings.start_pose, Some(first));
        assert_eq!((settings.cameras, settings.after_stop), (0, AfterStop::End));
    }

    #[test]
    fn the_usual_parameters_are_those_of_an_empty_configuration() {
        for generation in [Generation::G1, Generation::G3] {
            let limits = JointLimits::of(generation).into();
            let usual = ControlParameters::usual(limits);
            let configured = plan::configured(&Config::defaults(), generation);
            let same = ControlParameters {
                plateau: None,
                gripper_idle: None,
                frozen_picture: None,
                after_link_loss: usual.after_link_loss,
                ..configured
            };
            assert_eq!(same, usual);
        }
    }
}
