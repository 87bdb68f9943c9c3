//! `cargo xtask demo`: the README's first command.

use std::os::unix::process::CommandExt;

use crate::failure::Failure;
use crate::workspace::Workspace;
use crate::{process, setup};

/// Sets up, builds, then *becomes* `roarm demo ARGS`, so that signals and the exit code are the demo's own.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<(), Failure> {
    setup::run(workspace)?;
    // Apart from the run, so that a build shows its progress.
    let build = ["build", "--release", "--package", "roarm", "--bin", "roarm"];
    process::run("building roarm", process::cargo(workspace).args(build))?;

    let arguments = arguments.strip_prefix(&["--".to_owned()]).unwrap_or(arguments);
    let mut demo = process::cargo(workspace);
    demo.args(["run", "--release", "--quiet", "--package", "roarm", "--bin", "roarm", "--", "demo"]);
    demo.args(arguments);
    if std::env::var_os("ORT_DYLIB_PATH").is_none() {
        // For a GPU the program itself finds the libraries, or says how to get them.
        if !asks_for_cuda(arguments) {
            demo.env("ORT_DYLIB_PATH", setup::onnxruntime_library(workspace)?);
        } else if let Some(library) = setup::gpu_library(workspace) {
            demo.env("ORT_DYLIB_PATH", library);
        }
    }
    let error = demo.exec();
    Err(process::not_started("running the demo", &demo, &error))
}

/// Whether `--device cuda`, `--device cuda:N` or `--device=cuda…` is among the arguments.
fn asks_for_cuda(arguments: &[String]) -> bool {
    let follows = arguments.windows(2).any(|pair| pair[0] == "--device" && pair[1].starts_with("cuda"));
    follows || arguments.iter().any(|argument| argument.starts_with("--device=cuda"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gpu_is_noticed_in_every_spelling() {
        let asks = |line: &str| asks_for_cuda(&line.split(' ').map(str::to_owned).collect::<Vec<_>>());
        assert!(asks("--seed 1 --device cuda") && asks("--device cuda:1") && asks("--device=cuda:0"));
        assert!(!asks("--device cpu") && !asks("--task cuda") && !asks(""));
    }
}
