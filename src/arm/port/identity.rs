//! The same device again, whatever name it comes back under.

use std::path::{Path, PathBuf};

use super::system::{PathKind, SystemFiles};
use super::usb::UsbAdapter;
use crate::arm::link::ReopenObstacle;

/// The serial number that CP2102 chips leave the factory with: it tells nothing.
const FACTORY_SERIAL: &str = "0001";

/// What a port is, so that it is found again.
#[derive(Clone, Debug)]
pub(in crate::arm) struct PortIdentity {
    /// As the user gave it; it may be a link.
    path: PathBuf,
    nature: Nature,
}

#[derive(Clone, Debug)]
enum Nature {
    /// A USB adapter, known by its ids and place. The kernel numbers it anew when it is plugged in again: what was
    /// `/dev/ttyUSB0` comes back as `/dev/ttyUSB1` while somebody still has the old one open.
    Usb {
        adapter: UsbAdapter,
        /// Its serial number is its own.
        unique: bool,
    },
    /// A pseudo-terminal or a port on the machine itself: known by its path.
    Path(PathKind),
}

impl PortIdentity {
    /// The identity of a port that is there.
    pub(in crate::arm) fn of(path: &Path, system: &SystemFiles) -> Self {
        let nature = match UsbAdapter::of(path, system) {
            Some(adapter) => {
                let alike = adapters(system).filter(|(_, other)| is_same_kind(&adapter, other)).count();
                let unique =
                    alike == 1 && adapter.serial.as_ref().is_some_and(|serial| serial != FACTORY_SERIAL);
                Nature::Usb { adapter, unique }
            }
            None => Nature::Path(system.kind(path)),
        };
        Self { path: path.to_owned(), nature }
    }

    /// Where the device is now: `Err(None)` while it is away.
    pub(in crate::arm) fn find(&self, system: &SystemFiles) -> Result<PathBuf, Option<ReopenObstacle>> {
        match &self.nature {
            // A link is followed anew each time.
            Nature::Path(kind) if system.kind(&self.path) == *kind => Ok(self.path.clone()),
            Nature::Path(_) => Err(None),
            Nature::Usb { adapter, unique } => {
                let alike: Vec<_> =
                    adapters(system).filter(|(_, other)| is_same_kind(adapter, other)).collect();
                let at_its_place = alike.iter().find(|(_, other)| other.location == adapter.location);
                match (at_its_place, alike.as_slice()) {
                    (Some((path, _)), _) => Ok(path.clone()),
                    (None, [(path, _)]) if *unique => Ok(path.clone()),
                    (None, []) => Err(None),
                    (None, _) => Err(Some(ReopenObstacle::Ambiguous)),
                }
            }
        }
    }
}

fn adapters(system: &SystemFiles) -> impl Iterator<Item = (PathBuf, UsbAdapter)> + use<'_> {
    system.usb_serial_ports().into_iter().filter_map(|path| {
        let adapter = UsbAdapter::of(&path, system)?;
        Some((path, adapter))
    })
}

