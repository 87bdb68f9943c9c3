//! What came of many episodes.

use std::fmt;

use serde::Serialize;

use crate::cli::terminal;
use crate::sim::scene::BoxColour;
use crate::types::MotionSummary;

/// One episode.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Episode {
    pub(super) seed: u64,
    pub(super) instruction: String,
    #[serde(skip)]
    pub(super) target: BoxColour,
    pub(super) success: bool,
    /// The other box was picked up.
    pub(super) took_the_other: bool,
    pub(super) time_to_lift_s: Option<f64>,
    /// Why it ended.
    pub(super) ended: String,
    #[serde(flatten)]
    pub(super) motion: Smoothness,
}

/// How smoothly the arm moved.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Smoothness {
    pub(super) jerk_deg_s3: f64,
    pub(super) seam_ratio: f64,
}

impl Smoothness {
    pub(super) const fn of(motion: &MotionSummary) -> Self {
        Self { jerk_deg_s3: motion.jerk_deg_s3, seam_ratio: motion.seam_ratio }
    }
}

/// Successes out of trials, with Wilson's 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Rate {
    pub(super) episodes: u32,
    pub(super) successes: u32,
    pub(super) success_rate: f64,
    /// Where the true rate lies with 95 % confidence (Wilson's score interval).
    pub(super) interval_95: [f64; 2],
}

impl Rate {
    pub(super) fn of<'a>(episodes: impl Iterator<Item = &'a Episode>) -> Self {
        let (count, successes) = episodes
            .fold((0, 0), |(count, successes), episode| (count + 1, successes + u32::from(episode.success)));
        let rate = f64::from(successes) / f64::from(u32::max(count, 1));
        Self { episodes: count, successes, success_rate: rate, interval_95: wilson(successes, count) }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [low, high] = self.interval_95;
        write!(
            formatter,
            "{} of {} ({:.1} %, 95 % interval {:.1} to {:.1} %)",
            self.successes,
            self.episodes,
            100.0 * self.success_rate,
            100.0 * low,
            100.0 * high
        )
    }
}

/// Wilson's score interval at 95 %.
fn wilson(successes: u32, trials: u32) -> [f64; 2] {
    if trials == 0 {
        return [0.0, 1.0];
    }
    const Z: f64 = 1.959_963_984_540_054;
    let count = f64::from(trials);
    let rate = f64::from(successes) / count;
    let widened = 1.0 + Z * Z / count;
    let middle = (rate + Z * Z / (2.0 * count)) / widened;
    let half = Z / widened * (rate * (1.0 - rate) / count + Z * Z / (4.0 * count * count)).sqrt();
    [(middle - half).max(0.0), (middle + half).min(1.0)]
}

/// All episodes together.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Tally {
    /// Whether all episodes were played. One that a protective stop ended has failed like any other.
    pub(super) ok: bool,
    pub(super) seed: u64,
    #[serde(flatten)]
    pub(super) all: Rate,
    pub(super) by_instruction: serde_json::Map<String, serde_json::Value>,
    pub(super) took_the_other: usize,
    /// Episodes that a protective or emergency stop ended.
    pub(super) stopped: usize,
    pub(super) time_to_lift_s: Spread,
    pub(super) jerk_deg_s3: Spread,
    pub(super) seam_ratio: Spread,
    pub(super) failed_seeds: Vec<u64>,
    pub(super) each: Vec<Episode>,
}

/// Middle and tail of a number over the episodes.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Spread {
    pub(super) p50: f64,
    pub(super) p95: f64,
}

impl Spread {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let index = (share * values.len() as f64).ceil() as usize;
            values.get(index.saturating_sub(1)).copied().unwrap_or_default()
        };
        Self { p50: at(0.5), p95: at(0.95) }
    }
}

impl Tally {
    /// The result to standard output: for people, or as JSON with what people read beside it.
    pub(super) fn tell(&self, json: bool) {
        if json {
            terminal::say(self.to_string());
            terminal::print_json(self);
        } else {
            terminal::print(self.to_string());
        }
    }

