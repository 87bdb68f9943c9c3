//! `cargo xtask soak`: hours of random inputs.

use super::fuzz;
use crate::failure::Failure;
use crate::workspace::Workspace;
use crate::{process, setup};

const PROPERTIES: &str = "properties";
const KILLS: &str = "kills";
const USAGE: &str = "usage: cargo xtask soak [--only PART] [--cases N] [--minutes M]";

#[derive(Debug, PartialEq, Eq)]
struct Options {
    only: Option<String>,
    /// Cases a property test.
    cases: u32,
    /// Time of each fuzz target.
    minutes: u32,
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Self, Failure> {
        let mut options = Self { only: None, cases: 20_000, minutes: 30 };
        let mut arguments = arguments.iter();
        while let Some(flag) = arguments.next() {
            let value =
                arguments.next().ok_or_else(|| Failure::usage(format!("{flag} wants a value; {USAGE}")))?;
            let number = || match value.parse::<u32>() {
                Ok(number) if number > 0 => Ok(number),
                _ => Err(Failure::usage(format!("{flag} wants a number above 0, got `{value}`"))),
            };
            match flag.as_str() {
                "--only" => options.only = Some(value.clone()),
                "--cases" => options.cases = number()?,
                "--minutes" => options.minutes = number()?,
                _ => return Err(Failure::usage(format!("no option `{flag}`; {USAGE}"))),
            }
        }
        Ok(options)
    }

    /// Which of the parts run; a misspelt one is an error that names them.
    fn choose(&self, parts: Vec<String>) -> Result<Vec<String>, Failure> {
        match &self.only {
            None => Ok(parts),
            Some(only) if parts.contains(only) => Ok(vec![only.clone()]),
            Some(only) => Err(Failure::usage(format!("no part `{only}`; soak has {}", parts.join(", ")))),
        }
    }
}

/// The property tests with many more cases than `test` gives them, then a thousand recording runs
/// that are killed, then each fuzz target for a while. Stops at the first finding.
pub(crate) fn soak(workspace: &Workspace, arguments: &[String]) -> Result<(), Failure> {
    let options = Options::parse(arguments)?;
    let targets = fuzz::targets(workspace)?;
    let parts = [PROPERTIES, KILLS]
        .map(str::to_owned)
        .into_iter()
        .chain(targets.iter().map(|target| format!("fuzz-{target}")))
        .collect();
    let chosen = options.choose(parts)?;
    setup::run(workspace)?;
    for part in &chosen {
        println!("== {part}");
        match part.strip_prefix("fuzz-") {
            Some(target) => fuzz::run(workspace, target, u64::from(options.minutes) * 60)?,
            None if part == KILLS => kills(workspace)?,
            None => properties(workspace, options.cases)?,
        }
    }
    println!("soak: no finding in {}", chosen.join(", "));
    Ok(())
}

/// Raises proptest's own default through its variable, so a suite that sets a number of cases of its own keeps that number.
fn properties(workspace: &Workspace, cases: u32) -> Result<(), Failure> {
    println!("every Rust test, the property tests with {cases} cases each");
    let mut cargo = process::cargo(workspace);
    cargo.args(["test", "--workspace"]).env("PROPTEST_CASES", cases.to_string());
    process::run("cargo test", &mut cargo)
}

/// Each leaves a run log that lacks 1.2 s at most.
fn kills(workspace: &Workspace) -> Result<(), Failure> {
    let mut cargo = process::cargo(workspace);
    cargo.args(["test", "-p", "roarm", "--test", "program", "--", "--ignored", "a_thousand_killed_runs"]);
    process::run("a thousand killed runs", &mut cargo)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn parse(line: &str) -> Result<Options, Failure> {
        Options::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn options_are_read_and_wrong_ones_refused() {
        assert_eq!(parse("").unwrap(), Options { only: None, cases: 20_000, minutes: 30 });
        let options = parse("--only fuzz-splitter --minutes 3").unwrap();
        assert_eq!((options.only.as_deref(), options.minutes), (Some("fuzz-splitter"), 3));
        for wrong in ["--only", "--minutes", "--minutes 0", "--minutes x", "--cases -1", "--mintues 3"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_misspelt_part_is_refused_with_the_known_ones() {
        let parts = || vec!["properties".to_owned(), "fuzz-splitter".to_owned()];
        assert_eq!(parse("").unwrap().choose(parts()).unwrap(), parts());
        assert_eq!(parse("--only properties").unwrap().choose(parts()).unwrap(), ["properties"]);
        let failure = parse("--only fuzz-spliter").unwrap().choose(parts()).unwrap_err();
        assert!(failure.message().contains("properties, fuzz-splitter"));
    }
}
