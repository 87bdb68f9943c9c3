//! Writes a log.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::sync::{Arc, Mutex, PoisonError};

use mcap::WriteOptions;
use mcap::records::MessageHeader;

use super::convert::Convert;
use super::convert::frame_to_wire;
use super::error::WriteFailed;
use super::file::{LogFile, Syncer};
use super::picture::{self, EncodedPicture, PictureMessage};
use super::records::{
    ChunkRecord, ControlRecord, EndRecord, LossRecord, NoticeLevel, NoticeRecord, ObservationRecord,
    RunRecord,
};
use super::wire::{self, Topical, foxglove};
use crate::types::{FrameMetadata, Picture, Timestamp};

/// What the header of our files says.
pub(super) const PROFILE: &str = "roarm";
/// A chunk is closed at this size; [`RunLogWriter::flush`] closes it earlier.
const CHUNK_BYTES: u64 = 1 << 20;

/// Options of every file of ours. The file only grows: nothing that was written is touched again.
pub(super) fn options() -> WriteOptions {
    WriteOptions::new()
        .profile(PROFILE)
        .library(concat!("roarm ", env!("CARGO_PKG_VERSION")))
        .compression(None)
        .chunk_size(Some(CHUNK_BYTES))
        .disable_seeking(true)
}

/// The file, between the MCAP library that owns its end and [`RunLogWriter::sync`].
pub(super) struct Shared<F: LogFile> {
    file: Arc<Mutex<BufWriter<F>>>,
    position: u64,
}

impl<F: LogFile> Shared<F> {
    pub(super) fn new(file: F) -> Self {
        Self { file: Arc::new(Mutex::new(BufWriter::new(file))), position: 0 }
    }

    /// Brings everything to the disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.flush()?;
        file.get_mut().sync()
    }

    fn handle(&self) -> Arc<Mutex<BufWriter<F>>> {
        Arc::clone(&self.file)
    }
}

impl<F: LogFile> Write for Shared<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)?;
        self.position += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner).flush()
    }
}

/// The library asks where it is; it never goes back.
impl<F: LogFile> Seek for Shared<F> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match to {
            SeekFrom::Current(0) => Ok(self.position),
            SeekFrom::Start(place) if place == self.position => Ok(place),
            _ => Err(io::Error::new(io::ErrorKind::Unsupported, "a run log only grows")),
        }
    }
}

/// Topics of a camera.
struct CameraTopics {
    name: String,
    frame: String,
    image: String,
    raw: String,
}

/// Writes a log. After a failed write nothing more can be written; what stands in the file stays.
pub struct RunLogWriter<F: LogFile> {
    container: mcap::Writer<Shared<F>>,
    file: Arc<Mutex<BufWriter<F>>>,
    channels: HashMap<String, u16>,
    cameras: Vec<CameraTopics>,
    wall_start_ns: u64,
    start: Timestamp,
    buffer: Vec<u8>,
    notices: u32,
}

