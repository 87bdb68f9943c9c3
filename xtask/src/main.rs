//! `cargo xtask VERB`: set-up, tests and checks of this repository. `cargo xtask help` lists the verbs.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool speaks to the terminal")]

mod coverage;
mod demo;
mod dist;
mod failure;
mod layers;
mod process;
mod setup;
mod tiers;
mod workspace;

use std::process::ExitCode;

use failure::Failure;
use workspace::Workspace;

const HELP: &str = "\
cargo xtask VERB

  setup                  fetch what the build and the tests need into .cache/ (every other verb that needs it does this first)
  setup --device cuda    fetch the libraries for an NVIDIA GPU as well (1.2 GB, once); resumes where it was interrupted
  demo [-- ARGS]         build, then run `roarm demo ARGS`: emulated arm, simulated cell, shipped policy, no hardware
  test [OPTIONS]         the fast tier, also run by .ci/run; stops at the first failure
  test-full [OPTIONS]    everything in `test`, then the parts that need PyTorch, QEMU, cargo-fuzz or cargo-deny
  soak [OPTIONS]         the property tests of `test` with many more cases, then each fuzz target for half an hour
  dist [OPTIONS]         pack program, ONNX Runtime, demo policy and system files into target/dist/; runs without this repository
  coverage               lines of src/control that its own tests run; fails below 90 %
  layers                 check that every room under src/ uses only the rooms below it
  help                   this text

OPTIONS of dist
  --binary FILE          pack this program instead of building one
  --out DIR              where the archive goes

OPTIONS of test and test-full
  --without PART         leave a part out on purpose; may be repeated. A part that cannot run otherwise counts as a failure
  --list                 print the parts of the tier and run nothing

OPTIONS of soak
  --only PART            `properties`, or `fuzz-` and the name of a target in fuzz/fuzz_targets/
  --cases N              cases of each property test (default 20000)
  --minutes M            time of each fuzz target (default 30)

Relative paths in ARGS are taken from the repository's root.
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: {}", failure.message());
            failure.exit_code()
        }
    }
}

fn run(arguments: &[String]) -> Result<(), Failure> {
    let Some((verb, rest)) = arguments.split_first() else {
        print!("{HELP}");
        return Err(Failure::usage("which verb?"));
    };
    let workspace = Workspace::locate()?;
    match verb.as_str() {
        "setup" => setup::verb(&workspace, rest),
        "demo" => demo::run(&workspace, rest),
        "test" => tiers::run(&workspace, tiers::Tier::Test, rest),
        "test-full" => tiers::run(&workspace, tiers::Tier::TestFull, rest),
        "dist" => dist::run(&workspace, rest),
        "soak" => tiers::soak(&workspace, rest),
        "coverage" => {
            no_arguments(verb, rest)?;
            setup::run(&workspace)?;
            coverage::run(&workspace)
        }
        "layers" => no_arguments(verb, rest).and_then(|()| layers::run(&workspace)),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(())
        }
        other => Err(Failure::usage(format!("no verb `{other}`; `cargo xtask help` lists them"))),
    }
}

fn no_arguments(verb: &str, rest: &[String]) -> Result<(), Failure> {
    match rest.first() {
        None => Ok(()),
        Some(extra) => Err(Failure::usage(format!("`{verb}` takes no arguments, got `{extra}`"))),
    }
}
