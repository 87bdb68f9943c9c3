//! The dangerous commands without texts.

use super::motion::{Axis, InterpolationSpeed, JogDirection, JogMode};
use super::network::WifiMode;
use crate::command::Text;
use crate::{Error, Gain, GoalPose, ServoId};

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
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum DangerousCommand {
    /// `T:0`. G1: torque of all servos off for 10 s (**the arm falls**), the board deaf meanwhile, then torque on.
    /// G3: sets a flag that ends Cartesian moves (T:103, T:104) and empties the queue; torque stays on, and joints that
    /// already have a goal keep moving. Instead: the measured pose as T:102.
    ///
    /// ```
    /// use firmware_protocol::danger::DangerousCommand;
    /// let mut buffer = [0; DangerousCommand::MAX_BYTES];
    /// assert_eq!(DangerousCommand::EmergencyStop.encode(&mut buffer), b"{\"T\":0}\n");
    /// ```
    EmergencyStop,
    /// `T:100`, G1 and G3: drives home at 53 °/s (base, shoulder, elbow, then wrist, roll and hand: **it closes**) and **re-zeroes servo 13 in its
    /// EEPROM** on the way: against an obstacle or a load the shoulder's two servos are mis-paired and fight. Blocks the
    /// board for seconds; against an obstacle it never ends; a servo that does not answer on the way makes **all torque go
    /// off**. Does nothing if servos were silent at boot. Instead: T:102 with [`crate::FirmwareAngles::HOME`].
    ///
    /// ```
    /// # use firmware_protocol::danger::DangerousCommand;
    /// let mut buffer = [0; DangerousCommand::MAX_BYTES];
    /// assert_eq!(DangerousCommand::MoveHome.encode(&mut buffer), b"{\"T\":100}\n");
    /// ```
    MoveHome,
    /// `T:103`: one coordinate of the tool, interpolated. G1 and G3: blocks until the end, deaf on G1; **closes the hand**
    /// (its goal there is a constant 3.14) unless the axis is the hand; turns the roll back to that of the last Cartesian
    /// move; jumps first where the present pose is off the firmware's branch; servos run at whatever speed the last command
    /// left over (full speed after T:102). G3 stops at T:0. Instead: inverse kinematics
    /// on the host ([`crate::kinematics`]) and T:102.
    ///
    /// ```
    /// use firmware_protocol::danger::{Axis, DangerousCommand, InterpolationSpeed};
    /// let command = DangerousCommand::move_axis(Axis::Z, 150.0, InterpolationSpeed::USUAL)?;
    /// let mut buffer = [0; DangerousCommand::MAX_BYTES];
    /// assert_eq!(command.encode(&mut buffer), b"{\"T\":103,\"axis\":3,\"pos\":150.0000,\"spd\":0.2500}\n");
    /// # Ok::<(), firmware_protocol::Error>(())
    /// ```
    MoveAxis(AxisGoal, InterpolationSpeed),
    /// `T:104`: the tool to a pose, interpolated. G1 and G3: blocks until the end, deaf on G1; **the arm jumps first** where
    /// its present pose is off the firmware's branch (tool behind the axis, elbow below 0.126 rad), the roll to that of the
    /// last Cartesian move, the hand to its goal; servos run at the left-over speed (full after T:102); where inverse kinematics fails on the way it stops there without a
    /// word. G3 stops at T:0. Instead: inverse kinematics on the host and T:102.
    ///
    /// ```
    /// use firmware_protocol::danger::{DangerousCommand, InterpolationSpeed};
    /// use firmware_protocol::{Generation, GoalPose, kinematics::ToolPose};
    /// let pose = ToolPose { position_mm: [300.0, -20.5, 150.0], pitch_rad: 0.1 };
    /// let goal = GoalPose::new(Generation::G1, pose, 0.0, 3.14)?;
    /// let mut buffer = [0; DangerousCommand::MAX_BYTES];
    /// assert_eq!(
    ///     DangerousCommand::MoveTool(goal, InterpolationSpeed::USUAL).encode(&mut buffer),
    ///     b"{\"T\":104,\"x\":300.0000,\"y\":-20.5000,\"z\":150.0000,\"t\":0.1000,\"r\":0.0000,\"g\":3.1400,\
    ///       \"spd\":0.2500}\n"
    /// );
    /// # Ok::<(), firmware_protocol::Error>(())
    /// ```
    MoveTool(GoalPose, InterpolationSpeed),
    /// `T:110`, G1 and G3: moves the arm for seconds and **re-writes the base servo's zero in its EEPROM**, so that this
    /// direction becomes x. There is no undo but the same command. Instead: an offset on the host.
    ///
    /// ```
    /// # use firmware_protocol::danger::DangerousCommand;
    /// let mut buffer = [0; DangerousCommand::MAX_BYTES];
    /// let command = DangerousCommand::set_forward_deg(30.0)?;
    /// assert_eq!(command.encode(&mut buffer), b"{\"T\":110,\"xAxisAngle\":30.0000}\n");
    /// # Ok::<(), firmware_protocol::Error>(())
    /// ```
    SetForward(ForwardAngle),
    /// `T:123`: moves on and on until told to stop. G1 and G3: **no time-out, also after the host has died**; the mode and
    /// the speed are those of all axes at once; in tool mode the hand closes; in joint mode servos run at full speed, and
    /// a T:102 is overridden while any axis runs, or undone with a jump if it came one loop pass before; each start moves base,
    /// shoulder, wrist and roll by one step. Instead: small T:102 goals from the host.
    ///
    /// ```
    /// use firmware_protocol::danger::{Axis, DangerousCommand, JogDirection, JogMode};
    /// let jog = DangerousCommand::Jog {
    ///     mode: JogMode::Joints,
    ///     axis: Axis::X, // the base
    ///     direction: JogDirection::Down,
    ///     speed: 5,
    /// };
    /// let mut buffer = [0; DangerousCommand::MAX_BYTES];
    /// assert_eq!(jog.encode(&mut buffer), b"{\"T\":123,\"m\":0,\"axis\":1,\"cmd\":2,\"spd\":5}\n");
    /// ```
    Jog {
        /// Joints or tool; of all running axes.
        mode: JogMode,
        /// Which.
        axis: Axis,
        /// Which way.
        direction: JogDirection,
        /// Speed of all running axes, 0.0005 rad or 0.1 mm a loop pass (10..28 ms). 0 holds them.
        speed: u8,
    },
    /// `T:210` with cmd 0: torque of all servos off. G1: **the arm falls at once**. G3: it first **moves** to a folded pose
    /// (base 0, shoulder −90°, elbow 180°, wrist and roll 0, **hand closed**) at 53 °/s, blocking, and then goes limp. The next motion command switches torque
    /// on again. Instead: leave it on; the servos hold.
    ///
    /// ```
    /// use firmware_protocol::danger::{ArmMayFall, DangerousCommand};
    /// let mut buffer = [0; DangerousCommand::MAX_BYTES];
    /// let command = DangerousCommand::TorqueOff(ArmMayFall::acknowledged());
    /// assert_eq!(command.encode(&mut buffer), b"{\"T\":210,\"cmd\":0}\n");
    /// ```
    TorqueOff(ArmMayFall),
    /// `T:401`, G1 and G3: WiFi from the next start on, **written to flash**. (The vendor's Python client sends `mode`
    /// instead of `cmd` and so always writes "off".)
    ///
    /// ```
    /// use firmware_protocol::danger::{DangerousCommand, WifiMode};
    /// let mut buffer = [0; DangerousCommand::MAX_BYTES];
    /// let command = DangerousCommand::WifiAtBoot(WifiMode::Off);
    /// assert_eq!(command.encode(&mut buffer), b"{\"T\":401,\"cmd\":0}\n");
    /// ```
    WifiAtBoot(WifiMode),
    /// `T:405`: prints addresses **without a line end**: the next line is glued to it ([`crate::LineSplitter`] takes that
    /// apart). G3 prints the **passwords in clear text** too, into every log of the port.
    ///
    /// ```
    /// # use firmware_protocol::danger::DangerousCommand;
    /// let mut buffer = [0; DangerousCommand::MAX_BYTES];
    /// assert_eq!(DangerousCommand::ReadNetwork.encode(&mut buffer), b"{\"T\":405}\n");
    /// ```
    ReadNetwork,
    /// `T:406`, G1 and G3: saves the network settings in use to flash. After T:402 or T:403 the firmware still points into
    /// that command's memory, so **it may save garbage** and not find its networks at the next start.
    ///
    /// ```
    /// # use firmware_protocol::danger::DangerousCommand;
    /// let mut buffer = [0; DangerousCommand::MAX_BYTES];
    /// assert_eq!(DangerousCommand::SaveNetwork.encode(&mut buffer), b"{\"T\":406}\n");
    /// ```
    SaveNetwork,
    /// `T:408`, G1 and G3: leaves the network; a web page or HTTP client loses the arm.
    ///
    /// ```
    /// # use firmware_protocol::danger::DangerousCommand;
    /// let mut buffer = [0; DangerousCommand::MAX_BYTES];
    /// assert_eq!(DangerousCommand::Disconnect.encode(&mut buffer), b"{\"T\":408}\n");
    /// ```
    Disconnect,
    /// `T:501`, G1 and G3: a servo gets another id, **in its EEPROM**. Two servos of one id cannot be told apart again on
    /// the bus. Only for a replaced servo, alone on the bus.
    ///
    /// ```
    /// use firmware_protocol::{ServoId, danger::DangerousCommand};
    /// let mut buffer = [0; DangerousCommand::MAX_BYTES];
    /// let command = DangerousCommand::ChangeServoId { from: ServoId::new(17)?, to: ServoId::new(16)? };
    /// assert_eq!(command.encode(&mut buffer), b"{\"T\":501,\"raw\":17,\"new\":16}\n");
    /// # Ok::<(), firmware_protocol::Error>(())
    /// ```
    ChangeServoId {
        /// The id that it has.
        from: ServoId,
        /// The id that it gets.
        to: ServoId,
    },
    /// `T:502`, G1 and G3: the servo's present position becomes its middle, **in its EEPROM**: every later angle of this
    /// joint is shifted. There is no way to send 254 (all servos), which is what the vendor's Python client sends.
    ///
    /// ```
    /// use firmware_protocol::{ServoId, danger::DangerousCommand};
    /// let mut buffer = [0; DangerousCommand::MAX_BYTES];
    /// let command = DangerousCommand::SetServoMiddle(ServoId::new(15)?);
    /// assert_eq!(command.encode(&mut buffer), b"{\"T\":502,\"id\":15}\n");
    /// # Ok::<(), firmware_protocol::Error>(())
    /// ```
    SetServoMiddle(ServoId),
    /// `T:503`, G1 and G3: P gain of a servo, **in its EEPROM**. The firmware sets P = 16 in RAM at each start anyhow.
    /// Instead: [`crate::Command::JointGains`].
    ///
    /// ```
    /// use firmware_protocol::{Gain, ServoId, danger::DangerousCommand};
    /// let mut buffer = [0; DangerousCommand::MAX_BYTES];
    /// let command = DangerousCommand::SetServoGain { servo: ServoId::new(15)?, p: Gain::new(32)? };
    /// assert_eq!(command.encode(&mut buffer), b"{\"T\":503,\"id\":15,\"p\":32}\n");
    /// # Ok::<(), firmware_protocol::Error>(())
    /// ```
    SetServoGain {
        /// Which servo.
        servo: ServoId,
        /// Its gain from now on.
        p: Gain,
    },
    /// `T:600`, G1 and G3: restarts the board, which **drives the arm home** a few seconds later. The cure when 12 V came on
    /// after USB. Boot text follows.
    ///
    /// ```
    /// # use firmware_protocol::danger::DangerousCommand;
    /// let mut buffer = [0; DangerousCommand::MAX_BYTES];
    /// assert_eq!(DangerousCommand::Reboot.encode(&mut buffer), b"{\"T\":600}\n");
    /// ```
    Reboot,
    /// `T:601`: prints the free flash. Harmless in itself; it stands here because its neighbours are not, and a wrong digit
    /// among them cannot be taken back.
    ///
    /// ```
    /// # use firmware_protocol::danger::DangerousCommand;
    /// let mut buffer = [0; DangerousCommand::MAX_BYTES];
    /// assert_eq!(DangerousCommand::ReadFlashSpace.encode(&mut buffer), b"{\"T\":601}\n");
    /// ```
    ReadFlashSpace,
    /// `T:602`: prints the boot mission, what the board runs at each start. Harmless in itself, as T:601.
    ///
    /// ```
    /// # use firmware_protocol::danger::DangerousCommand;
    /// let mut buffer = [0; DangerousCommand::MAX_BYTES];
    /// assert_eq!(DangerousCommand::ReadBootMission.encode(&mut buffer), b"{\"T\":602}\n");
    /// ```
    ReadBootMission,
    /// `T:603`, G1 and G3: deletes the boot mission. (Some scripts call it "move to init"; it moves nothing.)
    ///
    /// ```
    /// # use firmware_protocol::danger::DangerousCommand;
    /// let mut buffer = [0; DangerousCommand::MAX_BYTES];
    /// assert_eq!(DangerousCommand::DeleteBootMission.encode(&mut buffer), b"{\"T\":603}\n");
    /// ```
    DeleteBootMission,
    /// `T:604`, G1 and G3: erases the chip's settings store (NVS), radio calibration included.
    ///
    /// ```
    /// # use firmware_protocol::danger::DangerousCommand;
    /// let mut buffer = [0; DangerousCommand::MAX_BYTES];
    /// assert_eq!(DangerousCommand::EraseSettings.encode(&mut buffer), b"{\"T\":604}\n");
    /// ```
    EraseSettings,
}

