//! The pseudo-terminal: a serial port without a wire.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, QueueSelector, ioctl_tiocnxcl, tcflush, tcgetattr, tcsetattr};

use crate::sim::SimError;

/// The board's end of a pseudo-terminal. The client's end is the device at [`Terminal::path`].
#[derive(Debug)]
pub(in crate::sim::virtual_board) struct Terminal {
    controller: OwnedFd,
    path: PathBuf,
}

/// What the client's end is up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sim::virtual_board) enum Client {
    /// Nobody has the device open.
    Absent,
    /// It has the device open.
    Present,
}

impl Terminal {
    /// Makes a pseudo-terminal whose device passes bytes as they are: no echo, no change of line ends, no signals.
    pub(in crate::sim::virtual_board) fn open() -> Result<Self, SimError> {
        let failed = |step| move |error: Errno| SimError::Terminal { step, source: error.into() };
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)
            .map_err(failed("openpt"))?;
        grantpt(&controller).map_err(failed("grantpt"))?;
        unlockpt(&controller).map_err(failed("unlockpt"))?;
        let name = ptsname(&controller, Vec::new()).map_err(failed("ptsname"))?;
        let path = Path::new(OsStr::from_bytes(name.to_bytes())).to_owned();
        // The settings stay with the device while our end is open. Closing it again also marks the client as absent.
        let device = rustix::fs::open(&path, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())
            .map_err(failed("open"))?;
        let mut settings = tcgetattr(&device).map_err(failed("tcgetattr"))?;
        settings.make_raw();
        tcsetattr(&device, OptionalActions::Now, &settings).map_err(failed("tcsetattr"))?;
        let flags = rustix::fs::fcntl_getfl(&controller).map_err(failed("fcntl"))?;
        rustix::fs::fcntl_setfl(&controller, flags | OFlags::NONBLOCK).map_err(failed("fcntl"))?;
        Ok(Self { controller, path })
    }

    /// The device for the client.
    pub(in crate::sim::virtual_board) fn path(&self) -> &Path {
        &self.path
    }

    /// What to wait for while there is a client. Without one, `poll` would return at once.
    pub(in crate::sim::virtual_board) fn descriptor(&self) -> BorrowedFd<'_> {
        self.controller.as_fd()
    }

    /// Whether there is a client.
    pub(in crate::sim::virtual_board) fn client(&self) -> Client {
        let mut ready = [PollFd::new(&self.controller, PollFlags::IN)];
        // an interrupted look sees no event, like a client that is there and silent
        let _ = poll(&mut ready, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }));
        if ready[0].revents().contains(PollFlags::HUP) { Client::Absent } else { Client::Present }
    }

    /// Reads what has arrived; empty when nothing has, also when the client has closed the device (EIO).
    pub(in crate::sim::virtual_board) fn read<'buffer>(&self, buffer: &'buffer mut [u8]) -> &'buffer [u8] {
        match rustix::io::read(&self.controller, &mut *buffer) {
            Ok(count) => &buffer[..count],
            Err(_) => &[],
        }
    }

    /// Writes what the client's end takes and drops the rest, as a serial port without flow control does when nobody reads.
    pub(in crate::sim::virtual_board) fn write(&self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            match rustix::io::write(&self.controller, bytes) {
                Ok(count) if count > 0 => bytes = &bytes[count..],
                Err(Errno::INTR) => {}
                _ => return,
            }
        }
    }

    /// Forgets bytes that a client which is gone never read, so that the next one starts with fresh lines.
    ///
    /// Only the client's end can throw away what lies there: flushing ours leaves it (seen on Linux 6). `false` when that end
    /// cannot be opened: a client that was killed has left the device exclusive, and nobody but root could use it again.
    pub(in crate::sim::virtual_board) fn forget_unread(&self) -> bool {
        let device = rustix::fs::open(
            &self.path,
            OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC,
            Mode::empty(),
        );
        match device {
            Ok(device) => {
                let _ = tcflush(&device, QueueSelector::IFlush);
                // root gets in all the same; the next client may be somebody else
                let _ = ioctl_tiocnxcl(&device);
                true
            }
            Err(error) => error != Errno::BUSY,
        }
    }
}

/// A symbolic link with a stable name to the device; removed when dropped.
#[derive(Debug)]
pub(in crate::sim::virtual_board) struct StableLink {
    path: PathBuf,
    device: PathBuf,
}

impl StableLink {
    /// Links `path` to `device`. An old symbolic link there is replaced, anything else is left alone and refused.
    pub(in crate::sim::virtual_board) fn create(path: PathBuf, device: &Path) -> Result<Self, SimError> {
        let made = match std::fs::symlink_metadata(&path) {
            Ok(there) if there.is_symlink() => std::fs::remove_file(&path),
            Ok(_) => return Err(SimError::LinkTaken { path }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        };
        match made.and_then(|()| std::os::unix::fs::symlink(device, &path)) {
            Ok(()) => Ok(Self { path, device: device.to_owned() }),
            Err(source) => Err(SimError::Link { path, source }),
        }
    }
}

impl Drop for StableLink {
    fn drop(&mut self) {
        // another board may have taken the name over
        if std::fs::read_link(&self.path).is_ok_and(|device| device == self.device) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
