//! The cable comes out and goes in again while a policy moves the arm.

use crate::attempt::Attempt;
use crate::sim_run::SimRun;

/// The board counts from its own start: by then the run, patient as it is, moves the arm on any machine that the tests run on at all.
const REPLUG: &str = "replug@15s:2s";

fn config(after_link_loss: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
    let text = format!(
        "format_version = \"1.0\"\n[safety]\nmax_feedback_age_ms = 2000\nmax_frame_age_ms = 5000\ntable = \"off\"\nafter_link_loss = \"{after_link_loss}\"\n"
    );
    std::fs::write(file.path(), text).unwrap();
    file
}

#[test]
fn a_replugged_arm_is_found_brought_back_and_goes_on() {
    let sim = SimRun::start(&["--fault", REPLUG]);
    let config = config("resume");
    let flags = ["--config", config.path().to_str().unwrap(), "--duration", "40"];
    let ended = Attempt::at(&sim.port()).with(&flags).run();
    let summary = ended.assert_code(0).summary();
    assert_eq!(summary["ended"], "duration reached", "{summary}");
    // A machine that stalls the board for a second once it is back makes two losses of it.
    assert!(summary["link_losses"].as_u64() >= Some(1), "{summary}");
    assert!(ended.stderr.contains("the link is lost: the arm holds by itself"), "{ended}");
    let log = sim.end().log().0;
    let (mut gone, mut first_after) = (false, None);
    for (_, direction, text) in &log {
        gone |= text.contains("replug") && text.contains("ends");
        if gone && direction == ">" && first_after.is_none() && text.starts_with('{') {
            first_after = Some(text.clone());
        }
    }
    let first_after = first_after.expect("the run came back");
    assert!(
        first_after.contains("\"T\":605"),
        "the handshake comes first, nothing old is sent: {first_after}"
    );
}

#[test]
fn a_lost_link_ends_the_run_where_it_is_told_to() {
    let sim = SimRun::start(&["--fault", REPLUG]);
    let config = config("end");
    let flags = ["--config", config.path().to_str().unwrap(), "--duration", "60"];
    let ended = Attempt::at(&sim.port()).with(&flags).run();
    let summary = ended.assert_code(4).summary();
    assert_eq!(summary["ended"], "the serial link was lost", "{summary}");
    sim.end();
}
