//! Reads a log: the records of everything that is verified, and then what is missing.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use prost::Message;

use super::container::{Container, Piece, RawMessage};
use super::convert::{Convert, frame};
use super::error::{RunLogError, Unreadable};
use super::picture;
use super::records::{
    ChunkRecord, ControlRecord, EndRecord, FORMAT, FrameRecord, LossRecord, NoticeLevel, NoticeRecord,
    ObservationRecord, Record, RunRecord,
};
use super::wire::{self, Topical, foxglove};
use super::writer::PROFILE;
use crate::types::{FrameMetadata, PixelLayout, Timestamp};

/// How much of a log is there. Final once [`RunLogReader::next_record`] has given `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogState {
    /// Bytes from the beginning up to which all is verified.
    pub verified_bytes: u64,
    /// Why the file ends early; `None` where it was closed.
    pub cut: Option<String>,
    /// What had to be passed over.
    pub damage: Vec<String>,
}

/// Reads a log record by record, in the order of the file.
pub struct RunLogReader<R> {
    path: PathBuf,
    container: Container<R>,
    run: RunRecord,
    first: RawMessage,
    queue: VecDeque<RawMessage>,
    /// What is known of a picture that comes next, by camera.
    announced: HashMap<String, wire::Frame>,
    /// Which pictures are decoded; `None`: all.
    wanted: Option<Wanted>,
    state: LogState,
    over: bool,
}

/// Whether the picture of this slot is wanted.
type Wanted = Box<dyn Fn(usize, &FrameMetadata) -> bool + Send>;

impl RunLogReader<BufReader<File>> {
    /// Opens a file.
    ///
    /// # Errors
    /// If it cannot be read, is no run log, has a newer format, or not even its first record is whole.
    pub fn open(path: &Path) -> Result<Self, RunLogError> {
        let failed = |source| RunLogError::Read { path: path.to_owned(), source };
        Self::new(BufReader::with_capacity(1 << 16, File::open(path).map_err(failed)?), path)
    }
}

impl<R: Read> RunLogReader<R> {
    /// Reads from `input`; `path` is for messages.
    ///
    /// # Errors
    /// As [`RunLogReader::open`].
    pub fn new(input: R, path: &Path) -> Result<Self, RunLogError> {
        let path = path.to_owned();
        let not_ours = |problem: String| RunLogError::NotARunLog { path: path.clone(), problem };
        let failed = |source| RunLogError::Read { path: path.clone(), source };
        let mut container = Container::open(input)
            .map_err(failed)?
            .ok_or_else(|| not_ours("it does not begin as an MCAP file".to_owned()))?;
        let mut state = LogState::default();
        let (first, queue) = loop {
            match container.next().map_err(failed)? {
                Piece::Messages(messages) => {
                    let mut queue = VecDeque::from(messages);
                    if let Some(first) = queue.pop_front() {
                        break (first, queue);
                    }
                }
                Piece::Damaged(problem) => state.damage.push(problem),
                Piece::End(problem) => {
                    state.damage.extend(problem);
                    let problem = state.damage.join(", ");
                    return Err(RunLogError::NothingWhole { path, problem });
                }
            }
        };
        check_profile(&container, &not_ours)?;
        if first.schema() != wire::Run::SCHEMA {
            return Err(not_ours(format!("it begins with a message {}", first.schema())));
        }
        let wire = wire::Run::decode(first.data.as_slice()).map_err(|error| not_ours(error.to_string()))?;
        if wire.format_major > FORMAT.major {
            let (major, minor) = (wire.format_major, wire.format_minor);
            return Err(RunLogError::NewerFormat { path, major, minor });
        }
        let run = RunRecord::from_wire(wire).map_err(|error| not_ours(error.to_string()))?;
        state.verified_bytes = container.verified();
        Ok(Self {
            path,
            container,
            run,
            first,
            queue,
            announced: HashMap::new(),
            wanted: None,
            state,
            over: false,
        })
    }

    /// The first record.
    pub const fn run(&self) -> &RunRecord {
        &self.run
    }

    /// Decodes only the pictures for which `wanted` says so; the others come with [`FrameRecord::pixels`] empty, at hardly any cost.
    #[must_use]
    pub fn decode_only(mut self, wanted: impl Fn(usize, &FrameMetadata) -> bool + Send + 'static) -> Self {
        self.wanted = Some(Box::new(wanted));
        self
    }

    /// How much of the log is there, as far as it was read.
    pub const fn state(&self) -> &LogState {
        &self.state
    }

    /// The first message as it stands in the file.
    pub(super) const fn first(&self) -> &RawMessage {
        &self.first
    }

    /// The next verified message.
    pub(super) fn next_message(&mut self) -> Result<Option<RawMessage>, RunLogError> {
        loop {
            if let Some(message) = self.queue.pop_front() {
                return Ok(Some(message));
            }
            if self.over {
                return Ok(None);
            }
            let piece = self
                .container
                .next()
                .map_err(|source| RunLogError::Read { path: self.path.clone(), source })?;
            match piece {
                Piece::Messages(messages) => self.queue.extend(messages),
                Piece::Damaged(problem) => self.state.damage.push(problem),
                Piece::End(problem) => {
                    self.over = true;
                    self.state.cut = problem;
                }
            }
            self.state.verified_bytes = self.container.verified();
        }
    }