/// Goal of one coordinate of the tool, checked: [`DangerousCommand::move_axis`] makes it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AxisGoal {
    axis: Axis,
    value: f64,
}

/// A direction in degrees, checked: [`DangerousCommand::set_forward_deg`] makes it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ForwardAngle(f64);

impl DangerousCommand {
    /// Room for the longest of them with its line end.
    pub const MAX_BYTES: usize = 128;

    /// [`Self::MoveAxis`] to `value`: mm (−1000..=1000) for x, y, z, rad (−9.9999..=9.9999) for the others.
    pub fn move_axis(axis: Axis, value: f64, speed: InterpolationSpeed) -> Result<Self, Error> {
        let (what, limit) = match axis {
            Axis::X | Axis::Y | Axis::Z => ("a coordinate (mm)", 1000.0),
            Axis::Pitch | Axis::Roll | Axis::Hand => ("an angle (rad)", 9.9999),
        };
        let value = Error::check_range(what, value, -limit, limit)?;
        Ok(Self::MoveAxis(AxisGoal { axis, value }, speed))
    }

    /// [`Self::SetForward`] to a direction of −180..=180 degrees.
    pub fn set_forward_deg(angle_deg: f64) -> Result<Self, Error> {
        let angle_deg = Error::check_range("the direction of x (degrees)", angle_deg, -180.0, 180.0)?;
        Ok(Self::SetForward(ForwardAngle(angle_deg)))
    }

