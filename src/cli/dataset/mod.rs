//! `roarm dataset info|check|export|repair`.

mod check;
mod export;
mod export_logs;
mod info;
mod repair;
mod writing;

use std::path::Path;

use clap::Subcommand;

use super::exit::{CliError, Exit};

#[derive(Debug, Subcommand)]
pub(super) enum DatasetVerb {
    /// One page: layout, episodes, tasks, cameras, sizes
    Info(info::InfoFlags),
    /// Everything that is wrong with a dataset, with the fix; and which actions the arm cannot execute
    Check(check::CheckFlags),
    /// Run logs, or some episodes or all of a dataset, as a new dataset of layout v3.0
    Export(export::ExportFlags),
    /// What is sound of a damaged dataset as a new one
    Repair(repair::RepairFlags),
}

impl DatasetVerb {
    /// Whether the result is wanted as JSON.
    pub(super) const fn json(&self) -> bool {
        match self {
            Self::Info(flags) => flags.json,
            Self::Check(flags) => flags.json,
            Self::Export(flags) => flags.json,
            Self::Repair(flags) => flags.json,
        }
    }
}

pub(super) fn dataset(verb: &DatasetVerb) -> Result<Exit, CliError> {
    match verb {
        DatasetVerb::Info(flags) => info::info(flags),
        DatasetVerb::Check(flags) => check::check(flags),
        DatasetVerb::Export(flags) => export::export(flags),
        DatasetVerb::Repair(flags) => repair::repair(flags),
    }
}

/// A wrong path is a wrong argument, not a damaged dataset.
fn must_be_folder(folder: &Path) -> Result<(), CliError> {
    if folder.is_dir() {
        return Ok(());
    }
    Err(CliError::Arguments(format!(
        "{} is no folder: name the dataset's folder, the one that holds meta/ and data/",
        folder.display()
    )))
}
