//! Where the system describes its ports; a folder of a test stands in for it.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::{major, minor};

/// Pseudo-terminal slaves (`/dev/pts/N`): majors 136 to 143 (Linux `Documentation/admin-guide/devices.txt`).
const PTY_MAJORS: std::ops::RangeInclusive<u32> = 136..=143;

/// `ttyACM` and `ttyUSB` (same source).
const USB_SERIAL_MAJORS: [u32; 2] = [166, 188];

/// The folders that are looked at.
#[derive(Clone, Debug)]
pub struct SystemFiles {
    /// `/dev`
    pub dev: PathBuf,
    /// `/proc`
    pub proc: PathBuf,
    /// `/sys`
    pub sys: PathBuf,
    /// `/etc`
    pub etc: PathBuf,
}

impl Default for SystemFiles {
    fn default() -> Self {
        Self { dev: "/dev".into(), proc: "/proc".into(), sys: "/sys".into(), etc: "/etc".into() }
    }
}

/// What kind of thing a path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::arm) enum PathKind {
    /// Nothing there.
    Missing,
    /// A pseudo-terminal: an emulator or a terminal window.
    Pty,
    /// A serial port.
    Serial,
    /// Something else.
    Other,
}

impl SystemFiles {
    /// USB serial ports that exist, in order.
    pub fn usb_serial_ports(&self) -> Vec<PathBuf> {
        let mut ports: Vec<PathBuf> = entries(&self.dev)
            .filter(|path| {
                let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
                name.starts_with("ttyUSB") || name.starts_with("ttyACM")
            })
            .collect();
        ports.sort();
        ports
    }

    /// Names of a port that stay the same when it is plugged in again (`/dev/serial/by-id`).
    pub fn stable_names(&self, port: &Path) -> Vec<PathBuf> {
        let Ok(target) = fs::canonicalize(port) else { return Vec::new() };
        let mut names: Vec<PathBuf> = entries(&self.dev.join("serial/by-id"))
            .filter(|name| fs::canonicalize(name).is_ok_and(|path| path == target))
            .collect();
        names.sort();
        names
    }

    /// What kind of thing a path is, links followed.
    pub(in crate::arm) fn kind(&self, path: &Path) -> PathKind {
        let Ok(metadata) = fs::metadata(path) else { return PathKind::Missing };
        if !metadata.file_type().is_char_device() {
            return PathKind::Other;
        }
        let device = metadata.rdev();
        if PTY_MAJORS.contains(&major(device)) {
            return PathKind::Pty;
        }
        let subsystem = self.sys.join(format!("dev/char/{}:{}/subsystem", major(device), minor(device)));
        match fs::canonicalize(subsystem) {
            Ok(class) if class.ends_with("tty") => PathKind::Serial,
            // A container may show the device but not its place in sysfs.
            Err(_) if USB_SERIAL_MAJORS.contains(&major(device)) => PathKind::Serial,
            _ => PathKind::Other,
        }
    }

    /// The name of a group, or its number where it has none.
    pub(in crate::arm) fn group_name(&self, gid: u32) -> String {
        self.group_entries()
            .find(|entry| entry.gid == gid)
            .map_or_else(|| gid.to_string(), |entry| entry.name)
    }

    /// Whether the group database lists the user as a member.
    pub(super) fn group_lists_user(&self, gid: u32, uid: u32) -> bool {
        let passwd = fs::read_to_string(self.etc.join("passwd")).unwrap_or_default();
        let user = passwd.lines().find_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            (fields.nth(1)?.parse() == Ok(uid)).then_some(name)
        });
        user.is_some_and(|user| {
            self.group_entries()
                .any(|entry| entry.gid == gid && entry.members.iter().any(|member| member == user))
        })
    }

    fn group_entries(&self) -> impl Iterator<Item = GroupEntry> + use<> {
        let text = fs::read_to_string(self.etc.join("group")).unwrap_or_default();
        text.lines().filter_map(GroupEntry::parse).collect::<Vec<_>>().into_iter()
    }
}

struct GroupEntry {
    name: String,
    gid: u32,
    members: Vec<String>,
}

impl GroupEntry {
    /// `name:password:gid:member,member`
    fn parse(line: &str) -> Option<Self> {
        let mut fields = line.split(':');
        let name = fields.next()?.to_owned();
        let gid = fields.nth(1)?.parse().ok()?;
        let members =
            fields.next()?.split(',').filter(|member| !member.is_empty()).map(str::to_owned).collect();
        Some(Self { name, gid, members })
    }
}

/// Paths in a folder; none when it cannot be read.
pub(super) fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()))
}
