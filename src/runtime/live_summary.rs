//! The summary of a run on this machine's clock.

use std::fmt;

use serde::Serialize;

use super::real_time::RealTimeReport;
use super::recorder::RecordingReport;
use crate::types::{RunSummary, TickJitter};

/// What every run says at its end, and how well this machine kept time.
#[derive(Debug, Serialize)]
pub struct LiveSummary {
    /// The run.
    #[serde(flatten)]
    pub run: RunSummary,
    /// Distance of the time between two ticks from the period, or from a whole number of periods after missed ticks.
    pub tick_period_us: TickJitter,
    /// Time from the beginning of a tick to its end.
    pub tick_work_us: TickJitter,
    /// What the system granted.
    pub real_time: RealTimeReport,
    /// The run log, where one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_log: Option<RecordingReport>,
}

/// The summary for people.
impl fmt::Display for LiveSummary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.run)?;
        for (name, times) in [("tick_period_us", &self.tick_period_us), ("tick_work_us", &self.tick_work_us)]
        {
            let TickJitter { p50, p99, p999, max } = times;
            write!(formatter, "\n{name:<16} p50 {p50:.0}, p99 {p99:.0}, p99.9 {p999:.0}, max {max:.0}")?;
        }
        match &self.run_log {
            Some(log) => write!(formatter, "\n{:<16} {log}", "run_log"),
            None => Ok(()),
        }
    }
}
