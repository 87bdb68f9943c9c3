//! Starting other programs.

use std::ffi::OsStr;
use std::process::{Command, Output, Stdio};

use crate::failure::Failure;
use crate::workspace::Workspace;

/// `program` started in the repository's root.
pub(crate) fn command(workspace: &Workspace, program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(workspace.root());
    command
}

/// The cargo that started this tool.
pub(crate) fn cargo(workspace: &Workspace) -> Command {
    command(workspace, std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Runs `command` with the terminal's own input and output; anything but exit code 0 is a failure that names `what`.
pub(crate) fn run(what: &str, command: &mut Command) -> Result<(), Failure> {
    let status = command.status().map_err(|error| not_started(what, command, &error))?;
    if status.success() { Ok(()) } else { Err(Failure::new(format!("{what} failed ({status})"))) }
}

/// Runs `command` and returns what it wrote, whatever its exit code.
pub(crate) fn capture(what: &str, command: &mut Command) -> Result<Output, Failure> {
    command.stdin(Stdio::null()).output().map_err(|error| not_started(what, command, &error))
}

/// Whether `command` starts and ends with exit code 0. Its output is thrown away.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

pub(crate) fn not_started(what: &str, command: &Command, error: &std::io::Error) -> Failure {
    Failure::new(format!("{what}: cannot start `{}`: {error}", command.get_program().display()))
}