impl<F: LogFile> RunLogWriter<F> {
    /// Begins a log with its first record, and brings that to the disk.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn create(file: F, run: &RunRecord) -> Result<Self, WriteFailed> {
        let shared = Shared::new(file);
        let handle = shared.handle();
        let topics = |name: &str| {
            let safe: String = name
                .chars()
                .map(|letter| if letter.is_alphanumeric() || "_-.".contains(letter) { letter } else { '_' })
                .collect();
            CameraTopics {
                name: name.to_owned(),
                frame: format!("/camera/{safe}/frame"),
                image: format!("/camera/{safe}/image"),
                raw: format!("/camera/{safe}/raw"),
            }
        };
        let mut writer = Self {
            container: options().create(shared)?,
            file: handle,
            channels: HashMap::new(),
            cameras: run.cameras.iter().map(|camera| topics(&camera.name)).collect(),
            wall_start_ns: run.wall_start_ns,
            start: run.start,
            buffer: Vec::new(),
            notices: 0,
        };
        writer.put("/run", run.start, 0, &run.to_wire())?;
        writer.flush()?;
        writer.sync()?;
        Ok(writer)
    }

    /// A moment on the wall clock, as a label.
    fn wall_ns(&self, time: Timestamp) -> u64 {
        let since = i128::from(time.as_nanos()) - i128::from(self.start.as_nanos());
        u64::try_from(i128::from(self.wall_start_ns) + since).unwrap_or_default()
    }

    fn channel<M: Topical>(&mut self, topic: &str) -> Result<u16, WriteFailed> {
        if let Some(channel) = self.channels.get(topic) {
            return Ok(*channel);
        }
        let schema = self.container.add_schema(M::SCHEMA, "protobuf", M::DESCRIPTORS)?;
        let channel = self.container.add_channel(schema, topic, "protobuf", &BTreeMap::new())?;
        self.channels.insert(topic.to_owned(), channel);
        Ok(channel)
    }

    fn put<M: Topical>(
        &mut self,
        topic: &str,
        time: Timestamp,
        sequence: u64,
        message: &M,
    ) -> Result<(), WriteFailed> {
        let channel_id = self.channel::<M>(topic)?;
        let log_time = self.wall_ns(time);
        self.buffer.clear();
        // A vector has room for everything.
        let _always_fits = message.encode(&mut self.buffer);
        let sequence = u32::try_from(sequence & u64::from(u32::MAX)).unwrap_or_default();
        let header = MessageHeader { channel_id, sequence, log_time, publish_time: log_time };
        Ok(self.container.write_to_known_channel(&header, &self.buffer)?)
    }

    /// Adds a tick.
    ///
    /// # Errors
    /// If the file cannot be written: as for all that follow.
    pub fn control(&mut self, record: &ControlRecord) -> Result<(), WriteFailed> {
        self.put("/control", record.now, record.tick, &record.to_wire())
    }

    /// Adds what the policy was shown.
    ///
    /// # Errors
    /// As [`RunLogWriter::control`].
    pub fn observation(&mut self, record: &ObservationRecord) -> Result<(), WriteFailed> {
        self.put("/observation", record.started, record.request.chunk_id, &record.to_wire())
    }

    /// Adds what the policy said.
    ///
    /// # Errors
    /// As [`RunLogWriter::control`].
    pub fn chunk(&mut self, record: &ChunkRecord) -> Result<(), WriteFailed> {
        self.put("/chunk", record.chunk.finished, record.chunk.id, &record.to_wire())
    }

    /// Adds a picture of a slot. A slot that the run does not have is passed over.
    ///
    /// # Errors
    /// As [`RunLogWriter::control`].
    pub fn frame(
        &mut self,
        slot: usize,
        metadata: &FrameMetadata,
        picture: &Picture<'_>,
    ) -> Result<(), WriteFailed> {
        self.encoded(EncodedPicture::of(slot, *metadata, picture)?)
    }

    /// Adds a picture that somebody has encoded already.
    ///
    /// # Errors
    /// As [`RunLogWriter::control`].
    pub fn encoded(&mut self, picture: EncodedPicture) -> Result<(), WriteFailed> {
        let Some(topics) = self.cameras.get(picture.slot) else { return Ok(()) };
        let (frame, image, raw) = (topics.frame.clone(), topics.image.clone(), topics.raw.clone());
        let name = topics.name.clone();
        let metadata = picture.metadata;
        let (layout, stride) = picture::layout_name(picture.layout);
        let message = wire::Frame {
            metadata: Some(frame_to_wire(picture.slot, &metadata)),
            layout: layout.to_owned(),
            stride,
            crc32: picture.crc32,
        };
        self.put(&frame, metadata.captured, metadata.id, &message)?;
        match picture.into_message(&name, self.wall_ns(metadata.captured)) {
            PictureMessage::Compressed(message) => self.put(&image, metadata.captured, metadata.id, &message),
            PictureMessage::Raw(message) => self.put(&raw, metadata.captured, metadata.id, &message),
        }
    }

    /// Adds a line for people.
    ///
    /// # Errors
    /// As [`RunLogWriter::control`].
    pub fn notice(&mut self, record: &NoticeRecord) -> Result<(), WriteFailed> {
        let level = match record.level {
            NoticeLevel::Info => foxglove::log::Level::Info,
            NoticeLevel::Warning => foxglove::log::Level::Warning,
            NoticeLevel::Error => foxglove::log::Level::Error,
        };
        let message = foxglove::Log {
            timestamp: Some(picture::timestamp(self.wall_ns(record.time))),
            level: level.into(),
            message: record.text.clone(),
            name: "roarm".to_owned(),
            file: String::new(),
            line: 0,
        };
        self.notices += 1;
        self.put("/log", record.time, self.notices.into(), &message)
    }

    /// Adds what was lost so far.
    ///
    /// # Errors
    /// As [`RunLogWriter::control`].
    pub fn lost(&mut self, time: Timestamp, record: &LossRecord) -> Result<(), WriteFailed> {
        self.put("/lost", time, 0, &record.to_wire())
    }

    /// Closes the open chunk and hands it to the system: from then on it survives the end of this program.
    ///
    /// # Errors
    /// As [`RunLogWriter::control`].
    pub fn flush(&mut self) -> Result<(), WriteFailed> {
        Ok(self.container.flush()?)
    }

    /// Brings all closed chunks to the disk: from then on they survive a power cut.
    ///
    /// # Errors
    /// As [`RunLogWriter::control`].
    pub fn sync(&mut self) -> Result<(), WriteFailed> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.flush()?;
        Ok(file.get_mut().sync()?)
    }

    /// [`RunLogWriter::sync`] for another thread: chunks that are closed while it waits for the disk are not held up.
    ///
    /// # Errors
    /// If the system gives no second handle of the file.
    pub fn syncer(&self) -> Result<Syncer, WriteFailed> {
        Ok(self.file.lock().unwrap_or_else(PoisonError::into_inner).get_ref().syncer()?)
    }

    /// Adds the last record and the index, and brings all to the disk.
    ///
    /// # Errors
    /// As [`RunLogWriter::control`].
    pub fn finish(mut self, time: Timestamp, record: &EndRecord) -> Result<(), WriteFailed> {
        self.put("/end", time, 0, &record.to_wire())?;
        self.container.finish()?;
        self.sync()
    }
}

impl<F: LogFile> std::fmt::Debug for RunLogWriter<F> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("RunLogWriter").field("start", &self.start).finish_non_exhaustive()
    }
}
