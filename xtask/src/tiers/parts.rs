//! The parts of the tiers.

use super::{Tier, fuzz, python, tools};
use crate::failure::Failure;
use crate::workspace::Workspace;
use crate::{coverage, dist, process};

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
        run: rust,
    },
    Part {
        name: "kills",
        title: "100 runs killed at random moments, and the manual's table of faults",
        tier: Tier::TestFull,
        obstacle: |_| None,
        run: |workspace| {
            let arguments = ["test", "-p", "roarm", "--test", "program", "--", "--ignored", "faults::"];
            process::run("kill series", process::cargo(workspace).args(arguments))
        },
    },
    Part {
        name: "replay",
        title: "a live run of a minute, played again to the last bit",
        tier: Tier::TestFull,
        obstacle: |_| None,
        run: |workspace| {
            let arguments =
                ["test", "-p", "roarm", "--test", "program", "--", "--ignored", "a_run_of_sixty_seconds"];
            process::run("replay of a minute", process::cargo(workspace).args(arguments))
        },
    },
    Part {
        name: "small-disk",
        title: "a run log and a recording on a file system that fills up",
        tier: Tier::TestFull,
        obstacle: small_disk_obstacle,
        run: |workspace| {
            let arguments = ["test", "-p", "roarm", "--test", "program", "--", "--ignored", "small_disk::"];
            process::run("small disk", process::cargo(workspace).args(arguments))
        },
    },
    Part {
        name: "no-std",
        title: "a program without the standard library and without an allocator uses firmware-protocol's core",
        tier: Tier::Test,
        obstacle: |_| None,
        run: no_std_program,
    },
    Part {
        name: "python",
        title: "the shipped bundle judged by ONNX Runtime and NumPy in Python",
        tier: Tier::Test,
        obstacle: |workspace| missing(workspace, "models/export/tests/light"),
        run: python::light,
    },
    Part {
        name: "clients",
        title: "the official Python client `roarm-sdk` on virtual arms",
        tier: Tier::Test,
        obstacle: |workspace| missing(workspace, "tests/clients"),
        run: python::clients,
    },
    Part {
        name: "coverage",
        title: "lines of the control core that its own tests run",
        tier: Tier::TestFull,
        obstacle: coverage::obstacle,
        run: coverage::run,
    },
    Part {
        name: "exporter",
        title: "the exporter against LeRobot and PyTorch (makes an environment of several GB once)",
        tier: Tier::TestFull,
        obstacle: |workspace| missing(workspace, "models/export/tests/heavy"),
        run: python::exporter,
    },
    Part {
        name: "datasets",
        title: "datasets that `roarm dataset` writes, opened, compared and trained on by LeRobot itself",
        tier: Tier::TestFull,
        obstacle: |workspace| missing(workspace, "tests/lerobot"),
        run: python::datasets,
    },
    Part {
        name: "mujoco",
        title: "expert and policy of the demo in MuJoCo's contact physics, the policy 100 times over a serial port in real time",
        tier: Tier::TestFull,
        obstacle: |workspace| missing(workspace, "tests/mujoco"),
        run: python::mujoco,
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
        name: "fuzz",
        title: "each fuzz target for 20 s; `cargo xtask soak` goes on from there",
        tier: Tier::TestFull,
        obstacle: |_| None,
        run: fuzz::all,
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

/// The test mounts a file system in a namespace of its own.
fn small_disk_obstacle(_: &Workspace) -> Option<String> {
    let mut unshare = std::process::Command::new("unshare");
    unshare.args(["--user", "--map-root-user", "--mount", "true"]);
    let works = unshare.stderr(std::process::Stdio::null()).status().is_ok_and(|status| status.success());
    (!works).then(|| {
        "`unshare --user --map-root-user --mount true` fails: allow user namespaces (sysctl kernel.unprivileged_userns_clone=1), \
         and install util-linux"
            .to_owned()
    })
}

/// The property tests draw the same cases in every run, so that the verdict depends on the change alone; plain `cargo test` and the
/// soak draw fresh ones.
fn rust(workspace: &Workspace) -> Result<(), Failure> {
    let mut cargo = process::cargo(workspace);
    cargo.args(["test", "--workspace"]).env("PROPTEST_RNG_SEED", "1");
    process::run("cargo test", &mut cargo)
}

/// It links only if the core asks neither for `std` nor for an allocator, and ends with 0 only if the core works.
fn no_std_program(workspace: &Workspace) -> Result<(), Failure> {
    let mut cargo = process::cargo(workspace);
    cargo.args([
        "run",
        "--quiet",
        "--locked",
        "--manifest-path",
        "firmware-protocol/tests/no_std_program/Cargo.toml",
    ]);
    if std::env::var_os("CARGO_TARGET_DIR").is_none() {
        cargo.arg("--target-dir").arg(workspace.join("target"));
    }
    process::run("firmware-protocol/tests/no_std_program", &mut cargo)
}

fn missing(workspace: &Workspace, path: &str) -> Option<String> {
    (!workspace.join(path).exists()).then(|| format!("{path} is not in this checkout"))
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
    // The advisory database is not asked: these tests pass or fail by what is in the repository.
    let mut deny = process::command(workspace, tools::cargo_tool(workspace, "cargo-deny", "0.20.2")?);
    process::run("cargo deny", deny.args(["check", "licenses", "bans", "sources"]))
}
