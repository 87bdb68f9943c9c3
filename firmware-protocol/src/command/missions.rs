//! T:220-242: missions, files of commands that the board plays by itself. Steps that hold a command or a pose are in
//! [`crate::danger`].

use super::names::{MissionName, Place, Repeats};
use super::object::{Object, encoded_by_object};
use super::outputs::BoardDelay;
use crate::Error;

/// A command about missions. Most answers are text dumps of the file. Each write wears the flash.
///
/// Constructors refuse what any board would drop or cut: see [`Error::PoolTooSmall`] and [`Error::LineTooLong`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MissionCommand<'a>(Object<'a>);

encoded_by_object!(MissionCommand);

impl<'a> MissionCommand<'a> {
    fn about(code: u16, name: MissionName<'a>) -> Object<'a> {
        Object::new(code).text("name", name.get())
    }

    /// `T:220`: creates a mission with an introduction.
    ///
    /// ```
    /// # use firmware_protocol::{MissionCommand, MissionName};
    /// let mut buffer = [0; MissionCommand::MAX_BYTES];
    /// let command = MissionCommand::create(MissionName::new("demo")?, "a test")?;
    /// assert_eq!(command.encode(&mut buffer), b"{\"T\":220,\"name\":\"demo\",\"intro\":\"a test\"}\n");
    /// # Ok::<(), firmware_protocol::Error>(())
    /// ```
    pub fn create(name: MissionName<'a>, intro: &'a str) -> Result<Self, Error> {
        Self::about(220, name).text("intro", intro).checked().map(Self)
    }

    /// `T:221`: prints a mission, `[StepNum: N ] - STEP` a step.
    ///
    /// ```
    /// # use firmware_protocol::{MissionCommand, MissionName};
    /// let mut buffer = [0; MissionCommand::MAX_BYTES];
    /// let command = MissionCommand::print(MissionName::new("demo")?)?;
    /// assert_eq!(command.encode(&mut buffer), b"{\"T\":221,\"name\":\"demo\"}\n");
    /// # Ok::<(), firmware_protocol::Error>(())
    /// ```
    pub fn print(name: MissionName<'a>) -> Result<Self, Error> {
        Self::about(221, name).checked().map(Self)
    }

    /// `T:224`: appends a pause.
    ///
    /// ```
    /// # use firmware_protocol::{BoardDelay, MissionCommand, MissionName};
    /// let mut buffer = [0; MissionCommand::MAX_BYTES];
    /// let command = MissionCommand::append_delay(MissionName::new("demo")?, BoardDelay::from_ms(500)?)?;
    /// assert_eq!(command.encode(&mut buffer), b"{\"T\":224,\"name\":\"demo\",\"delay\":500}\n");
    /// # Ok::<(), firmware_protocol::Error>(())
    /// ```
    pub fn append_delay(name: MissionName<'a>, delay: BoardDelay) -> Result<Self, Error> {
        Self::about(224, name).integer("delay", delay.ms().into()).checked().map(Self)
    }

    /// `T:227`: inserts a pause so that it becomes step `step`. The firmware reads the pause from `spd` instead of `delay`
    /// (G1 and G3), so that everybody else's pause is 0 ms; here both are sent.
    ///
    /// ```
    /// # use firmware_protocol::{BoardDelay, MissionCommand, MissionName, Place};
    /// let mut buffer = [0; MissionCommand::MAX_BYTES];
    /// let name = MissionName::new("demo")?;
    /// let command = MissionCommand::insert_delay(name, Place::new(2)?, BoardDelay::from_ms(500)?)?;
    /// assert_eq!(
    ///     command.encode(&mut buffer),
    ///     b"{\"T\":227,\"name\":\"demo\",\"stepNum\":2,\"delay\":500,\"spd\":500}\n"
    /// );
    /// # Ok::<(), firmware_protocol::Error>(())
    /// ```
    pub fn insert_delay(name: MissionName<'a>, step: Place, delay: BoardDelay) -> Result<Self, Error> {
        let delay_ms = delay.ms().into();
        let object = Self::about(227, name).integer("stepNum", step.number().into());
        object.integer("delay", delay_ms).integer("spd", delay_ms).checked().map(Self)
    }

    /// `T:231`: deletes a step.
    ///
    /// ```
    /// # use firmware_protocol::{MissionCommand, MissionName, Place};
    /// let mut buffer = [0; MissionCommand::MAX_BYTES];
    /// let command = MissionCommand::delete_step(MissionName::new("demo")?, Place::new(2)?)?;
    /// assert_eq!(command.encode(&mut buffer), b"{\"T\":231,\"name\":\"demo\",\"stepNum\":2}\n");
    /// # Ok::<(), firmware_protocol::Error>(())
    /// ```
    pub fn delete_step(name: MissionName<'a>, step: Place) -> Result<Self, Error> {
        Self::about(231, name).integer("stepNum", step.number().into()).checked().map(Self)
    }

    /// `T:241`: runs one step. **The arm does what the step says**; look with [`Self::print`] first.
    ///
    /// ```
    /// # use firmware_protocol::{MissionCommand, MissionName, Place};
    /// let mut buffer = [0; MissionCommand::MAX_BYTES];
    /// let command = MissionCommand::run_step(MissionName::new("demo")?, Place::new(2)?)?;
    /// assert_eq!(command.encode(&mut buffer), b"{\"T\":241,\"name\":\"demo\",\"stepNum\":2}\n");
    /// # Ok::<(), firmware_protocol::Error>(())
    /// ```
    pub fn run_step(name: MissionName<'a>, step: Place) -> Result<Self, Error> {
        Self::about(241, name).integer("stepNum", step.number().into()).checked().map(Self)
    }

    /// `T:242`: plays a mission. **The arm does what the steps say.** Blocks the board until the end; G1 stops before the
    /// next step when any byte arrives, G3 only between repeats and only by T:0.
    ///
    /// ```
    /// # use firmware_protocol::{MissionCommand, MissionName, Repeats};
    /// let mut buffer = [0; MissionCommand::MAX_BYTES];
    /// let command = MissionCommand::play(MissionName::new("demo")?, Repeats::ONCE)?;
    /// assert_eq!(command.encode(&mut buffer), b"{\"T\":242,\"name\":\"demo\",\"times\":1}\n");
    /// # Ok::<(), firmware_protocol::Error>(())
    /// ```
    pub fn play(name: MissionName<'a>, repeats: Repeats) -> Result<Self, Error> {
        Self::about(242, name).integer("times", repeats.times().into()).checked().map(Self)
    }
}
