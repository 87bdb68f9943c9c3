//! Whole logs: what is written is read, and however a file is cut or damaged, nothing wrong is.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::convert::tests::{chunk_record, control_record, observation_record, run_record};
use super::*;
use crate::control::EndCause;
use crate::types::{FrameMetadata, Picture, PixelLayout, Timestamp};

/// A file in memory that stays readable after its writer has gone.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Memory {
    fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().clone()
    }
}

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl LogFile for Memory {
    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
    fn syncer(&self) -> io::Result<Syncer> {
        Ok(Box::new(|| Ok(())))
    }
}

/// Always the same values.
fn sample<T>(strategy: impl Strategy<Value = T>) -> T {
    strategy.new_tree(&mut TestRunner::deterministic()).unwrap().current()
}

fn run() -> RunRecord {
    let camera = |name: &str| CameraRecord { name: name.to_owned(), source: "a test".to_owned() };
    RunRecord {
        cameras: vec![camera("front"), camera("wrist/left")],
        wall_start_ns: 1_796_112_000_000_000_000,
        start: Timestamp::from_nanos(1_000_000_000),
        ..sample(run_record())
    }
}

impl RunRecord {
    /// A first record for other rooms' tests.
    pub(crate) fn for_tests() -> Self {
        run()
    }
}

fn tick(number: u64) -> ControlRecord {
    let now = Timestamp::from_nanos(1_000_000_000 + 20_000_000 * number);
    ControlRecord { tick: number, now, chunk: None, ..sample(control_record()) }
}

fn end() -> EndRecord {
    EndRecord {
        cause: Some(EndCause::Duration),
        text: "duration reached".to_owned(),
        summary: "{}".to_owned(),
        lost: LossRecord::default(),
        cut: String::new(),
    }
}

fn metadata(id: u64, width: u32, height: u32) -> FrameMetadata {
    FrameMetadata {
        id,
        sequence: id,
        captured: Timestamp::from_nanos(1_000_000_000 + id),
        width,
        height,
        digest: None,
    }
}

/// A log of some ticks, with the length of the file after each of its chunks.
fn log_of_ticks(ticks: u64) -> (Vec<u8>, Vec<usize>) {
    let memory = Memory::default();
    let mut writer = RunLogWriter::create(memory.clone(), &run()).unwrap();
    let mut lengths = vec![memory.bytes().len()];
    for number in 1..=ticks {
        writer.control(&tick(number)).unwrap();
        writer.flush().unwrap();
        lengths.push(memory.bytes().len());
    }
    writer.finish(tick(ticks).now, &end()).unwrap();
    (memory.bytes(), lengths)
}

struct Read {
    records: Vec<Record>,
    state: LogState,
}

fn read(bytes: &[u8]) -> Result<Read, RunLogError> {
    let mut reader = RunLogReader::new(bytes, Path::new("test.mcap"))?;
    let mut records = Vec::new();
    while let Some(record) = reader.next_record()? {
        records.push(record);
    }
    Ok(Read { records, state: reader.state().clone() })
}

fn text(records: &[Record]) -> Vec<String> {
    records.iter().map(|record| format!("{record:?}")).collect()
}

#[test]
fn a_whole_log_reads_back() {
    let (bytes, _) = log_of_ticks(3);
    let log = read(&bytes).unwrap();
    let expected = (1..=3).map(|number| Record::Control(Box::new(tick(number))));
    let expected: Vec<Record> = expected.chain([Record::End(end())]).collect();
    assert_eq!(text(&log.records), text(&expected));
    assert_eq!(log.state, LogState { verified_bytes: bytes.len() as u64, cut: None, damage: vec![] });
}

