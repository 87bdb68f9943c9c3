//! `--log`: a run log of what follows.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::{Args, ValueEnum};
use sha2::{Digest, Sha256};

use super::exit::CliError;
use super::plan::{self, PolicyFlags};
use super::terminal;
use crate::config::Config;
use crate::control::ControlParameters;
use crate::episode::run_log::{
    CameraRecord, FORMAT, FileHash, LogFile, PolicyRecord, RunLogWriter, RunRecord, create_log_file,
    log_file_name,
};
use crate::inject::{Drill, FaultPlace};
use crate::policy::Bundle;
use crate::runtime::{self, Recording};

/// What is recorded.
#[derive(Args, Clone, Debug)]
pub(super) struct LogFlags {
    /// Record the run: a file that ends in .mcap, or a folder for a file named after time and task
    #[arg(long, value_name = "DIR|FILE")]
    log: Option<PathBuf>,
    /// Pictures to record: those that the policy sees, or all
    #[arg(long, value_name = "WHICH", value_enum, default_value_t = LogFrames::Policy)]
    log_frames: LogFrames,
}

impl LogFlags {
    /// Whether the run is to be recorded.
    pub(super) const fn is_asked_for(&self) -> bool {
        self.log.is_some()
    }
}

/// Which pictures are recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFrames {
    /// Those that the policy sees
    Policy,
    /// Every picture of every camera
    All,
}

/// What the log says of a run before it begins.
pub(super) struct RunFacts<'a> {
    pub(super) verb: &'static str,
    pub(super) task: &'a str,
    pub(super) arm: String,
    pub(super) seed: u64,
    /// Of inference.
    pub(super) threads: usize,
    pub(super) configuration: ConfigurationText,
    /// One line for each camera, by slot.
    pub(super) cameras: Vec<String>,
    pub(super) bundle: &'a Bundle,
    pub(super) inference: &'a PolicyFlags,
    pub(super) config: &'a Config,
}

/// A configuration file as it was read; empty where there was none.
#[derive(Clone, Debug, Default)]
pub(super) struct ConfigurationText {
    pub(super) file: String,
    pub(super) text: String,
}

/// A log whose file is there and empty. Dropped before it begins, it takes the file away again.
pub(super) struct PlannedLog {
    file: Option<File>,
    path: PathBuf,
    all_frames: bool,
    wall_start_ns: u64,
    verb: &'static str,
    task: String,
    arm: String,
    configuration: ConfigurationText,
    cameras: Vec<CameraRecord>,
    policy: PolicyRecord,
    hashes: Vec<FileHash>,
}

/// Makes the log's file, if there shall be one. Nothing has moved yet, so that a disk that is full or a name that is taken costs nothing.
pub(super) fn plan_log(
    flags: &LogFlags,
    drill: Option<&Drill>,
    facts: RunFacts<'_>,
) -> Result<Option<PlannedLog>, CliError> {
    let Some(target) = &flags.log else {
        if let Some(fault) = drill.and_then(|drill| drill.at(FaultPlace::Disk).next()) {
            return Err(CliError::Arguments(format!(
                "--inject {}: this happens to the run log: add --log DIR",
                fault.timed
            )));
        }
        return Ok(None);
    };
    let RunFacts { verb, task, arm, seed, threads, configuration, cameras, bundle, inference, config } =
        facts;
    // Told before a file is made.
    let hashes = hashes(bundle, inference, config)?;
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let wall_start_ns = u64::try_from(since.as_nanos()).unwrap_or_default();
    let (path, file) = create_log_file(target, &log_file_name(wall_start_ns, task))?;
    terminal::say(format!("recording to {}", path.display()));
    let cameras = bundle.slots().iter().zip(cameras);
    Ok(Some(PlannedLog {
        file: Some(file),
        path,
        all_frames: flags.log_frames == LogFrames::All,
        wall_start_ns,
        verb,
        task: task.to_owned(),
        arm,
        configuration,
        cameras: cameras
            .map(|(slot, source)| CameraRecord { name: slot.short_name().to_owned(), source })
            .collect(),
        policy: PolicyRecord {
            folder: absolute(bundle.folder()).display().to_string(),
            device: plan::device(inference, config).to_string(),
            noise_seed: seed,
            chunking: plan::real_time_chunking(&config.policy.chunks),
            threads,
            action_scale: config.policy.action_scale as f32,
        },
        hashes,
    }))
}

impl PlannedLog {
    /// Begins the log with all that is known now.
    pub(super) fn begin(
        mut self,
        parameters: &ControlParameters,
        firmware: String,
        tick_period: Duration,
        drill: Option<&Drill>,
    ) -> Result<Recording, CliError> {
        let run = RunRecord {
            format: FORMAT,
            program: concat!("roarm ", env!("CARGO_PKG_VERSION")).to_owned(),
            verb: self.verb.to_owned(),
            wall_start_ns: self.wall_start_ns,
            start: runtime::now(),
            task: std::mem::take(&mut self.task),
            configuration_file: std::mem::take(&mut self.configuration.file),
            configuration: std::mem::take(&mut self.configuration.text),
            arm: std::mem::take(&mut self.arm),
            firmware,
            tick_period,
            cameras: std::mem::take(&mut self.cameras),
            policy: std::mem::take(&mut self.policy),
            hashes: std::mem::take(&mut self.hashes),
            parameters: parameters.clone(),
        };
        let Some(file) = self.file.take() else {
            return Err(CliError::Refused("the run log was begun twice".to_owned()));
        };
        let file: Box<dyn LogFile> = Box::new(file);
        let file = match drill {
            Some(drill) => drill.log_file(file),
            None => file,
        };
        let writer = RunLogWriter::create(file, &run).map_err(crate::episode::run_log::RunLogError::from)?;
        Ok(Recording { writer, path: self.path.clone(), all_frames: self.all_frames })
    }
}

impl Drop for PlannedLog {
    fn drop(&mut self) {
        if self.file.is_some() {
            // The error that led here is told; an empty log says nothing.
            let _told_already = std::fs::remove_file(&self.path);
        }
    }
}

fn hashes(bundle: &Bundle, inference: &PolicyFlags, config: &Config) -> Result<Vec<FileHash>, CliError> {
    let of = |of: &str, path: &Path, sha256: String| FileHash {
        of: of.to_owned(),
        path: absolute(path).display().to_string(),
        sha256,
    };
    let program = std::env::current_exe()?;
    let library = plan::onnxruntime(inference, config)?;
    Ok(vec![
        of("program", &program, sha256(&program)?),
        of("onnxruntime", &library, sha256(&library)?),
        of("bundle", bundle.folder(), bundle.digest().to_owned()),
    ])
}

/// The log may be looked at from another folder.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

fn sha256(path: &Path) -> Result<String, CliError> {
    let failed = |source: io::Error| CliError::File { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(failed)?;
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut buffer).map_err(failed)? {
            0 => break,
            count => hash.update(&buffer[..count]),
        }
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
