//! The proof that torque may be switched off.

/// The arm stands at its park pose and was commanded no further: the only state in which its torque may be switched off,
/// since from any other pose it falls.
///
/// Only the control core makes one, when the settings ask for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parked(());

impl Parked {
    /// For the control core alone, once the arm rests at the park pose.
    pub(crate) const fn at_rest() -> Self {
        Self(())
    }
}
