//! A log that was cut or damaged, made whole: all that is verified, in a file with an index and an end.

use std::collections::BTreeMap;
use std::path::Path;

use super::container::RawMessage;
use super::convert::Convert;
use super::error::{RunLogError, WriteFailed};
use super::file::{LogFile, create_log_file};
use super::reader::RunLogReader;
use super::records::{EndRecord, LossRecord};
use super::wire::{self, Topical};
use super::writer::{Shared, options};
use prost::Message as _;

/// What a repair did.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct RepairReport {
    /// Messages that were copied.
    pub messages: u64,
    /// Bytes of the damaged log up to which all is verified.
    pub verified_bytes: u64,
    /// Bytes of the damaged log.
    pub bytes: u64,
    /// What was wrong with it.
    pub problems: Vec<String>,
}

fn message(raw: &RawMessage) -> mcap::Message<'_> {
    mcap::Message {
        channel: raw.channel.clone(),
        sequence: raw.sequence,
        log_time: raw.log_time,
        publish_time: raw.publish_time,
        data: raw.data.as_slice().into(),
    }
}

/// Copies what is verified of `from` into a new file `to`. The copy says that and why it is not the whole run, unless it is.
///
/// # Errors
/// If `from` holds no whole record or cannot be read, or `to` exists or cannot be written. A copy that failed is removed.
pub fn repair(from: &Path, to: &Path) -> Result<RepairReport, RunLogError> {
    let mut reader = RunLogReader::open(from)?;
    let read_failed = |source| RunLogError::Read { path: from.to_owned(), source };
    let bytes = std::fs::metadata(from).map_err(read_failed)?.len();
    let (path, file) = create_log_file(to, "repaired.mcap")?;
    copy(&mut reader, file, bytes).inspect_err(|_| {
        // The error that led here is the one to tell.
        let _already_told = std::fs::remove_file(&path);
    })
}

fn copy<R: std::io::Read>(
    reader: &mut RunLogReader<R>,
    file: impl LogFile,
    bytes: u64,
) -> Result<RepairReport, RunLogError> {
    let failed = |error: mcap::McapError| RunLogError::Write(WriteFailed::from(error));
    let mut writer = options().create(Shared::new(file)).map_err(failed)?;
    writer.write(&message(reader.first())).map_err(failed)?;
    let (mut messages, mut ended, mut last_time) = (1, false, reader.first().log_time);
    while let Some(raw) = reader.next_message()? {
        ended |= raw.schema() == wire::End::SCHEMA;
        last_time = last_time.max(raw.log_time);
        writer.write(&message(&raw)).map_err(failed)?;
        messages += 1;
    }
    let state = reader.state();
    let problems: Vec<String> = state.damage.iter().chain(&state.cut).cloned().collect();
    if !ended {
        let cut = if problems.is_empty() { "it has no end record".to_owned() } else { problems.join("; ") };
        let text = "the log was cut and repaired".to_owned();
        let lost = LossRecord::default();
        let end = EndRecord { cause: None, text, summary: String::new(), lost, cut };
        let schema =
            writer.add_schema(wire::End::SCHEMA, "protobuf", wire::End::DESCRIPTORS).map_err(failed)?;
        let channel = writer.add_channel(schema, "/end", "protobuf", &BTreeMap::new()).map_err(failed)?;
        let header = mcap::records::MessageHeader {
            channel_id: channel,
            sequence: 0,
            log_time: last_time,
            publish_time: last_time,
        };
        writer.write_to_known_channel(&header, &end.to_wire().encode_to_vec()).map_err(failed)?;
    }
    writer.finish().map_err(failed)?;
    let file = writer.into_inner();
    file.sync().map_err(WriteFailed::from)?;
    Ok(RepairReport { messages, verified_bytes: reader.state().verified_bytes, bytes, problems })
}
