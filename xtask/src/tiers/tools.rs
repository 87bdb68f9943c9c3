//! Cargo's helpers from crates.io.

use std::ffi::OsString;
use std::process::Command;

use crate::failure::Failure;
use crate::process;
use crate::workspace::Workspace;

/// The program `name`: the machine's own, else this version of it in `.cache/tools`, installed at its first use.
pub(super) fn cargo_tool(workspace: &Workspace, name: &str, version: &str) -> Result<OsString, Failure> {
    if process::succeeds(Command::new(name).arg("--version")) {
        return Ok(name.into());
    }
    let folder = workspace.cache().join("tools");
    let own = folder.join("bin").join(name);
    if !own.is_file() {
        println!("installing {name} into .cache/tools (several minutes, once) …");
        let mut install = process::cargo(workspace);
        install.args(["install", name, "--version", version, "--locked", "--root"]).arg(folder);
        process::run(&format!("cargo install {name}"), &mut install)?;
    }
    Ok(own.into_os_string())
}
