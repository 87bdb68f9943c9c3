#![allow(clippy::unwrap_used)]
use std::os::unix::fs::symlink;

use tempfile::TempDir;

use super::*;
use crate::arm::port::PortHolder;

/// A made-up system: folders for `/dev`, `/proc`, `/sys`, `/etc`.
struct Fixture {
    root: TempDir,
    system: SystemFiles,
}

impl Fixture {
    fn new() -> Self {
        let root = TempDir::new().unwrap();
        let folder = |name: &str| {
            let path = root.path().join(name);
            fs::create_dir_all(&path).unwrap();
            path
        };
        let system =
            SystemFiles { dev: folder("dev"), proc: folder("proc"), sys: folder("sys"), etc: folder("etc") };
        Self { root, system }
    }

    fn file(&self, path: &str, text: &str) -> PathBuf {
        let path = self.root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// A process with a name and open files.
    fn process(&self, pid: u32, name: &str, open: &[&Path]) {
        self.file(&format!("proc/{pid}/comm"), &format!("{name}\n"));
        for (number, path) in open.iter().enumerate() {
            let fd = self.root.path().join(format!("proc/{pid}/fd/{number}"));
            fs::create_dir_all(fd.parent().unwrap()).unwrap();
            symlink(fs::canonicalize(path).unwrap(), fd).unwrap();
        }
    }

    /// An adapter as sysfs shows it: tty -> port -> interface -> device.
    fn adapter(&self, tty: &str, vendor: &str, product: &str) {
        let device = "sys/devices/usb1/1-2";
        self.file(&format!("{device}/idVendor"), &format!("{vendor}\n"));
        self.file(&format!("{device}/idProduct"), &format!("{product}\n"));
        self.file(&format!("{device}/product"), "CP2102N USB to UART Bridge Controller\n");
        self.file(&format!("{device}/serial"), "a1b2c3\n");
        self.file(&format!("{device}/1-2:1.0/{tty}/uevent"), "");
        let class = self.system.sys.join(format!("class/tty/{tty}"));
        fs::create_dir_all(&class).unwrap();
        symlink(self.root.path().join(format!("{device}/1-2:1.0/{tty}")), class.join("device")).unwrap();
    }
}

#[test]
fn a_missing_port_names_those_that_exist() {
    let fixture = Fixture::new();
    let none = check_port(Path::new("/dev/no-such-port"), &fixture.system);
    assert_eq!(none.findings, [PortFinding::Missing { candidates: vec![] }]);
    assert!(none.findings[0].fix().contains("not LADAR") && !none.is_usable());

    let port = fixture.file("dev/ttyUSB3", "");
    fixture.file("dev/ttyS0", "");
    let other = check_port(Path::new("/dev/no-such-port"), &fixture.system);
    assert_eq!(other.findings, [PortFinding::Missing { candidates: vec![port.clone()] }]);
    assert_eq!(other.findings[0].fix(), format!("use {}", port.display()));
}

#[test]
fn a_file_and_a_device_that_is_no_terminal_are_no_ports() {
    let fixture = Fixture::new();
    let file = fixture.file("dev/ttyUSB0", "");
    for path in [file.as_path(), Path::new("/dev/null")] {
        assert_eq!(check_port(path, &SystemFiles::default()).findings, [PortFinding::NotASerialPort]);
    }
}

#[test]
fn holders_are_found_by_their_open_files() {
    let fixture = Fixture::new();
    let port = fixture.file("dev/ttyUSB0", "");
    let other = fixture.file("dev/ttyUSB1", "");
    fixture.process(410, "screen", &[&other, &port]);
    fixture.process(12, "bash", &[&other]);
    fixture.file("proc/self-test/comm", "not a process\n");
    let holders = PortHolders::of(&port, &fixture.system);
    assert_eq!(holders.0, [PortHolder { pid: 410, name: "screen".to_owned() }]);
    assert!(PortFinding::InUse(holders).fix().contains("close `screen` (process 410)"));
}

#[test]
fn this_process_is_seen_to_hold_its_own_open_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let holders = PortHolders::of(file.path(), &SystemFiles::default());
    assert_eq!(holders.0.len(), 1);
    assert_eq!(holders.0[0].pid, std::process::id());
}

