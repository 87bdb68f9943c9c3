//! `roarm run` with everything right but what a test changes.

use std::path::{Path, PathBuf};

use crate::support::bundle_copy::shipped_bundle;
use crate::support::port::SilentPort;
use crate::support::program::{Ended, Program, roarm};
use crate::support::repository;

/// The flags of a run. The arm stays where it stands until the policy begins.
#[derive(Clone)]
pub(crate) struct Attempt {
    pub(crate) arm: String,
    pub(crate) camera: String,
    pub(crate) policy: PathBuf,
    pub(crate) task: String,
    pub(crate) more: Vec<String>,
}

impl Attempt {
    pub(crate) fn at(port: &Path) -> Self {
        Self {
            arm: port.display().to_string(),
            camera: recorded_camera(""),
            policy: shipped_bundle(),
            task: "Open the gripper.".to_owned(),
            more: ["--json", "--start-pose", "current"].map(str::to_owned).to_vec(),
        }
    }

    pub(crate) fn with(mut self, flags: &[&str]) -> Self {
        self.more.extend(flags.iter().map(|flag| (*flag).to_owned()));
        self
    }

    /// On a busy machine the program, the virtual arm or the recording may stall longer than a run allows. Tests of what a whole
    /// run does accept that; those of the ages themselves do not.
    pub(crate) fn patient(self) -> Self {
        let file = repository("tests/program/patient.toml");
        self.with(&["--config", &file.display().to_string()])
    }

    pub(crate) fn arguments(&self) -> Vec<String> {
        let policy = self.policy.display().to_string();
        let fixed =
            ["run", "--arm", &self.arm, "--camera", &self.camera, "--policy", &policy, "--task", &self.task];
        fixed.map(str::to_owned).into_iter().chain(self.more.iter().cloned()).collect()
    }

    pub(crate) fn start(&self) -> Program {
        Program::start(self.arguments())
    }

    /// Starts it and never reads what it says to people.
    pub(crate) fn start_unheard(&self) -> Program {
        Program::start_unheard(self.arguments())
    }

    pub(crate) fn run(&self) -> Ended {
        roarm(self.arguments())
    }
}

/// The recorded episode 0, with options such as `?loop=0`.
pub(crate) fn recorded_camera(options: &str) -> String {
    format!("dataset:{}:0{options}", repository("tests/data/lerobot_v3_av1").display())
}

/// Runs an attempt that `change` spoils, at a port where the test listens. Asserts the exit code, the parts of the message,
/// and that nothing reached the port.
#[track_caller]
pub(crate) fn refused(code: i32, parts: &[&str], change: impl FnOnce(&mut Attempt)) {
    let port = SilentPort::open();
    let mut attempt = Attempt::at(port.path());
    change(&mut attempt);
    attempt.run().assert_error(code, parts);
    assert_eq!(port.received(), "", "the port was opened");
}
