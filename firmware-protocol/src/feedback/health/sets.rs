//! Sets of joints and of servos.

use core::fmt;

use crate::Joint;

/// Some of the joints. `Display` names them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct JointSet(u8);

impl JointSet {
    /// The joints for which `holds`.
    pub fn of(holds: impl Fn(Joint) -> bool) -> Self {
        Self(
            Joint::ALL
                .into_iter()
                .filter(|&joint| holds(joint))
                .fold(0, |bits, joint| bits | 1 << joint.index()),
        )
    }

    /// None of them.
    pub(super) const fn of_none() -> Self {
        Self(0)
    }

    /// Whether the joint is among them.
    #[must_use]
    pub const fn contains(self, joint: Joint) -> bool {
        self.0 & 1 << joint.index() != 0
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The joints, in their order.
    pub fn iter(self) -> impl Iterator<Item = Joint> {
        Joint::ALL.into_iter().filter(move |&joint| self.contains(joint))
    }
}

impl fmt::Display for JointSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        joined(formatter, self.iter())
    }
}

/// Some of the servos 11..=17. `Display` lists their ids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ServoSet(u8);

impl ServoSet {
    /// The servos (11..=17) for which `holds`.
    pub fn of(holds: impl Fn(u8) -> bool) -> Self {
        Self((11..=17).filter(|&id| holds(id)).fold(0, |bits, id| bits | 1 << (id - 11)))
    }

    /// Whether the servo is among them.
    #[must_use]
    pub const fn contains(self, id: u8) -> bool {
        matches!(id, 11..=17) && self.0 & 1 << (id - 11) != 0
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether all six are there that the firmware polls: all but 13.
    #[must_use]
    pub const fn has_all_polled(self) -> bool {
        self.0 | 1 << 2 == 0x7f
    }

    /// Bus ids, ascending.
    pub fn iter(self) -> impl Iterator<Item = u8> {
        (11..=17).filter(move |&id| self.contains(id))
    }
}

impl fmt::Display for ServoSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        joined(formatter, self.iter())
    }
}

fn joined(formatter: &mut fmt::Formatter<'_>, items: impl Iterator<Item = impl fmt::Display>) -> fmt::Result {
    for (place, item) in items.enumerate() {
        write!(formatter, "{}{item}", if place == 0 { "" } else { ", " })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn sets_know_their_members() {
        let joints = JointSet::of(|joint| matches!(joint, Joint::Base | Joint::Hand));
        assert_eq!(joints.to_string(), "base, hand");
        assert!(joints.contains(Joint::Hand) && !joints.contains(Joint::Roll) && !joints.is_empty());
        let polled = ServoSet::of(|id| id != 13);
        assert!(polled.has_all_polled() && !polled.contains(13) && !polled.contains(18));
        assert_eq!(polled.to_string(), "11, 12, 14, 15, 16, 17");
        assert!(!ServoSet::of(|id| id > 11).has_all_polled() && ServoSet::default().is_empty());
    }
}
