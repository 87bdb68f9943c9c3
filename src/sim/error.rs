//! What can go wrong in the simulated cell.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use calibration::kinematics::Unreachable;

/// The virtual board could not be offered; the message names cause and fix.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SimError {
    /// No pseudo-terminal could be made.
    #[error("cannot make a pseudo-terminal ({step}): {source}; check that /dev/pts is mounted and not full")]
    Terminal {
        /// The step that failed.
        step: &'static str,
        /// The system's answer.
        source: io::Error,
    },
    /// The place of the stable link is taken by something that is not a link.
    #[error("{path} exists and is not a symbolic link: choose another --link, or move it away")]
    LinkTaken {
        /// Where the link was to be.
        path: PathBuf,
    },
    /// The stable link could not be made.
    #[error("cannot link {path} to the pseudo-terminal: {source}; choose a --link in a folder you may write")]
    Link {
        /// Where the link was to be.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// Nobody can be let in at an address.
    #[error(
        "{what} {address}: cannot listen there: {source}; choose another port (0 takes a free one) or an address of this machine"
    )]
    Listen {
        /// The flag that asked for it.
        what: &'static str,
        /// The address.
        address: SocketAddr,
        /// The system's answer.
        source: io::Error,
    },
    /// The log file could not be made or written.
    #[error(
        "cannot write the log {path}: {source}; choose a --log (of the demo: --board-log) in a folder you may write, with room on its disk"
    )]
    Log {
        /// The log file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The thread of the board could not be started.
    #[error("cannot start the virtual board's thread: {source}; end other programs, or raise `ulimit -u`")]
    Thread {
        /// The system's answer.
        source: io::Error,
    },
    /// The program of `--physics` could not be started.
    #[error(
        "cannot start the physics `{program}`: {source}; --physics wants a program and its arguments, such as \"python3 tests/mujoco/physics.py\""
    )]
    PhysicsStart {
        /// Program and arguments.
        program: String,
        /// The system's answer.
        source: io::Error,
    },
    /// It has ended before its time.
    #[error(
        "the physics `{program}` ended ({how}); what it said itself stands above. MuJoCo and what it needs: pip install -r tests/mujoco/requirements.txt"
    )]
    PhysicsEnded {
        /// Program and arguments.
        program: String,
        /// Its exit code or signal, or what became of its pipes.
        how: String,
    },
    /// It does not answer.
    #[error(
        "the physics `{program}` has not answered for {seconds} s: it hangs, or waits for something that this program does not send"
    )]
    PhysicsSilent {
        /// Program and arguments.
        program: String,
        /// How long, seconds.
        seconds: f64,
    },
    /// It answers what cannot be.
    #[error(
        "the physics `{program}` answered {what}: take the tests/mujoco/physics.py that belongs to this version of roarm"
    )]
    PhysicsAnswer {
        /// Program and arguments.
        program: String,
        /// What.
        what: String,
    },
    /// A box came to lie where the expert's hand does not reach.
    #[error("the box is out of reach: {0}")]
    OutOfReach(#[from] Unreachable),
    /// The thread of the board has ended by a defect of this program.
    #[error("the virtual board has crashed; please report it with the log of its lines (--log)")]
    Crashed,
}