    pub(super) fn new(seed: u64, episodes: Vec<Episode>, stopped: usize) -> Self {
        let mut by_instruction = serde_json::Map::new();
        for colour in BoxColour::ALL {
            let of = || episodes.iter().filter(|episode| episode.target == colour);
            if let Some(first) = of().next()
                && let Ok(rate) = serde_json::to_value(Rate::of(of()))
            {
                by_instruction.insert(first.instruction.clone(), rate);
            }
        }
        Self {
            ok: true,
            seed,
            all: Rate::of(episodes.iter()),
            by_instruction,
            took_the_other: episodes.iter().filter(|episode| episode.took_the_other).count(),
            stopped,
            time_to_lift_s: Spread::of(episodes.iter().filter_map(|episode| episode.time_to_lift_s)),
            jerk_deg_s3: Spread::of(episodes.iter().map(|episode| episode.motion.jerk_deg_s3)),
            seam_ratio: Spread::of(episodes.iter().map(|episode| episode.motion.seam_ratio)),
            failed_seeds: episodes
                .iter()
                .filter(|episode| !episode.success)
                .map(|episode| episode.seed)
                .collect(),
            each: episodes,
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "picked up        {}", self.all)?;
        for (instruction, rate) in &self.by_instruction {
            writeln!(formatter, "  {instruction:?}: {} of {}", rate["successes"], rate["episodes"])?;
        }
        writeln!(formatter, "the other box    {}", self.took_the_other)?;
        writeln!(formatter, "protective stops {}", self.stopped)?;
        writeln!(
            formatter,
            "time to lift     p50 {:.1} s, p95 {:.1} s",
            self.time_to_lift_s.p50, self.time_to_lift_s.p95
        )?;
        write!(
            formatter,
            "motion           jerk p50 {:.0} °/s³, p95 {:.0} °/s³; seams p50 {:.2}, p95 {:.2} of the fastest step",
            self.jerk_deg_s3.p50, self.jerk_deg_s3.p95, self.seam_ratio.p50, self.seam_ratio.p95
        )?;
        if !self.failed_seeds.is_empty() {
            write!(formatter, "\nfailed seeds     {:?}", self.failed_seeds)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of Wilson's interval from the literature: 95 of 100, 0 of 10, 10 of 10.
    #[test]
    fn the_interval_is_wilsons() {
        let near = |found: [f64; 2], low: f64, high: f64| {
            assert!((found[0] - low).abs() < 5e-4 && (found[1] - high).abs() < 5e-4, "{found:?}");
        };
        near(wilson(95, 100), 0.8882, 0.9785);
        near(wilson(0, 10), 0.0, 0.2775);
        near(wilson(10, 10), 0.7225, 1.0);
        assert_eq!(wilson(0, 0), [0.0, 1.0]);
    }

    #[test]
    fn the_other_box_is_no_success_and_both_instructions_are_counted() {
        let episode = |seed, target: BoxColour, success, took_the_other| Episode {
            seed,
            instruction: format!("the {} box", target.name()),
            target,
            success,
            took_the_other,
            time_to_lift_s: success.then_some(3.0 + seed as f64),
            ended: String::new(),
            motion: Smoothness { jerk_deg_s3: 1.0, seam_ratio: 0.5 },
        };
        let tally = Tally::new(
            7,
            vec![
                episode(7, BoxColour::Red, true, false),
                episode(8, BoxColour::White, false, true),
                episode(9, BoxColour::Red, true, false),
            ],
            1,
        );
        assert_eq!((tally.all.successes, tally.all.episodes, tally.took_the_other), (2, 3, 1));
        assert_eq!(tally.by_instruction["the red box"]["successes"], 2);
        assert_eq!(tally.by_instruction["the white box"]["successes"], 0);
        assert_eq!(tally.failed_seeds, [8]);
        assert!(
            tally.ok
                && tally.stopped == 1
                && tally.time_to_lift_s.p50 == 10.0
                && tally.time_to_lift_s.p95 == 12.0
        );
    }
}
