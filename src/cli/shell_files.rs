//! `roarm completions` and `roarm man`: what a package installs beside the program. Written by the program itself, so that they always
//! tell of its own options.

use std::path::PathBuf;

use clap::{Args, CommandFactory};

use super::exit::{CliError, Exit};
use super::{Arguments, terminal};

#[derive(Args, Debug)]
pub(super) struct CompletionsFlags {
    /// The shell: bash, zsh, fish, elvish or powershell
    shell: clap_complete::Shell,
}

#[derive(Args, Debug)]
pub(super) struct ManFlags {
    /// An existing folder for the pages of roarm and of all its verbs [default: roarm's page on standard output]
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

pub(super) fn completions(flags: &CompletionsFlags) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(flags.shell, &mut Arguments::command(), "roarm", &mut script);
    terminal::print(String::from_utf8_lossy(&script).trim_end());
    Ok(Exit::Done)
}

pub(super) fn man(flags: &ManFlags) -> Result<Exit, CliError> {
    match &flags.folder {
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Arguments::command()).render(&mut page)?;
            terminal::print(String::from_utf8_lossy(&page).trim_end());
        }
        Some(folder) => clap_mangen::generate_to(Arguments::command(), folder).map_err(|error| {
            let folder = folder.display();
            CliError::Arguments(format!(
                "cannot write the pages into {folder}: {error}. Name a folder that exists and that you may write to"
            ))
        })?,
    }
    Ok(Exit::Done)
}
