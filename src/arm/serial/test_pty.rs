//! A pseudo-terminal with a virtual board behind it, in real time.
#![allow(clippy::unwrap_used)]

use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use firmware_protocol::emulator::{Board, BoardOptions};
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

/// The master's end of a pseudo-terminal, raw and non-blocking.
pub(in crate::arm) struct Pty {
    master: OwnedFd,
    slave: PathBuf,
}

impl Pty {
    pub(in crate::arm) fn open() -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        // Raw from the start: a terminal's echo would send the board its own output.
        let mut settings = tcgetattr(&master).unwrap();
        settings.make_raw();
        tcsetattr(&master, OptionalActions::Now, &settings).unwrap();
        fcntl_setfl(&master, OFlags::NONBLOCK).unwrap();
        Self { master, slave: PathBuf::from(std::ffi::OsStr::from_bytes(name.to_bytes())) }
    }

    pub(in crate::arm) fn slave(&self) -> &Path {
        &self.slave
    }

    pub(super) fn master(&self) -> &OwnedFd {
        &self.master
    }

    /// Puts a board behind the terminal, on a thread.
    pub(super) fn serve(self, options: BoardOptions) -> PtyBoard {
        let slave = self.slave.clone();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut board = Board::new(BoardOptions { keep_lines: true, ..options });
            let mut last = Instant::now();
            let mut received = [0; 1024];
            let mut out = Vec::new();
            while !stopped.load(Ordering::Acquire) {
                std::thread::sleep(Duration::from_millis(1));
                // EAGAIN while nothing was sent, EIO while nobody has the slave open.
                while let Ok(count @ 1..) = rustix::io::read(&self.master, &mut received) {
                    board.receive(&received[..count]);
                }
                let now = Instant::now();
                board.advance(now - last);
                last = now;
                out.clear();
                board.transmit(&mut out);
                let mut rest = out.as_slice();
                while let Ok(count @ 1..) = rustix::io::write(&self.master, rest) {
                    rest = &rest[count..];
                }
            }
            board
        });
        PtyBoard { slave, stop, thread }
    }
}

/// A board that runs behind a pseudo-terminal.
pub(super) struct PtyBoard {
    slave: PathBuf,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Board>,
}

impl PtyBoard {
    pub(super) fn slave(&self) -> &Path {
        &self.slave
    }

    /// Ends the board and closes the terminal, as a pulled cable does.
    pub(super) fn end(self) -> Board {
        self.stop.store(true, Ordering::Release);
        self.thread.join().unwrap()
    }
}
