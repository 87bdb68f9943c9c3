//! How much room a pose leaves, rule by rule.

use std::fmt;

use crate::kinematics::Link;

/// What a link comes near to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Another link.
    SelfCollision {
        /// The one nearer to the base.
        first: Link,
        /// The other.
        second: Link,
    },
    /// The table's plane.
    Table {
        /// The lowest link.
        link: Link,
    },
    /// The wall or the top of the reach cylinder, from inside.
    ReachCylinder {
        /// The link that comes nearest to it.
        link: Link,
    },
    /// The reach sphere, from inside.
    ReachSphere {
        /// The link that comes nearest to it.
        link: Link,
    },
    /// A box to keep out of.
    KeepOut {
        /// The link nearest to it.
        link: Link,
        /// Which box, by its place in [`super::Workspace::keep_out`].
        index: usize,
    },
}

/// The room under one rule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clearance {
    /// The rule and the link concerned.
    pub rule: Rule,
    /// Distance to what must not be touched, metres; negative beyond it.
    pub distance_m: f64,
    /// Least distance allowed, metres.
    pub required_m: f64,
}

impl Clearance {
    /// Whether the distance is what the rule asks for; never with a NaN.
    pub fn is_kept(&self) -> bool {
        self.distance_m >= self.required_m
    }

    /// The distance beyond what is required, metres; negative where the rule is broken.
    pub fn room_m(&self) -> f64 {
        self.distance_m - self.required_m
    }
}

impl fmt::Display for Clearance {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.rule {
            Rule::SelfCollision { first, second } => write!(formatter, "{first} and {second}")?,
            Rule::Table { link } => write!(formatter, "{link} above the table")?,
            Rule::ReachCylinder { link } => write!(formatter, "{link} inside the reach cylinder")?,
            Rule::ReachSphere { link } => write!(formatter, "{link} inside the reach sphere")?,
            Rule::KeepOut { link, index } => write!(formatter, "{link} and keep-out box {index}")?,
        }
        write!(formatter, ": {:.1} mm (required: {:.1} mm)", self.distance_m * 1e3, self.required_m * 1e3)
    }
}

/// Why a pose is refused.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum PoseRefused {
    /// An angle is NaN or infinite.
    #[error("a joint angle is not a finite number")]
    NotFinite,
    /// A rule is not kept.
    #[error("too near: {0}")]
    TooNear(Clearance),
}

/// Number of rules.
pub(super) const RULE_COUNT: usize = 5;

/// The room a pose leaves under every rule that is in force.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clearances(pub(super) [Option<Clearance>; RULE_COUNT]);

impl Clearances {
    /// All rules in force: self-collision, table, reach cylinder, reach sphere, nearest keep-out box.
    pub fn iter(&self) -> impl Iterator<Item = &Clearance> {
        self.0.iter().flatten()
    }

    /// Refuses a pose that breaks a rule, naming the first.
    pub fn check(&self) -> Result<(), PoseRefused> {
        self.iter()
            .find(|clearance| !clearance.is_kept())
            .map_or(Ok(()), |broken| Err(PoseRefused::TooNear(*broken)))
    }

    /// As [`Clearances::check`], but an arm that already breaks a rule may move wherever that rule's distance does not shrink: it
    /// must be able to leave. `before` is the same workspace's answer for where the arm is or is bound to come to rest.
    pub fn check_leaving(&self, before: &Self) -> Result<(), PoseRefused> {
        self.check_leaving_within(before, 0.0)
    }

    /// As [`Clearances::check_leaving`], with a distance (metres) by which a broken rule may become worse.
    pub fn check_leaving_within(&self, before: &Self, tolerance_m: f64) -> Result<(), PoseRefused> {
        let broken = self.0.iter().zip(&before.0).find_map(|(now, before)| {
            let now = now.as_ref().filter(|now| !now.is_kept())?;
            let leaves = before
                .as_ref()
                .is_some_and(|before| !before.is_kept() && now.room_m() >= before.room_m() - tolerance_m);
            (!leaves).then_some(*now)
        });
        broken.map_or(Ok(()), |broken| Err(PoseRefused::TooNear(broken)))
    }

    /// The least that any rule leaves beyond what it requires, metres: negative where one is broken, NaN where one cannot be told.
    pub fn room_m(&self) -> f64 {
        self.iter().map(Clearance::room_m).fold(f64::INFINITY, |least, room_m| {
            if room_m.is_nan() || room_m < least { room_m } else { least }
        })
    }
}
