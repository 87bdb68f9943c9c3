//! Servos that glide from goal to goal, on the board's model.

use std::time::Duration;

use firmware_protocol::Generation;
use firmware_protocol::emulator::ServoOptions;

use crate::control::Phase;
use crate::types::{Joint, JointAngles, ServoProfile};

use super::rig::{Answer, Rig, degrees, parameters};

/// The base goes from one side to the other.
const SIDE_DEG: f64 = 60.0;
/// Speed is taken over so many milliseconds: an encoder has no finer one.
const WINDOW_MS: usize = 4;

/// What was sent before the profile followed the goals, as in the vendor's own programs: one pair for everything.
const FIXED: ServoProfile = ServoProfile { speed_rad_s: 3.07, acceleration_rad_s2: 15.3 };

fn base(angle_deg: f64) -> JointAngles {
    degrees([angle_deg, 0.0, 90.0, 0.0, 0.0, 20.0])
}

/// How the base went through the middle of a steady motion.
#[derive(Debug)]
struct Glide {
    speed_deg_s: f64,
    /// Standard deviation of the speed by its mean.
    ripple: f64,
    /// Most that a goal was ahead of the feedback before it.
    lead_deg: f64,
}

fn glide(generation: Generation, speed_deg_s: f64, profile: Option<ServoProfile>) -> Glide {
    let mut rig = Rig::new(parameters(generation), ServoOptions::clean(), generation);
    rig.profile = profile;
    rig.answer = Answer::Towards(base(-SIDE_DEG), 45);
    rig.run_until(3_000, |rig| rig.phase() == Phase::Running);
    rig.run(400);
    rig.watched = Some(Vec::new());
    rig.answer = Answer::Steadily { to: base(SIDE_DEG), speed_rad_s: speed_deg_s.to_radians() };
    let (sent_before, ticks) = (rig.sent.len(), 2.0 * SIDE_DEG / speed_deg_s / 0.02);
    rig.run(ticks as usize + 100);
    let path_deg: Vec<f64> =
        rig.watched.iter().flatten().map(|pose| pose.get(Joint::Base).to_degrees()).collect();
    let middle = |edge_deg: f64| path_deg.iter().position(|angle| *angle > edge_deg).expect("it gets there");
    let (begin, end) = (middle(-SIDE_DEG / 3.0), middle(SIDE_DEG / 3.0));
    let window_s = Duration::from_millis(WINDOW_MS as u64).as_secs_f64();
    let speeds: Vec<f64> = path_deg[begin..end]
        .windows(WINDOW_MS + 1)
        .map(|path| (path[WINDOW_MS] - path[0]) / window_s)
        .collect();
    let count = speeds.len() as f64;
    let mean = speeds.iter().sum::<f64>() / count;
    let variance = speeds.iter().map(|speed| (speed - mean).powi(2)).sum::<f64>() / count;
    let lead = |sent: &super::rig::Sent| {
        let measured = sent.measured.expect("the arm is measured");
        (sent.command.command.goal.get(Joint::Base) - measured.get(Joint::Base)).abs().to_degrees()
    };
    let lead_deg = rig.sent[sent_before..].iter().map(lead).fold(0.0, f64::max);
    Glide { speed_deg_s: mean, ripple: variance.sqrt() / mean, lead_deg }
}

#[test]
fn servos_follow_the_goals_instead_of_stepping_from_one_to_the_next() {
    for generation in [Generation::G1, Generation::G3] {
        for speed_deg_s in [15.0, 30.0] {
            let (fixed, derived) =
                (glide(generation, speed_deg_s, Some(FIXED)), glide(generation, speed_deg_s, None));
            let shown =
                format!("{generation:?} at {speed_deg_s} °/s: fixed {fixed:.2?}, derived {derived:.2?}");
            assert!(derived.ripple < 0.85 * fixed.ripple && derived.ripple < 0.3, "{shown}");
            assert!((derived.speed_deg_s - fixed.speed_deg_s).abs() < 0.5, "it is no slower: {shown}");
            // One and a quarter commands of 28 ms at most.
            let behind_deg = derived.lead_deg - fixed.lead_deg;
            assert!(behind_deg < 0.035 * speed_deg_s + 0.2, "nor much further behind: {shown}");
        }
    }
}

#[test]
fn fast_motion_is_not_slowed_by_the_profile() {
    for generation in [Generation::G1, Generation::G3] {
        let (fixed, derived) = (glide(generation, 60.0, Some(FIXED)), glide(generation, 60.0, None));
        assert!(derived.speed_deg_s > 0.9 * fixed.speed_deg_s, "fixed {fixed:?}, derived {derived:?}");
    }
}