    /// Writes the command with its line end and returns the bytes written. No space after the colon: G3 finds a T:0 in
    /// its serial task by the text `"T":0`.
    pub fn encode<'b>(&self, buffer: &'b mut [u8; Self::MAX_BYTES]) -> &'b [u8] {
        let mut text = Text::new(buffer);
        text.integer(b"{\"T\":", self.code());
        match *self {
            Self::MoveAxis(AxisGoal { axis, value }, speed) => {
                text.integer(b",\"axis\":", axis as u32);
                text.decimal(b",\"pos\":", value);
                text.decimal(b",\"spd\":", speed.mm_or_rad_per_step());
            }
            Self::MoveTool(goal, speed) => {
                goal.write(&mut text);
                text.decimal(b",\"spd\":", speed.mm_or_rad_per_step());
            }
            Self::SetForward(ForwardAngle(angle_deg)) => text.decimal(b",\"xAxisAngle\":", angle_deg),
            Self::Jog { mode, axis, direction, speed } => {
                text.integer(b",\"m\":", mode as u32);
                text.integer(b",\"axis\":", axis as u32);
                text.integer(b",\"cmd\":", direction as u32);
                text.integer(b",\"spd\":", speed.into());
            }
            Self::TorqueOff(ArmMayFall(())) => text.integer(b",\"cmd\":", 0),
            Self::WifiAtBoot(mode) => text.integer(b",\"cmd\":", mode as u32),
            Self::ChangeServoId { from, to } => {
                text.integer(b",\"raw\":", from.get().into());
                text.integer(b",\"new\":", to.get().into());
            }
            Self::SetServoMiddle(servo) => text.integer(b",\"id\":", servo.get().into()),
            Self::SetServoGain { servo, p } => {
                text.integer(b",\"id\":", servo.get().into());
                text.integer(b",\"p\":", p.units().into());
            }
            _ => {}
        }
        text.literal(b"}\n");
        text.finish()
    }

    const fn code(&self) -> u32 {
        match self {
            Self::EmergencyStop => 0,
            Self::MoveHome => 100,
            Self::MoveAxis(..) => 103,
            Self::MoveTool(..) => 104,
            Self::SetForward(..) => 110,
            Self::Jog { .. } => 123,
            Self::TorqueOff(..) => 210,
            Self::WifiAtBoot(..) => 401,
            Self::ReadNetwork => 405,
            Self::SaveNetwork => 406,
            Self::Disconnect => 408,
            Self::ChangeServoId { .. } => 501,
            Self::SetServoMiddle(..) => 502,
            Self::SetServoGain { .. } => 503,
            Self::Reboot => 600,
            Self::ReadFlashSpace => 601,
            Self::ReadBootMission => 602,
            Self::DeleteBootMission => 603,
            Self::EraseSettings => 604,
        }
    }
}
