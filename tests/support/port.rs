//! Serial ports for the program: a virtual arm in another process, and pseudo-terminals whose other end the test holds.

use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use firmware_protocol::emulator::{Board, BoardOptions};
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::process::Signal;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use tempfile::TempDir;

use super::board_log::BoardLog;
use super::program::Program;

/// `roarm sim` in a process of its own, with its log.
pub(crate) struct VirtualArm {
    program: Program,
    folder: TempDir,
}

impl VirtualArm {
    pub(crate) fn start(firmware: &str) -> Self {
        Self::start_with(firmware, &[])
    }

    /// With more flags of `roarm sim`.
    pub(crate) fn start_with(firmware: &str, more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (link, log) = (folder.path().join("arm"), folder.path().join("board.log"));
        let fixed = [
            OsStr::new("sim"),
            OsStr::new("--firmware"),
            OsStr::new(firmware),
            OsStr::new("--link"),
            link.as_os_str(),
            OsStr::new("--log"),
            log.as_os_str(),
        ];
        let mut program = Program::start(fixed.into_iter().chain(more.iter().map(OsStr::new)));
        program.wait_until_said("virtual RoArm-M3");
        Self { program, folder }
    }

    /// The stable link to its port.
    pub(crate) fn port(&self) -> PathBuf {
        self.folder.path().join("arm")
    }

    /// Kills it at once, as a pulled cable ends a real one.
    pub(crate) fn cut(&self) {
        self.program.signal(Signal::KILL);
        // The system gives the terminal's number to the next one: a link that is left behind would lead to another test's arm.
        std::fs::remove_file(self.port()).unwrap();
    }

    /// Ends it and gives what it saw.
    pub(crate) fn end(self) -> BoardLog {
        self.program.signal(Signal::INT);
        self.program.finish().assert_code(0);
        assert!(!self.folder.path().join("arm").is_symlink(), "the link is taken away at the end");
        BoardLog::read(&self.folder.path().join("board.log"))
    }
}

/// A pseudo-terminal. Nothing answers at it unless the test does.
pub(crate) struct SilentPort {
    controller: OwnedFd,
    path: PathBuf,
}

impl SilentPort {
    pub(crate) fn open() -> Self {
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&controller).unwrap();
        unlockpt(&controller).unwrap();
        let name = ptsname(&controller, Vec::new()).unwrap();
        // Raw from the start: a terminal's echo would send the program its own lines.
        let mut settings = tcgetattr(&controller).unwrap();
        settings.make_raw();
        tcsetattr(&controller, OptionalActions::Now, &settings).unwrap();
        fcntl_setfl(&controller, OFlags::NONBLOCK).unwrap();
        let path = PathBuf::from(OsStr::from_bytes(name.to_bytes()));
        Self { controller, path }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Everything that was written to the port since the last call. The handshake goes out as soon as a port is opened, so
    /// nothing here means that it never was.
    pub(crate) fn received(&self) -> String {
        let mut text = Vec::new();
        let mut buffer = [0; 4096];
        // EAGAIN when nothing is left, EIO when the program has closed the port.
        while let Ok(count @ 1..) = rustix::io::read(&self.controller, &mut buffer) {
            text.extend_from_slice(&buffer[..count]);
        }
        String::from_utf8(text).unwrap()
    }
}

/// A pseudo-terminal at which something answers, on a thread.
pub(crate) struct AnsweringPort {
    path: PathBuf,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<String>>,
}

impl AnsweringPort {
    /// An arm whose servos have no supply: the board itself is on and sends what its memory held when it booted.
    pub(crate) fn servos_without_supply() -> Self {
        let mut options = BoardOptions::new(firmware_protocol::Generation::G1);
        options.servos.dead = [true; 7];
        let mut board = Board::new(options);
        Self::start(move |received, elapsed, out| {
            board.receive(received.as_bytes());
            board.advance(elapsed);
            board.transmit(out);
        })
    }

    /// A board that sends text and never feedback.
    pub(crate) fn text_only() -> Self {
        Self::start(|_, _, out| out.extend_from_slice(b"File Not Found\r\n"))
    }

    /// `answer` is given what arrived and the time since it was last asked.
    fn start(mut answer: impl FnMut(&str, Duration, &mut Vec<u8>) + Send + 'static) -> Self {
        let port = SilentPort::open();
        let path = port.path().to_owned();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut last = Instant::now();
            let (mut out, mut log) = (Vec::new(), String::new());
            while !stopped.load(Ordering::Acquire) {
                std::thread::sleep(Duration::from_millis(5));
                let now = Instant::now();
                let received = port.received();
                log.push_str(&received);
                out.clear();
                answer(&received, now - last, &mut out);
                last = now;
                // A port that nobody reads loses bytes; so does this one.
                let _ = rustix::io::write(&port.controller, &out);
            }
            log
        });
        Self { path, stop, thread: Some(thread) }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Everything that was written to the port.
    pub(crate) fn end(mut self) -> String {
        self.stop.store(true, Ordering::Release);
        self.thread.take().unwrap().join().unwrap()
    }
}

impl Drop for AnsweringPort {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
    }
}
