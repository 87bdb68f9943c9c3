//! SIGKILL: nobody brakes. The arm goes on to its last goal, which the lead limit keeps near.
//!
//! The servos of these runs are told to be slow (`servo_speed_steps_s`). So goals would run far ahead of the arm if nothing held them back:
//! a test shows that they do where the limit is wide. The board's servos hardly sag (`--servos clean`): an arm that sags ends that much
//! below its last goal, wherever that is.

use std::time::Duration;

use firmware_protocol::{Line, parse_line};
use rustix::process::Signal;

use crate::attempt::Attempt;
use crate::sim_run::SimRun;

/// `lead_limit_deg`, and `gripper_lead_limit_deg` of the gripper, when no configuration says otherwise.
const LEAD_LIMIT_DEG: [f64; 6] = [8.0, 8.0, 8.0, 8.0, 8.0, 25.0];
/// A step of the servo's encoder, and as much for the four decimals of the wire.
const ENCODER_STEPS_DEG: f64 = 2.0 * 360.0 / 4096.0;
/// The board's poses that control may have known when it made a command: the command and the feedback before it were under way.
const POSES_UNDER_WAY: usize = 4;

/// Degrees, in the firmware's order.
type Pose = [f64; 6];

/// One killed run as the board saw it.
struct Killed {
    /// The goal of the last command.
    goal: Pose,
    /// The last poses that the board had sent when the last command arrived, newest last.
    before: Vec<Pose>,
    /// All that it sent later, until the next run.
    after: Vec<Pose>,
}

impl Killed {
    /// How far the arm went after the last command.
    fn travel_deg(&self, joint: usize) -> f64 {
        let from = self.before.last().unwrap()[joint];
        self.after.iter().map(|pose| (pose[joint] - from).abs()).fold(0.0, f64::max)
    }

    /// How far the last goal was ahead of the arm, as control knew it.
    fn lead_deg(&self, joint: usize) -> f64 {
        self.before.iter().map(|pose| (self.goal[joint] - pose[joint]).abs()).fold(f64::INFINITY, f64::min)
    }
}

fn angles(text: &str, names: [&str; 6]) -> Pose {
    let value: serde_json::Value = serde_json::from_str(text).unwrap();
    names.map(|name| value[name].as_f64().unwrap().to_degrees())
}

fn pose(line: &str) -> Option<Pose> {
    let Line::Feedback(_) = parse_line(line.as_bytes()) else { return None };
    Some(angles(line, ["b", "s", "e", "t", "r", "g"]))
}

/// Cuts a board's log at the handshakes, which begin a run each.
fn runs(log: &[(f64, String, String)]) -> Vec<Killed> {
    let (mut runs, mut newest, mut commanding) = (Vec::new(), Vec::new(), false);
    for (_, direction, text) in log {
        match direction.as_str() {
            ">" if text.starts_with("{\"T\":102") => {
                if newest.is_empty() {
                    continue;
                }
                if commanding {
                    // not the last one yet
                    runs.pop();
                }
                let goal = angles(text, ["base", "shoulder", "elbow", "wrist", "roll", "hand"]);
                runs.push(Killed { goal, before: newest.clone(), after: Vec::new() });
                commanding = true;
            }
            ">" if text.starts_with("{\"T\":605") => commanding = false,
            "<" => {
                let Some(pose) = pose(text) else { continue };
                newest.push(pose);
                if newest.len() > POSES_UNDER_WAY {
                    newest.remove(0);
                }
                if let (true, Some(run)) = (commanding, runs.last_mut()) {
                    run.after.push(pose);
                }
            }
            _ => {}
        }
    }
    runs
}

/// Slow servos, and a lead limit.
fn config(lead_limit_deg: f64) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
    let text = format!(
        "format_version = \"1.0\"\n[motion]\nservo_speed_steps_s = 150\n[safety]\nmax_feedback_age_ms = 2000\nmax_frame_age_ms = 5000\n\
         table = \"off\"\ntracking_time_ms = 10000\nlead_limit_deg = {lead_limit_deg:.1}\n"
    );
    std::fs::write(file.path(), text).unwrap();
    file
}

