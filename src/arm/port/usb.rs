//! The USB adapter behind a serial port.

use std::fmt;
use std::fs;
use std::path::Path;

use super::system::SystemFiles;

/// USB identity of a serial adapter, from sysfs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsbAdapter {
    /// Vendor id; 0x10c4 is Silicon Labs.
    pub vendor: u16,
    /// Product id; 0xea60 is the CP210x.
    pub product: u16,
    /// Product text, such as `CP2102N USB to UART Bridge Controller`.
    pub name: Option<String>,
    /// Serial number; tells two arms apart.
    pub serial: Option<String>,
    /// Its place: USB socket and interface as sysfs names them (`1-2:1.0`). It stays the same when the adapter is plugged into
    /// the same socket again.
    pub location: Option<String>,
}

impl UsbAdapter {
    /// The adapter of a port; `None` when it is no USB port.
    pub fn of(port: &Path, system: &SystemFiles) -> Option<Self> {
        let port = fs::canonicalize(port).ok()?;
        let device =
            fs::canonicalize(system.sys.join("class/tty").join(port.file_name()?).join("device")).ok()?;
        // The USB device is the first folder upwards that has ids: port -> interface -> device.
        device
            .ancestors()
            .scan(None, |below: &mut Option<&Path>, folder| Some((below.replace(folder), folder)))
            .find_map(|(interface, folder)| {
                let text = |name: &str| Some(fs::read_to_string(folder.join(name)).ok()?.trim().to_owned());
                let id = |name: &str| u16::from_str_radix(&text(name)?, 16).ok();
                Some(Self {
                    vendor: id("idVendor")?,
                    product: id("idProduct")?,
                    name: text("product"),
                    serial: text("serial"),
                    location: interface.and_then(|name| Some(name.file_name()?.to_str()?.to_owned())),
                })
            })
    }

    /// Whether it is the arm's kind of adapter. The board has two of them, and only the one marked USB leads to the arm.
    pub const fn is_cp210x(&self) -> bool {
        self.vendor == 0x10c4 && self.product == 0xea60
    }
}

impl fmt::Display for UsbAdapter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "USB {:04x}:{:04x}", self.vendor, self.product)?;
        if let Some(name) = &self.name {
            write!(formatter, " {name}")?;
        }
        if let Some(serial) = &self.serial {
            write!(formatter, ", serial number {serial}")?;
        }
        Ok(())
    }
}