    /// The next verified record; `None` at the end, wherever that is.
    ///
    /// A record that is verified but cannot be understood is passed over and told in [`LogState::damage`]; one of a kind that a later
    /// roarm has added is passed over.
    ///
    /// # Errors
    /// If the system cannot read on.
    pub fn next_record(&mut self) -> Result<Option<Record>, RunLogError> {
        while let Some(message) = self.next_message()? {
            match self.record(&message) {
                Ok(Some(record)) => return Ok(Some(record)),
                Ok(None) => {}
                Err(Unreadable(problem)) => {
                    let RawMessage { channel, sequence, .. } = &message;
                    self.state.damage.push(format!("message {sequence} of {}: {problem}", channel.topic));
                }
            }
        }
        Ok(None)
    }

    /// The moment on the run's own clock of a label on the wall clock.
    fn time(&self, log_time: u64) -> Timestamp {
        let since = i128::from(log_time) - i128::from(self.run.wall_start_ns);
        let nanos = i128::from(self.run.start.as_nanos()) + since;
        Timestamp::from_nanos(u64::try_from(nanos).unwrap_or_default())
    }

    fn record(&mut self, message: &RawMessage) -> Result<Option<Record>, Unreadable> {
        let data = message.data.as_slice();
        Ok(Some(match message.schema() {
            wire::Control::SCHEMA => {
                Record::Control(Box::new(ControlRecord::from_wire(wire::Control::decode(data)?)?))
            }
            wire::Observation::SCHEMA => {
                Record::Observation(Box::new(ObservationRecord::from_wire(wire::Observation::decode(data)?)?))
            }
            wire::Chunk::SCHEMA => Record::Chunk(ChunkRecord::from_wire(wire::Chunk::decode(data)?)?),
            wire::Frame::SCHEMA => {
                let camera = camera_of(&message.channel.topic).to_owned();
                self.announced.insert(camera, wire::Frame::decode(data)?);
                return Ok(None);
            }
            foxglove::CompressedImage::SCHEMA => {
                let image = foxglove::CompressedImage::decode(data)?;
                self.picture(&message.channel.topic, |frame, layout, size| match layout {
                    PixelLayout::Rgb8 => picture::decode_png(&image.data, size.0, size.1),
                    _ => Err(Unreadable::invalid(
                        "a picture of this layout",
                        format_args!("{} ({})", image.format, frame.layout),
                    )),
                })?
            }
            foxglove::RawImage::SCHEMA => {
                let image = foxglove::RawImage::decode(data)?;
                self.picture(&message.channel.topic, |_, _, _| Ok(image.data))?
            }
            foxglove::Log::SCHEMA => {
                let line = foxglove::Log::decode(data)?;
                let level = match line.level() {
                    foxglove::log::Level::Error | foxglove::log::Level::Fatal => NoticeLevel::Error,
                    foxglove::log::Level::Warning => NoticeLevel::Warning,
                    _ => NoticeLevel::Info,
                };
                Record::Notice(NoticeRecord { time: self.time(message.log_time), level, text: line.message })
            }
            wire::Lost::SCHEMA => Record::Lost(LossRecord::from_wire(wire::Lost::decode(data)?)?),
            wire::End::SCHEMA => Record::End(EndRecord::from_wire(wire::End::decode(data)?)?),
            _ => return Ok(None),
        }))
    }

    /// A picture whose frame was announced.
    fn picture(
        &mut self,
        topic: &str,
        pixels: impl FnOnce(&wire::Frame, PixelLayout, (u32, u32)) -> Result<Vec<u8>, Unreadable>,
    ) -> Result<Record, Unreadable> {
        let announced = self.announced.remove(camera_of(topic));
        let announced = announced.ok_or_else(|| Unreadable::missing("frame record before it"))?;
        let (slot, metadata) =
            frame(announced.metadata.as_ref().ok_or_else(|| Unreadable::missing("frame's metadata"))?)?;
        let layout = picture::layout(&announced)?;
        let (width, height) = (metadata.width, metadata.height);
        // 100 megapixels: far more than any camera here has, far less than would fill the memory.
        if u64::from(width) * u64::from(height) > 100_000_000 {
            return Err(Unreadable::invalid("a picture's size", format_args!("{width}x{height}")));
        }
        if self.wanted.as_ref().is_some_and(|wanted| !wanted(slot, &metadata)) {
            return Ok(Record::Frame(FrameRecord { slot, metadata, layout, pixels: Vec::new() }));
        }
        let pixels = pixels(&announced, layout, (width, height))?;
        if crc32fast::hash(&pixels) != announced.crc32 {
            return Err(Unreadable("the pixels are not those that were captured".to_owned()));
        }
        Ok(Record::Frame(FrameRecord { slot, metadata, layout, pixels }))
    }
}

/// `/camera/NAME` of `/camera/NAME/image`.
fn camera_of(topic: &str) -> &str {
    topic.rsplit_once('/').map_or(topic, |(camera, _)| camera)
}

fn check_profile<R: Read>(
    container: &Container<R>,
    not_ours: &impl Fn(String) -> RunLogError,
) -> Result<(), RunLogError> {
    match container.profile() {
        Some(PROFILE) => Ok(()),
        Some(other) => Err(not_ours(format!("its profile is `{other}`"))),
        None => Err(not_ours("it has no header".to_owned())),
    }
}

impl<R> std::fmt::Debug for RunLogReader<R> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = formatter.debug_struct("RunLogReader");
        shown.field("path", &self.path).field("state", &self.state).finish_non_exhaustive()
    }
}
