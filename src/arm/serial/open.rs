//! Opening a port without moving the arm.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::termios::{ControlModes, OptionalActions, tcgetattr, tcsetattr};
use tokio::runtime::Runtime;
use tokio_serial::{ClearBuffer, ErrorKind, SerialPort, SerialStream};

use crate::arm::error::ArmError;
use crate::arm::link::ReopenObstacle;
use crate::arm::port::{PathKind, PortHolders, PortIdentity, SystemFiles};

const BAUD_RATE: u32 = 115_200;

/// A port ready for the handshake, with the runtime that it is registered with.
pub(super) struct OpenedPort {
    pub(super) runtime: Runtime,
    pub(super) port: SerialStream,
    pub(super) identity: PortIdentity,
}

/// Opens the port with a runtime of its own.
pub(super) fn open_first(path: &Path) -> Result<OpenedPort, ArmError> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(ArmError::Start)?;
    let port = {
        let _context = runtime.enter();
        open_port(path)?
    };
    // Asked of the open port: what it names is what was opened.
    let identity = PortIdentity::of(path, &SystemFiles::default());
    Ok(OpenedPort { runtime, port, identity })
}

/// Opens a port that was lost, if it is there again; `Err(None)` while it is not.
pub(super) fn open_again(identity: &PortIdentity) -> Result<SerialStream, Option<ReopenObstacle>> {
    let path = identity.find(&SystemFiles::default())?;
    open_port(&path).map_err(|error| match error {
        ArmError::NoPort { .. } | ArmError::NotASerialPort { .. } => None,
        ArmError::Busy { .. } => Some(ReopenObstacle::InUse),
        ArmError::NoPermission { .. } => Some(ReopenObstacle::NotPermitted),
        _ => Some(ReopenObstacle::Other),
    })
}

/// Opens the port exclusively, within a runtime, and brings its control lines into their resting state.
fn open_port(path: &Path) -> Result<SerialStream, ArmError> {
    let system = SystemFiles::default();
    let kind = system.kind(path);
    match kind {
        PathKind::Missing => return Err(no_port(path, &system)),
        PathKind::Other => return Err(ArmError::NotASerialPort { path: path.to_owned() }),
        // The exclusive flag does not stop root, and whoever holds the port would be disturbed already by our opening it.
        PathKind::Serial => {
            let holders = PortHolders::of(path, &system);
            if !holders.0.is_empty() {
                return Err(ArmError::Busy { path: path.to_owned(), holders });
            }
        }
        PathKind::Pty => {}
    }
    let name = path.to_string_lossy();
    let mut port = SerialStream::open(&tokio_serial::new(name, BAUD_RATE))
        .map_err(|error| explain(path, &system, &error))?;
    set_up(path, kind, &mut port)?;
    Ok(port)
}

fn set_up(path: &Path, kind: PathKind, port: &mut SerialStream) -> Result<(), ArmError> {
    let failed = |step| move |source| ArmError::SetUp { path: path.to_owned(), step, source };
    // Opening asserted RTS and DTR. RTS goes first: DTR off with RTS on is the reset state of the ESP32's two transistors.
    let request_to_send = port.write_request_to_send(false);
    let data_terminal_ready = port.write_data_terminal_ready(false);
    // A pseudo-terminal has no such lines (ENOTTY).
    if kind != PathKind::Pty {
        request_to_send.map_err(io::Error::from).map_err(failed("RTS off"))?;
        data_terminal_ready.map_err(io::Error::from).map_err(failed("DTR off"))?;
    }
    // Without this, closing the port would pulse the lines.
    keep_lines_on_close(port).map_err(failed("no hang-up on close"))?;
    // What an earlier program left unread is stale.
    port.clear(ClearBuffer::Input).map_err(io::Error::from).map_err(failed("flush"))
}

fn keep_lines_on_close(port: &SerialStream) -> io::Result<()> {
    #[expect(unsafe_code, reason = "SerialStream lends its descriptor as a number only")]
    // SAFETY: `port` owns the open descriptor and outlives `fd`, which is only used here.
    let fd = unsafe { BorrowedFd::borrow_raw(port.as_raw_fd()) };
    let mut settings = tcgetattr(fd)?;
    settings.control_modes.remove(ControlModes::HUPCL);
    Ok(tcsetattr(fd, OptionalActions::Now, &settings)?)
}

fn explain(path: &Path, system: &SystemFiles, error: &tokio_serial::Error) -> ArmError {
    let path = path.to_owned();
    match error.kind() {
        // EBUSY of the exclusive flag, or another's lock on the port.
        ErrorKind::NoDevice => {
            let holders = PortHolders::of(&path, system);
            ArmError::Busy { path, holders }
        }
        ErrorKind::Io(io::ErrorKind::PermissionDenied) => {
            let gid = std::fs::metadata(&path).map(|metadata| metadata.gid());
            let group = gid.map_or_else(|_| "dialout".to_owned(), |gid| system.group_name(gid));
            ArmError::NoPermission { path, group }
        }
        ErrorKind::Io(io::ErrorKind::NotFound) => no_port(&path, system),
        _ => ArmError::Open { path, message: error.to_string() },
    }
}

fn no_port(path: &Path, system: &SystemFiles) -> ArmError {
    ArmError::NoPort { path: path.to_owned(), candidates: system.usb_serial_ports() }
}
