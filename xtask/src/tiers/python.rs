//! The parts that run pytest.

use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::process;
use crate::setup::PythonEnvironment;
use crate::workspace::Workspace;

const LIGHT: PythonEnvironment =
    PythonEnvironment { folder: "python-light", requirements: "models/export/requirements-light.txt" };
const CLIENTS: PythonEnvironment =
    PythonEnvironment { folder: "python-clients", requirements: "tests/clients/requirements.txt" };
const MUJOCO: PythonEnvironment =
    PythonEnvironment { folder: "python-mujoco", requirements: "tests/mujoco/requirements.txt" };

/// The shipped bundle, judged in Python.
pub(super) fn light(workspace: &Workspace) -> Result<(), Failure> {
    let python = LIGHT.prepare(workspace)?;
    pytest(workspace, &python, "models/export/pyproject.toml", "models/export/tests/light", &[])
}

/// The official Python client against the program itself. Its environment is apart: the SDK and what it needs, each file with its
/// checksum.
pub(super) fn clients(workspace: &Workspace) -> Result<(), Failure> {
    let python = CLIENTS.prepare(workspace)?;
    let program = build_roarm(workspace)?;
    pytest(workspace, &python, "tests/clients/pytest.ini", "tests/clients", &["--roarm".as_ref(), &program])
}

/// The exporter, with PyTorch and LeRobot.
pub(super) fn exporter(workspace: &Workspace) -> Result<(), Failure> {
    let python = lerobot(workspace)?;
    pytest(workspace, &python, "models/export/pyproject.toml", "models/export/tests/heavy", &[])
}

/// The datasets that the program writes, judged by LeRobot.
pub(super) fn datasets(workspace: &Workspace) -> Result<(), Failure> {
    let python = lerobot(workspace)?;
    let program = build_roarm(workspace)?;
    pytest(workspace, &python, "tests/lerobot/pytest.ini", "tests/lerobot", &["--roarm".as_ref(), &program])
}

/// The demo's policy and its teacher in a simulator that is not ours.
pub(super) fn mujoco(workspace: &Workspace) -> Result<(), Failure> {
    let python = MUJOCO.prepare(workspace)?;
    let program = build_roarm(workspace)?;
    let demonstrations = build(workspace, ["--package", "roarm", "--example", "demo_data"])?;
    let options: [&Path; 4] = ["--roarm".as_ref(), &program, "--demo-data".as_ref(), &demonstrations];
    pytest(workspace, &python, "tests/mujoco/pytest.ini", "tests/mujoco", &options)
}

/// A Python that has LeRobot and PyTorch.
fn lerobot(workspace: &Workspace) -> Result<PathBuf, Failure> {
    // PyPI's PyTorch for x86-64 wants CUDA libraries of 3 GB that a machine without a GPU never calls.
    let stubs = cfg!(target_arch = "x86_64") && !Path::new("/dev/nvidiactl").exists();
    let mut environment = process::command(workspace, "python3");
    environment.args([
        "models/export/setup_environment.py",
        "--torch",
        if stubs { "cpu-stubs" } else { "wheels" },
    ]);
    process::run("models/export/setup_environment.py", &mut environment)?;
    Ok(workspace.join("models/export/.venv/bin/python"))
}

/// Runs the tests of a folder. A run that finds no test is a failure (pytest ends with 5).
fn pytest(
    workspace: &Workspace,
    python: &Path,
    configuration: &str,
    folder: &str,
    options: &[&Path],
) -> Result<(), Failure> {
    let mut pytest = process::command(workspace, python);
    pytest.args(["-m", "pytest", "-q", "-c", configuration, folder]).args(options);
    process::run("pytest", &mut pytest)
}

/// Builds the program as the Rust tests have it, and says where it lies: cargo knows, wherever its target folder is.
fn build_roarm(workspace: &Workspace) -> Result<PathBuf, Failure> {
    build(workspace, ["--package", "roarm", "--bin", "roarm"])
}

/// Builds one program, and says where it lies.
fn build(workspace: &Workspace, what: [&str; 4]) -> Result<PathBuf, Failure> {
    let name = what[3];
    let build = || {
        let mut build = process::cargo(workspace);
        build.arg("build").args(what);
        build
    };
    process::run(&format!("building {name}"), &mut build())?;
    let output = process::capture(
        &format!("asking cargo for {name}"),
        build().args(["--quiet", "--message-format=json"]),
    )?;
    executable(&String::from_utf8_lossy(&output.stdout))
        .map(PathBuf::from)
        .ok_or_else(|| Failure::new(format!("cargo does not say where it has put the program `{name}`")))
}

/// The program among cargo's messages: one JSON object a line, without spaces.
fn executable(messages: &str) -> Option<&str> {
    let (_, path) = messages.lines().find_map(|line| line.split_once("\"executable\":\""))?;
    path.split_once('"').map(|(path, _)| path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_found_among_the_messages() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","target":{"name":"serde"},"executable":null,"fresh":true}"#,
            "\n",
            r#"{"reason":"compiler-artifact","target":{"name":"roarm"},"executable":"/t/debug/roarm","fresh":true}"#,
            "\n",
            r#"{"reason":"build-finished","success":true}"#,
        );
        assert_eq!(executable(messages), Some("/t/debug/roarm"));
        assert_eq!(executable(r#"{"reason":"build-finished","success":true}"#), None);
    }
}
