//! Blocks to a verdict.

use std::fmt;
use std::time::Duration;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use roarm::types::TickJitter;
use serde::Serialize;

/// How much later than the bare loop ours may be.
const RATIO: f64 = 1.2;
/// How long the work of a tick may take, µs.
const WORK_P99_US: f64 = 50.0;
/// Resamples of the bootstrap.
const RESAMPLES: usize = 10_000;

/// A rate under a scheduling.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Variant {
    pub(crate) rate_hz: u32,
    /// `SCHED_FIFO` priority; 0 is normal scheduling.
    pub(crate) priority: u8,
}

impl Variant {
    pub(crate) fn period(self) -> Duration {
        Duration::from_secs(1) / self.rate_hz
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.priority {
            0 => write!(formatter, "{} Hz, normal", self.rate_hz),
            priority => write!(formatter, "{} Hz, FIFO {priority}", self.rate_hz),
        }
    }
}

/// Whose ticks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Ours,
    Bare,
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Ours => "ours",
            Self::Bare => "bare",
        })
    }
}

/// What one block gave for one variant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block {
    pub(crate) lateness: TickJitter,
    pub(crate) work: Option<TickJitter>,
    pub(crate) missed: u64,
}

/// All blocks of a kind.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Side {
    pub(crate) blocks: usize,
    /// Medians over the blocks, µs.
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    pub(crate) p999_us: f64,
    /// Worst of all blocks, µs.
    pub(crate) max_us: f64,
    /// Mean a block, with its 95 % bootstrap interval.
    pub(crate) missed_a_block: f64,
    pub(crate) missed_interval: [f64; 2],
    /// Every block's p50 and p99, µs, in order.
    pub(crate) block_p50_us: Vec<f64>,
    pub(crate) block_p99_us: Vec<f64>,
}

/// Ours beside the bare loop.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Comparison {
    variant: Variant,
    ours: Side,
    bare: Side,
    p50_ratio: f64,
    p99_ratio: f64,
    /// Worst block's p99 of the tick's work, µs.
    work_p99_us: f64,
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

/// 2.5 and 97.5 % of the means of resamples.
fn bootstrap(values: &[f64]) -> [f64; 2] {
    let mut random = ChaCha8Rng::seed_from_u64(0);
    let mut means: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let sum: f64 = (0..values.len()).map(|_| values[random.random_range(0..values.len())]).sum();
            sum / values.len() as f64
        })
        .collect();
    means.sort_by(f64::total_cmp);
    [means[RESAMPLES / 40], means[RESAMPLES - 1 - RESAMPLES / 40]]
}

impl Side {
    fn new(blocks: &[Block]) -> Self {
        let all = |value: fn(&TickJitter) -> f64| -> Vec<f64> {
            blocks.iter().map(|block| value(&block.lateness)).collect()
        };
        let missed: Vec<f64> = blocks.iter().map(|block| block.missed as f64).collect();
        let (p50, p99) = (all(|times| times.p50), all(|times| times.p99));
        Self {
            blocks: blocks.len(),
            p50_us: median(&p50),
            p99_us: median(&p99),
            p999_us: median(&all(|times| times.p999)),
            max_us: all(|times| times.max).into_iter().fold(0.0, f64::max),
            missed_a_block: missed.iter().sum::<f64>() / missed.len() as f64,
            missed_interval: bootstrap(&missed),
            block_p50_us: p50,
            block_p99_us: p99,
        }
    }
}

impl Comparison {
    /// `None` without blocks of both kinds.
    pub(crate) fn new(variant: Variant, ours: &[Block], bare: &[Block]) -> Option<Self> {
        if ours.is_empty() || bare.is_empty() {
            return None;
        }
        let work_p99_us =
            ours.iter().filter_map(|block| block.work).map(|work| work.p99).fold(f64::NAN, f64::max);
        let (ours, bare) = (Side::new(ours), Side::new(bare));
        let (p50_ratio, p99_ratio) = (ours.p50_us / bare.p50_us, ours.p99_us / bare.p99_us);
        Some(Self { variant, ours, bare, p50_ratio, p99_ratio, work_p99_us })
    }

    /// Medians of p50 and p99, and the tick's work; tails belong to the machine and are only told.
    pub(crate) fn holds(&self) -> bool {
        self.p50_ratio <= RATIO && self.p99_ratio <= RATIO && self.work_p99_us <= WORK_P99_US
    }
}

/// For people, as Markdown.
pub(crate) fn table(comparisons: &[Comparison]) -> String {
    let mut text = "| variant | loop | blocks | p50 µs | p99 µs | p99.9 µs | max µs | missed a block (95 %) | work p99 µs | p50 ratio | \
                    p99 ratio | holds |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
        .to_owned();
    for comparison in comparisons {
        for (name, side) in [("ours", &comparison.ours), ("bare", &comparison.bare)] {
            let [low, high] = side.missed_interval;
            text.push_str(&format!(
                "| {} | {name} | {} | {:.1} | {:.1} | {:.0} | {:.0} | {:.1} ({low:.1} to {high:.1}) |",
                comparison.variant,
                side.blocks,
                side.p50_us,
                side.p99_us,
                side.p999_us,
                side.max_us,
                side.missed_a_block
            ));
            if name == "ours" {
                text.push_str(&format!(
                    " {:.1} | {:.2} | {:.2} | {} |\n",
                    comparison.work_p99_us,
                    comparison.p50_ratio,
                    comparison.p99_ratio,
                    if comparison.holds() { "yes" } else { "NO" }
                ));
            } else {
                text.push_str(" | | | |\n");
            }
        }
    }
    text
}
