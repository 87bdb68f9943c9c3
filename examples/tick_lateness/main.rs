//! How late control ticks come, beside a bare loop of the same priority: `docs/real-time.md` says how to read it.
//!
//! Blocks of our own control thread (whole sessions: core, mailboxes, camera, inference, watchdog, a reader of their status; only the
//! port is a value in memory) alternate with blocks of a bare `clock_nanosleep` loop. In each block 50 and 200 Hz run at once, under
//! `SCHED_FIFO` and under normal scheduling, while other processes load every core.
//!
//! `cargo run --release --example tick_lateness -- --blocks 20 --block-seconds 60 --json lateness.json`

mod bare;
mod burners;
mod statistics;
#[path = "../../tests/support/stub_session.rs"]
#[allow(dead_code, clippy::expect_used, reason = "shared with tests, which use the rest of it")]
mod stub_session;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use roarm::control::EndCause;
use roarm::runtime::{RealTimeSettings, Session};

use burners::Burners;
use statistics::{Block, Comparison, Kind, Variant, table};

const PRIORITY: u8 = 40;

/// The tick rates and schedulings that run at once.
const VARIANTS: [Variant; 4] = [
    Variant { rate_hz: 50, priority: 0 },
    Variant { rate_hz: 200, priority: 0 },
    Variant { rate_hz: 50, priority: PRIORITY },
    Variant { rate_hz: 200, priority: PRIORITY },
];

#[derive(Parser)]
#[command(about = "Lateness of control ticks beside a bare clock_nanosleep loop")]
struct Flags {
    /// Blocks of both kinds together; they alternate
    #[arg(long, default_value_t = 20)]
    blocks: u32,
    /// Length of each block
    #[arg(long, default_value_t = 60.0)]
    block_seconds: f64,
    /// Processes that burn time meanwhile [default: one a core]
    #[arg(long)]
    burners: Option<usize>,
    /// Where the numbers go as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Be one of the processes that burn time
    #[arg(long, hide = true)]
    burn: bool,
}

fn main() -> ExitCode {
    let flags = Flags::parse();
    if flags.burn {
        burners::burn();
    }
    match measure(&flags) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "a program for the terminal")]
            {
                eprintln!("error: {error}");
            }
            ExitCode::from(2)
        }
    }
}

/// Whether everything that is judged held.
#[expect(clippy::print_stdout, reason = "a program for the terminal")]
fn measure(flags: &Flags) -> Result<bool, Box<dyn std::error::Error>> {
    let cores = std::thread::available_parallelism()?.get();
    let burners = Burners::start(flags.burners.unwrap_or(cores))?;
    let length = Duration::try_from_secs_f64(flags.block_seconds)?;
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for number in 0..flags.blocks {
        let kind = if number % 2 == 0 { Kind::Ours } else { Kind::Bare };
        let blocks = match kind {
            Kind::Ours => our_block(length)?,
            Kind::Bare => bare::block(&VARIANTS, length)?,
        };
        println!("block {} of {}: {kind}", number + 1, flags.blocks);
        match kind {
            Kind::Ours => ours.push(blocks),
            Kind::Bare => bare.push(blocks),
        }
    }
    drop(burners);
    let of = |blocks: &[Vec<Block>], variant: usize| -> Vec<Block> {
        blocks.iter().filter_map(|block| block.get(variant).copied()).collect()
    };
    let comparisons: Vec<Comparison> = VARIANTS
        .iter()
        .enumerate()
        .filter_map(|(place, variant)| Comparison::new(*variant, &of(&ours, place), &of(&bare, place)))
        .collect();
    println!("\n{}", table(&comparisons));
    if let Some(path) = &flags.json {
        std::fs::write(path, serde_json::to_string_pretty(&comparisons)?)?;
    }
    Ok(!comparisons.is_empty() && comparisons.iter().all(Comparison::holds))
}

/// One session for each variant, all at once.
fn our_block(length: Duration) -> Result<Vec<Block>, Box<dyn std::error::Error>> {
    let mut sessions = Vec::new();
    for variant in VARIANTS {
        let settings = RealTimeSettings { priority: variant.priority, ..RealTimeSettings::default() };
        let arm = stub_session::MemoryArm::new();
        let session = Session::start(stub_session::parts(arm, variant.period(), settings))?;
        if let Some(denied) = session.real_time().denied.first() {
            return Err(format!("this comparison needs every variant: {denied}").into());
        }
        sessions.push(session);
    }
    let until = Instant::now() + length;
    while Instant::now() < until {
        // What the program's own main thread does in a run: it looks ten times a second.
        std::thread::sleep(Duration::from_millis(100));
        for session in &mut sessions {
            if let roarm::control::Phase::AwaitingGo(proposal) = session.status().phase {
                session.allow_motion(proposal.number);
            }
            if session.is_over() {
                return Err("a session ended by itself".into());
            }
        }
    }
    for session in &sessions {
        session.stop(EndCause::Interrupted);
    }
    Ok(sessions
        .into_iter()
        .map(|session| {
            let summary = stub_session::end_of(session).summary;
            Block {
                lateness: summary.run.tick_jitter_us,
                work: Some(summary.tick_work_us),
                missed: summary.run.missed_ticks,
            }
        })
        .collect())
}
