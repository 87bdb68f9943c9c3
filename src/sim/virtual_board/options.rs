//! How a virtual board is offered.

use std::net::SocketAddr;
use std::path::PathBuf;

use firmware_protocol::Generation;
use firmware_protocol::emulator::BoardOptions;

use super::fault::Fault;
use crate::sim::PhysicsProgram;
use crate::sim::scene::{BoxColour, Scene};

/// How a virtual board is offered. Start from [`VirtualBoardOptions::new`] and change what matters.
#[derive(Clone, Debug, PartialEq)]
pub struct VirtualBoardOptions {
    /// The board itself. Whether it keeps lines is not asked: they are always kept.
    pub board: BoardOptions,
    /// What stands around the arm: a scene, and the box whose instruction is watched. Default nothing.
    pub cell: Option<(Scene, BoxColour)>,
    /// The program that computes joints and boxes of the cell in contact physics. Default none: the rules of
    /// [`cell`](crate::sim::cell).
    pub physics: Option<PhysicsProgram>,
    /// A stable name: a symbolic link to the pseudo-terminal, removed at the end. Default none.
    pub link: Option<PathBuf>,
    /// A TCP port that passes the serial port's raw bytes, to one client at a time; port 0 takes a free one. Default none.
    pub tcp: Option<SocketAddr>,
    /// A port of the board's web server (`/js?json=…`); port 0 takes a free one. Default none.
    pub http: Option<SocketAddr>,
    /// A file for every line and its time on the board's clock: `12.345678 > {…}` to the board, `>?` for one that it threw
    /// away, `<` from it, `h>` and `h<` for the web server, `!` for faults, losses and clients. Default none.
    pub log: Option<PathBuf>,
    /// What goes wrong, and when. Default nothing.
    pub faults: Vec<Fault>,
    /// Seed of what is random in faults. Default 0.
    pub seed: u64,
    /// Whether the board resets when a client opens the pseudo-terminal or connects by TCP, as a board does whose control
    /// lines pull at the reset line. Default false.
    pub reset_on_open: bool,
}

impl VirtualBoardOptions {
    /// A board on a pseudo-terminal.
    pub const fn new(board: BoardOptions) -> Self {
        Self {
            board,
            cell: None,
            physics: None,
            link: None,
            tcp: None,
            http: None,
            log: None,
            faults: Vec::new(),
            seed: 0,
            reset_on_open: false,
        }
    }
}

impl Default for VirtualBoardOptions {
    /// Of generation G1.
    fn default() -> Self {
        Self::new(BoardOptions::new(Generation::G1))
    }
}
