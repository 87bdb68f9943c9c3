//! T:401-407: WiFi.

use crate::Error;
use crate::command::{Object, encoded_by_object};

/// What the board's WiFi does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WifiMode {
    /// Nothing.
    Off = 0,
    /// An access point of its own (as delivered: `RoArm-M3`, password 12345678, 192.168.4.1).
    AccessPoint = 1,
    /// A station of another network.
    Station = 2,
    /// Both.
    Both = 3,
}

/// A command about networks.
///
/// G1 **blocks up to 15 s** while it looks for a network, and keeps pointers into the command's memory, so that a later
/// T:406 may save garbage; G3 does not block. Whoever is in the network may move the arm: nothing asks for a password.
/// Passwords travel and are stored in clear text.
///
/// Constructors refuse what any board would drop or cut: see [`Error::PoolTooSmall`] and [`Error::LineTooLong`].
#[derive(Clone, Copy, PartialEq)]
pub struct NetworkCommand<'a>(Object<'a>);

encoded_by_object!(NetworkCommand);

/// Without the passwords.
impl core::fmt::Debug for NetworkCommand<'_> {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.debug_struct("NetworkCommand").field("code", &self.0.code()).finish_non_exhaustive()
    }
}

impl<'a> NetworkCommand<'a> {
    /// `T:402`: opens an access point now.
    ///
    /// ```
    /// use firmware_protocol::danger::NetworkCommand;
    /// let mut buffer = [0; NetworkCommand::MAX_BYTES];
    /// let command = NetworkCommand::access_point("arm", "12345678")?;
    /// assert_eq!(command.encode(&mut buffer), b"{\"T\":402,\"ssid\":\"arm\",\"password\":\"12345678\"}\n");
    /// # Ok::<(), firmware_protocol::Error>(())
    /// ```
    pub fn access_point(ssid: &'a str, password: &'a str) -> Result<Self, Error> {
        Object::new(402).text("ssid", ssid).text("password", password).checked().map(Self)
    }

    /// `T:403`: joins a network now.
    ///
    /// ```
    /// use firmware_protocol::danger::NetworkCommand;
    /// let mut buffer = [0; NetworkCommand::MAX_BYTES];
    /// let command = NetworkCommand::station("lab", "12345678")?;
    /// assert_eq!(command.encode(&mut buffer), b"{\"T\":403,\"ssid\":\"lab\",\"password\":\"12345678\"}\n");
    /// # Ok::<(), firmware_protocol::Error>(())
    /// ```
    pub fn station(ssid: &'a str, password: &'a str) -> Result<Self, Error> {
        Object::new(403).text("ssid", ssid).text("password", password).checked().map(Self)
    }

    fn both(
        object: Object<'a>,
        access_point: (&'a str, &'a str),
        station: (&'a str, &'a str),
    ) -> Result<Self, Error> {
        object
            .text("ap_ssid", access_point.0)
            .text("ap_password", access_point.1)
            .text("sta_ssid", station.0)
            .text("sta_password", station.1)
            .checked()
            .map(Self)
    }

    /// `T:404`: both now, each a name and a password.
    ///
    /// ```
    /// use firmware_protocol::danger::NetworkCommand;
    /// let mut buffer = [0; NetworkCommand::MAX_BYTES];
    /// let command = NetworkCommand::access_point_and_station(("arm", "12345678"), ("lab", "87654321"))?;
    /// assert_eq!(
    ///     command.encode(&mut buffer),
    ///     b"{\"T\":404,\"ap_ssid\":\"arm\",\"ap_password\":\"12345678\",\"sta_ssid\":\"lab\",\
    ///       \"sta_password\":\"87654321\"}\n"
    /// );
    /// # Ok::<(), firmware_protocol::Error>(())
    /// ```
    pub fn access_point_and_station(
        access_point: (&'a str, &'a str),
        station: (&'a str, &'a str),
    ) -> Result<Self, Error> {
        Self::both(Object::new(404), access_point, station)
    }

    /// `T:407`: **writes** mode, names and passwords to flash. (The vendor's Python client leaves out `mode`, which saves
    /// "off".)
    ///
    /// ```
    /// use firmware_protocol::danger::{NetworkCommand, WifiMode};
    /// let mut buffer = [0; NetworkCommand::MAX_BYTES];
    /// let command = NetworkCommand::save(WifiMode::Both, ("arm", "12345678"), ("lab", "87654321"))?;
    /// assert_eq!(
    ///     command.encode(&mut buffer),
    ///     b"{\"T\":407,\"mode\":3,\"ap_ssid\":\"arm\",\"ap_password\":\"12345678\",\"sta_ssid\":\"lab\",\
    ///       \"sta_password\":\"87654321\"}\n"
    /// );
    /// # Ok::<(), firmware_protocol::Error>(())
    /// ```
    pub fn save(
        mode: WifiMode,
        access_point: (&'a str, &'a str),
        station: (&'a str, &'a str),
    ) -> Result<Self, Error> {
        Self::both(Object::new(407).integer("mode", mode as i32), access_point, station)
    }
}
