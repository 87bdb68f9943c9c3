//! The test tiers: which parts each has, and the summary at the end.

mod fuzz;
mod options;
mod parts;
mod python;
mod soak;
mod tools;

use std::time::{Duration, Instant};

use crate::failure::Failure;
use crate::setup;
use crate::workspace::Workspace;

use options::Options;
use parts::{PARTS, Part};

pub(crate) use soak::soak;

/// Which parts run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tier {
    /// The README's command, also run by `.ci/run`.
    Test,
    /// Before an issue is called resolved.
    TestFull,
}

/// How a part ended.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    Ok(Duration),
    Failed(String),
    /// It could not run here; the reason says what would let it.
    NotRun(String),
    /// Left out with `--without`.
    Excluded,
}

/// Runs the tier's parts in order and prints one line for each at the end.
pub(crate) fn run(workspace: &Workspace, tier: Tier, arguments: &[String]) -> Result<(), Failure> {
    let options = Options::parse(arguments)?;
    let parts: Vec<&Part> = PARTS.iter().filter(|part| part.tier <= tier).collect();
    options.check_against(&parts)?;
    if options.list {
        for part in parts {
            println!("{:<10} {}", part.name, part.title);
        }
        return Ok(());
    }
    setup::run(workspace)?;

    let mut outcomes = Vec::new();
    for part in parts {
        let outcome = if options.without.iter().any(|name| name == part.name) {
            Outcome::Excluded
        } else {
            println!("== {}: {}", part.name, part.title);
            let start = Instant::now();
            match (part.obstacle)(workspace) {
                Some(reason) => Outcome::NotRun(reason),
                None => match (part.run)(workspace) {
                    Ok(()) => Outcome::Ok(start.elapsed()),
                    Err(failure) => Outcome::Failed(failure.message().to_owned()),
                },
            }
        };
        let failed = matches!(outcome, Outcome::Failed(_));
        outcomes.push((part.name, outcome));
        if failed && tier == Tier::Test {
            break; // the fast tier stops here; the full tier lists all that is wrong
        }
    }
    let summary = summary(&outcomes);
    println!("{}", summary.text);
    if summary.passed { Ok(()) } else { Err(Failure::new("not all parts passed, see the list above")) }
}

struct Summary {
    text: String,
    passed: bool,
}

/// A part that did not run counts against the tier, unless it was left out on purpose.
fn summary(outcomes: &[(&str, Outcome)]) -> Summary {
    let mut text = "\nsummary".to_owned();
    let mut passed = true;
    for (name, outcome) in outcomes {
        let line = match outcome {
            Outcome::Ok(time) => format!("ok ({} s)", time.as_secs()),
            Outcome::Failed(reason) => format!("FAILED: {reason}"),
            Outcome::NotRun(reason) => format!("NOT RUN: {reason}"),
            Outcome::Excluded => "left out on request".to_owned(),
        };
        text.push_str(&format!("\n  {name:<10} {line}"));
        passed &= matches!(outcome, Outcome::Ok(_) | Outcome::Excluded);
    }
    Summary { text, passed }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_did_not_run_fails_the_tier_unless_it_was_left_out() {
        let ok = ("rust", Outcome::Ok(Duration::from_secs(3)));
        let excluded = ("camera", Outcome::Excluded);
        let not_run = ("camera", Outcome::NotRun("no qemu".to_owned()));
        let failed = ("camera", Outcome::Failed("exit code 1".to_owned()));

        assert!(summary(&[ok.clone(), excluded.clone()]).passed);
        assert!(!summary(&[ok.clone(), not_run.clone()]).passed);
        assert!(!summary(&[failed, ok.clone()]).passed);
        let text = summary(&[ok, not_run, excluded]).text;
        assert_eq!(
            text,
            "\nsummary\n  rust       ok (3 s)\n  camera     NOT RUN: no qemu\n  camera     left out on request"
        );
    }

    #[test]
    fn the_full_tier_holds_the_fast_one() {
        let names = |tier| PARTS.iter().filter(move |part| part.tier <= tier).map(|part| part.name);
        let full: Vec<_> = names(Tier::TestFull).collect();
        assert!(names(Tier::Test).all(|name| full.contains(&name)));
        assert!(full.len() > names(Tier::Test).count());
    }
}
