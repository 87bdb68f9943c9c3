//! Who has a port open.

use std::fmt;
use std::fs;
use std::path::Path;

use super::system::{SystemFiles, entries};

/// A process that has the port open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortHolder {
    /// Its process id.
    pub pid: u32,
    /// Its name (`/proc/PID/comm`).
    pub name: String,
}

/// All processes that were seen to have the port open; other users' processes are seen by root only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PortHolders(pub Vec<PortHolder>);

impl PortHolders {
    /// Looks through `/proc/*/fd`.
    pub fn of(port: &Path, system: &SystemFiles) -> Self {
        let Ok(target) = fs::canonicalize(port) else { return Self::default() };
        let mut holders: Vec<PortHolder> = entries(&system.proc)
            .filter_map(|process| {
                let pid = process.file_name()?.to_str()?.parse().ok()?;
                let holds =
                    entries(&process.join("fd")).any(|fd| fs::read_link(fd).is_ok_and(|path| path == target));
                holds.then(|| PortHolder { pid, name: process_name(&process) })
            })
            .collect();
        holders.sort_by_key(|holder| holder.pid);
        Self(holders)
    }

    fn is_held_by(&self, name: &str) -> bool {
        self.0.iter().any(|holder| holder.name.contains(name))
    }
}

pub(super) fn process_name(process: &Path) -> String {
    fs::read_to_string(process.join("comm")).map(|name| name.trim_end().to_owned()).unwrap_or_default()
}

impl fmt::Display for PortHolders {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, PortHolder { pid, name }) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { " and " };
            write!(formatter, "{separator}`{name}` (process {pid})")?;
        }
        formatter.write_str(match self {
            Self(holders) if holders.is_empty() => {
                "another process that this user cannot see: `sudo fuser -v` on the port names it (ModemManager and brltty \
                 are known to grab CP210x ports)"
            }
            _ if self.is_held_by("ModemManager") => {
                ", which probes new serial ports for modems: `sudo systemctl stop ModemManager`, or remove it"
            }
            _ if self.is_held_by("brltty") => ", which takes CP210x ports for braille displays: `sudo apt remove brltty`",
            _ => ": close it first; two programs on one port corrupt each other's lines",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holders(names: &[&str]) -> String {
        let holders = names.iter().zip(10..).map(|(name, pid)| PortHolder { pid, name: (*name).to_owned() });
        PortHolders(holders.collect()).to_string()
    }

    #[test]
    fn the_usual_grabbers_have_their_own_advice() {
        assert!(holders(&["ModemManager"]).contains("systemctl stop ModemManager"));
        assert!(holders(&["brltty"]).contains("apt remove brltty"));
        assert!(holders(&[]).contains("fuser"));
        assert!(
            holders(&["screen", "roarm"])
                .starts_with("`screen` (process 10) and `roarm` (process 11): close it")
        );
    }
}
