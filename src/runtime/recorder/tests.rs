//! A disk that fails or stands still costs the log, and nothing else.
#![allow(clippy::unwrap_used)]

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use super::control_tap::{capacity, queue_of};
use super::*;
use crate::control::{GateCounts, Phase};
use crate::episode::run_log::{ControlRecord, LossRecord, Record, RunLogReader, RunRecord, Syncer};
use crate::types::{Frame, FrameMetadata, FramePool, FrameSet, LinkStatus, PixelLayout, Playback, Timestamp};

/// A file in memory; each write takes what `behave` says.
struct Disk<B> {
    bytes: Arc<Mutex<Vec<u8>>>,
    behave: B,
}

impl<B: FnMut() -> io::Result<()> + Send> Write for Disk<B> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (self.behave)()?;
        self.bytes.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<B: FnMut() -> io::Result<()> + Send> LogFile for Disk<B> {
    fn sync(&mut self) -> io::Result<()> {
        (self.behave)()
    }
    fn syncer(&self) -> io::Result<Syncer> {
        Ok(Box::new(|| Ok(())))
    }
}

fn tick(number: u64) -> ControlRecord {
    ControlRecord {
        tick: number,
        now: Timestamp::from_nanos(number * 20_000_000),
        missed_ticks: 0,
        feedback: None,
        frames: FrameSet::default(),
        chunk: None,
        written: None,
        link: LinkStatus::READY,
        go: None,
        stop: None,
        reset: false,
        playback: Playback::default(),
        command: None,
        observation: None,
        torque_released: false,
        phase: Phase::Running,
        gate: GateCounts::default(),
    }
}

fn end() -> EndRecord {
    let lost = LossRecord::default();
    EndRecord { cause: None, text: "over".to_owned(), summary: String::new(), lost, cut: String::new() }
}

struct Running {
    control: ControlTap,
    frames: FrameQueue,
    shared: Arc<RecorderShared>,
    thread: JoinHandle<()>,
    bytes: Arc<Mutex<Vec<u8>>>,
}

fn start(behave: impl FnMut() -> io::Result<()> + Send + 'static) -> Running {
    start_with(behave, picture_thread::losslessly())
}

fn start_with(behave: impl FnMut() -> io::Result<()> + Send + 'static, encode: Encode) -> Running {
    let bytes = Arc::new(Mutex::new(Vec::new()));
    let file: Box<dyn LogFile> = Box::new(Disk { bytes: Arc::clone(&bytes), behave });
    let writer = RunLogWriter::create(file, &RunRecord::for_tests()).unwrap();
    let recording = Recording { writer, path: "a.mcap".into(), all_frames: true };
    let ends = recorder_with(recording, Duration::from_millis(20), encode);
    let recorder = ends.recorder;
    Running {
        control: ends.control,
        frames: ends.frames.unwrap(),
        shared: ends.shared,
        thread: std::thread::spawn(move || recorder.run()),
        bytes,
    }
}

impl Running {
    fn end(self) -> (RecordingReport, Vec<Record>) {
        self.shared.end_with(end());
        self.thread.join().unwrap();
        assert!(self.shared.is_done());
        let bytes = self.bytes.lock().unwrap();
        let mut reader = RunLogReader::new(bytes.as_slice(), std::path::Path::new("a.mcap")).unwrap();
        let records = std::iter::from_fn(|| reader.next_record().unwrap()).collect();
        (self.shared.report(), records)
    }
}

fn small_frame(id: u64) -> Arc<Frame> {
    let metadata =
        FrameMetadata { id, sequence: id, captured: Timestamp::ZERO, width: 2, height: 2, digest: None };
    Arc::new(Frame::new(metadata, PixelLayout::Rgb8, FramePool::new(0).take(12)).unwrap())
}

fn ticks(records: &[Record]) -> Vec<u64> {
    let tick = |record: &Record| match record {
        Record::Control(record) => Some(record.tick),
        _ => None,
    };
    records.iter().filter_map(tick).collect()
}

#[test]
fn everything_handed_over_is_written() {
    let mut running = start(|| Ok(()));
    (1..=200).for_each(|number| running.control.push(tick(number)));
    let (report, records) = running.end();
    assert_eq!(ticks(&records), (1..=200).collect::<Vec<_>>());
    assert!(report.replayable && report.failure().is_none() && report.ticks == 200, "{report:?}");
    assert!(matches!(records.last(), Some(Record::End(_))));
}

#[test]
fn a_full_ring_loses_ticks_and_says_so() {
    let shared = Arc::new(RecorderShared::default());
    let (mut tap, mut queue) = queue_of(4, Arc::clone(&shared));
    (1..=6).for_each(|number| tap.push(tick(number)));
    assert_eq!(shared.control_lost.load(Ordering::Relaxed), 2);
    assert_eq!(
        std::iter::from_fn(|| queue.pop()).map(|record| record.tick).collect::<Vec<_>>(),
        [1, 2, 3, 4]
    );
    let lost = LossRecord { control_records: 2, ..LossRecord::default() };
    let report = RecordingReport { lost, ..RecordingReport::default() };
    assert!(report.failure().unwrap().contains("2 of its records"), "{report:?}");
}

