//! The MCAP file from its beginning: messages of chunks whose checksum holds, and what is wrong with the rest.
//!
//! Records are framed here and not by the library's own reader, since only so it is known up to which byte all is well, no length that
//! a damaged file states is ever allocated before so many bytes were there, and reading can go on behind a damaged chunk.

use std::collections::HashMap;
use std::io::{self, Read};
use std::sync::Arc;

use mcap::records::{Record, op};
use mcap::{Channel, MAGIC, Schema};

/// No record that is written here is nearly as long.
const LONGEST: u64 = 256 << 20;

/// A message as it stands in the file.
#[derive(Clone, Debug)]
pub(super) struct RawMessage {
    pub(super) channel: Arc<Channel<'static>>,
    pub(super) sequence: u32,
    pub(super) log_time: u64,
    pub(super) publish_time: u64,
    pub(super) data: Vec<u8>,
}

impl RawMessage {
    /// The name of its schema, such as `roarm.Control`.
    pub(super) fn schema(&self) -> &str {
        self.channel.schema.as_ref().map_or("", |schema| schema.name.as_str())
    }
}

/// What comes next.
pub(super) enum Piece {
    /// All messages of a chunk whose checksum holds.
    Messages(Vec<RawMessage>),
    /// Something that had to be passed over.
    Damaged(String),
    /// The file ends as it should, or (why) it does not.
    End(Option<String>),
}

/// A file being read.
pub(super) struct Container<R> {
    input: R,
    /// Bytes that were taken from the input.
    position: u64,
    /// Bytes up to which all is verified.
    verified: u64,
    profile: Option<String>,
    schemas: HashMap<u16, Arc<Schema<'static>>>,
    channels: HashMap<u16, Arc<Channel<'static>>>,
    /// Of everything up to the end of the data.
    data_crc: crc32fast::Hasher,
    /// Of everything between the data and the last field of the footer.
    summary_crc: Option<crc32fast::Hasher>,
    body: Vec<u8>,
    over: bool,
}

impl<R: Read> Container<R> {
    /// Checks the first bytes; `Ok(None)` for something that is no MCAP file.
    pub(super) fn open(input: R) -> io::Result<Option<Self>> {
        let mut container = Self {
            input,
            position: 0,
            verified: 0,
            profile: None,
            schemas: HashMap::new(),
            channels: HashMap::new(),
            data_crc: crc32fast::Hasher::new(),
            summary_crc: None,
            body: Vec::new(),
            over: false,
        };
        let mut magic = [0; MAGIC.len()];
        if container.fill(&mut magic)? < magic.len() || magic != MAGIC {
            return Ok(None);
        }
        container.data_crc.update(&magic);
        Ok(Some(container))
    }

    /// Bytes up to which all is verified.
    pub(super) const fn verified(&self) -> u64 {
        self.verified
    }

    /// The profile that the file's header states.
    pub(super) fn profile(&self) -> Option<&str> {
        self.profile.as_deref()
    }

    /// Fills as much of `buffer` as there is.
    fn fill(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.input.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.position += filled as u64;
        Ok(filled)
    }

    fn end(&mut self, problem: Option<String>) -> Piece {
        self.over = true;
        Piece::End(problem)
    }

    /// The next piece; after an end the same end again.
    pub(super) fn next(&mut self) -> io::Result<Piece> {
        loop {
            if self.over {
                return Ok(Piece::End(None));
            }
            let start = self.position;
            let mut head = [0; 9];
            match self.fill(&mut head)? {
                9 => {}
                0 => return Ok(self.end(Some("the file was never closed".to_owned()))),
                _ => return Ok(self.end(Some(format!("the file ends inside the record at byte {start}")))),
            }
            let (code, length) = (
                head[0],
                u64::from_le_bytes([head[1], head[2], head[3], head[4], head[5], head[6], head[7], head[8]]),
            );
            if length > LONGEST {
                return Ok(self.end(Some(format!("the record at byte {start} states {length} bytes"))));
            }
            let mut body = std::mem::take(&mut self.body);
            body.clear();
            let read = (&mut self.input).take(length).read_to_end(&mut body)?;
            self.position += read as u64;
            if (read as u64) < length {
                return Ok(self.end(Some(format!("the file ends inside the record at byte {start}"))));
            }
            let piece = self.take(code, &head, &body, start);
            self.body = body;
            match piece {
                Some(piece) => {
                    if let Piece::End(problem) = piece {
                        return Ok(self.end(problem));
                    }
                    return Ok(piece);
                }
                None => continue,
            }
        }
    }

