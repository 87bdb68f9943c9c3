//! T:300-306: ESP-NOW, the radio by which arms lead each other. There is no authentication, and generations do not
//! understand each other (G3 puts a magic number before the message).

use core::fmt;
use core::str::FromStr;

use super::GoalAngles;
use super::object::{Field, Object, encoded_by_object};
use super::text::Text;
use crate::Error;

/// A station's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MacAddress(
    /// The six bytes in the order in which they are written.
    pub [u8; 6],
);

impl MacAddress {
    /// To everybody in range.
    pub const BROADCAST: Self = Self([0xff; 6]);
    /// Bytes of the written form.
    pub(crate) const TEXT_BYTES: usize = 17;

    pub(crate) fn write(self, text: &mut Text<'_>) {
        const HEX: &[u8; 16] = b"0123456789ABCDEF";
        for (place, byte) in self.0.into_iter().enumerate() {
            text.literal(if place == 0 { b"\"" } else { b":" });
            text.literal(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
        text.literal(b"\"");
    }
}

impl fmt::Display for MacAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, f] = self.0;
        write!(formatter, "{a:02X}:{b:02X}:{c:02X}:{d:02X}:{e:02X}:{f:02X}")
    }
}

impl FromStr for MacAddress {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let mut parts = text.split(':');
        let mut bytes = [0; 6];
        for byte in &mut bytes {
            let part = parts
                .next()
                .filter(|part| part.len() == 2 && part.bytes().all(|digit| digit.is_ascii_hexdigit()));
            *byte = part.and_then(|part| u8::from_str_radix(part, 16).ok()).ok_or(Error::MacAddress)?;
        }
        if parts.next().is_some() { Err(Error::MacAddress) } else { Ok(Self(bytes)) }
    }
}

/// Whose radio commands the arm obeys as a follower: `T:300`. After boot it obeys every sender in range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RadioControl {
    /// Any sender in range.
    Anybody,
    /// This leader alone.
    Only(MacAddress),
}

/// What one arm tells another. A follower executes joints and commands at once, without asking.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RadioMessage<'a> {
    /// Go to these joints.
    Joints(GoalAngles),
    /// Run this command now (a whole JSON object).
    RunNow(&'a str),
    /// Run this command in the next loop pass.
    RunNext(&'a str),
    /// Print this text.
    Print(&'a str),
}

/// A command about other arms.
///
/// Constructors refuse what any board would drop or cut: see [`Error::PoolTooSmall`] and [`Error::LineTooLong`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RadioCommand<'a>(Object<'a>);

encoded_by_object!(RadioCommand);

impl<'a> RadioCommand<'a> {
    /// The message's fields. Joints that the message does not use are left out: the small pool has no room for them beside
    /// a text, and the follower reads them only for [`RadioMessage::Joints`].
    fn message(object: Object<'a>, message: RadioMessage<'a>) -> Object<'a> {
        let object = object.integer("dev", 0);
        match message {
            RadioMessage::Joints(goal) => object.joints(goal).integer("cmd", 0).text("megs", ""),
            RadioMessage::RunNow(json) => object.integer("cmd", 1).text("megs", json),
            RadioMessage::RunNext(json) => object.integer("cmd", 2).text("megs", json),
            RadioMessage::Print(text) => object.integer("cmd", 3).text("megs", text),
        }
    }

    /// `T:303`: adds a peer. An address that the board cannot read is answered by `invalid MAC address format.`
    ///
    /// ```
    /// # use firmware_protocol::{MacAddress, RadioCommand};
    /// let mut buffer = [0; RadioCommand::MAX_BYTES];
    /// let peer: MacAddress = "24:6f:28:12:34:56".parse()?;
    /// assert_eq!(RadioCommand::add_peer(peer).encode(&mut buffer), b"{\"T\":303,\"mac\":\"24:6F:28:12:34:56\"}\n");
    /// # Ok::<(), firmware_protocol::Error>(())
    /// ```
    #[must_use]
    pub fn add_peer(peer: MacAddress) -> Self {
        Self(Object::new(303).with("mac", Field::Mac(peer)))
    }

    /// `T:304`: removes a peer.
    ///
    /// ```
    /// # use firmware_protocol::{MacAddress, RadioCommand};
    /// let mut buffer = [0; RadioCommand::MAX_BYTES];
    /// let command = RadioCommand::remove_peer(MacAddress([0x24, 0x6f, 0x28, 0x12, 0x34, 0x56]));
    /// assert_eq!(command.encode(&mut buffer), b"{\"T\":304,\"mac\":\"24:6F:28:12:34:56\"}\n");
    /// ```
    #[must_use]
    pub fn remove_peer(peer: MacAddress) -> Self {
        Self(Object::new(304).with("mac", Field::Mac(peer)))
    }

    /// `T:305`: sends to all peers.
    ///
    /// ```
    /// # use firmware_protocol::{RadioCommand, RadioMessage};
    /// let mut buffer = [0; RadioCommand::MAX_BYTES];
    /// let command = RadioCommand::send_to_all(RadioMessage::Print("hi"))?;
    /// assert_eq!(command.encode(&mut buffer), b"{\"T\":305,\"dev\":0,\"cmd\":3,\"megs\":\"hi\"}\n");
    /// # Ok::<(), firmware_protocol::Error>(())
    /// ```
    pub fn send_to_all(message: RadioMessage<'a>) -> Result<Self, Error> {
        Self::message(Object::new(305), message).checked().map(Self)
    }

    /// `T:306`: sends to one peer.
    ///
    /// ```
    /// # use firmware_protocol::{FirmwareAngles, GoalAngles, MacAddress, RadioCommand, RadioMessage};
    /// let mut buffer = [0; RadioCommand::MAX_BYTES];
    /// let home = RadioMessage::Joints(GoalAngles::new(FirmwareAngles::HOME)?);
    /// let command = RadioCommand::send_to("24:6F:28:12:34:56".parse()?, home)?;
    /// assert_eq!(
    ///     command.encode(&mut buffer),
    ///     b"{\"T\":306,\"mac\":\"24:6F:28:12:34:56\",\"dev\":0,\"b\":0.0000,\"s\":0.0000,\"e\":1.5708,\"t\":0.0000,\
    ///       \"r\":0.0000,\"h\":3.1416,\"cmd\":0,\"megs\":\"\"}\n"
    /// );
    /// # Ok::<(), firmware_protocol::Error>(())
    /// ```
    pub fn send_to(peer: MacAddress, message: RadioMessage<'a>) -> Result<Self, Error> {
        Self::message(Object::new(306).with("mac", Field::Mac(peer)), message).checked().map(Self)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::string::ToString;

    #[test]
    fn addresses_round_trip_and_others_are_refused() {
        let address: MacAddress = "AA:0b:00:ff:12:9C".parse().unwrap();
        assert_eq!(address.to_string(), "AA:0B:00:FF:12:9C");
        for text in [
            "",
            "AA:BB:CC:DD:EE",
            "AA:BB:CC:DD:EE:FF:00",
            "AA:BB:CC:DD:EE:G0",
            "AA:BB:CC:DD:EE:+1",
            "A:B:C:D:E:F",
        ] {
            assert_eq!(text.parse::<MacAddress>(), Err(Error::MacAddress), "{text}");
        }
    }
}
