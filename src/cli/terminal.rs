//! Where words go: people's text to standard error, results to standard output.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

/// A line for people.
///
/// Never fails: when the terminal is closed (SIGHUP) or the pipe's reader ends, the run must still come to its hold.
pub(super) fn say(text: impl AsRef<str>) {
    let _nobody_reads = writeln!(std::io::stderr(), "{}", text.as_ref());
}

/// A line of the result.
pub(super) fn print(text: impl AsRef<str>) {
    // A closed pipe (`roarm … | head`) is not an error of ours.
    let _closed = writeln!(std::io::stdout(), "{}", text.as_ref());
}

/// The one object of `--json`, last line of standard output.
pub(super) fn print_json(value: &impl Serialize) {
    match serde_json::to_string(value) {
        Ok(text) => print(text),
        Err(error) => say(format!("the result cannot be written as JSON: {error}")),
    }
}

/// Whether a person can answer.
pub(super) fn is_interactive() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// A line that changes in place on a terminal; on a pipe, a plain line now and then.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    every: Duration,
    last: Option<std::time::Instant>,
}

impl Progress {
    pub(super) fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            bar.set_style(ProgressStyle::default_spinner());
            bar
        });
        Self { bar, every: Duration::from_secs(2), last: None }
    }

    /// Shows the present state.
    pub(super) fn update(&mut self, text: impl FnOnce() -> String) {
        match &self.bar {
            Some(bar) => {
                bar.set_message(text());
                bar.tick();
            }
            None if self.last.is_none_or(|last| last.elapsed() >= self.every) => {
                self.last = Some(std::time::Instant::now());
                say(text());
            }
            None => {}
        }
    }

    /// A line that stays, above the changing one.
    pub(super) fn say(&self, text: impl AsRef<str>) {
        match &self.bar {
            Some(bar) => bar.suspend(|| say(text)),
            None => say(text),
        }
    }

    /// Takes the changing line away.
    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
