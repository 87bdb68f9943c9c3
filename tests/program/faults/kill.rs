//! SIGKILL: nobody brakes. The arm goes on to its last goal, which the lead limit keeps near.

use std::time::Duration;

use firmware_protocol::{Line, parse_line};
use rustix::process::Signal;

use crate::attempt::Attempt;
use crate::sim_run::SimRun;

/// `lead_limit_deg` and, of the gripper, `gripper_lead_limit_deg`, when no configuration says otherwise.
const LEAD_LIMIT_DEG: [f64; 6] = [8.0, 8.0, 8.0, 8.0, 8.0, 25.0];
/// A step of the servo's encoder, and as much for the four decimals of the wire.
const ENCODER_STEPS_DEG: f64 = 2.0 * 360.0 / 4096.0;

/// Degrees, in the firmware's order.
type Pose = [f64; 6];

/// One killed run as the board saw it.
struct Killed {
    /// The last pose that the board had sent when the last command arrived.
    before: Pose,
    /// All that it sent later, until the next run.
    after: Vec<Pose>,
}

impl Killed {
    fn travel_deg(&self, joint: usize) -> f64 {
        self.after.iter().map(|pose| (pose[joint] - self.before[joint]).abs()).fold(0.0, f64::max)
    }
}

fn pose(line: &str) -> Option<Pose> {
    let Line::Feedback(_) = parse_line(line.as_bytes()) else { return None };
    let value: serde_json::Value = serde_json::from_str(line).ok()?;
    Some(["b", "s", "e", "t", "r", "g"].map(|name| value[name].as_f64().unwrap().to_degrees()))
}

/// Cuts a board's log at the handshakes, which begin a run each.
fn runs(log: &[(f64, String, String)]) -> Vec<Killed> {
    let (mut runs, mut newest, mut commanding) = (Vec::new(), None, false);
    for (_, direction, text) in log {
        match direction.as_str() {
            ">" if text.starts_with("{\"T\":102") => {
                let Some(before) = newest else { continue };
                if commanding {
                    // not the last one yet
                    runs.pop();
                }
                runs.push(Killed { before, after: Vec::new() });
                commanding = true;
            }
            ">" if text.starts_with("{\"T\":605") => commanding = false,
            "<" => {
                let Some(pose) = pose(text) else { continue };
                newest = Some(pose);
                if let (true, Some(run)) = (commanding, runs.last_mut()) {
                    run.after.push(pose);
                }
            }
            _ => {}
        }
    }
    runs
}

/// Not yet sharp enough: with `lead_limit_deg = 30` five kills still pass, since the emulated servos follow within 8 degrees. It needs
/// servos that lag (`--servos stock`, a held load) before it shows that the limit itself works.
///
/// Kills runs at seeded moments, up to a second after the policy took charge.
fn kill_series(kills: usize) {
    let sim = SimRun::start(&[]);
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..kills {
        let mut program = Attempt::at(&sim.port()).patient().start();
        program.wait_until_said("running ");
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        std::thread::sleep(Duration::from_millis(random >> 54));
        program.signal(Signal::KILL);
        assert_eq!(program.finish().code, None, "killed, not ended");
        // The arm comes to rest while nobody is there.
        std::thread::sleep(Duration::from_secs(1));
    }
    let runs = runs(&sim.end().log().0);
    assert_eq!(runs.len(), kills, "each run commanded the arm");
    let mut moved = 0;
    for (number, run) in runs.iter().enumerate() {
        assert!(run.after.len() > 5, "run {number}: the board goes on after the kill");
        for (joint, limit) in LEAD_LIMIT_DEG.iter().enumerate() {
            let travel = run.travel_deg(joint);
            moved += u32::from(travel > ENCODER_STEPS_DEG);
            assert!(
                travel <= limit + ENCODER_STEPS_DEG,
                "run {number}, joint {joint}: {travel:.2} degrees after the last command, limit {limit}"
            );
        }
    }
    assert!(moved > 0, "no kill met a moving arm: this test shows nothing");
}

#[test]
fn a_killed_program_leaves_the_arm_within_the_lead_limit() {
    kill_series(5);
}

/// For the longer tiers: `cargo test -p roarm --test program -- --ignored a_hundred_kills`.
#[test]
#[ignore = "takes ten minutes: part of `cargo xtask test-full`"]
fn a_hundred_kills() {
    kill_series(100);
}
