//! What a host sends: one compact JSON object a line.

mod text;

use crate::danger::ArmMayFall;
use crate::{Error, FirmwareAngles, Generation, Joint, ServoAcceleration, ServoSpeed, limits};
pub(crate) use text::Text;

/// Ends any half line that the board may hold. Send it alone, first, after opening the port: without it the first command
/// could complete a fragment, and a fragment that parses without a `T` is an emergency stop on the board.
pub const LINE_BREAK: &[u8] = b"\n";

/// Goal angles that may be sent: finite and of a servo's size. Inside [`limits`] is the caller's choice; the board clamps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GoalAngles(FirmwareAngles);

impl GoalAngles {
    /// Largest magnitude that is taken for radians.
    pub const MAX_ABS_RAD: f64 = 9.9999;

    /// Checks the angles. NaN, infinity and magnitudes above [`Self::MAX_ABS_RAD`] are refused, naming the joint.
    pub fn new(angles: FirmwareAngles) -> Result<Self, Error> {
        for (joint, angle_rad) in Joint::ALL.into_iter().zip(angles.to_array()) {
            if !angle_rad.is_finite() {
                return Err(Error::AngleNotFinite { joint });
            }
            if angle_rad.abs() > Self::MAX_ABS_RAD {
                return Err(Error::AngleTooLarge { joint, angle_rad });
            }
        }
        Ok(Self(angles))
    }

    /// Checks the angles and moves them into the generation's accepted ranges, as the board itself would.
    pub fn clamped(angles: FirmwareAngles, generation: Generation) -> Result<Self, Error> {
        let Self(angles) = Self::new(angles)?;
        let (ranges, mut angles) = (limits::ranges(generation), angles.to_array());
        for (angle, range) in angles.iter_mut().zip(ranges) {
            *angle = range.clamp(*angle);
        }
        Ok(Self(FirmwareAngles::from_array(angles)))
    }

    /// The angles.
    #[must_use]
    pub const fn angles(self) -> FirmwareAngles {
        self.0
    }

    /// The angles as they stand on the wire: rounded to 4 decimals.
    #[must_use]
    pub fn on_wire(self) -> FirmwareAngles {
        FirmwareAngles::from_array(self.0.to_array().map(|angle| text::ten_thousandths(angle) as f64 / 1e4))
    }
}

/// What the board sends of its own accord: `T:605`. Volatile: a reset brings back the generation's default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedbackMode {
    /// T:1051 only in answer to T:105.
    Quiet = 0,
    /// As quiet, with debug text; G1 echoes each line that parses. Default of G3.
    Debug = 1,
    /// One T:1051 every loop pass, as fast as the UART drains: 56 Hz on G1, 36 Hz on G3. Default of G1.
    Stream = 2,
}

/// Who may move the arm by radio: `T:301`. The default after boot is [`EspNowMode::Follower`]: **any** sender in range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EspNowMode {
    /// Nobody. What a host should send at start.
    Off = 0,
    /// This arm leads a group.
    LeaderGroup = 1,
    /// This arm leads one follower.
    LeaderSingle = 2,
    /// This arm follows any leader in range.
    Follower = 3,
}

/// Torque of all servos: `T:210`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Torque {
    /// Limp. The arm falls (G1) or first moves to a folded pose and then goes limp (G3).
    Off(ArmMayFall),
    /// Servos hold. Whether they hold where they are or jump to their old goal is not known.
    On,
}

