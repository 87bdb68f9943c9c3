//! Whatever happens in whatever order, the rules hold on the board's log.

use std::cell::RefCell;
use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::judge::judge;
use super::script::script;

const SCRIPTS: u32 = 10_000;

/// The rules on every script; and the scripts together have been everywhere, so that no rule was kept for want of an occasion.
#[test]
fn no_script_breaks_a_rule_on_the_boards_log() {
    let config = ProptestConfig { cases: SCRIPTS, max_shrink_iters: 2_000, ..ProptestConfig::default() };
    let seen = RefCell::new(BTreeMap::<&'static str, u64>::new());
    let mut runner = TestRunner::new(config);
    let outcome = runner.run(&script(), |script| {
        let (mut rig, parameters) = script.play();
        judge(&mut rig, &parameters);
        let mut seen = seen.borrow_mut();
        let mut count = |what, amount| *seen.entry(what).or_default() += amount;
        for (_, phase) in &rig.phases {
            count(phase.name(), 1);
        }
        for (rule, acted) in rig.gate().by_rule() {
            count(rule, acted);
        }
        let report = rig.controller.report();
        count("commands", report.commands);
        count("chunks", report.chunks);
        count("resets", report.resets);
        count("link losses", report.link_losses);
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    let seen = seen.into_inner();
    let everywhere = [
        "settling",
        "waiting",
        "ramping",
        "running",
        "easing",
        "holding",
        "parking",
        "stopped",
        "disconnected",
        "ended",
        "finite",
        "trained_range",
        "z_score",
        "workspace_self",
        "workspace_table",
        "velocity",
        "acceleration",
        "lead",
        "observation_age",
        "frame_age",
        "feedback_age",
        "tracking",
        "chunks",
        "resets",
        "link losses",
    ];
    for what in everywhere {
        assert!(seen.get(what).copied().unwrap_or_default() >= 20, "{what} was hardly met: {seen:?}");
    }
}
