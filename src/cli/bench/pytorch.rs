//! LeRobot's PyTorch in a process of its own, one chunk for each line that it is sent.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde::{Deserialize, Serialize};

use crate::cli::exit::CliError;
use crate::policy::Device;

/// Travels inside the program, so that it is there wherever the program is.
const SCRIPT: &str = include_str!("../../../models/bench/pytorch_chunks.py");

pub(super) struct PyTorchRequest<'a> {
    pub(super) python: &'a Path,
    pub(super) checkpoint: &'a Path,
    pub(super) vlm: Option<&'a Path>,
    /// Of the weights that the bundle was exported from.
    pub(super) weights_sha256: &'a str,
    pub(super) task: &'a str,
    pub(super) device: Device,
    pub(super) dtype: &'a str,
    pub(super) compile: bool,
    pub(super) threads: usize,
    pub(super) warm_up: u64,
}

impl PyTorchRequest<'_> {
    pub(super) fn label(&self) -> &'static str {
        if self.compile { "PyTorch (torch.compile)" } else { "PyTorch" }
    }
}

/// What the script tells of itself when it is ready.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct PyTorchFacts {
    pub(super) mode: String,
    pub(super) torch: String,
    pub(super) lerobot: String,
    pub(super) device: String,
    pub(super) dtype: String,
    pub(super) threads: usize,
    pub(super) parameters: u64,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Answer<T> {
    Failed { error: String, fix: String },
    Good(T),
}

#[derive(Deserialize)]
struct Chunk {
    ms: f64,
}

pub(super) struct PyTorch {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    facts: PyTorchFacts,
}

impl PyTorch {
    /// Starts it and waits until it is warm.
    pub(super) fn start(request: &PyTorchRequest<'_>) -> Result<Self, CliError> {
        let mut command = Command::new(request.python);
        command.args(["-c", SCRIPT, "--checkpoint"]).arg(request.checkpoint);
        command.args(["--weights-sha256", request.weights_sha256, "--task", request.task]);
        command.args(["--dtype", request.dtype, "--device"]);
        command.arg(match request.device {
            Device::Cpu => "cpu".to_owned(),
            Device::Cuda { index } | Device::TensorRt { index } => format!("cuda:{index}"),
        });
        command.arg("--threads").arg(request.threads.to_string());
        command.arg("--warm-up").arg(request.warm_up.to_string());
        if request.compile {
            command.arg("--compile");
        }
        if let Some(vlm) = request.vlm {
            command.arg("--vlm").arg(vlm);
        }
        let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = spawned
            .map_err(|error| refused(format!("{} cannot be started: {error}", request.python.display())))?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(refused("its pipes cannot be opened".to_owned()));
        };
        let mut output = BufReader::new(output);
        match answer(&mut output) {
            Ok(facts) => Ok(Self { child, input, output, facts }),
            Err(error) => {
                let _ended = child.wait();
                Err(error)
            }
        }
    }

    /// Computes a chunk; its wall time from observation to degrees, ms.
    pub(super) fn chunk(&mut self) -> Result<f64, CliError> {
        let sent = writeln!(self.input, "chunk").and_then(|()| self.input.flush());
        sent.map_err(|error| refused(format!("it ended: {error}")))?;
        answer::<Chunk>(&mut self.output).map(|chunk| chunk.ms)
    }

    /// Ends it.
    pub(super) fn into_facts(self) -> PyTorchFacts {
        let Self { mut child, input, output, facts } = self;
        // The end of its input ends the script.
        drop((input, output));
        let _ended = child.wait();
        facts
    }
}

fn refused(reason: String) -> CliError {
    CliError::Refused(format!(
        "PyTorch cannot be compared with: {reason}. Name a Python that has torch and lerobot 0.4.4 with --python \
         (models/export/setup_environment.py makes one), or leave --against out"
    ))
}

/// The next line that is an object; libraries print lines of their own.
fn answer<T: for<'a> Deserialize<'a>>(output: &mut impl BufRead) -> Result<T, CliError> {
    let mut line = String::new();
    loop {
        line.clear();
        match output.read_line(&mut line) {
            Ok(0) => return Err(refused("it ended without a word; its own message is above".to_owned())),
            Err(error) => return Err(refused(error.to_string())),
            Ok(_) => {}
        }
        match serde_json::from_str(&line) {
            Ok(Answer::Good(good)) => return Ok(good),
            Ok(Answer::Failed { error, fix }) => {
                return Err(CliError::Refused(format!("PyTorch cannot be compared with: {error}. {fix}")));
            }
            Err(_) => {}
        }
    }
}