/// Kills runs on one board at seeded moments, up to a second after the policy took charge.
fn kill(kills: usize, lead_limit_deg: f64, seed: u64) -> Vec<Killed> {
    let sim = SimRun::start(&[]);
    let config = config(lead_limit_deg);
    let mut random = 0x9e37_79b9_7f4a_7c15_u64 ^ (seed << 17);
    for _ in 0..kills {
        let flags = ["--config", config.path().to_str().unwrap()];
        let mut program = Attempt::at(&sim.port()).with(&flags).start();
        program.wait_until_said("running ");
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        std::thread::sleep(Duration::from_millis(300 + (random >> 54)));
        program.signal(Signal::KILL);
        assert_eq!(program.finish().code, None, "killed, not ended");
        // The arm comes to rest while nobody is there: at 13 degrees a second it needs two seconds for the gripper's limit.
        std::thread::sleep(Duration::from_millis(2500));
    }
    let runs = runs(&sim.end().log().0);
    assert_eq!(runs.len(), kills, "each run commanded the arm");
    runs
}

/// The greatest of all runs and of all joints but the gripper.
fn greatest(runs: &[Killed], of: impl Fn(&Killed, usize) -> f64) -> f64 {
    runs.iter().flat_map(|run| (0..5).map(|joint| of(run, joint))).fold(0.0, f64::max)
}

/// So many kills on each of so many boards at once: most of their time passes in waiting.
#[expect(clippy::print_stdout, reason = "the figures of a series, shown with --nocapture")]
fn kill_series(boards: u64, kills: usize) {
    let series = |seed| move || kill(kills, LEAD_LIMIT_DEG[0], seed);
    let runs: Vec<Killed> = std::thread::scope(|scope| {
        let boards: Vec<_> = (0..boards).map(|seed| scope.spawn(series(seed))).collect();
        boards.into_iter().flat_map(|board| board.join().unwrap()).collect()
    });
    let kills = runs.len();
    for (number, run) in runs.iter().enumerate() {
        assert!(run.after.len() > 20, "run {number}: the board goes on after the kill");
        for (joint, limit) in LEAD_LIMIT_DEG.iter().enumerate() {
            for (what, angle) in [("travel", run.travel_deg(joint)), ("lead", run.lead_deg(joint))] {
                assert!(
                    angle <= limit + ENCODER_STEPS_DEG,
                    "run {number}, joint {joint}: a {what} of {angle:.2} degrees, limit {limit}"
                );
            }
        }
    }
    let (travel, lead) = (greatest(&runs, Killed::travel_deg), greatest(&runs, Killed::lead_deg));
    println!(
        "{kills} kills: greatest lead {lead:.2} degrees, greatest travel after the kill {travel:.2} degrees"
    );
    assert!(lead > 6.0 && travel > 5.0, "no kill met an arm far behind its goal: this test shows nothing");
}

#[test]
fn a_killed_program_leaves_the_arm_within_the_lead_limit() {
    kill_series(1, 5);
}

/// Without a limit worth the name the same runs leave an arm that goes on much further: it is the limit that holds it.
#[test]
fn a_wide_lead_limit_lets_a_killed_arm_go_further() {
    let runs = kill(4, 30.0, 0);
    let (travel, lead) = (greatest(&runs, Killed::travel_deg), greatest(&runs, Killed::lead_deg));
    println!("limit 30: greatest lead {lead:.2} degrees, greatest travel after the kill {travel:.2} degrees");
    assert!(lead > LEAD_LIMIT_DEG[0] + 2.0 && travel > LEAD_LIMIT_DEG[0] + 2.0, "{lead:.2}, {travel:.2}");
}

/// For the longer tiers: `cargo test -p roarm --test program -- --ignored a_hundred_kills`.
#[test]
#[ignore = "takes five minutes: part of `cargo xtask test-full`"]
fn a_hundred_kills() {
    kill_series(4, 25);
}
