//! Which rule of the workspace refused.

use calibration::collision::{PoseRefused, Rule};

/// Which rule of the workspace a command would break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkspaceReason {
    /// Two links come too near to each other.
    Itself,
    /// The table.
    Table,
    /// The reach allowed, cylinder or sphere.
    Reach,
    /// A box to keep out of.
    KeepOut,
    /// The pose is not a number.
    NotFinite,
}

impl From<PoseRefused> for WorkspaceReason {
    fn from(refused: PoseRefused) -> Self {
        match refused {
            PoseRefused::NotFinite => Self::NotFinite,
            PoseRefused::TooNear(clearance) => match clearance.rule {
                Rule::SelfCollision { .. } => Self::Itself,
                Rule::Table { .. } => Self::Table,
                Rule::ReachCylinder { .. } | Rule::ReachSphere { .. } => Self::Reach,
                Rule::KeepOut { .. } => Self::KeepOut,
            },
        }
    }
}

/// Commands that the workspace refused, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WorkspaceCounts {
    /// Links too near to each other.
    pub itself: u64,
    /// Too near the table.
    pub table: u64,
    /// Beyond the reach allowed.
    pub reach: u64,
    /// Too near a box to keep out of.
    pub keep_out: u64,
    /// A pose that is not a number.
    pub not_finite: u64,
}

impl WorkspaceCounts {
    /// All of them.
    pub const fn total(&self) -> u64 {
        self.itself + self.table + self.reach + self.keep_out + self.not_finite
    }

    pub(in crate::control) const fn add(&mut self, reason: WorkspaceReason) {
        let count = match reason {
            WorkspaceReason::Itself => &mut self.itself,
            WorkspaceReason::Table => &mut self.table,
            WorkspaceReason::Reach => &mut self.reach,
            WorkspaceReason::KeepOut => &mut self.keep_out,
            WorkspaceReason::NotFinite => &mut self.not_finite,
        };
        *count += 1;
    }
}
