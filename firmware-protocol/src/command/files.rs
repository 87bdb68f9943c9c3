//! T:200-208: files on the board's flash. Every answer is several lines of text, never JSON alone; nothing ends it, so a
//! host waits for a pause. Each write wears the flash.

use super::names::{FileName, Place};
use super::object::{Object, encoded_by_object};
use crate::Error;

/// A command about files. Blocks the board for the time of the flash access and the printing.
///
/// Constructors refuse what any board would drop or cut: see [`Error::PoolTooSmall`] and [`Error::LineTooLong`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FileCommand<'a>(pub(super) Object<'a>);

encoded_by_object!(FileCommand);

impl<'a> FileCommand<'a> {
    fn about(code: u16, name: FileName<'a>) -> Object<'a> {
        Object::new(code).text("name", name.get())
    }

    /// `T:200`: lists the files with their first lines.
    ///
    /// ```
    /// # use firmware_protocol::FileCommand;
    /// let mut buffer = [0; FileCommand::MAX_BYTES];
    /// assert_eq!(FileCommand::list().encode(&mut buffer), b"{\"T\":200}\n");
    /// ```
    #[must_use]
    pub const fn list() -> Self {
        Self(Object::new(200))
    }

    /// `T:201`: creates a file with a first line.
    ///
    /// ```
    /// # use firmware_protocol::{FileCommand, FileName};
    /// let mut buffer = [0; FileCommand::MAX_BYTES];
    /// let command = FileCommand::create(FileName::new("notes.txt")?, "say \"hi\"")?;
    /// assert_eq!(
    ///     command.encode(&mut buffer),
    ///     br#"{"T":201,"name":"notes.txt","content":"say \"hi\""}
    /// "#
    /// );
    /// # Ok::<(), firmware_protocol::Error>(())
    /// ```
    pub fn create(name: FileName<'a>, content: &'a str) -> Result<Self, Error> {
        Self::about(201, name).text("content", content).checked().map(Self)
    }

    /// `T:202`: prints a file.
    ///
    /// ```
    /// # use firmware_protocol::{FileCommand, FileName};
    /// let mut buffer = [0; FileCommand::MAX_BYTES];
    /// let command = FileCommand::read(FileName::new("notes.txt")?)?;
    /// assert_eq!(command.encode(&mut buffer), b"{\"T\":202,\"name\":\"notes.txt\"}\n");
    /// # Ok::<(), firmware_protocol::Error>(())
    /// ```
    pub fn read(name: FileName<'a>) -> Result<Self, Error> {
        Self::about(202, name).checked().map(Self)
    }

    /// `T:203`: deletes a file.
    ///
    /// ```
    /// # use firmware_protocol::{FileCommand, FileName};
    /// let mut buffer = [0; FileCommand::MAX_BYTES];
    /// let command = FileCommand::delete(FileName::new("notes.txt")?)?;
    /// assert_eq!(command.encode(&mut buffer), b"{\"T\":203,\"name\":\"notes.txt\"}\n");
    /// # Ok::<(), firmware_protocol::Error>(())
    /// ```
    pub fn delete(name: FileName<'a>) -> Result<Self, Error> {
        Self::about(203, name).checked().map(Self)
    }

    /// `T:204`: appends a line.
    ///
    /// ```
    /// # use firmware_protocol::{FileCommand, FileName};
    /// let mut buffer = [0; FileCommand::MAX_BYTES];
    /// let command = FileCommand::append_line(FileName::new("notes.txt")?, "two")?;
    /// assert_eq!(command.encode(&mut buffer), b"{\"T\":204,\"name\":\"notes.txt\",\"content\":\"two\"}\n");
    /// # Ok::<(), firmware_protocol::Error>(())
    /// ```
    pub fn append_line(name: FileName<'a>, content: &'a str) -> Result<Self, Error> {
        Self::about(204, name).text("content", content).checked().map(Self)
    }

    /// `T:205`: inserts a line so that it becomes line `line`.
    ///
    /// ```
    /// # use firmware_protocol::{FileCommand, FileName, Place};
    /// let mut buffer = [0; FileCommand::MAX_BYTES];
    /// let command = FileCommand::insert_line(FileName::new("a")?, Place::new(2)?, "two")?;
    /// assert_eq!(command.encode(&mut buffer), b"{\"T\":205,\"name\":\"a\",\"lineNum\":2,\"content\":\"two\"}\n");
    /// # Ok::<(), firmware_protocol::Error>(())
    /// ```
    pub fn insert_line(name: FileName<'a>, line: Place, content: &'a str) -> Result<Self, Error> {
        let object = Self::about(205, name).integer("lineNum", line.number().into());
        object.text("content", content).checked().map(Self)
    }

    /// `T:206`: replaces a line.
    ///
    /// ```
    /// # use firmware_protocol::{FileCommand, FileName, Place};
    /// let mut buffer = [0; FileCommand::MAX_BYTES];
    /// let command = FileCommand::replace_line(FileName::new("a")?, Place::new(2)?, "2")?;
    /// assert_eq!(command.encode(&mut buffer), b"{\"T\":206,\"name\":\"a\",\"lineNum\":2,\"content\":\"2\"}\n");
    /// # Ok::<(), firmware_protocol::Error>(())
    /// ```
    pub fn replace_line(name: FileName<'a>, line: Place, content: &'a str) -> Result<Self, Error> {
        let object = Self::about(206, name).integer("lineNum", line.number().into());
        object.text("content", content).checked().map(Self)
    }

    /// `T:207`: prints one line.
    ///
    /// ```
    /// # use firmware_protocol::{FileCommand, FileName, Place};
    /// let mut buffer = [0; FileCommand::MAX_BYTES];
    /// let command = FileCommand::read_line(FileName::new("a")?, Place::new(2)?)?;
    /// assert_eq!(command.encode(&mut buffer), b"{\"T\":207,\"name\":\"a\",\"lineNum\":2}\n");
    /// # Ok::<(), firmware_protocol::Error>(())
    /// ```
    pub fn read_line(name: FileName<'a>, line: Place) -> Result<Self, Error> {
        Self::about(207, name).integer("lineNum", line.number().into()).checked().map(Self)
    }

    /// `T:208`: deletes one line.
    ///
    /// ```
    /// # use firmware_protocol::{FileCommand, FileName, Place};
    /// let mut buffer = [0; FileCommand::MAX_BYTES];
    /// let command = FileCommand::delete_line(FileName::new("a")?, Place::new(2)?)?;
    /// assert_eq!(command.encode(&mut buffer), b"{\"T\":208,\"name\":\"a\",\"lineNum\":2}\n");
    /// # Ok::<(), firmware_protocol::Error>(())
    /// ```
    pub fn delete_line(name: FileName<'a>, line: Place) -> Result<Self, Error> {
        Self::about(208, name).integer("lineNum", line.number().into()).checked().map(Self)
    }
}
