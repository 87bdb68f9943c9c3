//! What a host sends: one compact JSON object a line.

mod files;
mod goals;
mod missions;
mod modes;
mod names;
mod object;
mod outputs;
mod pose;
mod radio;
mod text;
mod write;

use crate::{DegreeAcceleration, DegreeSpeed, Gain, Joint, ServoAcceleration, ServoSpeed, TorqueLimit};

pub use files::FileCommand;
pub use goals::{GoalAngles, GoalDegrees, HandGoal, JointGoal, JointGoalDegrees};
pub use missions::MissionCommand;
pub use modes::{Adaptation, EspNowMode, FeedbackMode};
pub use names::{FileName, MissionName, Place, Repeats};
pub use object::MAX_LINE_BYTES;
pub(crate) use object::{Object, encoded_by_object};
pub use outputs::{BoardDelay, Pwm};
pub use pose::GoalPose;
pub(crate) use pose::number;
pub use radio::{MacAddress, RadioCommand, RadioControl, RadioMessage};
pub(crate) use text::Text;

/// Ends any half line that the board may hold. Send it alone, first, after opening the port: without it the first command
/// could complete a fragment, and a fragment that parses without a `T` is an emergency stop on the board.
pub const LINE_BREAK: &[u8] = b"\n";

/// A command of numbers alone, without surprises. Those with texts: [`FileCommand`], [`MissionCommand`], [`RadioCommand`].
/// Those that drop the arm, block it or rewrite its settings: [`crate::danger`].
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Command {
    /// `T:101`: one joint to a goal, by a write that the servo acknowledges. No answer.
    ///
    /// ```
    /// use firmware_protocol::{Command, Joint, JointGoal, ServoAcceleration, ServoSpeed};
    /// let command = Command::Joint {
    ///     goal: JointGoal::new(Joint::Elbow, 1.2)?,
    ///     speed: ServoSpeed::new(300)?,
    ///     acceleration: ServoAcceleration::new(10)?,
    /// };
    /// let mut buffer = [0; Command::MAX_BYTES];
    /// assert_eq!(
    ///     command.encode(&mut buffer),
    ///     b"{\"T\":101,\"joint\":3,\"rad\":1.2000,\"spd\":300,\"acc\":10}\n"
    /// );
    /// # Ok::<(), firmware_protocol::Error>(())
    /// ```
    Joint {
        /// Which joint, and where to.
        goal: JointGoal,
        /// Top speed.
        speed: ServoSpeed,
        /// Ramp.
        acceleration: ServoAcceleration,
    },
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
    /// `T:106`: the hand alone. No answer.
    ///
    /// ```
    /// use firmware_protocol::{Command, HandGoal, ServoAcceleration, ServoSpeed};
    /// let command = Command::Hand {
    ///     goal: HandGoal::new(1.57)?,
    ///     speed: ServoSpeed::new(500)?,
    ///     acceleration: ServoAcceleration::new(20)?,
    /// };
    /// let mut buffer = [0; Command::MAX_BYTES];
    /// assert_eq!(command.encode(&mut buffer), b"{\"T\":106,\"cmd\":1.5700,\"spd\":500,\"acc\":20}\n");
    /// # Ok::<(), firmware_protocol::Error>(())
    /// ```
    Hand {
        /// Where to: π closed, smaller open.
        goal: HandGoal,
        /// Top speed.
        speed: ServoSpeed,
        /// Ramp.
        acceleration: ServoAcceleration,
    },
    /// `T:107`: how hard the hand may grip. Until the next reset; 300 after boot. No answer.
    ///
    /// ```
    /// # use firmware_protocol::{Command, TorqueLimit};
    /// let mut buffer = [0; Command::MAX_BYTES];
    /// let bytes = Command::HandTorque(TorqueLimit::new(200)?).encode(&mut buffer);
    /// assert_eq!(bytes, b"{\"T\":107,\"tor\":200}\n");
    /// # Ok::<(), firmware_protocol::Error>(())
    /// ```
    HandTorque(TorqueLimit),
    /// `T:108`: gains of a joint's position loop, until the next reset. More P holds stiffer and may swing. No answer.
    ///
    /// ```
    /// # use firmware_protocol::{Command, Gain, Joint};
    /// let mut buffer = [0; Command::MAX_BYTES];
    /// let command = Command::JointGains { joint: Joint::Shoulder, p: Gain::FIRMWARE_P, i: 0 };
    /// assert_eq!(command.encode(&mut buffer), b"{\"T\":108,\"joint\":2,\"p\":16,\"i\":0}\n");
    /// ```
    JointGains {
        /// Which joint; for the shoulder both servos.
        joint: Joint,
        /// Proportional gain.
        p: Gain,
        /// Integral gain, register units; the firmware runs 0.
        i: u8,
    },
    /// `T:109`: gains of all joints back to P = 16, I = 0. No answer.
    ///
    /// ```
    /// # use firmware_protocol::Command;
    /// let mut buffer = [0; Command::MAX_BYTES];
    /// assert_eq!(Command::ResetGains.encode(&mut buffer), b"{\"T\":109}\n");
    /// ```
    ResetGains,
    /// `T:111`: the board waits. **It is deaf meanwhile**: G1 loses what exceeds its 256-byte ring. No answer.
    ///
    /// ```
    /// # use firmware_protocol::{BoardDelay, Command};
    /// let mut buffer = [0; Command::MAX_BYTES];
    /// let bytes = Command::Wait(BoardDelay::from_ms(250)?).encode(&mut buffer);
    /// assert_eq!(bytes, b"{\"T\":111,\"cmd\":250}\n");
    /// # Ok::<(), firmware_protocol::Error>(())
    /// ```
    Wait(BoardDelay),
    /// `T:112`: joints that give way when pushed. Until the next reset. No answer.
    ///
    /// ```
    /// use firmware_protocol::{Adaptation, Command, TorqueLimit};
    /// let limit = TorqueLimit::new;
    /// let soft = Adaptation::On {
    ///     base: limit(60)?,
    ///     shoulder: limit(110)?,
    ///     elbow_wrist_roll: limit(50)?,
    ///     hand: limit(50)?,
    /// };
    /// let mut buffer = [0; Command::MAX_BYTES];
    /// assert_eq!(
    ///     Command::Adapt(soft).encode(&mut buffer),
    ///     b"{\"T\":112,\"mode\":1,\"b\":60,\"s\":110,\"e\":50,\"t\":50,\"r\":50,\"h\":50}\n"
    /// );
    /// # Ok::<(), firmware_protocol::Error>(())
    /// ```
    Adapt(Adaptation),
    /// `T:113`: both 12 V outputs. No answer.
    ///
    /// ```
    /// # use firmware_protocol::{Command, Pwm};
    /// let mut buffer = [0; Command::MAX_BYTES];
    /// let bytes = Command::Outputs { a: Pwm::new(-255)?, b: Pwm::OFF }.encode(&mut buffer);
    /// assert_eq!(bytes, b"{\"T\":113,\"pwm_a\":-255,\"pwm_b\":0}\n");
    /// # Ok::<(), firmware_protocol::Error>(())
    /// ```
    Outputs {
        /// Output A, which also feeds the LED.
        a: Pwm,
        /// Output B.
        b: Pwm,
    },
    /// `T:114`: brightness of the LED on output A, 0..=255. No answer.
    ///
    /// ```
    /// # use firmware_protocol::Command;
    /// let mut buffer = [0; Command::MAX_BYTES];
    /// assert_eq!(Command::Light(128).encode(&mut buffer), b"{\"T\":114,\"led\":128}\n");
    /// ```
    Light(u8),
    /// `T:115`: both 12 V outputs off. No answer.
    ///
    /// ```
    /// # use firmware_protocol::Command;
    /// let mut buffer = [0; Command::MAX_BYTES];
    /// assert_eq!(Command::OutputsOff.encode(&mut buffer), b"{\"T\":115}\n");
    /// ```
    OutputsOff,
    /// `T:121`: as T:101 in degrees. Answers only for the base: a debug print of the angle in degrees and in radians, two
    /// lines of text.
    ///
    /// ```
    /// use firmware_protocol::{Command, DegreeAcceleration, DegreeSpeed, Joint, JointGoalDegrees};
    /// let command = Command::JointDegrees {
    ///     goal: JointGoalDegrees::new(Joint::Base, -45.5)?,
    ///     speed: DegreeSpeed::new(30)?,
    ///     acceleration: DegreeAcceleration::new(2)?,
    /// };
    /// let mut buffer = [0; Command::MAX_BYTES];
    /// assert_eq!(
    ///     command.encode(&mut buffer),
    ///     b"{\"T\":121,\"joint\":1,\"angle\":-45.5000,\"spd\":30,\"acc\":2}\n"
    /// );
    /// # Ok::<(), firmware_protocol::Error>(())
    /// ```
    JointDegrees {
        /// Which joint, and where to.
        goal: JointGoalDegrees,
        /// Top speed.
        speed: DegreeSpeed,
        /// Ramp.
        acceleration: DegreeAcceleration,
    },
    /// `T:122`: as T:102 in degrees. Leaves its speed and acceleration behind for [`Command::ToolPose`]. No answer.
    ///
    /// ```
    /// use firmware_protocol::{Command, DegreeAcceleration, DegreeSpeed, GoalDegrees};
    /// let command = Command::JointsDegrees {
    ///     goal: GoalDegrees::new([0.0, 0.0, 90.0, 0.0, 0.0, 180.0])?,
    ///     speed: DegreeSpeed::new(30)?,
    ///     acceleration: DegreeAcceleration::new(2)?,
    /// };
    /// let mut buffer = [0; Command::MAX_BYTES];
    /// assert_eq!(
    ///     command.encode(&mut buffer),
    ///     b"{\"T\":122,\"b\":0.0000,\"s\":0.0000,\"e\":90.0000,\"t\":0.0000,\"r\":0.0000,\"h\":180.0000,\"spd\":30,\
    ///       \"acc\":2}\n"
    /// );
    /// # Ok::<(), firmware_protocol::Error>(())
    /// ```
    JointsDegrees {
        /// Where to.
        goal: GoalDegrees,
        /// Top speed of every joint.
        speed: DegreeSpeed,
        /// Ramp of every joint.
        acceleration: DegreeAcceleration,
    },
    /// `T:210` with cmd 1: torque of all servos on. Whether they hold where they are or jump to their old goal is not
    /// known. Off is in [`crate::danger`]. No answer.
    ///
    /// ```
    /// # use firmware_protocol::Command;
    /// let mut buffer = [0; Command::MAX_BYTES];
    /// assert_eq!(Command::TorqueOn.encode(&mut buffer), b"{\"T\":210,\"cmd\":1}\n");
    /// ```
    TorqueOn,
    /// `T:300`: whose radio commands the arm obeys as a follower. Debug text in mode 1, else no answer.
    ///
    /// ```
    /// # use firmware_protocol::{Command, RadioControl};
    /// let mut buffer = [0; Command::MAX_BYTES];
    /// let leader = RadioControl::Only("24:6F:28:12:34:56".parse()?);
    /// let bytes = Command::SetRadioControl(leader).encode(&mut buffer);
    /// assert_eq!(bytes, b"{\"T\":300,\"mode\":0,\"mac\":\"24:6F:28:12:34:56\"}\n");
    /// # Ok::<(), firmware_protocol::Error>(())
    /// ```
    SetRadioControl(RadioControl),
    /// `T:301`: who may move the arm by radio. No answer, but debug text for a leader in mode 1.
    ///
    /// ```
    /// # use firmware_protocol::{Command, EspNowMode};
    /// let mut buffer = [0; Command::MAX_BYTES];
    /// assert_eq!(Command::SetEspNow(EspNowMode::Off).encode(&mut buffer), b"{\"T\":301,\"mode\":0}\n");
    /// ```
    SetEspNow(EspNowMode),
    /// `T:302`: prints the board's own MAC address, a line of text.
    ///
    /// ```
    /// # use firmware_protocol::Command;
    /// let mut buffer = [0; Command::MAX_BYTES];
    /// assert_eq!(Command::ReadMacAddress.encode(&mut buffer), b"{\"T\":302}\n");
    /// ```
    ReadMacAddress,
    /// `T:605`: what the board sends of its own accord. No answer.
    ///
    /// ```
    /// # use firmware_protocol::{Command, FeedbackMode};
    /// let mut buffer = [0; Command::MAX_BYTES];
    /// let bytes = Command::SetFeedbackMode(FeedbackMode::Stream).encode(&mut buffer);
    /// assert_eq!(bytes, b"{\"T\":605,\"cmd\":2}\n");
    /// ```
    SetFeedbackMode(FeedbackMode),
    /// `T:999`: clears the stop flag of a T:0 (G3: Cartesian moves work again; G1 never reads the flag). No answer.
    ///
    /// ```
    /// # use firmware_protocol::Command;
    /// let mut buffer = [0; Command::MAX_BYTES];
    /// assert_eq!(Command::ResetEmergencyStop.encode(&mut buffer), b"{\"T\":999}\n");
    /// ```
    ResetEmergencyStop,
    /// `T:1041`: the tool to a pose at once, by the firmware's inverse kinematics. It brings **no speed**: the board uses
    /// what the last command left behind (after boot full speed with acceleration 20; after T:102 full speed without ramp;
    /// after T:122 that one's). So send [`Command::JointsDegrees`] with the measured pose first, or better: inverse
    /// kinematics on the host, and T:102. No answer.
    ///
    /// ```
    /// use firmware_protocol::{Command, FirmwareAngles, Generation, GoalPose};
    /// let goal = GoalPose::of_joints(Generation::G1, FirmwareAngles { hand_rad: 3.14, ..FirmwareAngles::HOME })?;
    /// let mut buffer = [0; Command::MAX_BYTES];
    /// assert_eq!(
    ///     Command::ToolPose(goal).encode(&mut buffer),
    ///     b"{\"T\":1041,\"x\":346.1600,\"y\":0.0000,\"z\":223.1300,\"t\":0.0000,\"r\":0.0000,\"g\":3.1400}\n"
    /// );
    /// # Ok::<(), firmware_protocol::Error>(())
    /// ```
    ToolPose(GoalPose),
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
                text.servo_motion(speed, acceleration);
            }
            _ => self.write_rarer(&mut text),
        }
        text.literal(b"}\n");
        text.finish()
    }
}

#[cfg(test)]
mod tests;
