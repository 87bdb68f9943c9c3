//! The virtual board's log: what reached the arm, and what it measured.

use std::path::Path;

use calibration::{JOINT_COUNT, JointAngles, JointLimits};
use firmware_protocol::Generation;

/// `max_velocity_deg_s` when no configuration says otherwise.
const MAX_VELOCITY_RAD_S: f64 = std::f64::consts::FRAC_PI_2;

/// The wire carries four decimals: two roundings of half a step each.
const ROUNDING_RAD: f64 = 1.0e-4;

/// A T:102 line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Command {
    /// When the firmware took it in, seconds on the board's clock.
    pub(crate) at_s: f64,
    pub(crate) goal: JointAngles,
}

/// What the log holds, by kind. Reading it asserts that every line that arrived is valid JSON, and every T:102 complete.
#[derive(Debug)]
pub(crate) struct BoardLog {
    pub(crate) commands: Vec<Command>,
    /// Measured poses, as T:1051 sent them.
    pub(crate) poses: Vec<JointAngles>,
    /// When the board began to send each line, seconds.
    sent_s: Vec<f64>,
    /// `T` of every line that arrived, in order.
    pub(crate) kinds: Vec<u64>,
}

impl BoardLog {
    #[track_caller]
    pub(crate) fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        let mut garbled = false;
        let mut log = Self { commands: Vec::new(), poses: Vec::new(), sent_s: Vec::new(), kinds: Vec::new() };
        for line in text.lines() {
            let mut parts = line.splitn(3, ' ');
            let (Some(time), Some(direction), Some(content)) = (parts.next(), parts.next(), parts.next())
            else {
                panic!("a line of another form: {line}");
            };
            let at_s: f64 = time.parse().unwrap();
            match direction {
                // The handshake begins with a lone line feed.
                ">" if content.is_empty() => {}
                ">" => log.arrived(at_s, content),
                "<" => log.sent(at_s, content),
                // What the firmware threw away: nothing else than lines that a fault of the wire has spoilt.
                ">?" if garbled => {}
                // clients that came and went, and faults
                "!" => garbled |= content.starts_with("fault garbage"),
                _ => panic!("a line of another form: {line}"),
            }
        }
        log
    }

    fn arrived(&mut self, at_s: f64, content: &str) {
        let value: serde_json::Value = serde_json::from_str(content)
            .unwrap_or_else(|error| panic!("a line that is not JSON arrived: {content} ({error})"));
        let kind = value["T"].as_u64().unwrap_or_else(|| panic!("no T in {content}"));
        self.kinds.push(kind);
        if kind == 102 {
            assert_eq!(value.as_object().unwrap().len(), 9, "all fields and no others: {content}");
            let field =
                |name: &str| value[name].as_f64().unwrap_or_else(|| panic!("{name} is missing in {content}"));
            assert!(field("spd") >= 1.0 && (1.0..=254.0).contains(&field("acc")), "{content}");
            let [base, shoulder, elbow, wrist, roll, hand] =
                ["base", "shoulder", "elbow", "wrist", "roll", "hand"].map(field);
            self.commands.push(Command { at_s, goal: pose([base, shoulder, elbow, wrist, roll, hand]) });
        }
    }

    fn sent(&mut self, at_s: f64, content: &str) {
        self.sent_s.push(at_s);
        let Ok(value) = serde_json::from_str::<serde_json::Value>(content) else { return };
        if value["T"] == 1051 {
            let angle = |name: &str| value[name].as_f64().unwrap();
            self.poses.push(pose(["b", "s", "e", "t", "r", "g"].map(angle)));
        }
    }

    /// Asserts that no goal leaves the generation's limits.
    #[track_caller]
    pub(crate) fn assert_limits(&self, generation: Generation) {
        let limits = JointLimits::of(generation);
        for Command { goal, at_s } in &self.commands {
            // A limit of π/2 travels as 1.5708: four decimals.
            let outside = limits.clamp(goal).max_difference(goal);
            assert!(outside <= 5e-5, "{goal:?} at {at_s} s is outside the limits of {generation}");
        }
    }

    /// Asserts that no goal runs away from an earlier one faster than the highest velocity.
    ///
    /// The program bounds each step by the time since its last *write*; the log has the time at which the firmware took the
    /// line *in*. In between lie the wait for the firmware's next loop and, on a loaded machine, the time that the board's
    /// thread slept. Both show in the log: while it sleeps the board sends nothing, and it sends once a loop. So a line was
    /// under way at most for the longest pause between two lines that the board sent around that moment, and a loop. That
    /// allowance is constant: over all pairs up to a second apart the bound gets as tight as the velocity itself.
    #[track_caller]
    pub(crate) fn assert_steps(&self) {
        let loop_s = self.typical_pause_s();
        for (index, first) in self.commands.iter().enumerate() {
            let allowance_s = self.longest_pause_s(first.at_s) + loop_s;
            let later = &self.commands[index + 1..];
            for second in later.iter().take_while(|second| second.at_s - first.at_s < 1.0) {
                let elapsed_s = second.at_s - first.at_s + allowance_s;
                let step = first.goal.max_difference(&second.goal);
                assert!(
                    step <= MAX_VELOCITY_RAD_S * elapsed_s + ROUNDING_RAD,
                    "{step} rad from {first:?} to {second:?}, allowance {allowance_s} s"
                );
            }
        }
    }

    /// The longest pause between two lines sent that lies within half a second of `at_s`.
    fn longest_pause_s(&self, at_s: f64) -> f64 {
        let near = |pair: &&[f64]| pair[0] <= at_s + 0.5 && pair[1] >= at_s - 0.5;
        self.sent_s.windows(2).filter(near).map(|pair| pair[1] - pair[0]).fold(0.0, f64::max)
    }

    fn typical_pause_s(&self) -> f64 {
        let mut pauses: Vec<f64> = self.sent_s.windows(2).map(|pair| pair[1] - pair[0]).collect();
        pauses.sort_by(f64::total_cmp);
        pauses.get(pauses.len() / 2).copied().unwrap_or(0.0)
    }

    /// The longest time for which goals stayed within `tolerance_rad` of each other before the last one, seconds.
    pub(crate) fn longest_stay_s(&self, tolerance_rad: f64) -> f64 {
        let (mut longest, mut first) = (0.0_f64, 0);
        for (place, command) in self.commands.iter().enumerate() {
            while self.commands[first].goal.max_difference(&command.goal) > tolerance_rad {
                first += 1;
            }
            if place + 1 < self.commands.len() {
                longest = longest.max(command.at_s - self.commands[first].at_s);
            }
        }
        longest
    }

    /// Asserts that the run ended in the hold: the same goal again and again.
    #[track_caller]
    pub(crate) fn assert_held(&self) {
        let last = self.last_goals();
        assert_eq!(last.len(), 5, "{} commands", self.commands.len());
        assert!(self.is_held(), "the last goals differ: {last:?}");
    }

    fn last_goals(&self) -> Vec<JointAngles> {
        self.commands.iter().rev().take(5).map(|command| command.goal).collect()
    }

    /// Whether the run ended in the hold: the same goal again and again.
    pub(crate) fn is_held(&self) -> bool {
        let last = self.last_goals();
        last.len() == 5 && last.iter().all(|goal| *goal == last[0])
    }

    /// How long the board went on sending after the last command, seconds.
    pub(crate) fn quiet_at_the_end_s(&self) -> f64 {
        let last = |times: Option<f64>| times.unwrap_or(0.0);
        last(self.sent_s.last().copied()) - last(self.commands.last().map(|command| command.at_s))
    }

    /// Joints whose goals, and whose measured angles, spread over at least `degrees`.
    pub(crate) fn joints_moved(&self, degrees: f64) -> (usize, usize) {
        let goals: Vec<JointAngles> = self.commands.iter().map(|command| command.goal).collect();
        (moved(&goals, degrees), moved(&self.poses, degrees))
    }
}

/// Six angles in the order and frame of the firmware: its hand is pi minus the gripper.
fn pose([base, shoulder, elbow, wrist, roll, hand]: [f64; JOINT_COUNT]) -> JointAngles {
    JointAngles::from_array_rad([base, shoulder, elbow, wrist, roll, std::f64::consts::PI - hand])
}

fn moved(poses: &[JointAngles], degrees: f64) -> usize {
    let travel = |joint: usize| {
        let angles = poses.iter().map(|pose| pose.to_array_rad()[joint]);
        let range = angles.fold((f64::MAX, f64::MIN), |(low, high), angle| (low.min(angle), high.max(angle)));
        (range.1 - range.0).to_degrees()
    };
    (0..JOINT_COUNT).filter(|joint| travel(*joint) >= degrees).count()
}
