//! Names of files and missions on the board, places in them.

use crate::Error;

fn check_name(name: &str, max: u8) -> Result<&str, Error> {
    let fits = !name.is_empty() && name.len() <= usize::from(max);
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    if fits && name.bytes().all(known) { Ok(name) } else { Err(Error::Name { max }) }
}

/// Name of a file on the board's flash, without a slash: 1 to 31 letters, digits, `.`, `_`, `-`. The file system takes more;
/// these are safe in every place that the firmware prints or parses them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileName<'a>(&'a str);

impl<'a> FileName<'a> {
    /// Longest name, bytes.
    pub const MAX_BYTES: u8 = 31;

    /// Checks a name. `boot.mission` is refused: see [`Error::BootMission`].
    pub fn new(name: &'a str) -> Result<Self, Error> {
        match check_name(name, Self::MAX_BYTES)? {
            "boot.mission" => Err(Error::BootMission),
            name => Ok(Self(name)),
        }
    }

    /// The name.
    #[must_use]
    pub const fn get(self) -> &'a str {
        self.0
    }
}

/// Name of a mission: 1 to 23 letters, digits, `.`, `_`, `-`. The board keeps it in a file `NAME.mission`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MissionName<'a>(&'a str);

impl MissionName<'static> {
    /// What the board runs at each start; handed out by [`crate::danger::boot_mission`] only.
    pub(crate) const BOOT: Self = Self("boot");
}

impl<'a> MissionName<'a> {
    /// Longest name, bytes.
    pub const MAX_BYTES: u8 = 23;

    /// Checks a name. `boot` is refused: see [`Error::BootMission`].
    pub fn new(name: &'a str) -> Result<Self, Error> {
        match check_name(name, Self::MAX_BYTES)? {
            "boot" => Err(Error::BootMission),
            name => Ok(Self(name)),
        }
    }

    /// The name.
    #[must_use]
    pub const fn get(self) -> &'a str {
        self.0
    }
}

/// A line of a file or a step of a mission, counted from 1, at most 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place(u16);

impl Place {
    /// The place `number`, from 1. A missing or zero place means something else to every command that has one.
    pub fn new(number: u16) -> Result<Self, Error> {
        Error::check_range("the number of a line or step", number.into(), 1.0, 9999.0).map(|_| Self(number))
    }

    /// The number, from 1.
    #[must_use]
    pub const fn number(self) -> u16 {
        self.0
    }
}

/// How often T:242 plays a mission, 1..=1000. For ever is in [`crate::danger`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Repeats(u16);

impl Repeats {
    /// Once.
    pub const ONCE: Self = Self(1);

    /// `times` of 1..=1000.
    pub fn new(times: u16) -> Result<Self, Error> {
        Error::check_range("the number of repeats", times.into(), 1.0, 1000.0).map(|_| Self(times))
    }

    /// How often.
    #[must_use]
    pub const fn times(self) -> u16 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_and_never_the_boot_mission() {
        assert_eq!(FileName::new("notes-1.txt").map(FileName::get), Ok("notes-1.txt"));
        for name in ["", "a/b", "a b", "a\"b", "ä", "a\0", "12345678901234567890123456789012"] {
            assert_eq!(FileName::new(name), Err(Error::Name { max: 31 }), "{name}");
        }
        assert_eq!(FileName::new("boot.mission"), Err(Error::BootMission));
        assert_eq!(MissionName::new("boot"), Err(Error::BootMission));
        assert_eq!(MissionName::new("123456789012345678901234"), Err(Error::Name { max: 23 }));
        assert!(Place::new(0).is_err() && Place::new(10_000).is_err() && Repeats::new(0).is_err());
    }
}