#[test]
fn the_adapter_is_read_from_sysfs() {
    let fixture = Fixture::new();
    let port = fixture.file("dev/ttyUSB0", "");
    fixture.adapter("ttyUSB0", "10c4", "ea60");
    let adapter = UsbAdapter::of(&port, &fixture.system).unwrap();
    assert!(adapter.is_cp210x());
    assert_eq!(
        adapter.to_string(),
        "USB 10c4:ea60 CP2102N USB to UART Bridge Controller, serial number a1b2c3"
    );
    fixture.adapter("ttyUSB0x", "1a86", "7523");
    let other = UsbAdapter::of(&fixture.file("dev/ttyUSB0x", ""), &fixture.system).unwrap();
    assert!(!other.is_cp210x());
    assert_eq!(UsbAdapter::of(&fixture.file("dev/ttyS0", ""), &fixture.system), None);
}

#[test]
fn stable_names_are_found() {
    let fixture = Fixture::new();
    let port = fixture.file("dev/ttyUSB0", "");
    let name = fixture.root.path().join("dev/serial/by-id/usb-Silicon_Labs_CP2102N-if00-port0");
    fs::create_dir_all(name.parent().unwrap()).unwrap();
    symlink("../../ttyUSB0", &name).unwrap();
    symlink("../../ttyUSB1", name.with_file_name("other")).unwrap();
    assert_eq!(fixture.system.stable_names(&port), [name]);
}

#[test]
fn services_that_grab_ports_are_named() {
    let fixture = Fixture::new();
    fixture.process(300, "ModemManager", &[]);
    fixture.process(301, "brltty", &[]);
    fixture.process(302, "brltty-genmsg", &[]);
    let found: Vec<PortFinding> = running_grabbers(&fixture.system).collect();
    assert_eq!(found, [PortFinding::GrabberRuns { name: "ModemManager" }, PortFinding::GrabberRuns { name: "brltty" }]);
    assert!(found.iter().all(|finding| !finding.blocks() && finding.fix().starts_with("sudo ")));
}

#[test]
fn groups_are_read_from_the_database() {
    let fixture = Fixture::new();
    fixture.file("etc/group", "root:x:0:\ndialout:x:20:ann,bob\nbroken\n");
    fixture.file("etc/passwd", "root:x:0:0::/root:/bin/sh\nbob:x:1000:1000::/home/bob:/bin/sh\n");
    assert_eq!(fixture.system.group_name(20), "dialout");
    assert_eq!(fixture.system.group_name(21), "21");
    assert!(fixture.system.group_lists_user(20, 1000));
    assert!(!fixture.system.group_lists_user(20, 0));
}

#[test]
fn every_finding_has_a_sentence_and_a_fix() {
    let denied = |needs_new_login| PortFinding::NotPermitted { group: "dialout".to_owned(), needs_new_login };
    assert_eq!(denied(false).fix(), "sudo usermod -aG dialout $USER, then log out and in");
    assert!(denied(true).to_string().contains("after this login began"));
    assert_eq!(denied(true).fix(), "log out and in again");
    let unseen = PortFinding::InUse(PortHolders::default());
    assert!(unseen.to_string().contains("ModemManager") && unseen.blocks());
}

#[test]
fn a_pty_is_usable_although_its_emulator_holds_it() {
    let pty = crate::arm::serial::test_pty::Pty::open();
    let report = check_port(pty.slave(), &SystemFiles::default());
    assert!(report.is_pty && report.is_usable());
    assert_eq!((report.findings, report.adapter), (vec![], None));
}