#[test]
fn pictures_come_back_bit_by_bit() {
    let memory = Memory::default();
    let mut writer = RunLogWriter::create(memory.clone(), &run()).unwrap();
    let pictures = [
        (0, 7, 5, PixelLayout::Rgb8),
        (1, 6, 4, PixelLayout::Yuyv { stride: 16 }),
        (1, 5, 3, PixelLayout::Nv12 { stride: 8 }),
        (0, 1, 1, PixelLayout::Rgb8),
    ];
    let bytes =
        |id: usize, length: usize| -> Vec<u8> { (0..length).map(|at| (at * 37 + id * 101) as u8).collect() };
    let mut expected = Vec::new();
    for (id, (slot, width, height, layout)) in pictures.into_iter().enumerate() {
        let pixels = bytes(id, layout.byte_len(width, height));
        let metadata = metadata(id as u64, width, height);
        writer.frame(slot, &metadata, &Picture { width, height, layout, bytes: &pixels }).unwrap();
        expected.push(Record::Frame(FrameRecord { slot, metadata, layout, pixels }));
    }
    let time = Timestamp::from_nanos(1_000_000_007);
    let notice = NoticeRecord { time, level: NoticeLevel::Warning, text: "two were dropped".to_owned() };
    writer.notice(&notice).unwrap();
    let lost = LossRecord { control_records: 0, policy_frames: 1, other_frames: 2 };
    writer.lost(time, &lost).unwrap();
    writer.finish(time, &end()).unwrap();
    expected.extend([Record::Notice(notice), Record::Lost(lost), Record::End(end())]);
    let log = read(&memory.bytes()).unwrap();
    assert_eq!(text(&log.records), text(&expected));
    assert!(log.state.damage.is_empty() && log.state.cut.is_none(), "{:?}", log.state);
}

#[test]
fn cut_at_any_byte_it_is_read_to_the_last_whole_chunk() {
    let (bytes, lengths) = log_of_ticks(2);
    let whole = text(&read(&bytes).unwrap().records);
    let mut most = 0;
    for length in 0..bytes.len() {
        let chunks = lengths.iter().filter(|end| **end <= length).count();
        match read(&bytes[..length]) {
            Ok(log) => {
                let records = text(&log.records);
                assert!(
                    records.len() + 1 >= chunks,
                    "{length}: {} records of {chunks} chunks",
                    records.len()
                );
                assert!(records.len() >= most && whole.starts_with(&records), "{length}");
                assert!(log.state.cut.is_some(), "{length}: a cut is told");
                assert!(log.state.verified_bytes <= length as u64);
                most = records.len();
            }
            Err(error) => {
                assert_eq!(chunks, 0, "{length}: {error}");
                assert!(
                    matches!(error, RunLogError::NotARunLog { .. } | RunLogError::NothingWhole { .. }),
                    "{length}: {error}"
                );
            }
        }
    }
    assert_eq!(most, whole.len(), "without its last byte all records are there");
}

#[test]
fn any_flipped_bit_is_noticed_and_nothing_wrong_is_read() {
    let (bytes, _) = log_of_ticks(2);
    let whole = text(&read(&bytes).unwrap().records);
    // Each third byte, each bit in turn: some ten thousand of them.
    for at in (0..bytes.len()).step_by(3) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1 << (at % 8);
        match read(&damaged) {
            Ok(log) => {
                let told = !log.state.damage.is_empty() || log.state.cut.is_some();
                assert!(told, "byte {at} was changed and nobody noticed");
                let mut originals = whole.iter();
                for record in text(&log.records) {
                    assert!(originals.any(|original| *original == record), "byte {at} made {record}");
                }
            }
            Err(error) => assert!(at < 20_000, "byte {at}: only the first chunk is needed: {error}"),
        }
    }
}

#[test]
fn behind_a_damaged_chunk_reading_goes_on() {
    let (mut bytes, lengths) = log_of_ticks(3);
    // Inside the data of the second tick's chunk.
    bytes[lengths[1] + 200] ^= 0x10;
    let log = read(&bytes).unwrap();
    let ticks: Vec<u64> = log
        .records
        .iter()
        .filter_map(|record| match record {
            Record::Control(record) => Some(record.tick),
            _ => None,
        })
        .collect();
    assert_eq!(ticks, [1, 3]);
    assert!(log.state.damage[0].contains("checksum"), "{:?}", log.state);
}

