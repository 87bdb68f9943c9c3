//! Commands with texts: members in order, and the two limits that make boards drop long ones.

use super::text::Text;
use super::{GoalAngles, MacAddress, Place};
use crate::{Error, Joint};

/// Bytes of the longest line that every board takes, with its LF: G3 keeps 255 and cuts the rest.
pub const MAX_LINE_BYTES: usize = 256;

/// The value of a member.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Field<'a> {
    Text(&'a str),
    Integer(i32),
    /// Sent with 4 decimals.
    Decimal(f64),
    Mac(MacAddress),
}

/// The most members besides `T`: T:306 with joints.
const MAX_MEMBERS: usize = 10;

/// A command with texts, checked: [`Object::checked`] is the only way out of this module.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Object<'a> {
    code: u16,
    members: [(&'static str, Field<'a>); MAX_MEMBERS],
    count: usize,
}

impl<'a> Object<'a> {
    pub(crate) const fn new(code: u16) -> Self {
        Self { code, members: [("", Field::Integer(0)); MAX_MEMBERS], count: 0 }
    }

    pub(crate) fn with(mut self, key: &'static str, field: Field<'a>) -> Self {
        if let Some(place) = self.members.get_mut(self.count) {
            *place = (key, field);
            self.count += 1;
        }
        self
    }

    pub(crate) fn text(self, key: &'static str, text: &'a str) -> Self {
        self.with(key, Field::Text(text))
    }

    pub(crate) fn integer(self, key: &'static str, value: i32) -> Self {
        self.with(key, Field::Integer(value))
    }

    pub(crate) fn decimal(self, key: &'static str, value: f64) -> Self {
        self.with(key, Field::Decimal(value))
    }

    /// The number of a mission's step.
    pub(crate) fn place(self, place: Place) -> Self {
        self.integer("stepNum", place.number().into())
    }

    pub(crate) const fn code(&self) -> u16 {
        self.code
    }

    /// The six joints as T:305 and T:306 spell them.
    pub(crate) fn joints(self, goal: GoalAngles) -> Self {
        let angles = goal.angles().to_array();
        let keys = ["b", "s", "e", "t", "r", "h"];
        Joint::ALL
            .into_iter()
            .zip(keys)
            .fold(self, |object, (joint, key)| object.with(key, Field::Decimal(angles[joint.index()])))
    }

    fn members(&self) -> impl Iterator<Item = &(&'static str, Field<'a>)> {
        self.members[..self.count].iter()
    }

    /// Bytes of the pool of ArduinoJson 6: 16 a member, keys and texts with an end mark each. It keeps equal texts once,
    /// which is left out here: a command that fits by this sum always fits.
    fn pool_bytes(&self) -> usize {
        let code = 16 + "T".len() + 1;
        code + self
            .members()
            .map(|(key, field)| {
                let text = match field {
                    Field::Text(text) => text.len() + 1,
                    Field::Mac(_) => MacAddress::TEXT_BYTES + 1,
                    Field::Integer(_) | Field::Decimal(_) => 0,
                };
                16 + key.len() + 1 + text
            })
            .sum::<usize>()
    }

    /// The command, if a board with the small pool and one with the short lines both take it whole.
    pub(crate) fn checked(self) -> Result<Self, Error> {
        for (_, field) in self.members() {
            if let Field::Text(text) = field
                && text.chars().any(char::is_control)
            {
                return Err(Error::ControlCharacter);
            }
        }
        let bytes = self.pool_bytes();
        if bytes > 256 {
            return Err(Error::PoolTooSmall { bytes });
        }
        // Texts are shorter than the pool by now, and at most doubled by backslashes.
        let mut room = [0; 3 * MAX_LINE_BYTES];
        let mut text = Text::new(&mut room);
        self.write(&mut text);
        let bytes = text.length() - 1;
        if bytes < MAX_LINE_BYTES { Ok(self) } else { Err(Error::LineTooLong { bytes }) }
    }

    fn write(&self, text: &mut Text<'_>) {
        text.integer(b"{\"T\":", self.code.into());
        for (key, field) in self.members() {
            text.literal(b",\"");
            text.literal(key.as_bytes());
            text.literal(b"\":");
            match *field {
                Field::Text(value) => text.quoted(value),
                Field::Integer(value) => text.signed(b"", value),
                Field::Decimal(value) => text.decimal(b"", value),
                Field::Mac(address) => address.write(text),
            }
        }
        text.literal(b"}\n");
    }

    pub(crate) fn encode<'b>(&self, buffer: &'b mut [u8; MAX_LINE_BYTES]) -> &'b [u8] {
        let mut text = Text::new(buffer);
        self.write(&mut text);
        text.finish()
    }
}

/// Gives a command of texts its `encode`, and nothing else that could be forgotten.
macro_rules! encoded_by_object {
    ($command:ident) => {
        impl $command<'_> {
            /// Room for the longest line that every board takes, with its LF.
            pub const MAX_BYTES: usize = $crate::MAX_LINE_BYTES;

            /// Writes the command as compact JSON with its line end and returns the bytes written.
            pub fn encode<'b>(&self, buffer: &'b mut [u8; $crate::MAX_LINE_BYTES]) -> &'b [u8] {
                self.0.encode(buffer)
            }
        }
    };
}
pub(crate) use encoded_by_object;
