//! The parts of the tiers.

use std::path::Path;
use std::process::Command;

use super::Tier;
use crate::failure::Failure;
use crate::setup::PythonEnvironment;
use crate::workspace::Workspace;
use crate::{dist, process};

/// One part of a tier.
pub(super) struct Part {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    /// The smallest tier it belongs to.
    pub(super) tier: Tier,
    /// Why it cannot run on this machine, with the fix; `None` when it can.
    pub(super) obstacle: fn(&Workspace) -> Option<String>,
    pub(super) run: fn(&Workspace) -> Result<(), Failure>,
}

/// In the order in which they run: quick and telling first.
pub(super) const PARTS: &[Part] = &[
    Part {
        name: "rust",
        title: "unit, property, virtual-time and PTY tests of all crates",
        tier: Tier::Test,
        obstacle: |_| None,
        run: |workspace| process::run("cargo test", process::cargo(workspace).args(["test", "--workspace"])),
    },
    Part {
        name: "python",
        title: "the shipped bundle judged by ONNX Runtime and NumPy in Python",
        tier: Tier::Test,
        obstacle: |workspace| missing(workspace, "models/export/tests/light"),
        run: python_light,
    },
    Part {
        name: "exporter",
        title: "the exporter against LeRobot and PyTorch (makes an environment of several GB once)",
        tier: Tier::TestFull,
        obstacle: |workspace| missing(workspace, "models/export/tests/heavy"),
        run: exporter,
    },
    Part {
        name: "camera",
        title: "V4L2 capture from the kernel's `vivid` driver in QEMU",
        tier: Tier::TestFull,
        obstacle: camera_obstacle,
        run: |workspace| {
            process::run("tests/qemu/run.sh", &mut process::command(workspace, "tests/qemu/run.sh"))
        },
    },
    Part {
        name: "dist",
        title: "the packed program in a folder of its own, with an empty environment",
        tier: Tier::TestFull,
        obstacle: |_| None,
        run: dist::prove,
    },
    Part {
        name: "licences",
        title: "cargo-deny: licences, bans and sources of all dependencies",
        tier: Tier::TestFull,
        obstacle: |_| None,
        run: licences,
    },
];

fn missing(workspace: &Workspace, path: &str) -> Option<String> {
    (!workspace.join(path).exists()).then(|| format!("{path} is not in this checkout"))
}

const LIGHT: PythonEnvironment =
    PythonEnvironment { folder: "python-light", requirements: "models/export/requirements-light.txt" };

fn python_light(workspace: &Workspace) -> Result<(), Failure> {
    let python = LIGHT.prepare(workspace)?;
    pytest(workspace, &python, "light")
}

fn exporter(workspace: &Workspace) -> Result<(), Failure> {
    // PyPI's PyTorch for x86-64 wants CUDA libraries of 3 GB that a machine without a GPU never calls.
    let stubs = cfg!(target_arch = "x86_64") && !Path::new("/dev/nvidiactl").exists();
    let mut environment = process::command(workspace, "python3");
    environment.args([
        "models/export/setup_environment.py",
        "--torch",
        if stubs { "cpu-stubs" } else { "wheels" },
    ]);
    process::run("models/export/setup_environment.py", &mut environment)?;
    pytest(workspace, &workspace.join("models/export/.venv/bin/python"), "heavy")
}

/// Runs one folder of the exporter's tests. A run that finds no test is a failure (pytest ends with 5).
fn pytest(workspace: &Workspace, python: &Path, folder: &str) -> Result<(), Failure> {
    let mut pytest = process::command(workspace, python);
    pytest.args(["-m", "pytest", "-q", "-c", "models/export/pyproject.toml", "--rootdir", "models/export"]);
    pytest.arg(format!("models/export/tests/{folder}"));
    process::run("pytest", &mut pytest)
}

/// The script knows what it needs.
fn camera_obstacle(workspace: &Workspace) -> Option<String> {
    let mut check = process::command(workspace, "tests/qemu/run.sh");
    match process::capture("tests/qemu/run.sh --check", check.arg("--check")) {
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Err(failure) => Some(failure.message().to_owned()),
    }
}

fn licences(workspace: &Workspace) -> Result<(), Failure> {
    let own = workspace.cache().join("tools/bin/cargo-deny");
    let program = if process::succeeds(Command::new("cargo-deny").arg("--version")) {
        "cargo-deny".into()
    } else {
        if !own.is_file() {
            println!("installing cargo-deny into .cache/tools (several minutes, once) …");
            let mut install = process::cargo(workspace);
            install
                .args(["install", "cargo-deny", "--version", "0.20.2", "--locked", "--root"])
                .arg(workspace.cache().join("tools"));
            process::run("cargo install cargo-deny", &mut install)?;
        }
        own.into_os_string()
    };
    // The advisory database is not asked: these tests pass or fail by what is in the repository.
    let mut deny = process::command(workspace, program);
    process::run("cargo deny", deny.args(["check", "licenses", "bans", "sources"]))
}
