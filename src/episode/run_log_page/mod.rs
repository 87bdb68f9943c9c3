//! A run log as one page for a browser: joints commanded against measured, z-scores, seams of chunks, ages, states and stops.
//!
//! The page holds everything itself and asks nothing of any network; its policy forbids it to.

mod series;
#[cfg(test)]
mod tests;

use std::path::Path;

use series::Series;

use super::run_log::{RunLogError, RunLogReader};

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The page of a log, HTML.
///
/// # Errors
/// As [`RunLogReader::open`](super::run_log::RunLogReader::open).
pub fn run_log_page(log: &Path) -> Result<String, RunLogError> {
    let series = Series::read(RunLogReader::open(log)?)?;
    let data = serde_json::to_string(&series).unwrap_or_default();
    // Whatever a task's text says, it ends no script and begins no tag.
    let data = data.replace('<', "\\u003c");
    let name = log.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let mut page = String::with_capacity(PAGE.len() + STYLE.len() + SCRIPT.len() + data.len());
    let mut rest = PAGE;
    // One pass, so that nothing that was put in is looked at again.
    while let Some((before, after)) = rest.split_once("{{") {
        page.push_str(before);
        let Some((what, after)) = after.split_once("}}") else { break };
        match what {
            "title" => page.push_str(&escaped(&name)),
            "style" => page.push_str(STYLE),
            "data" => page.push_str(&data),
            "script" => page.push_str(SCRIPT),
            _ => {}
        }
        rest = after;
    }
    page.push_str(rest);
    Ok(page)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
