//! `roarm policy info|verify|bench`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::bench::{self, BenchFlags};
use super::exit::{CliError, Exit};
use super::plan::{self, PolicyFlags};
use super::terminal;
use crate::config::Config;
use crate::policy::{Bundle, BundleSummary, VerifyReport, verify};
use crate::types::Joint;

#[derive(Debug, Subcommand)]
pub(super) enum PolicyVerb {
    /// One page: contract, cameras, statistics, sizes, provenance
    Info(InfoFlags),
    /// Prove on this machine and device that the bundle computes what PyTorch computed
    Verify(VerifyFlags),
    /// How long a chunk takes here, stage by stage, on one or several devices and against PyTorch
    Bench(Box<BenchFlags>),
}

impl PolicyVerb {
    /// Whether the result is wanted as JSON.
    pub(super) const fn json(&self) -> bool {
        match self {
            Self::Info(flags) => flags.json,
            Self::Verify(flags) => flags.json,
            Self::Bench(flags) => flags.json,
        }
    }
}

#[derive(Args, Debug)]
pub(super) struct InfoFlags {
    /// The policy bundle's folder
    bundle: PathBuf,
    /// Print one JSON object on the last line of standard output
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
pub(super) struct VerifyFlags {
    /// The policy bundle's folder
    bundle: PathBuf,
    /// Print one JSON object on the last line of standard output
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    inference: PolicyFlags,
}

pub(super) fn policy(verb: &PolicyVerb) -> Result<Exit, CliError> {
    match verb {
        PolicyVerb::Info(flags) => {
            let summary = Bundle::load(&flags.bundle)?.summary();
            if flags.json {
                terminal::print_json(&summary)
            } else {
                terminal::print(page(&summary))
            }
            Ok(Exit::Done)
        }
        PolicyVerb::Verify(flags) => verify_bundle(flags),
        PolicyVerb::Bench(flags) => bench::bench(flags),
    }
}

fn verify_bundle(flags: &VerifyFlags) -> Result<Exit, CliError> {
    let bundle = Bundle::load(&flags.bundle)?;
    let mut engine = plan::engine(&bundle, &flags.inference, &Config::defaults())?;
    let report = verify(&bundle, &mut engine)?;
    if flags.json {
        terminal::say(table(&report));
        terminal::print_json(&report);
    } else {
        terminal::print(table(&report));
    }
    if !report.ok {
        terminal::say(
            "this machine does not compute what PyTorch computed: export the policy again; if that does not help, the ONNX \
             Runtime library or the device is at fault (try --device cpu)",
        );
    }
    Ok(if report.ok { Exit::Done } else { Exit::Failed })
}

fn table(report: &VerifyReport) -> String {
    let head = format!("{:<12} {:>12} {:>12}", "check", "max_abs", "limit");
    let rows = report.checks.iter().map(|check| {
        let verdict = if check.ok { "ok" } else { "EXCEEDED" };
        let mean = match (check.mean_abs, check.mean_limit) {
            (Some(mean), Some(limit)) => format!("  mean {mean:.3e} of {limit:.0e}"),
            _ => String::new(),
        };
        format!("{:<12} {:>12.3e} {:>12.3e}{mean}  {verdict}", check.name, check.max_abs, check.limit)
    });
    std::iter::once(head).chain(rows).collect::<Vec<_>>().join("\n")
}

fn page(summary: &BundleSummary) -> String {
    let contract = &summary.contract;
    let megabytes = |bytes: u64| bytes as f64 * 1e-6;
    let mut lines = vec![
        format!(
            "{} ({}, format {})",
            summary.folder.display(),
            contract.policy_type,
            contract.format_version
        ),
        format!(
            "chunk        {} actions at {}, {} played before the next observation, {} flow steps",
            contract.chunk.horizon,
            contract.chunk.fps.map_or_else(|| "an unknown rate".to_owned(), |fps| format!("{fps} Hz")),
            contract.chunk.n_action_steps,
            contract.flow.steps
        ),
        format!(
            "pictures     {}x{} into the network; empty slots: {}",
            contract.cameras.input_width, contract.cameras.input_height, contract.cameras.empty
        ),
    ];
    let weights = contract.weight_bytes();
    let weights: Vec<_> =
        weights.iter().map(|(dtype, bytes)| format!("{dtype} {:.1} MB", megabytes(*bytes))).collect();
    let weights = if weights.is_empty() { "not listed".to_owned() } else { weights.join(", ") };
    lines.push(format!("compute      {}; weights: {weights}", contract.compute));
    for slot in &contract.cameras.slots {
        lines.push(format!("  slot       {} (trained on {}x{})", slot.name, slot.width, slot.height));
    }
    lines.push(format!("language     {} tokens wide", contract.language.width));
    lines
        .push(format!("frame        {}, state and action of {} joints", contract.frame, contract.action.dim));
    lines.push(format!(
        "{:<12} {:>8} {:>8} {:>8} {:>8}   (degrees, of the training actions)",
        "action", "mean", "std", "min", "max"
    ));
    let action = &summary.statistics.action;
    for joint in Joint::ALL {
        lines.push(format!(
            "  {:<10} {:>8.2} {:>8.2} {:>8.2} {:>8.2}",
            joint.name(),
            action.mean_pose().get(joint),
            action.std_deg()[joint.index()],
            action.min_pose().get(joint),
            action.max_pose().get(joint)
        ));
    }
    for (name, graph) in contract.graphs() {
        let inputs: Vec<String> =
            graph.inputs.iter().map(|tensor| format!("{} {tensor}", tensor.name)).collect();
        let outputs: Vec<String> =
            graph.outputs.iter().map(|tensor| format!("{} {tensor}", tensor.name)).collect();
        lines.push(format!("{name:<12} {} -> {}", inputs.join(", "), outputs.join(", ")));
    }
    lines.push(format!("vision ids   {}", contract.vision_position_ids));
    lines.push(format!(
        "size         {:.1} MB in {} files",
        megabytes(summary.total_bytes),
        summary.files.len()
    ));
    let provenance = &contract.provenance;
    lines.push(format!(
        "exported by  {}, {} parameters, trained in {}",
        provenance.exporter, provenance.parameters, provenance.training_dtype
    ));
    lines.push(format!("checkpoint   sha256 {}", provenance.checkpoint_sha256));
    lines.join("\n")
}
