//! A virtual RoArm-M3 behind a pseudo-terminal, in real time: for any client that opens a serial port.

mod line_log;
mod terminal;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use calibration::JointAngles;
use firmware_protocol::Generation;
use firmware_protocol::emulator::{Board, BoardOptions};

pub use line_log::LoggedLine;

use super::{ArmPose, SimError};
use line_log::{LogFile, ReceivedLines};
use terminal::{Client, StableLink, Terminal};

/// How a virtual board is offered.
#[derive(Clone, Debug, PartialEq)]
pub struct PtyBoardOptions {
    /// Firmware generation. Default G1.
    pub generation: Generation,
    /// A stable name: a symbolic link to the pseudo-terminal, removed at the end. Default none.
    pub link: Option<PathBuf>,
    /// A file for every line and its time on the board's clock: `12.345678 > {…}` to the board, `<` from it. Default none.
    pub log: Option<PathBuf>,
    /// Whether the board starts as after power-on: boot text, homing motion, then the loop. Default false.
    pub boot: bool,
}

impl Default for PtyBoardOptions {
    fn default() -> Self {
        Self { generation: Generation::G1, link: None, log: None, boot: false }
    }
}

/// A virtual board at work on its own thread until it is stopped or dropped.
///
/// Clients may come and go: as on a real port, what the board says while nobody has the port open is lost, and so is what a
/// client does not read in time.
#[derive(Debug)]
pub struct PtyBoard {
    path: PathBuf,
    pose: ArmPose,
    received: Arc<Mutex<ReceivedLines>>,
    stop: Arc<AtomicBool>,
    failure: Arc<Mutex<Option<SimError>>>,
    thread: Option<JoinHandle<()>>,
    link: Option<StableLink>,
}

/// Longest time between two looks at the clock: 23 bytes of the wire.
const STEP: Duration = Duration::from_millis(2);

impl PtyBoard {
    /// Starts a virtual board.
    ///
    /// # Errors
    /// When the pseudo-terminal, the link, the log file or the thread cannot be made; nothing is left behind then.
    pub fn spawn(options: PtyBoardOptions) -> Result<Self, SimError> {
        let board = Board::new(BoardOptions {
            boot: options.boot,
            keep_lines: true,
            ..BoardOptions::new(options.generation)
        });
        let terminal = Terminal::open()?;
        let path = terminal.path().to_owned();
        let file = options.log.map(LogFile::create).transpose()?;
        let link = options.link.map(|link| StableLink::create(link, &path)).transpose()?;
        let pose = ArmPose::new(JointAngles::from(board.angles()));
        let received = Arc::new(Mutex::new(ReceivedLines::default()));
        let stop = Arc::new(AtomicBool::new(false));
        let failure = Arc::new(Mutex::new(None));
        let host = Host {
            board,
            terminal,
            pose: pose.clone(),
            received: Arc::clone(&received),
            file,
            started: Instant::now(),
        };
        let (thread_stop, thread_failure) = (Arc::clone(&stop), Arc::clone(&failure));
        let thread = std::thread::Builder::new()
            .name("virtual-board".to_owned())
            .spawn(move || {
                if let Err(error) = host.run(&thread_stop) {
                    *thread_failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                }
            })
            .map_err(|source| SimError::Thread { source })?;
        Ok(Self { path, pose, received, stop, failure, thread: Some(thread), link })
    }

    /// The device that clients open.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The pose of the arm as it really stands, for the camera.
    pub fn arm_pose(&self) -> ArmPose {
        self.pose.clone()
    }

    /// The lines that the board has taken in, oldest first (the last 200,000).
    pub fn log(&self) -> Vec<LoggedLine> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner).to_vec()
    }

    /// How many lines the board has taken in.
    pub fn lines_received(&self) -> usize {
        self.received.lock().unwrap_or_else(PoisonError::into_inner).count
    }

    /// Whether the board is still at work.
    ///
    /// # Errors
    /// Once: what ended it (the log's disk is full), or that it crashed.
    pub fn check(&self) -> Result<(), SimError> {
        if self.thread.as_ref().is_some_and(|thread| !thread.is_finished()) {
            return Ok(());
        }
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner).take();
        Err(failure.unwrap_or(SimError::Crashed))
    }

    /// Ends the board, waits for its thread and removes the link.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // a crash was `check`'s to report; ending is all the same
            let _ = thread.join();
        }
        self.link = None;
    }
}

impl Drop for PtyBoard {
    fn drop(&mut self) {
        self.end();
    }
}

/// What the thread owns.
struct Host {
    board: Board,
    terminal: Terminal,
    pose: ArmPose,
    received: Arc<Mutex<ReceivedLines>>,
    file: Option<LogFile>,
    started: Instant,
}

impl Host {
    fn run(mut self, stop: &AtomicBool) -> Result<(), SimError> {
        let mut buffer = [0; 4096];
        let mut outgoing = Vec::with_capacity(4096);
        let mut client = Client::Absent;
        while !stop.load(Ordering::Relaxed) {
            let now = self.terminal.wait(STEP);
            if client == Client::Present && now == Client::Absent {
                self.terminal.forget_unread();
            }
            client = now;
            let elapsed = self.started.elapsed();
            self.board.advance(elapsed.saturating_sub(self.board.now()));
            loop {
                let bytes = self.terminal.read(&mut buffer);
                if bytes.is_empty() {
                    break;
                }
                self.board.receive(bytes);
            }
            outgoing.clear();
            self.board.transmit(&mut outgoing);
            if client == Client::Present {
                self.terminal.write(&outgoing);
            }
            self.pose.set(self.board.angles().into());
            self.record(elapsed, &outgoing)?;
        }
        self.file.as_mut().map_or(Ok(()), LogFile::flush)
    }

    fn record(&mut self, elapsed: Duration, outgoing: &[u8]) -> Result<(), SimError> {
        let lines = self.board.take_lines();
        if let Some(file) = &mut self.file {
            for line in &lines {
                file.received(line)?;
            }
            file.sent(self.board.now(), outgoing)?;
            if !lines.is_empty() || !outgoing.is_empty() {
                file.flush()?;
            }
        }
        if !lines.is_empty() {
            let mut received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
            for line in lines {
                received.push(line, elapsed);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
