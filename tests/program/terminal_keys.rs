//! Keys of a person at the terminal that `roarm run` was started on.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

use crate::attempt::Attempt;
use crate::support::port::VirtualArm;
use crate::support::repository;

const LIMIT: Duration = Duration::from_secs(120);

/// A program on a terminal of its own.
pub(crate) struct OnTerminal {
    child: Child,
    controller: File,
    said: Arc<Mutex<String>>,
}

impl OnTerminal {
    fn start(attempt: &Attempt) -> Self {
        Self::start_with(attempt.arguments())
    }

    /// `setsid --ctty` makes the terminal the program's controlling one, as a shell's is.
    pub(crate) fn start_with(arguments: impl IntoIterator<Item = String>) -> Self {
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&controller).unwrap();
        unlockpt(&controller).unwrap();
        let name = ptsname(&controller, Vec::new()).unwrap();
        let name = Path::new(name.to_str().unwrap()).to_owned();
        let terminal = || {
            let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
            Stdio::from(open(&name, flags, Mode::empty()).unwrap())
        };
        let child = Command::new("setsid")
            .args(["--ctty", "--wait", env!("CARGO_BIN_EXE_roarm")])
            .args(arguments)
            .stdin(terminal())
            .stderr(terminal())
            .stdout(Stdio::piped())
            .spawn()
            .expect("setsid of util-linux");
        let controller = File::from(controller);
        let said = Arc::new(Mutex::new(String::new()));
        let (heard, mut reading) = (Arc::clone(&said), controller.try_clone().unwrap());
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // The terminal is gone with the program.
            while let Ok(count @ 1..) = reading.read(&mut buffer) {
                heard.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..count]));
            }
        });
        Self { child, controller, said }
    }

    /// Waits until `text` was said after the first `after` bytes; how many there are by then.
    pub(crate) fn wait_until_said(&self, text: &str, after: usize) -> usize {
        let start = Instant::now();
        loop {
            let said = self.said.lock().unwrap();
            if said.get(after..).is_some_and(|said| said.contains(text)) {
                return said.len();
            }
            assert!(start.elapsed() < LIMIT, "never said `{text}`: {said}");
            drop(said);
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn press(&mut self, key: u8) {
        self.type_keys(&[key]);
    }

    /// All at once, as a terminal sends the bytes of an arrow.
    pub(crate) fn type_keys(&mut self, keys: &[u8]) {
        self.controller.write_all(keys).unwrap();
    }

    fn shows_what_is_typed(&self) -> bool {
        tcgetattr(&self.controller).unwrap().local_modes.contains(LocalModes::ICANON | LocalModes::ECHO)
    }

    /// Exit code and the summary.
    pub(crate) fn finish(mut self) -> (Option<i32>, serde_json::Value) {
        let mut stdout = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
        let code = self.child.wait().unwrap().code();
        assert!(self.shows_what_is_typed(), "the terminal is left as it was");
        let summary = stdout.lines().last().unwrap_or_default();
        (code, serde_json::from_str(summary).unwrap_or_else(|error| panic!("{error}: {stdout}")))
    }
}

impl Drop for OnTerminal {
    fn drop(&mut self) {
        // It has ended unless a test failed.
        let _ = self.child.kill();
    }
}

#[test]
fn any_key_while_the_arm_moves_is_an_emergency_stop() {
    for key in *b" q\n" {
        let arm = VirtualArm::start("g1");
        let mut program = OnTerminal::start(&Attempt::at(&arm.port()).patient());
        program.wait_until_said("any key stops the arm", 0);
        program.wait_until_said("running ", 0);
        assert!(!program.shows_what_is_typed(), "keys come one by one");
        program.press(key);
        let (code, summary) = program.finish();
        assert_eq!((code, &summary["ended"]), (Some(4), &"emergency stop".into()), "{summary}");
        let log = arm.end();
        log.assert_held();
        log.assert_steps();
    }
}

#[test]
fn ctrl_c_at_the_terminal_ends_gently() {
    let arm = VirtualArm::start("g1");
    let mut program = OnTerminal::start(&Attempt::at(&arm.port()).patient());
    program.wait_until_said("running ", 0);
    program.press(3);
    let (code, summary) = program.finish();
    assert_eq!((code, &summary["ended"]), (Some(130), &"Ctrl-C".into()), "{summary}");
    arm.end().assert_held();
}

#[test]
fn a_latched_stop_waits_for_its_reset_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("waits.toml");
    let text = "format_version = \"1.0\"\n[safety]\nmax_feedback_age_ms = 2000\nmax_frame_age_ms = 5000\ntable = \"off\"\nafter_stop = \"wait\"\n";
    std::fs::write(&config, text).unwrap();
    let arm = VirtualArm::start("g1");
    let attempt = Attempt::at(&arm.port()).with(&["--config", config.to_str().unwrap()]);
    let mut program = OnTerminal::start(&attempt);
    let running = program.wait_until_said("running ", 0);
    program.press(b' ');
    let stopped = program.wait_until_said("r starts again", running);
    // A key that is none of the two does nothing; the stop is latched.
    program.press(b'x');
    std::thread::sleep(Duration::from_secs(1));
    program.press(b'r');
    let again = program.wait_until_said("running ", stopped);
    program.press(b' ');
    program.wait_until_said("r starts again", again);
    program.press(b'q');
    let (code, summary) = program.finish();
    assert_eq!((code, &summary["ended"]), (Some(4), &"emergency stop".into()), "{summary}");
    assert_eq!(summary["resets"], 1);
    let log = arm.end();
    log.assert_held();
    log.assert_steps();
}

#[test]
fn a_replay_is_paused_and_goes_on_action_by_action() {
    let arm = VirtualArm::start("g1");
    let (port, dataset) = (arm.port().display().to_string(), repository("tests/data/lerobot_v3_av1"));
    let config = repository("tests/program/patient.toml").display().to_string();
    let dataset = dataset.display().to_string();
    let arguments =
        ["replay", "--arm", &port, "--dataset", &dataset, "--episode", "0", "--config", &config, "--json"];
    let mut program = OnTerminal::start_with(arguments.map(str::to_owned));
    program.wait_until_said("space pauses and goes on", 0);
    program.press(b' ');
    program.wait_until_said("running ", 0);
    // Long enough for the whole episode, if it went on.
    std::thread::sleep(Duration::from_secs(8));
    program.press(b'n');
    std::thread::sleep(Duration::from_secs(1));
    program.press(b' ');
    let (code, summary) = program.finish();
    assert_eq!((code, &summary["ended"]), (Some(0), &"the episode is over".into()), "{summary}");
    let log = arm.end();
    log.assert_held();
    log.assert_steps();
    let longest = log.longest_stay_s(0.002);
    assert!(longest > 5.0, "the longest stay was {longest} s");
}
