//! What would keep a port from working, found without opening it; for `roarm doctor`.

use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};
use rustix::process::{getgroups, getuid};

use super::holders::{PortHolders, process_name};
use super::system::{PathKind, SystemFiles, entries};
use super::usb::UsbAdapter;

/// Services that open new CP210x ports on their own.
const GRABBERS: [&str; 2] = ["ModemManager", "brltty"];

/// Something to know about a port. `Display` says what; [`PortFinding::fix`] says what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PortFinding {
    /// The path does not exist.
    Missing {
        /// USB serial ports that do.
        candidates: Vec<PathBuf>,
    },
    /// The path is no serial port.
    NotASerialPort,
    /// This user may not read and write it.
    NotPermitted {
        /// The group that may.
        group: String,
        /// The user is in that group since this login began: only a new login is missing.
        needs_new_login: bool,
    },
    /// It is open in another process.
    InUse(PortHolders),
    /// The adapter is not the arm's CP210x.
    OtherAdapter(UsbAdapter),
    /// A service that grabs such ports runs.
    GrabberRuns {
        /// Its name.
        name: &'static str,
    },
}

impl PortFinding {
    /// Whether a run on this port is bound to fail.
    pub const fn blocks(&self) -> bool {
        match self {
            Self::Missing { .. } | Self::NotASerialPort | Self::NotPermitted { .. } | Self::InUse(_) => true,
            Self::OtherAdapter(_) | Self::GrabberRuns { .. } => false,
        }
    }

    /// What to do about it.
    pub fn fix(&self) -> String {
        match self {
            Self::Missing { candidates } if candidates.is_empty() => {
                "plug the arm in (socket marked USB, not LADAR) and switch it on".to_owned()
            }
            Self::Missing { candidates } => {
                let paths: Vec<String> = candidates.iter().map(|path| path.display().to_string()).collect();
                format!("use {}", paths.join(" or "))
            }
            Self::NotASerialPort => "give a device such as /dev/ttyUSB0 or /dev/serial/by-id/…".to_owned(),
            Self::NotPermitted { needs_new_login: true, .. } => "log out and in again".to_owned(),
            Self::NotPermitted { group, .. } => format!("sudo usermod -aG {group} $USER, then log out and in"),
            Self::InUse(holders) => match holders.0.first() {
                Some(holder) => format!("close `{}` (process {})", holder.name, holder.pid),
                None => "close the program that holds it".to_owned(),
            },
            Self::OtherAdapter(_) => {
                "check that this is the arm's port; adapters other than CP210x work only where the board was modified"
                    .to_owned()
            }
            Self::GrabberRuns { name: "brltty" } => "sudo apt remove brltty".to_owned(),
            Self::GrabberRuns { name } => format!("sudo systemctl disable --now {name}"),
        }
    }
}

impl fmt::Display for PortFinding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { .. } => formatter.write_str("the port does not exist"),
            Self::NotASerialPort => formatter.write_str("the path is not a serial port"),
            Self::NotPermitted { group, needs_new_login: false } => {
                write!(formatter, "no permission: the port belongs to group {group}, and you are not in it")
            }
            Self::NotPermitted { group, needs_new_login: true } => {
                write!(formatter, "no permission yet: you were added to group {group} after this login began")
            }
            Self::InUse(holders) => write!(formatter, "in use by {holders}"),
            Self::OtherAdapter(adapter) => write!(formatter, "{adapter} is not the arm's CP210x (10c4:ea60)"),
            Self::GrabberRuns { name } => {
                write!(formatter, "{name} runs: it opens new CP210x ports on its own")
            }
        }
    }
}

/// All that can be told of a port without opening it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortReport {
    /// What was asked for.
    pub path: PathBuf,
    /// Whether it is a pseudo-terminal: an emulated arm.
    pub is_pty: bool,
    /// Its USB adapter, where it has one.
    pub adapter: Option<UsbAdapter>,
    /// Names that stay the same when it is plugged in again; better in a configuration than `/dev/ttyUSB0`.
    pub stable_names: Vec<PathBuf>,
    /// What is wrong, worst first.
    pub findings: Vec<PortFinding>,
}

impl PortReport {
    /// Whether nothing stands in the way of opening the port.
    pub fn is_usable(&self) -> bool {
        !self.findings.iter().any(PortFinding::blocks)
    }
}

/// Looks at a port without opening it, so the board does not reset and the arm does not move.
pub fn check_port(path: &Path, system: &SystemFiles) -> PortReport {
    let kind = system.kind(path);
    let mut report = PortReport {
        path: path.to_owned(),
        is_pty: kind == PathKind::Pty,
        adapter: UsbAdapter::of(path, system),
        stable_names: system.stable_names(path),
        findings: Vec::new(),
    };
    match kind {
        PathKind::Missing => {
            report.findings.push(PortFinding::Missing { candidates: system.usb_serial_ports() })
        }
        PathKind::Other => report.findings.push(PortFinding::NotASerialPort),
        PathKind::Pty => report.findings.extend(not_permitted(path, system)),
        PathKind::Serial => {
            report.findings.extend(not_permitted(path, system));
            // The emulator itself may keep its PTY open, so holders count on real ports only.
            let holders = PortHolders::of(path, system);
            if !holders.0.is_empty() {
                report.findings.push(PortFinding::InUse(holders));
            }
            let other = report.adapter.clone().filter(|adapter| !adapter.is_cp210x());
            report.findings.extend(other.map(PortFinding::OtherAdapter));
            report.findings.extend(running_grabbers(system));
        }
    }
    report
}

fn not_permitted(path: &Path, system: &SystemFiles) -> Option<PortFinding> {
    if access(path, Access::READ_OK | Access::WRITE_OK).is_ok() {
        return None;
    }
    let gid = fs::metadata(path).ok()?.gid();
    let in_session = getgroups().is_ok_and(|groups| groups.iter().any(|group| group.as_raw() == gid));
    let needs_new_login = !in_session && system.group_lists_user(gid, getuid().as_raw());
    Some(PortFinding::NotPermitted { group: system.group_name(gid), needs_new_login })
}

fn running_grabbers(system: &SystemFiles) -> impl Iterator<Item = PortFinding> {
    let running: Vec<String> = entries(&system.proc)
        .filter(|process| process.file_name().is_some_and(|name| name.to_str().is_some_and(is_number)))
        .map(|process| process_name(&process))
        .collect();
    GRABBERS
        .into_iter()
        .filter(move |name| running.iter().any(|process| process == name))
        .map(|name| PortFinding::GrabberRuns { name })
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests;
