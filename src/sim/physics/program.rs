//! The program that computes: started, spoken to by pipes, and ended.

use std::fmt;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::sim::SimError;

/// A program that does not answer for so long hangs: Python alone takes seconds to start on a busy machine, a step takes none.
const PATIENCE: Duration = Duration::from_secs(30);
/// A program that has lost its input ends by itself within this, or is killed.
const FAREWELL: Duration = Duration::from_secs(2);

/// A program and its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhysicsProgram {
    words: Vec<String>,
    patience: Duration,
}

impl PhysicsProgram {
    /// A command line: program and arguments, divided by spaces. `None` without a word.
    pub fn parse(text: &str) -> Option<Self> {
        let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        (!words.is_empty()).then_some(Self { words, patience: PATIENCE })
    }

    /// Another patience than half a minute for each answer.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }
}

impl fmt::Display for PhysicsProgram {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.words.join(" "))
    }
}

/// A running program; ended when dropped.
#[derive(Debug)]
pub(super) struct Running {
    program: PhysicsProgram,
    child: Child,
    /// Taken away at the end, which tells the program to end.
    input: Option<ChildStdin>,
    output: ChildStdout,
}

impl Running {
    pub(super) fn start(program: &PhysicsProgram) -> Result<Self, SimError> {
        let failed = |source| SimError::PhysicsStart { program: program.to_string(), source };
        let (name, arguments) =
            program.words.split_first().ok_or_else(|| failed(ErrorKind::NotFound.into()))?;
        let mut child = Command::new(name)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Ctrl-C is for this program, which ends the other
            .process_group(0)
            .spawn()
            .map_err(failed)?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(input), Some(output)) => {
                Ok(Self { program: program.clone(), child, input: Some(input), output })
            }
            _ => Err(failed(ErrorKind::BrokenPipe.into())),
        }
    }

    pub(super) fn send(&mut self, bytes: &[u8]) -> Result<(), SimError> {
        let sent = match &mut self.input {
            Some(input) => input.write_all(bytes).and_then(|()| input.flush()),
            None => Err(ErrorKind::BrokenPipe.into()),
        };
        sent.map_err(|error| self.ended(&error))
    }

    /// Waits until `buffer` is full.
    pub(super) fn receive(&mut self, buffer: &mut [u8]) -> Result<(), SimError> {
        let until = Instant::now() + self.program.patience;
        let mut filled = 0;
        while filled < buffer.len() {
            let left = until.saturating_duration_since(Instant::now());
            let wait = Timespec::try_from(left).ok();
            match poll(&mut [PollFd::new(&self.output, PollFlags::IN)], wait.as_ref()) {
                Ok(0) => {
                    let seconds = self.program.patience.as_secs_f64();
                    return Err(SimError::PhysicsSilent { program: self.program.to_string(), seconds });
                }
                Ok(_) => match self.output.read(&mut buffer[filled..]) {
                    Ok(0) => return Err(self.ended(&ErrorKind::UnexpectedEof.into())),
                    Ok(count) => filled += count,
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => return Err(self.ended(&error)),
                },
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(self.ended(&error.into())),
            }
        }
        Ok(())
    }

    /// What it answered cannot be.
    pub(super) fn wrong(&self, what: String) -> SimError {
        SimError::PhysicsAnswer { program: self.program.to_string(), what }
    }

    fn ended(&mut self, error: &std::io::Error) -> SimError {
        let how = match self.farewell() {
            Some(status) => status.to_string(),
            None => error.to_string(),
        };
        SimError::PhysicsEnded { program: self.program.to_string(), how }
    }

    /// Takes its input away and waits for its end; `None` if it does not come.
    fn farewell(&mut self) -> Option<std::process::ExitStatus> {
        self.input = None;
        let until = Instant::now() + FAREWELL;
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return Some(status),
                Ok(None) if Instant::now() < until => std::thread::sleep(Duration::from_millis(5)),
                _ => return None,
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.farewell().is_none() {
            // it ended in this very moment, or it is killed: both are its end
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
