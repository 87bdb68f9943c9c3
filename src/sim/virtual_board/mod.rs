//! A virtual RoArm-M3 in real time, for any client: behind a pseudo-terminal, and if asked for on TCP and HTTP.
//!
//! The board itself is [`firmware_protocol::emulator::Board`]; this room gives it a clock, ports, a log, and the faults of
//! the world outside.

mod counts;
mod fault;
mod host;
mod journal;
mod line_log;
mod options;
mod outside;
mod ports;
mod transport;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Instant;

use calibration::JointAngles;
use firmware_protocol::emulator::{Board, BoardOptions};

pub use counts::{BoardCounts, BoardEvent, FaultReport};
pub use fault::{Fault, FaultError, FaultHelp, FaultKind};
pub use line_log::LoggedLine;
pub use options::VirtualBoardOptions;

use super::{ArmPose, CellWorld, SharedCell, SimError};
use fault::FaultSchedule;
use host::Host;
use journal::{Journal, Shared, lock};
use line_log::LogFile;
use outside::Outside;
use ports::{Addresses, Ports};

/// A virtual board at work on its own thread until it is stopped or dropped.
///
/// Clients may come and go: as on a real port, what the board says while nobody has the port open is lost, and so is what a
/// client does not read in time.
#[derive(Debug)]
pub struct VirtualBoard {
    addresses: Addresses,
    pose: ArmPose,
    cell: Option<SharedCell>,
    shared: Arc<Mutex<Shared>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl VirtualBoard {
    /// Starts a virtual board.
    ///
    /// # Errors
    /// When the pseudo-terminal, a port, the link, the log file or the thread cannot be made, or the physics does not start; nothing is left behind then.
    pub fn spawn(options: VirtualBoardOptions) -> Result<Self, SimError> {
        let VirtualBoardOptions { board, cell, physics, link, tcp, http, log, faults, seed, reset_on_open } =
            options;
        let (baud, volt, dead) = (board.baud, board.supply_volt, board.servos.dead);
        let file = log.map(LogFile::create).transpose()?;
        let ports = Ports::open(Addresses { link, tcp, http })?;
        let board = Board::new(BoardOptions { keep_lines: true, ..board });
        let pose = ArmPose::new(JointAngles::from(board.angles()));
        let cell = match (cell, physics) {
            (None, _) => None,
            (Some((scene, target)), physics) => {
                let world = CellWorld::around(&scene, Some(target), physics.as_ref(), &board)?;
                Some((world, SharedCell::new(&scene, JointAngles::from(board.angles()))))
            }
        };
        let shared_cell = cell.as_ref().map(|(_, seen)| seen.clone());
        let shared = Arc::new(Mutex::new(Shared::default()));
        lock(&shared).counts.path = ports.path().map(ToOwned::to_owned);
        let addresses = ports.addresses().clone();
        let host = Host {
            board,
            cell,
            baud,
            ports,
            schedule: FaultSchedule::new(faults),
            outside: Outside::new(seed, baud, volt, dead),
            journal: Journal::new(file, Arc::clone(&shared)),
            pose: pose.clone(),
            reset_on_open,
            started: Instant::now(),
            under_way: BTreeMap::new(),
            requests: BTreeMap::new(),
            restarts: 0,
        };
        let stop = Arc::new(AtomicBool::new(false));
        let (thread_stop, thread_shared) = (Arc::clone(&stop), Arc::clone(&shared));
        let thread = std::thread::Builder::new()
            .name("virtual-board".to_owned())
            .spawn(move || {
                if let Err(error) = host.run(&thread_stop) {
                    lock(&thread_shared).failure = Some(error);
                }
            })
            .map_err(|source| SimError::Thread { source })?;
        Ok(Self { addresses, pose, cell: shared_cell, shared, stop, thread: Some(thread) })
    }

    /// The device that clients open now; the last one while the cable is cut. After a cut it may be another, after a replug it
    /// is: a link stays.
    pub fn path(&self) -> PathBuf {
        lock(&self.shared).counts.path.clone().unwrap_or_default()
    }

    /// Where clients connect by TCP.
    pub const fn tcp_address(&self) -> Option<SocketAddr> {
        self.addresses.tcp
    }

    /// Where the web server listens.
    pub const fn http_address(&self) -> Option<SocketAddr> {
        self.addresses.http
    }

    /// The pose of the arm as it really stands, for the camera.
    pub fn arm_pose(&self) -> ArmPose {
        self.pose.clone()
    }

    /// Arm and boxes as they stand, where the options say what stands around the arm.
    pub fn cell(&self) -> Option<SharedCell> {
        self.cell.clone()
    }

    /// The lines that the board has taken in, oldest first (the last 200,000).
    pub fn log(&self) -> Vec<LoggedLine> {
        lock(&self.shared).received.to_vec()
    }

    /// How many lines the board has taken in.
    pub fn lines_received(&self) -> usize {
        lock(&self.shared).received.count
    }

    /// What the board has seen so far.
    pub fn counts(&self) -> BoardCounts {
        lock(&self.shared).counts.clone()
    }

    /// What has happened since the last call: faults, and ports that moved.
    pub fn take_events(&self) -> Vec<BoardEvent> {
        std::mem::take(&mut lock(&self.shared).events)
    }

    /// Whether the board is still at work.
    ///
    /// # Errors
    /// Once: what ended it (the log's disk is full), or that it crashed.
    pub fn check(&self) -> Result<(), SimError> {
        if self.thread.as_ref().is_some_and(|thread| !thread.is_finished()) {
            return Ok(());
        }
        let failure = lock(&self.shared).failure.take();
        Err(failure.unwrap_or(SimError::Crashed))
    }

    /// Ends the board, waits for its thread and removes the link. What it had seen at the end, and what nobody has fetched.
    pub fn stop(mut self) -> (BoardCounts, Vec<BoardEvent>) {
        self.end();
        (self.counts(), self.take_events())
    }

    fn end(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // a crash was `check`'s to report; ending is all the same
            let _ = thread.join();
        }
    }
}

impl Drop for VirtualBoard {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests;
