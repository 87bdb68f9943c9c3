//! The virtual environment of the light Python tests.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::{digest, prerequisites};
use crate::failure::Failure;
use crate::process;
use crate::workspace::Workspace;

/// A virtual environment in `.cache/` whose content is one complete list of pinned packages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PythonEnvironment {
    /// Folder below `.cache/`.
    pub(crate) folder: &'static str,
    /// The list, path from the repository's root. Installed without looking at what the packages ask for: all is on it.
    pub(crate) requirements: &'static str,
}

impl PythonEnvironment {
    /// The environment's interpreter. It is made when absent, and anew when the list has changed; otherwise no network is touched.
    pub(crate) fn prepare(&self, workspace: &Workspace) -> Result<PathBuf, Failure> {
        let folder = workspace.cache().join(self.folder);
        let interpreter = folder.join("bin/python");
        let stamp = folder.join("requirements.sha256");
        let wanted = digest::of_file(&workspace.join(self.requirements))?;

        let _lock = super::lock(workspace)?;
        // Starting it, too: after an upgrade of the system's Python the environment's links lead nowhere.
        let ready = fs::read_to_string(&stamp).is_ok_and(|found| found == wanted);
        if ready && process::succeeds(Command::new(&interpreter).arg("--version")) {
            return Ok(interpreter);
        }
        prerequisites::check_python()?;
        println!("making the Python environment .cache/{} from {} …", self.folder, self.requirements);
        process::run(
            "python3 -m venv",
            Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder),
        )?;
        let mut pip = process::command(workspace, &interpreter);
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]);
        pip.args(["-r", self.requirements]);
        process::run("pip install (see its lines above; it needs the network)", &mut pip)?;
        fs::write(&stamp, wanted).map_err(|error| Failure::io("write", &stamp, &error))?;
        Ok(interpreter)
    }
}
