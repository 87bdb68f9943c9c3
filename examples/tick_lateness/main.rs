//! How late control ticks come, beside a bare loop of the same priority: `docs/real-time.md` says how to read it.
//!
//! Blocks of our own control thread (a whole session: core, mailboxes, camera, inference, watchdog, a reader of its status; only the
//! port is a value in memory) alternate with blocks of a bare `clock_nanosleep` loop, while other processes load every core. 50 and
//! 200 Hz, under `SCHED_FIFO` and under normal scheduling, take turns: at once they would measure each other, since a normal thread
//! that a real-time one has pushed aside waits for the slice of whoever comes next.
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

/// The tick rates and schedulings, which take turns.
const VARIANTS: [Variant; 4] = [
    Variant { rate_hz: 50, priority: 0 },
    Variant { rate_hz: 200, priority: 0 },
    Variant { rate_hz: 50, priority: PRIORITY },
    Variant { rate_hz: 200, priority: PRIORITY },
];

#[derive(Parser)]
#[command(about = "Lateness of control ticks beside a bare clock_nanosleep loop")]
struct Flags {
    /// Blocks of each rate and scheduling, of both kinds together; all of them alternate
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
    let mut measured = VARIANTS.map(|variant| (variant, Vec::new(), Vec::new()));
    for number in 0..flags.blocks {
        let kind = if number % 2 == 0 { Kind::Ours } else { Kind::Bare };
        for (variant, ours, bare) in &mut measured {
            match kind {
                Kind::Ours => ours.push(our_block(*variant, length)?),
                Kind::Bare => bare.push(bare::block(*variant, length)?),
            }
        }
        println!("block {} of {}: {kind}", number + 1, flags.blocks);
    }
    drop(burners);
    let comparisons: Vec<Comparison> =
        measured.iter().filter_map(|(variant, ours, bare)| Comparison::new(*variant, ours, bare)).collect();
    println!("\n{}", table(&comparisons));
    if let Some(path) = &flags.json {
        std::fs::write(path, serde_json::to_string_pretty(&comparisons)?)?;
    }
    Ok(!comparisons.is_empty() && comparisons.iter().all(Comparison::holds))
}

/// One session.
fn our_block(variant: Variant, length: Duration) -> Result<Block, Box<dyn std::error::Error>> {
    let settings = RealTimeSettings { priority: variant.priority, ..RealTimeSettings::default() };
    let arm = stub_session::MemoryArm::new();
    let mut session = Session::start(stub_session::parts(arm, variant.period(), settings))?;
    if let Some(denied) = session.real_time().denied.first() {
        return Err(format!("this comparison needs every variant: {denied}").into());
    }
    let until = Instant::now() + length;
    while Instant::now() < until {
        // What the program's own main thread does in a run: it looks ten times a second.
        std::thread::sleep(Duration::from_millis(100));
        if let roarm::control::Phase::AwaitingGo(proposal) = session.status().phase {
            session.allow_motion(proposal.number);
        }
        if session.is_over() {
            return Err("the session ended by itself".into());
        }
    }
    session.stop(EndCause::Interrupted);
    let summary = stub_session::end_of(session).summary;
    Ok(Block {
        lateness: summary.run.tick_jitter_us,
        work: Some(summary.tick_work_us),
        missed: summary.run.missed_ticks,
    })
}
