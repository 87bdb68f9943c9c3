//! `stats.json` (v3.0, v2.0) or `episodes_stats.jsonl` (v2.1) against the rows.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::lists::Survey;
use super::problem::{Findings, Place, ProblemKind};
use crate::episode::info::Layout;
use crate::episode::{legacy, path_template};
use crate::types::{JOINT_COUNT, Joint};

/// How far a statistic may stand from the rows, as a share of the range (at least of 1°): single precision in other hands.
const TOLERANCE: f64 = 1e-3;

/// Lowest, highest and mean of one feature.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    count: usize,
    min: [f64; JOINT_COUNT],
    max: [f64; JOINT_COUNT],
    sum: [f64; JOINT_COUNT],
}

impl Bounds {
    const EMPTY: Self = Self {
        count: 0,
        min: [f64::INFINITY; JOINT_COUNT],
        max: [f64::NEG_INFINITY; JOINT_COUNT],
        sum: [0.0; JOINT_COUNT],
    };

    fn add(&mut self, rows: &[[f64; JOINT_COUNT]]) {
        self.count += rows.len();
        for row in rows {
            for (joint, value) in row.iter().enumerate() {
                self.min[joint] = self.min[joint].min(*value);
                self.max[joint] = self.max[joint].max(*value);
                self.sum[joint] += value;
            }
        }
    }

    fn join(&mut self, other: &Self) {
        self.count += other.count;
        for joint in 0..JOINT_COUNT {
            self.min[joint] = self.min[joint].min(other.min[joint]);
            self.max[joint] = self.max[joint].max(other.max[joint]);
            self.sum[joint] += other.sum[joint];
        }
    }
}

/// State and action of each episode, summed up.
#[derive(Debug, Default)]
pub(super) struct RowStatistics {
    /// Episode, state, action.
    episodes: Vec<(usize, Bounds, Bounds)>,
}

#[derive(Deserialize)]
struct EpisodeStatisticsLine {
    episode_index: usize,
    stats: Value,
}

impl RowStatistics {
    pub(super) fn add(
        &mut self,
        episode: usize,
        states: &[[f64; JOINT_COUNT]],
        actions: &[[f64; JOINT_COUNT]],
    ) {
        let (mut state, mut action) = (Bounds::EMPTY, Bounds::EMPTY);
        state.add(states);
        action.add(actions);
        self.episodes.push((episode, state, action));
    }

    /// Compares with the dataset's own statistics. Rows that could not be judged make the comparison void.
    pub(super) fn check(&self, survey: &Survey, findings: &mut Findings) {
        if self.episodes.len() != survey.episodes.len() || self.episodes.is_empty() {
            return;
        }
        let by_episode = survey.info.layout == Layout::EpisodeFiles && survey.info.version != "v2.0";
        let file = if by_episode { "meta/episodes_stats.jsonl" } else { "meta/stats.json" };
        let place = Place::file(Path::new(file));
        let path = match path_template::inside(&survey.root, file, &survey.root.join("meta/info.json")) {
            Ok(path) => path,
            Err(error) => return findings.add_error(&error, &survey.root, place),
        };
        if by_episode {
            match legacy::lines::<EpisodeStatisticsLine>(&path) {
                Ok(lines) => self.check_lines(&lines, place, findings),
                Err(error) => findings.add_error(&error, &survey.root, place),
            }
            return;
        }
        let stats = std::fs::read(&path).map_err(|error| error.to_string());
        match stats
            .and_then(|bytes| serde_json::from_slice::<Value>(&bytes).map_err(|error| error.to_string()))
        {
            Ok(stats) => {
                let (mut state, mut action) = (Bounds::EMPTY, Bounds::EMPTY);
                for (_, of_state, of_action) in &self.episodes {
                    state.join(of_state);
                    action.join(of_action);
                }
                compare(&stats, &state, &action, place, findings);
            }
            Err(error) => {
                findings.add(ProblemKind::Statistics, place, format!("not readable as JSON ({error})"))
            }
        }
    }

    fn check_lines(&self, lines: &[EpisodeStatisticsLine], place: Place<'_>, findings: &mut Findings) {
        for (number, state, action) in &self.episodes {
            match lines.iter().position(|line| line.episode_index == *number) {
                Some(row) => {
                    compare(&lines[row].stats, state, action, place.episode(*number).row(row), findings);
                }
                None => {
                    findings.add(
                        ProblemKind::Statistics,
                        place.episode(*number),
                        "it has no line for the episode",
                    );
                }
            }
        }
    }
}

fn compare(stats: &Value, state: &Bounds, action: &Bounds, place: Place<'_>, findings: &mut Findings) {
    for (name, bounds) in [("observation.state", state), ("action", action)] {
        let Some(feature) = stats.get(name) else {
            findings.add(ProblemKind::Statistics, place, format!("it says nothing of `{name}`"));
            continue;
        };
        let count = feature.pointer("/count/0").and_then(Value::as_u64);
        if count.is_some_and(|count| count != bounds.count as u64) {
            let problem = format!("`{name}` counts {} rows, there are {}", count.unwrap_or(0), bounds.count);
            findings.add(ProblemKind::Statistics, place, problem);
            continue;
        }
        let mean = bounds.sum.map(|sum| sum / bounds.count as f64);
        for (statistic, found) in [("min", bounds.min), ("max", bounds.max), ("mean", mean)] {
            let stated: Option<Vec<f64>> = feature
                .get(statistic)
                .and_then(Value::as_array)
                .map(|values| values.iter().map(|value| value.as_f64().unwrap_or(f64::NAN)).collect());
            let stated = stated.filter(|stated| stated.len() == JOINT_COUNT);
            let Some(stated) = stated else {
                findings.add(
                    ProblemKind::Statistics,
                    place,
                    format!("`{name}` has no {statistic} of 6 numbers"),
                );
                break;
            };
            let off = |joint: &Joint| {
                let range = (bounds.max[joint.index()] - bounds.min[joint.index()]).max(1.0);
                let difference = (stated[joint.index()] - found[joint.index()]).abs();
                difference.is_nan() || difference > TOLERANCE * range
            };
            if let Some(joint) = Joint::ALL.into_iter().find(off) {
                let problem = format!(
                    "{statistic} of `{name}`, {joint}, is {:.3}, the rows say {:.3}: a policy would normalise wrongly",
                    stated[joint.index()],
                    found[joint.index()]
                );
                findings.add(ProblemKind::Statistics, place, problem);
                break;
            }
        }
    }
}
