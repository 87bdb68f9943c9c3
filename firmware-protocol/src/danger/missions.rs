//! Steps of missions that hold commands or poses: T:222-230, and a mission without end.

use crate::command::{Object, encoded_by_object};
use crate::{BoardDelay, Error, MissionName, Place};

use super::InterpolationSpeed;

/// The mission that the board runs at **each start**, before anybody can look. A step there that moves the arm moves it at
/// every power-up; one that blocks makes a board that never listens.
#[must_use]
pub const fn boot_mission() -> MissionName<'static> {
    MissionName::BOOT
}

/// An edit that puts unchecked commands into the board's flash, or a mission without end.
///
/// Steps are taken as they are: nobody looks at them before the arm executes them. A **replaced** step must exist: with a
/// number behind the last, G1 writes past an array (firmware G1, run on a host: it crashed). Instead: keep the list on the
/// host and send its commands one by one.
///
/// Constructors refuse what any board would drop or cut: see [`Error::PoolTooSmall`] and [`Error::LineTooLong`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MissionEdit<'a>(Object<'a>);

encoded_by_object!(MissionEdit);

impl<'a> MissionEdit<'a> {
    fn about(code: u16, name: MissionName<'a>) -> Object<'a> {
        Object::new(code).text("name", name.get())
    }

    /// `T:222`: appends a command (one JSON object as text, without its line end).
    ///
    /// ```
    /// use firmware_protocol::{MissionName, danger::MissionEdit};
    /// let mut buffer = [0; MissionEdit::MAX_BYTES];
    /// let edit = MissionEdit::append(MissionName::new("demo")?, r#"{"T":115}"#)?;
    /// assert_eq!(
    ///     edit.encode(&mut buffer),
    ///     br#"{"T":222,"name":"demo","step":"{\"T\":115}"}
    /// "#
    /// );
    /// # Ok::<(), firmware_protocol::Error>(())
    /// ```
    pub fn append(name: MissionName<'a>, step: &'a str) -> Result<Self, Error> {
        Self::about(222, name).text("step", step).checked().map(Self)
    }

    /// `T:223`: appends the present tool pose as a T:104. G1 and G3 write it **without roll and hand, which play as 0: the
    /// roll turns to 0 and the hand opens wide.**
    ///
    /// ```
    /// use firmware_protocol::{MissionName, danger::{InterpolationSpeed, MissionEdit}};
    /// let mut buffer = [0; MissionEdit::MAX_BYTES];
    /// let edit = MissionEdit::append_pose(MissionName::new("demo")?, InterpolationSpeed::USUAL)?;
    /// assert_eq!(edit.encode(&mut buffer), b"{\"T\":223,\"name\":\"demo\",\"spd\":0.2500}\n");
    /// # Ok::<(), firmware_protocol::Error>(())
    /// ```
    pub fn append_pose(name: MissionName<'a>, speed: InterpolationSpeed) -> Result<Self, Error> {
        Self::about(223, name).decimal("spd", speed.mm_or_rad_per_step()).checked().map(Self)
    }

    /// `T:225`: inserts a command so that it becomes step `step`.
    ///
    /// ```
    /// use firmware_protocol::{MissionName, Place, danger::MissionEdit};
    /// let mut buffer = [0; MissionEdit::MAX_BYTES];
    /// let edit = MissionEdit::insert(MissionName::new("demo")?, Place::new(1)?, r#"{"T":115}"#)?;
    /// assert_eq!(
    ///     edit.encode(&mut buffer),
    ///     br#"{"T":225,"name":"demo","stepNum":1,"step":"{\"T\":115}"}
    /// "#
    /// );
    /// # Ok::<(), firmware_protocol::Error>(())
    /// ```
    pub fn insert(name: MissionName<'a>, place: Place, step: &'a str) -> Result<Self, Error> {
        Self::about(225, name).place(place).text("step", step).checked().map(Self)
    }

    /// `T:226`: inserts the present tool pose; see [`Self::append_pose`].
    ///
    /// ```
    /// use firmware_protocol::{MissionName, Place, danger::{InterpolationSpeed, MissionEdit}};
    /// let mut buffer = [0; MissionEdit::MAX_BYTES];
    /// let name = MissionName::new("demo")?;
    /// let edit = MissionEdit::insert_pose(name, Place::new(1)?, InterpolationSpeed::USUAL)?;
    /// assert_eq!(edit.encode(&mut buffer), b"{\"T\":226,\"name\":\"demo\",\"stepNum\":1,\"spd\":0.2500}\n");
    /// # Ok::<(), firmware_protocol::Error>(())
    /// ```
    pub fn insert_pose(
        name: MissionName<'a>,
        place: Place,
        speed: InterpolationSpeed,
    ) -> Result<Self, Error> {
        let object = Self::about(226, name).place(place);
        object.decimal("spd", speed.mm_or_rad_per_step()).checked().map(Self)
    }

    /// `T:228`: replaces a step, which must exist, by a command.
    ///
    /// ```
    /// use firmware_protocol::{MissionName, Place, danger::MissionEdit};
    /// let mut buffer = [0; MissionEdit::MAX_BYTES];
    /// let edit = MissionEdit::replace(MissionName::new("demo")?, Place::new(1)?, r#"{"T":115}"#)?;
    /// assert_eq!(
    ///     edit.encode(&mut buffer),
    ///     br#"{"T":228,"name":"demo","stepNum":1,"step":"{\"T\":115}"}
    /// "#
    /// );
    /// # Ok::<(), firmware_protocol::Error>(())
    /// ```
    pub fn replace(name: MissionName<'a>, place: Place, step: &'a str) -> Result<Self, Error> {
        Self::about(228, name).place(place).text("step", step).checked().map(Self)
    }

    /// `T:229`: replaces a step, which must exist, by the present tool pose; see [`Self::append_pose`].
    ///
    /// ```
    /// use firmware_protocol::{MissionName, Place, danger::{InterpolationSpeed, MissionEdit}};
    /// let mut buffer = [0; MissionEdit::MAX_BYTES];
    /// let name = MissionName::new("demo")?;
    /// let edit = MissionEdit::replace_by_pose(name, Place::new(1)?, InterpolationSpeed::USUAL)?;
    /// assert_eq!(edit.encode(&mut buffer), b"{\"T\":229,\"name\":\"demo\",\"stepNum\":1,\"spd\":0.2500}\n");
    /// # Ok::<(), firmware_protocol::Error>(())
    /// ```
    pub fn replace_by_pose(
        name: MissionName<'a>,
        place: Place,
        speed: InterpolationSpeed,
    ) -> Result<Self, Error> {
        let object = Self::about(229, name).place(place);
        object.decimal("spd", speed.mm_or_rad_per_step()).checked().map(Self)
    }

    /// `T:230`: replaces a step, which must exist, by a pause.
    ///
    /// ```
    /// use firmware_protocol::{BoardDelay, MissionName, Place, danger::MissionEdit};
    /// let mut buffer = [0; MissionEdit::MAX_BYTES];
    /// let name = MissionName::new("demo")?;
    /// let edit = MissionEdit::replace_by_delay(name, Place::new(1)?, BoardDelay::from_ms(500)?)?;
    /// assert_eq!(edit.encode(&mut buffer), b"{\"T\":230,\"name\":\"demo\",\"stepNum\":1,\"delay\":500}\n");
    /// # Ok::<(), firmware_protocol::Error>(())
    /// ```
    pub fn replace_by_delay(name: MissionName<'a>, place: Place, delay: BoardDelay) -> Result<Self, Error> {
        Self::about(230, name).place(place).integer("delay", delay.ms().into()).checked().map(Self)
    }

    /// `T:242` with times −1: plays a mission for ever, also after the host has died. G1 stops when any byte arrives; **G3
    /// stops only between repeats, and only by T:0.** Instead: [`crate::MissionCommand::play`].
    ///
    /// ```
    /// use firmware_protocol::{MissionName, danger::MissionEdit};
    /// let mut buffer = [0; MissionEdit::MAX_BYTES];
    /// let command = MissionEdit::play_for_ever(MissionName::new("demo")?)?;
    /// assert_eq!(command.encode(&mut buffer), b"{\"T\":242,\"name\":\"demo\",\"times\":-1}\n");
    /// # Ok::<(), firmware_protocol::Error>(())
    /// ```
    pub fn play_for_ever(name: MissionName<'a>) -> Result<Self, Error> {
        Self::about(242, name).integer("times", -1).checked().map(Self)
    }
}