/// A command without surprises. The others are in [`crate::danger`].
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Command {
    /// `T:102`: all joints to a goal in one write, each with this speed and acceleration (they do not arrive together).
    /// No answer.
    ///
    /// ```
    /// use firmware_protocol::{Command, FirmwareAngles, GoalAngles, ServoAcceleration, ServoSpeed};
    /// let command = Command::Joints {
    ///     goal: GoalAngles::new(FirmwareAngles::HOME)?,
    ///     speed: ServoSpeed::from_rad_per_s(1.0)?,
    ///     acceleration: ServoAcceleration::new(20)?,
    /// };
    /// let mut buffer = [0; Command::MAX_BYTES];
    /// assert_eq!(
    ///     command.encode(&mut buffer),
    ///     b"{\"T\":102,\"base\":0.0000,\"shoulder\":0.0000,\"elbow\":1.5708,\"wrist\":0.0000,\"roll\":0.0000,\
    ///       \"hand\":3.1416,\"spd\":652,\"acc\":20}\n"
    /// );
    /// # Ok::<(), firmware_protocol::Error>(())
    /// ```
    Joints {
        /// Where to.
        goal: GoalAngles,
        /// Top speed of every joint.
        speed: ServoSpeed,
        /// Ramp of every joint.
        acceleration: ServoAcceleration,
    },
    /// `T:105`: read the servos and answer with one T:1051.
    ///
    /// ```
    /// # use firmware_protocol::Command;
    /// let mut buffer = [0; Command::MAX_BYTES];
    /// assert_eq!(Command::ReadFeedback.encode(&mut buffer), b"{\"T\":105}\n");
    /// ```
    ReadFeedback,
    /// `T:605`. No answer.
    ///
    /// ```
    /// # use firmware_protocol::{Command, FeedbackMode};
    /// let mut buffer = [0; Command::MAX_BYTES];
    /// let bytes = Command::SetFeedbackMode(FeedbackMode::Stream).encode(&mut buffer);
    /// assert_eq!(bytes, b"{\"T\":605,\"cmd\":2}\n");
    /// ```
    SetFeedbackMode(FeedbackMode),
    /// `T:301`. No answer.
    ///
    /// ```
    /// # use firmware_protocol::{Command, EspNowMode};
    /// let mut buffer = [0; Command::MAX_BYTES];
    /// assert_eq!(Command::SetEspNow(EspNowMode::Off).encode(&mut buffer), b"{\"T\":301,\"mode\":0}\n");
    /// ```
    SetEspNow(EspNowMode),
    /// `T:210`. No answer. Off needs an acknowledgement from [`crate::danger`].
    ///
    /// ```
    /// # use firmware_protocol::{Command, Torque};
    /// let mut buffer = [0; Command::MAX_BYTES];
    /// assert_eq!(Command::SetTorque(Torque::On).encode(&mut buffer), b"{\"T\":210,\"cmd\":1}\n");
    /// ```
    SetTorque(Torque),
}

impl Command {
    /// Room for the longest command with its line end.
    pub const MAX_BYTES: usize = 128;

    /// Writes the command as compact JSON with its line end and returns the bytes written.
    ///
    /// Angles have exactly 4 decimals (0.065 servo steps), never an exponent, never a negative zero. All fields are always
    /// there, since the board takes a missing one for 0.
    pub fn encode<'b>(&self, buffer: &'b mut [u8; Self::MAX_BYTES]) -> &'b [u8] {
        let mut text = Text::new(buffer);
        match *self {
            Self::Joints { goal, speed, acceleration } => {
                let goal = goal.angles();
                text.angle(b"{\"T\":102,\"base\":", goal.base_rad);
                text.angle(b",\"shoulder\":", goal.shoulder_rad);
                text.angle(b",\"elbow\":", goal.elbow_rad);
                text.angle(b",\"wrist\":", goal.wrist_rad);
                text.angle(b",\"roll\":", goal.roll_rad);
                text.angle(b",\"hand\":", goal.hand_rad);
                text.integer(b",\"spd\":", speed.steps_per_s().into());
                text.integer(b",\"acc\":", acceleration.units().into());
            }
            Self::ReadFeedback => text.literal(b"{\"T\":105"),
            Self::SetFeedbackMode(mode) => text.integer(b"{\"T\":605,\"cmd\":", mode as u32),
            Self::SetEspNow(mode) => text.integer(b"{\"T\":301,\"mode\":", mode as u32),
            Self::SetTorque(Torque::On) => text.literal(b"{\"T\":210,\"cmd\":1"),
            Self::SetTorque(Torque::Off(_)) => text.literal(b"{\"T\":210,\"cmd\":0"),
        }
        text.literal(b"}\n");
        text.finish()
    }
}

#[cfg(test)]
mod tests;
