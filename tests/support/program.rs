//! The real program as a user starts it: arguments in; exit code, standard output and standard error out.

use std::ffi::OsStr;
use std::fs::Permissions;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// What no run of a test takes, even on a loaded machine. A test that gets here has hung.
const LIMIT: Duration = Duration::from_secs(120);

const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// A running program; killed when dropped.
///
/// It works in an empty folder of its own, so that no `roarm.toml` of the developer's is read.
pub(crate) struct Program {
    child: Child,
    stdout: Output,
    stderr: Output,
    /// Kept until the program has ended.
    _folder: Option<TempDir>,
}

/// How a program ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The exit code; `None` when a signal killed it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// What was written so far, read by a thread so that the program never waits for us.
struct Output {
    text: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Output {
    fn of(mut stream: impl Read + Send + 'static) -> Self {
        let text = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&text);
        let reader = std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = stream.read(&mut buffer) {
                shared.lock().unwrap().extend_from_slice(&buffer[..count]);
            }
        });
        Self { text, reader: Some(reader) }
    }

    fn so_far(&self) -> String {
        String::from_utf8_lossy(&self.text.lock().unwrap()).into_owned()
    }

    fn whole(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        self.so_far()
    }
}

/// The program, with the ONNX Runtime of `cargo xtask setup`.
fn command<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = pipes(Command::new(env!("CARGO_BIN_EXE_roarm")));
    command.args(arguments).env("ORT_DYLIB_PATH", super::onnxruntime());
    command
}

fn pipes(mut command: Command) -> Command {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

impl Program {
    /// Starts `roarm ARGUMENTS`.
    pub(crate) fn start<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = command(arguments);
        Self::spawn(command.current_dir(folder.path()), Some(folder))
    }

    /// Starts `roarm ARGUMENTS` with more in its environment.
    pub(crate) fn start_with<S: AsRef<OsStr>>(
        arguments: impl IntoIterator<Item = S>,
        environment: &[(&str, &OsStr)],
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = command(arguments);
        Self::spawn(command.envs(environment.iter().copied()).current_dir(folder.path()), Some(folder))
    }

    /// Starts `roarm ARGUMENTS` in a folder.
    pub(crate) fn start_in<S: AsRef<OsStr>>(folder: &Path, arguments: impl IntoIterator<Item = S>) -> Self {
        Self::spawn(command(arguments).current_dir(folder), None)
    }

    /// Starts a copy of the program as a user who is neither root nor the owner of anything, `nobody` (65534).
    pub(crate) fn start_as_nobody<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        let copy = folder.path().join("roarm");
        std::fs::copy(env!("CARGO_BIN_EXE_roarm"), &copy).unwrap();
        let mut command = pipes(Command::new(copy));
        Self::spawn(command.args(arguments).current_dir(folder.path()).uid(65534).gid(65534), Some(folder))
    }

    fn spawn(command: &mut Command, folder: Option<TempDir>) -> Self {
        let mut child = command.spawn().expect("the program starts");
        let stdout = Output::of(child.stdout.take().unwrap());
        let stderr = Output::of(child.stderr.take().unwrap());
        Self { child, stdout, stderr, _folder: folder }
    }

    /// Starts `roarm ARGUMENTS` and closes our end of its standard error at once.
    pub(crate) fn start_unheard<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = command(arguments);
        let mut child = command.current_dir(folder.path()).spawn().expect("the program starts");
        drop(child.stderr.take());
        let stdout = Output::of(child.stdout.take().unwrap());
        Self { child, stdout, stderr: Output::of(std::io::empty()), _folder: Some(folder) }
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("the program still runs");
    }

    /// Waits until standard error holds `text`.
    #[track_caller]
    pub(crate) fn wait_until_said(&mut self, text: &str) {
        let begun = Instant::now();
        while !self.stderr.so_far().contains(text) {
            let over = self.child.try_wait().unwrap().is_some();
            let hung = begun.elapsed() > LIMIT;
            if over || hung {
                // The last words may have arrived in between.
                let said = if over { self.stderr.whole() } else { self.stderr.so_far() };
                assert!(said.contains(text), "`{text}` was never said (ended: {over}):\n{said}");
                return;
            }
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    /// What it has said to people so far.
    pub(crate) fn said(&self) -> String {
        self.stderr.so_far()
    }

    /// Waits until the program has ended by itself.
    #[track_caller]
    pub(crate) fn finish(mut self) -> Ended {
        let status = self.wait();
        Ended { code: status.code(), stdout: self.stdout.whole(), stderr: self.stderr.whole() }
    }

    #[track_caller]
    fn wait(&mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(begun.elapsed() < LIMIT, "still running after {LIMIT:?}:\n{}", self.stderr.so_far());
            std::thread::sleep(LOOK_AGAIN);
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Both fail once it has ended, as they should.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs `roarm ARGUMENTS` to its end.
#[track_caller]
pub(crate) fn roarm<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Ended {
    Program::start(arguments).finish()
}

impl Ended {
    /// The object on the last line of standard output.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        let last = self.stdout.lines().last().unwrap_or_else(|| panic!("nothing on standard output: {self}"));
        serde_json::from_str(last).unwrap_or_else(|error| panic!("{error} in the last line of: {self}"))
    }

    /// The summary of a run, all of whose fields are there.
    #[track_caller]
    pub(crate) fn summary(&self) -> serde_json::Value {
        let summary = self.json();
        let number = |value: &serde_json::Value, name: &str| {
            assert!(value[name].is_number(), "{name} is no number in {value}");
        };
        assert!(summary["ended"].is_string() && summary["ok"].is_boolean(), "{summary}");
        for count in ["ticks", "missed_ticks", "chunks", "commands_sent"] {
            assert!(summary[count].is_u64(), "{count} is no count in {summary}");
        }
        number(&summary, "feedback_hz");
        for quantile in ["p50", "p95"] {
            number(&summary["chunk_ms"], quantile);
        }
        for quantile in ["p50", "p99", "max"] {
            number(&summary["tick_jitter_us"], quantile);
        }
        let gate = summary["gate"].as_object().unwrap_or_else(|| panic!("no gate in {summary}"));
        assert!(!gate.is_empty() && gate.values().all(serde_json::Value::is_u64), "{summary}");
        for rule in ["finite", "trained_range", "joint_limits", "velocity", "acceleration"] {
            assert!(gate.contains_key(rule), "{summary}");
        }
        summary
    }

    /// Asserts the exit code.
    #[track_caller]
    pub(crate) fn assert_code(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// Asserts an error: its exit code, one line that begins with `error:` and holds all of `parts`, and no result.
    #[track_caller]
    pub(crate) fn assert_error(&self, code: i32, parts: &[&str]) {
        self.assert_code(code);
        let message = self.stderr.split("error: ").nth(1).unwrap_or_else(|| panic!("no error told: {self}"));
        super::bundle_copy::assert_says(message, parts);
        assert!(!self.stderr.contains("panicked"), "{self}");
        // With `--json` the error is the result.
        for result in self.stdout.lines() {
            let result: serde_json::Value = serde_json::from_str(result).unwrap();
            assert_eq!(result["ok"], false);
            super::bundle_copy::assert_says(result["error"].as_str().unwrap(), parts);
        }
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { code, stdout, stderr } = self;
        write!(formatter, "exit code {code:?}\n-- standard output\n{stdout}\n-- standard error\n{stderr}")
    }
}
