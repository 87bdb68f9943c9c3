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
        demo.env("ORT_DYLIB_PATH", setup::onnxruntime_library(workspace)?);
    }
    let error = demo.exec();
    Err(process::not_started("running the demo", &demo, &error))
}
