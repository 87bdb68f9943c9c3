//! Firmware generations.

use core::fmt;
use core::str::FromStr;

use crate::Error;

/// A generation of the vendor's firmware, told apart by behaviour: none of them has a version query.
///
/// | | G1 | G1b | G3 |
/// |---|---|---|---|
/// | what | `RoArm-M3_example-250108` | the developer's own repository, 2025-03-05 | example of 2026-07-01, the current download |
/// | elbow | −0.785..3.140 rad | −0.785..2.970 rad | 0..3.140 rad |
/// | hand | 1.074..5.209 rad | 1.074..3.982 rad | 1.074..5.209 rad |
/// | feedback mode after boot | streaming | streaming | debug text |
/// | feedback keys | 16 or 17 | 16 or 17 | 24 (torque switches, supply) |
/// | commands a loop pass | all complete lines, 256-byte receive ring | as G1 | one, from a queue of 50 |
/// | T:0 | torque off for 10 s: **the arm falls** | as G1 | stop flag, torque stays on |
///
/// The unread generation of 2026-01 ("G2") sends the 24 keys of G3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Generation {
    /// The official example of 2025-01-08. Units delivered in 2026 behaved like it.
    #[default]
    G1,
    /// As G1, with narrower clamps of elbow and hand.
    G1b,
    /// The official example of 2026-07-01.
    G3,
}

impl Generation {
    /// All generations, oldest first.
    pub const ALL: [Self; 3] = [Self::G1, Self::G1b, Self::G3];

    /// The word used on command lines and in files: `g1`, `g1b`, `g3`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::G1 => "g1",
            Self::G1b => "g1b",
            Self::G3 => "g3",
        }
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for Generation {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::ALL
            .into_iter()
            .find(|generation| generation.name().eq_ignore_ascii_case(text))
            .ok_or(Error::UnknownGeneration)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::string::ToString;

    #[test]
    fn names_round_trip() {
        for generation in Generation::ALL {
            assert_eq!(generation.to_string().parse::<Generation>().unwrap(), generation);
        }
        assert_eq!("G1B".parse::<Generation>().unwrap(), Generation::G1b);
        assert_eq!("g2".parse::<Generation>(), Err(Error::UnknownGeneration));
    }
}