/// The arm's board has two adapters of one kind (USB and LADAR), so kind and serial number alone do not always tell.
fn is_same_kind(one: &UsbAdapter, other: &UsbAdapter) -> bool {
    (one.vendor, one.product, &one.serial) == (other.vendor, other.product, &other.serial)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;
    use std::os::unix::fs::symlink;

    use tempfile::TempDir;

    use super::*;

    /// A made-up `/dev` and `/sys`.
    struct Machine {
        root: TempDir,
        system: SystemFiles,
    }

    impl Machine {
        fn new() -> Self {
            let root = TempDir::new().unwrap();
            let folder = |name: &str| root.path().join(name);
            let system = SystemFiles {
                dev: folder("dev"),
                proc: folder("proc"),
                sys: folder("sys"),
                etc: folder("etc"),
            };
            fs::create_dir_all(&system.dev).unwrap();
            Self { root, system }
        }

        fn plug_in(&self, tty: &str, socket: &str, serial: &str) -> PathBuf {
            let device = self.root.path().join(format!("sys/devices/usb1/{socket}"));
            let interface = device.join(format!("{socket}:1.0")).join(tty);
            fs::create_dir_all(&interface).unwrap();
            for (name, text) in [("idVendor", "10c4\n"), ("idProduct", "ea60\n"), ("serial", serial)] {
                fs::write(device.join(name), text).unwrap();
            }
            let class = self.system.sys.join("class/tty").join(tty);
            fs::create_dir_all(&class).unwrap();
            symlink(interface, class.join("device")).unwrap();
            let port = self.system.dev.join(tty);
            fs::write(&port, "").unwrap();
            port
        }

        fn unplug(&self, tty: &str, socket: &str) {
            fs::remove_dir_all(self.system.sys.join("class/tty").join(tty)).unwrap();
            fs::remove_dir_all(self.root.path().join(format!("sys/devices/usb1/{socket}"))).unwrap();
            fs::remove_file(self.system.dev.join(tty)).unwrap();
        }

        fn identity(&self, port: &Path) -> PortIdentity {
            PortIdentity::of(port, &self.system)
        }
    }

    #[test]
    fn an_adapter_is_found_under_another_number_and_at_another_socket() {
        let machine = Machine::new();
        let port = machine.plug_in("ttyUSB0", "1-2", "a1b2c3");
        let identity = machine.identity(&port);
        assert_eq!(identity.find(&machine.system), Ok(port));
        machine.unplug("ttyUSB0", "1-2");
        assert_eq!(identity.find(&machine.system), Err(None));
        let other_arm = machine.plug_in("ttyUSB0", "1-1", "ffffff");
        assert_eq!(identity.find(&machine.system), Err(None), "{} is another arm", other_arm.display());
        let again = machine.plug_in("ttyUSB1", "1-2", "a1b2c3");
        assert_eq!(identity.find(&machine.system), Ok(again));
        machine.unplug("ttyUSB1", "1-2");
        let elsewhere = machine.plug_in("ttyUSB2", "1-4.1", "a1b2c3");
        assert_eq!(identity.find(&machine.system), Ok(elsewhere));
    }

    /// USB and LADAR of one board, both with the factory's serial number.
    #[test]
    fn of_two_adapters_alike_only_the_one_at_its_place_is_taken() {
        let machine = Machine::new();
        let port = machine.plug_in("ttyUSB0", "1-2.1", "0001");
        machine.plug_in("ttyUSB1", "1-2.2", "0001");
        let identity = machine.identity(&port);
        machine.unplug("ttyUSB0", "1-2.1");
        assert_eq!(identity.find(&machine.system), Err(Some(ReopenObstacle::Ambiguous)));
        let again = machine.plug_in("ttyUSB3", "1-2.1", "0001");
        assert_eq!(identity.find(&machine.system), Ok(again));
    }

    #[test]
    fn the_factory_serial_number_does_not_follow_an_adapter_to_another_socket() {
        let machine = Machine::new();
        let identity = machine.identity(&machine.plug_in("ttyUSB0", "1-2", "0001"));
        machine.unplug("ttyUSB0", "1-2");
        machine.plug_in("ttyUSB0", "1-3", "0001");
        assert_eq!(identity.find(&machine.system), Err(Some(ReopenObstacle::Ambiguous)));
    }

    #[test]
    fn a_link_is_followed_anew_and_only_to_the_same_kind() {
        let machine = Machine::new();
        let (first, second) =
            (crate::arm::serial::test_pty::Pty::open(), crate::arm::serial::test_pty::Pty::open());
        let link = machine.root.path().join("arm");
        symlink(first.slave(), &link).unwrap();
        let identity = PortIdentity::of(&link, &SystemFiles::default());
        assert_eq!(identity.find(&SystemFiles::default()), Ok(link.clone()));
        fs::remove_file(&link).unwrap();
        assert_eq!(identity.find(&SystemFiles::default()), Err(None));
        fs::write(&link, "no port").unwrap();
        assert_eq!(identity.find(&SystemFiles::default()), Err(None));
        fs::remove_file(&link).unwrap();
        symlink(second.slave(), &link).unwrap();
        assert_eq!(identity.find(&SystemFiles::default()), Ok(link));
    }
}