#[test]
fn a_newer_major_is_refused_and_other_files_are_named() {
    let (bytes, _) = log_of_ticks(1);
    let newer = with_format(&bytes, 2);
    let error = read(&newer).map(|_| ()).unwrap_err();
    assert!(matches!(error, RunLogError::NewerFormat { major: 2, .. }), "{error}");
    assert!(error.to_string().contains("update roarm"), "{error}");
    for bytes in [&b""[..], b"{}", &[0x89, b'M', b'C', b'A', b'P', 0x30, b'\r']] {
        let error = read(bytes).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains("no run log") && error.contains("roarm run --log"), "{error}");
    }
    let mut other = Vec::new();
    let mut writer = mcap::WriteOptions::new().profile("ros2").create(io::Cursor::new(&mut other)).unwrap();
    writer.add_schema("a", "protobuf", b"").unwrap();
    writer.finish().unwrap();
    drop(writer);
    let error = read(&other).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("no run log") || error.contains("no whole record"), "{error}");
}

/// The log with another format in its first record.
fn with_format(bytes: &[u8], major: u32) -> Vec<u8> {
    use prost::Message;
    let mut reader = RunLogReader::new(bytes, Path::new("test.mcap")).unwrap();
    let mut wire = wire::Run::decode(reader.first().data.as_slice()).unwrap();
    wire.format_major = major;
    let memory = Memory::default();
    let mut writer = writer::options().create(writer::Shared::new(memory.clone())).unwrap();
    let first = reader.first().clone();
    let message = mcap::Message {
        channel: first.channel,
        sequence: 0,
        log_time: 0,
        publish_time: 0,
        data: wire.encode_to_vec().into(),
    };
    writer.write(&message).unwrap();
    writer.finish().unwrap();
    assert!(reader.next_record().unwrap().is_some());
    drop(writer);
    memory.bytes()
}

#[test]
fn the_mcap_library_reads_it_too() {
    let (bytes, _) = log_of_ticks(2);
    let messages: Vec<_> = mcap::MessageStream::new(&bytes).unwrap().collect::<Result<_, _>>().unwrap();
    let topics: Vec<_> = messages.iter().map(|message| message.channel.topic.as_str()).collect();
    assert_eq!(topics, ["/run", "/control", "/control", "/end"]);
    for message in &messages {
        let schema = message.channel.schema.as_ref().unwrap();
        assert_eq!(
            (schema.encoding.as_str(), message.channel.message_encoding.as_str()),
            ("protobuf", "protobuf")
        );
    }
    let summary = mcap::Summary::read(&bytes).unwrap().unwrap();
    assert_eq!(summary.stats.unwrap().message_count, 4);
    let first = &messages[1];
    assert_eq!(first.log_time, 1_796_112_000_000_000_000 + 20_000_000, "the wall clock, for people");
}

#[test]
fn a_cut_log_is_repaired_and_says_so() {
    let (bytes, lengths) = log_of_ticks(3);
    let folder = tempfile::tempdir().unwrap();
    let (cut, whole) = (folder.path().join("cut.mcap"), folder.path().join("whole.mcap"));
    std::fs::write(&cut, &bytes[..lengths[2] + 30]).unwrap();
    let summary = summarise(&cut).unwrap();
    assert!(!summary.complete && !summary.replayable && summary.ticks == 2, "{summary:?}");
    let report = repair(&cut, &whole).unwrap();
    assert_eq!((report.messages, report.verified_bytes), (3, lengths[2] as u64));
    let summary = summarise(&whole).unwrap();
    assert_eq!((summary.ticks, summary.bytes), (2, summary.verified_bytes));
    assert!(!summary.complete && !summary.replayable, "{summary:?}");
    assert!(summary.problems.iter().any(|problem| problem.contains("cut")), "{summary:?}");
    assert!(mcap::Summary::read(&std::fs::read(&whole).unwrap()).unwrap().is_some(), "it has an index");
    let taken = repair(&cut, &whole).unwrap_err().to_string();
    assert!(taken.contains("never overwritten"), "{taken}");
    // A whole one stays whole.
    std::fs::write(&cut, &bytes).unwrap();
    let copy = folder.path().join("copy.mcap");
    assert_eq!(repair(&cut, &copy).unwrap().problems, Vec::<String>::new());
    let summary = summarise(&copy).unwrap();
    assert!(summary.complete && summary.replayable, "{summary:?}");
}

