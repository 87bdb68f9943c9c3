//! `roarm dataset export`: some episodes of a dataset or of run logs, or all, as a new dataset.

use std::path::{Path, PathBuf};

use clap::Args;

use super::writing::{self, Written};
use super::{export_logs, must_be_folder};
use crate::cli::exit::{CliError, Exit};
use crate::cli::terminal;
use crate::episode::{Dataset, DatasetEpisodes, storage_of};

#[derive(Args, Debug)]
pub(in crate::cli) struct ExportFlags {
    /// Run logs (.mcap), in the order of their episodes; or one dataset's folder (the one that holds meta/ and data/), of LeRobot v2.0,
    /// v2.1 or v3.0
    #[arg(required = true, value_name = "RUNLOG|DIR")]
    pub(super) from: Vec<PathBuf>,
    /// The new dataset's folder, LeRobot v3.0; it must not exist yet, or be empty
    #[arg(long, value_name = "NEW")]
    pub(super) out: PathBuf,
    /// Episodes to take, in this order, such as 0,2-5 [default: all]
    #[arg(long, value_name = "LIST")]
    episodes: Option<String>,
    /// Store pictures as PNG inside the data files: nothing is lost [default: as they were; of run logs: video]
    #[arg(long, conflicts_with = "video")]
    pub(super) images: bool,
    /// Store pictures as H.264 video [default: as they were; of run logs: video]
    #[arg(long)]
    pub(super) video: bool,
    /// Frames a second [default: the rate of the policy's actions]
    #[arg(long, value_name = "HZ", help_heading = "With run logs")]
    pub(super) fps: Option<f64>,
    /// Write the episodes that failed or are incomplete into a dataset of their own [default: leave them out]
    #[arg(long, value_name = "DIR", help_heading = "With run logs")]
    pub(super) failed: Option<PathBuf>,
    /// Say what would be written, and write nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Print one JSON object on the last line of standard output
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) fn export(flags: &ExportFlags) -> Result<Exit, CliError> {
    let dir = match flags.from.as_slice() {
        [dir] if !is_log(dir) => dir,
        logs if logs.iter().all(|log| is_log(log)) => {
            if flags.episodes.is_some() {
                return Err(CliError::Arguments(
                    "--episodes chooses from a dataset: of run logs name those whose episodes you want"
                        .to_owned(),
                ));
            }
            return export_logs::export(flags);
        }
        _ => {
            return Err(CliError::Arguments(
                "give run logs (files that end in .mcap), or one dataset's folder".to_owned(),
            ));
        }
    };
    must_be_folder(dir)?;
    if let Some(flag) = flags.fps.map(|_| "--fps").or(flags.failed.as_ref().map(|_| "--failed")) {
        return Err(CliError::Arguments(format!(
            "{flag} is for run logs: a dataset's frames stay as they are"
        )));
    }
    let dataset = Dataset::open(dir)?;
    let all = dataset.episode_count();
    let episodes = match &flags.episodes {
        Some(text) => parse_episodes(text, all).map_err(CliError::Arguments)?,
        None => (0..all).collect(),
    };
    if !dataset.other_features().is_empty() {
        let others = dataset.other_features().join(", ");
        terminal::say(format!("not carried over, since nothing here reads them: {others}"));
    }
    let dropped: Vec<usize> = (0..all).filter(|number| !episodes.contains(number)).collect();
    if flags.dry_run {
        let mut frames = 0;
        for number in &episodes {
            frames += dataset.episode_length(*number)?;
        }
        let text =
            format!("would write {} episodes, {frames} frames to {}", episodes.len(), flags.out.display());
        if flags.json {
            let (out, episodes) = (flags.out.clone(), episodes.len());
            terminal::say(text);
            terminal::print_json(&Written { ok: true, out, episodes, frames, dropped, dry_run: true });
        } else {
            terminal::print(text);
        }
        return Ok(Exit::Done);
    }
    let storage = writing::storage(flags.images, flags.video, storage_of(dataset.cameras()));
    let mut source = DatasetEpisodes::new(&dataset, episodes);
    writing::write(&mut source, &flags.out, storage, dropped, flags.json)
}

fn is_log(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "mcap")
}

/// `0,2-5` as numbers below `count`, in the order in which they stand.
fn parse_episodes(text: &str, count: usize) -> Result<Vec<usize>, String> {
    let wrong = |part: &str| {
        format!(
            "--episodes {text}: `{part}` is no episode of 0 to {}; write numbers and ranges such as 0,2-5",
            count.saturating_sub(1)
        )
    };
    let mut episodes = Vec::new();
    for part in text.split(',').map(str::trim) {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let number = |text: &str| text.trim().parse::<usize>().ok().filter(|number| *number < count);
        let (Some(from), Some(to)) = (number(from), number(to)) else { return Err(wrong(part)) };
        if from > to {
            return Err(wrong(part));
        }
        for number in from..=to {
            if episodes.contains(&number) {
                return Err(format!("--episodes {text}: episode {number} stands twice"));
            }
            episodes.push(number);
        }
    }
    Ok(episodes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_ranges_of_episodes() {
        assert_eq!(parse_episodes("0,2-5", 6), Ok(vec![0, 2, 3, 4, 5]));
        assert_eq!(parse_episodes(" 3 , 1-1", 6), Ok(vec![3, 1]));
        for wrong in ["", "6", "0-6", "5-2", "a", "0,,1", "-1"] {
            assert!(parse_episodes(wrong, 6).is_err_and(|text| text.contains("0 to 5")), "{wrong}");
        }
        assert!(parse_episodes("0-3,2", 6).is_err_and(|text| text.contains("episode 2 stands twice")));
    }
}
