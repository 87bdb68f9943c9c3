//! Commands that drop, move, or restart the arm. None of them belongs in a control loop, and **none of them is a stop**:
//! to stop, send the measured pose again as T:102.

use crate::command::Text;

/// The caller has understood that the arm may fall when torque goes off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArmMayFall(());

impl ArmMayFall {
    /// Says so: the arm is parked, held, or free to fall.
    #[must_use]
    pub const fn acknowledged() -> Self {
        Self(())
    }
}

/// A command with consequences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DangerousCommand {
    /// `T:0`. G1: torque of all servos off for 10 s (**the arm falls**), the board deaf meanwhile, then torque on.
    /// G3: sets a flag that ends Cartesian moves (T:103, T:104) and empties the queue; torque stays on, and joints that
    /// already have a goal keep moving.
    ///
    /// ```
    /// use firmware_protocol::danger::DangerousCommand;
    /// let mut buffer = [0; DangerousCommand::MAX_BYTES];
    /// assert_eq!(DangerousCommand::EmergencyStop.encode(&mut buffer), b"{\"T\":0}\n");
    /// ```
    EmergencyStop,
    /// `T:999`: clears the flag of `T:0`; later T:103 and T:104 move again.
    ///
    /// ```
    /// # use firmware_protocol::danger::DangerousCommand;
    /// let mut buffer = [0; DangerousCommand::MAX_BYTES];
    /// assert_eq!(DangerousCommand::ResetEmergencyStop.encode(&mut buffer), b"{\"T\":999}\n");
    /// ```
    ResetEmergencyStop,
    /// `T:100`: drives home at 53 °/s (base, shoulder, elbow, then the rest) and **re-zeroes servo 13 in its EEPROM** on
    /// the way. Blocks the board for seconds; against an obstacle it never ends. Send T:102 with
    /// [`crate::FirmwareAngles::HOME`] instead.
    ///
    /// ```
    /// # use firmware_protocol::danger::DangerousCommand;
    /// let mut buffer = [0; DangerousCommand::MAX_BYTES];
    /// assert_eq!(DangerousCommand::MoveHome.encode(&mut buffer), b"{\"T\":100}\n");
    /// ```
    MoveHome,
    /// `T:600`: restarts the board, which **drives the arm home** a few seconds later. The cure when 12 V came on after USB.
    ///
    /// ```
    /// # use firmware_protocol::danger::DangerousCommand;
    /// let mut buffer = [0; DangerousCommand::MAX_BYTES];
    /// assert_eq!(DangerousCommand::Reboot.encode(&mut buffer), b"{\"T\":600}\n");
    /// ```
    Reboot,
}

impl DangerousCommand {
    /// Room for the longest of them with its line end.
    pub const MAX_BYTES: usize = 16;

    /// Writes the command with its line end and returns the bytes written. No space after the colon: G3 finds a T:0 in
    /// its serial task by the text `"T":0`.
    pub fn encode<'b>(&self, buffer: &'b mut [u8; Self::MAX_BYTES]) -> &'b [u8] {
        let code = match self {
            Self::EmergencyStop => 0,
            Self::MoveHome => 100,
            Self::Reboot => 600,
            Self::ResetEmergencyStop => 999,
        };
        let mut text = Text::new(buffer);
        text.integer(b"{\"T\":", code);
        text.literal(b"}\n");
        text.finish()
    }
}