#[test]
fn lost_records_and_missing_ticks_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mcap");
    let memory = Memory::default();
    let mut writer = RunLogWriter::create(memory.clone(), &run()).unwrap();
    writer.control(&tick(1)).unwrap();
    writer.control(&ControlRecord { chunk: Some(9), ..tick(4) }).unwrap();
    let lost = LossRecord { control_records: 2, ..LossRecord::default() };
    writer.finish(tick(4).now, &EndRecord { lost, ..end() }).unwrap();
    std::fs::write(&path, memory.bytes()).unwrap();
    let summary = summarise(&path).unwrap();
    assert!(summary.complete && !summary.replayable);
    let problems = summary.problems.join("; ");
    for part in ["ticks are missing in 1 places", "1 chunks that were played", "2 records", "too slow"] {
        assert!(problems.contains(part), "{part}: {problems}");
    }
}

/// A log with a record of each kind, chunk by chunk.
fn log_of_all_kinds() -> Vec<u8> {
    let memory = Memory::default();
    let mut writer = RunLogWriter::create(memory.clone(), &run()).unwrap();
    for number in 1..=3 {
        writer.control(&tick(number)).unwrap();
    }
    writer.flush().unwrap();
    writer.observation(&sample(observation_record())).unwrap();
    writer.chunk(&sample(chunk_record())).unwrap();
    let pixels: Vec<u8> = (0..96).collect();
    for (slot, layout) in [(0, PixelLayout::Rgb8), (1, PixelLayout::Yuyv { stride: 24 })] {
        writer
            .frame(slot, &metadata(5, 8, 4), &Picture { width: 8, height: 4, layout, bytes: &pixels })
            .unwrap();
    }
    writer.flush().unwrap();
    let time = tick(3).now;
    writer.notice(&NoticeRecord { time, level: NoticeLevel::Info, text: "running".to_owned() }).unwrap();
    let lost = LossRecord { control_records: 0, policy_frames: 1, other_frames: 2 };
    writer.lost(time, &lost).unwrap();
    writer.finish(time, &EndRecord { lost, ..end() }).unwrap();
    memory.bytes()
}

/// Format 1.0 is read as on its first day. `ROARM_WRITE_MESSAGES=1` writes the fixture anew: only for a format that was never released.
#[test]
fn the_fixture_of_format_1_0_reads_as_ever() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/run_log");
    let (log, expected) = (folder.join("1.0.mcap"), folder.join("1.0.expected.txt"));
    if std::env::var_os("ROARM_WRITE_MESSAGES").is_some() {
        std::fs::write(&log, log_of_all_kinds()).unwrap();
    }
    let mut reader = RunLogReader::open(&log).unwrap();
    let mut told = format!("{:#?}\n", reader.run());
    while let Some(record) = reader.next_record().unwrap() {
        told.push_str(&format!("{record:?}\n"));
    }
    told.push_str(&format!("{:?}\n", reader.state()));
    if std::env::var_os("ROARM_WRITE_MESSAGES").is_some() {
        std::fs::write(&expected, &told).unwrap();
    }
    assert!(told == std::fs::read_to_string(&expected).unwrap(), "{told}");
    assert!(reader.state().damage.is_empty() && reader.state().cut.is_none());
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read(&bytes);
        let with_magic = [mcap::MAGIC, &bytes].concat();
        let _ = read(&with_magic);
    }
}