    /// Looks at a whole record; `None` where there is nothing to tell.
    fn take(&mut self, code: u8, head: &[u8; 9], body: &[u8], start: u64) -> Option<Piece> {
        let damaged = |what: &str| Some(Piece::Damaged(format!("the {what} at byte {start} is damaged")));
        if code == op::DATA_END {
            let stated = <[u8; 4]>::try_from(body).map(u32::from_le_bytes);
            self.summary_crc = Some(crc32fast::Hasher::new());
            let sound = stated.is_ok_and(|stated| stated == self.data_crc.clone().finalize());
            return if sound { self.well() } else { damaged("checksum of all data") };
        }
        if let Some(crc) = &mut self.summary_crc {
            if code != op::FOOTER {
                crc.update(head);
                crc.update(body);
                return None;
            }
            return Some(self.footer(head, body, start));
        }
        self.data_crc.update(head);
        self.data_crc.update(body);
        match code {
            op::HEADER => match mcap::parse_record(code, body) {
                Ok(Record::Header(header)) if self.profile.is_none() => {
                    self.profile = Some(header.profile);
                    self.well()
                }
                _ => damaged("header"),
            },
            op::CHUNK => match self.chunk(body) {
                Ok(messages) => {
                    self.verified = self.position;
                    Some(Piece::Messages(messages))
                }
                Err(problem) => {
                    Some(Piece::Damaged(format!("the chunk at byte {start} is damaged: {problem}")))
                }
            },
            // Channel, then the array's length in bytes, then pairs of 16 bytes.
            op::MESSAGE_INDEX if body.len() >= 6 && (body.len() - 6).is_multiple_of(16) => self.well(),
            _ => Some(Piece::Damaged(format!("the record at byte {start} has the unknown code {code:#04x}"))),
        }
    }

    fn well(&mut self) -> Option<Piece> {
        self.verified = self.position;
        None
    }

    /// The footer, the last bytes, and that nothing follows.
    fn footer(&mut self, head: &[u8; 9], body: &[u8], start: u64) -> Piece {
        let mut crc = self.summary_crc.take().unwrap_or_default();
        crc.update(head);
        let sound = body.split_last_chunk::<4>().is_some_and(|(fields, stated)| {
            crc.update(fields);
            crc.finalize() == u32::from_le_bytes(*stated)
        });
        let mut last = [0; MAGIC.len() + 1];
        let whole = matches!(self.fill(&mut last), Ok(count) if last[..count] == *MAGIC);
        if sound && whole {
            self.verified = self.position;
            return Piece::End(None);
        }
        Piece::End(Some(format!("the index before byte {start} is damaged; all records are there")))
    }

    fn chunk(&mut self, body: &[u8]) -> Result<Vec<RawMessage>, String> {
        let Ok(Record::Chunk { header, data }) = mcap::parse_record(op::CHUNK, body) else {
            return Err("its head is unreadable".to_owned());
        };
        if !header.compression.is_empty() {
            return Err(format!(
                "it is compressed with {}, which roarm does not write; `mcap compress --compression none` undoes it",
                header.compression
            ));
        }
        let found = crc32fast::hash(&data);
        if header.uncompressed_size != data.len() as u64 || header.uncompressed_crc != found {
            return Err("its checksum does not hold".to_owned());
        }
        let mut messages = Vec::new();
        let mut rest: &[u8] = &data;
        while let Some((head, after)) = rest.split_first_chunk::<9>() {
            let [code, length @ ..] = *head;
            let length = usize::try_from(u64::from_le_bytes(length)).unwrap_or(usize::MAX);
            let (record, after) = after.split_at_checked(length).ok_or("a record is longer than it")?;
            self.in_chunk(code, record, &mut messages)?;
            rest = after;
        }
        if rest.is_empty() { Ok(messages) } else { Err("it ends inside a record".to_owned()) }
    }

    fn in_chunk(&mut self, code: u8, body: &[u8], messages: &mut Vec<RawMessage>) -> Result<(), String> {
        match mcap::parse_record(code, body).map_err(|error| error.to_string())? {
            Record::Schema { header, data } => {
                let schema = Schema {
                    id: header.id,
                    name: header.name,
                    encoding: header.encoding,
                    data: data.into_owned().into(),
                };
                self.schemas.insert(schema.id, Arc::new(schema));
            }
            Record::Channel(channel) => {
                let made = Channel {
                    id: channel.id,
                    topic: channel.topic,
                    schema: self.schemas.get(&channel.schema_id).cloned(),
                    message_encoding: channel.message_encoding,
                    metadata: channel.metadata,
                };
                self.channels.insert(channel.id, Arc::new(made));
            }
            Record::Message { header, data } => {
                let channel = self.channels.get(&header.channel_id).cloned();
                messages.push(RawMessage {
                    channel: channel.ok_or("a message belongs to an unknown channel")?,
                    sequence: header.sequence,
                    log_time: header.log_time,
                    publish_time: header.publish_time,
                    data: data.into_owned(),
                });
            }
            _ => return Err("it holds something else than messages".to_owned()),
        }
        Ok(())
    }
}