#[test]
fn the_ring_holds_thirty_seconds_up_to_200_hz() {
    assert_eq!(capacity(Duration::from_millis(20)), 1_500);
    assert_eq!(capacity(Duration::from_millis(5)), 6_000);
    assert_eq!(capacity(Duration::from_millis(1)), 6_000);
    assert_eq!(capacity(Duration::from_secs(10)), 64);
}

#[test]
fn a_full_disk_stops_the_log_once_and_leaves_what_was_written() {
    let full = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&full);
    let mut running = start(move || match seen.load(Ordering::Acquire) {
        true => Err(io::ErrorKind::StorageFull.into()),
        false => Ok(()),
    });
    (1..=50).for_each(|number| running.control.push(tick(number)));
    while running.bytes.lock().unwrap().len() < 20_000 {
        std::thread::sleep(Duration::from_millis(5));
    }
    full.store(true, Ordering::Release);
    let notice = loop {
        running.control.push(tick(51));
        if let Some(notice) = running.shared.take_notice() {
            break notice;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    assert!(notice.contains("a.mcap") && notice.contains("make room on the disk"), "{notice}");
    assert_eq!(running.shared.take_notice(), None, "once");
    (52..=5_000).for_each(|number| running.control.push(tick(number)));
    let (report, records) = running.end();
    assert!(ticks(&records).starts_with(&(1..=50).collect::<Vec<_>>()), "{:?}", ticks(&records));
    assert!(!report.replayable && report.failure().unwrap().contains("stopped after"), "{report:?}");
}

#[test]
fn a_disk_that_stands_still_drops_pictures_and_no_tick() {
    let (go, wait): (Sender<()>, Receiver<()>) = channel();
    // The first record goes through; then each write waits until the sender is gone.
    let begun = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&begun);
    let mut running = start(move || {
        if seen.load(Ordering::Acquire) {
            let _gone = wait.recv();
        }
        Ok(())
    });
    begun.store(true, Ordering::Release);
    let (width, height) = (1 << 11, 1 << 12);
    let layout = PixelLayout::Yuyv { stride: 1 << 11 };
    let pool = FramePool::new(0);
    let frame = |id| {
        let metadata =
            FrameMetadata { id, sequence: id, captured: Timestamp::ZERO, width, height, digest: None };
        Arc::new(Frame::new(metadata, layout, pool.take(1 << 23)).unwrap())
    };
    for number in 1..=1_000 {
        running.control.push(tick(number));
        if number <= 24 {
            running.frames.push_other(0, frame(number));
        }
    }
    running.frames.push_policy(0, frame(100));
    drop(go);
    let (report, records) = running.end();
    assert_eq!(ticks(&records), (1..=1_000).collect::<Vec<_>>());
    let frames: Vec<u64> = records
        .iter()
        .filter_map(|record| match record {
            Record::Frame(frame) => Some(frame.metadata.id),
            _ => None,
        })
        .collect();
    assert!(frames.contains(&100), "{frames:?}");
    assert!(report.lost.other_frames > 0 && report.lost.policy_frames == 0, "{report:?}");
    assert_eq!(frames.len() as u64 + report.lost.other_frames, 25);
    assert!(report.replayable, "{report:?}");
}

#[test]
fn a_picture_that_comes_twice_is_written_once() {
    let running = start(|| Ok(()));
    let frame = small_frame(7);
    running.frames.push_other(0, Arc::clone(&frame));
    running.frames.push_policy(0, frame);
    let (report, _) = running.end();
    assert_eq!(report.frames, 1);
}

#[test]
fn ticks_are_written_while_a_picture_is_being_compressed() {
    let (release, wait): (Sender<()>, Receiver<()>) = channel();
    let mut losslessly = picture_thread::losslessly();
    // Each picture waits until the sender is gone.
    let encode: Encode = Box::new(move |slot, frame| {
        let _gone = wait.recv();
        losslessly(slot, frame)
    });
    let mut running = start_with(|| Ok(()), encode);
    (0..3).for_each(|id| running.frames.push_other(0, small_frame(id)));
    (1..=50).for_each(|number| running.control.push(tick(number)));
    loop {
        let bytes = running.bytes.lock().unwrap().clone();
        let mut reader = RunLogReader::new(bytes.as_slice(), std::path::Path::new("a.mcap")).unwrap();
        let records: Vec<Record> = std::iter::from_fn(|| reader.next_record().unwrap()).collect();
        if ticks(&records).len() == 50 {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(release);
    let (report, _) = running.end();
    assert_eq!((report.ticks, report.frames), (50, 3));
}

#[test]
fn a_picture_that_cannot_be_compressed_stops_the_log_and_says_so() {
    for panics in [false, true] {
        let encode: Encode = Box::new(move |_, _| {
            assert!(!panics, "a panic of the picture library");
            Err(io::Error::other("no more memory").into())
        });
        let mut running = start_with(|| Ok(()), encode);
        running.control.push(tick(1));
        running.frames.push_other(0, small_frame(1));
        let notice = loop {
            if let Some(notice) = running.shared.take_notice() {
                break notice;
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        let word = if panics { "panicked" } else { "no more memory" };
        assert!(notice.contains(word), "{notice}");
        let (report, _) = running.end();
        assert!(!report.replayable && report.stopped.is_some(), "{report:?}");
    }
}
