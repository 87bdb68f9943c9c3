//! Runs of the real program, played again from their logs.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use roarm::episode::run_log::{LogFile, Record, RunLogReader, RunLogWriter};
use roarm::types::Picture;

use crate::attempt::Attempt;
use crate::run_log::only_log;
use crate::support::bundle_copy::{BundleCopy, shipped_bundle};
use crate::support::port::VirtualArm;
use crate::support::program::{Ended, roarm};

/// A live run: threads, a pseudo-terminal, inference beside control.
fn run(folder: &Path, seconds: &str) -> PathBuf {
    let arm = VirtualArm::start("g1");
    let logs = folder.join("logs").display().to_string();
    let flags = ["--duration", seconds, "--schedule", "async", "--log", &logs];
    Attempt::at(&arm.port()).patient().with(&flags).run().assert_code(0);
    arm.end();
    only_log(Path::new(&logs))
}

fn replay(log: &Path, more: &[&str]) -> Ended {
    let log = log.display().to_string();
    roarm(["replay", "--log", &log, "--json"].iter().chain(more))
}

/// A copy of a log in which the highest bit of one byte of one picture that the policy saw is another. All checksums hold.
fn with_one_bit_changed(log: &Path, copy: &Path) -> (u64, u64) {
    let mut reader = RunLogReader::open(log).unwrap();
    let (mut seen, mut asked) = (Vec::new(), HashSet::new());
    while let Some(record) = reader.next_record().unwrap() {
        if let Record::Observation(record) = record {
            let frame = record.frames[0].unwrap().id;
            if asked.insert(frame) {
                seen.push((frame, record.request.chunk_id));
            }
        }
    }
    let (frame, chunk) = seen[seen.len() / 2];
    let mut reader = RunLogReader::open(log).unwrap();
    let file: Box<dyn LogFile> = Box::new(std::fs::File::create(copy).unwrap());
    let mut writer = RunLogWriter::create(file, reader.run()).unwrap();
    let mut end = None;
    while let Some(record) = reader.next_record().unwrap() {
        match record {
            Record::Control(record) => writer.control(&record).unwrap(),
            Record::Observation(record) => writer.observation(&record).unwrap(),
            Record::Chunk(record) => writer.chunk(&record).unwrap(),
            Record::Frame(mut record) => {
                if record.metadata.id == frame {
                    let middle = record.pixels.len() / 2;
                    record.pixels[middle] ^= 0x80;
                }
                let (width, height) = (record.metadata.width, record.metadata.height);
                let picture = Picture { width, height, layout: record.layout, bytes: &record.pixels };
                writer.frame(record.slot, &record.metadata, &picture).unwrap();
            }
            Record::Notice(record) => writer.notice(&record).unwrap(),
            Record::Lost(_) => {}
            Record::End(record) => end = Some(record),
        }
    }
    writer.finish(reader.run().start, &end.unwrap()).unwrap();
    (frame, chunk)
}

/// Core and policy give every byte again; a changed bit in a picture is found and the chunk named.
fn every_byte_comes_again(seconds: &str, least_ticks: u64) {
    let folder = tempfile::tempdir().unwrap();
    let log = run(folder.path(), seconds);
    let ended = replay(&log, &[]);
    let report = ended.assert_code(0).json();
    assert_eq!((&report["identical"], &report["difference"]), (&true.into(), &().into()), "{ended}");
    assert!(report["ticks"].as_u64().unwrap() > least_ticks, "{ended}");
    assert_eq!(report["chunks_without_pictures"], 0, "{ended}");
    let copy = folder.path().join("changed.mcap");
    let (frame, chunk) = with_one_bit_changed(&log, &copy);
    let ended = replay(&copy, &[]);
    let report = ended.assert_code(1).json();
    assert_eq!(report["identical"], false, "frame {frame}: {ended}");
    assert_eq!(report["difference"]["chunk"], chunk, "frame {frame}: {ended}");
    let what = report["difference"]["what"].as_str().unwrap();
    assert!(what.starts_with("the z-score of "), "{ended}");
    // The core never saw the picture itself: without the policy the copy is as good as the log.
    assert_eq!(replay(&copy, &["--core-only"]).assert_code(0).json()["identical"], true);
}

#[test]
fn a_run_of_three_seconds_comes_again_to_the_last_bit() {
    every_byte_comes_again("3", 100);
}

#[test]
#[ignore = "takes two minutes: part of `cargo xtask test-full`"]
fn a_run_of_sixty_seconds_comes_again_to_the_last_bit() {
    every_byte_comes_again("60", 2_500);
}

/// A bit that changed on the disk: the checksum finds it, and the place is named.
#[test]
fn a_bit_that_changed_on_the_disk_is_named_by_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let log = run(folder.path(), "2");
    let mut bytes = std::fs::read(&log).unwrap();
    // Among a picture's compressed pixels: between chunks there are indices that nobody needs.
    let pixels = bytes.windows(4).rposition(|bytes| bytes == b"IDAT").unwrap();
    bytes[pixels + 16] ^= 1;
    let copy = folder.path().join("flipped.mcap");
    std::fs::write(&copy, bytes).unwrap();
    let info = roarm(["log", "info", &copy.display().to_string(), "--json"]).json();
    let problems = info["problems"].to_string();
    assert!(
        problems.contains("the chunk at byte") && problems.contains("its checksum does not hold"),
        "{info}"
    );
    assert_eq!(info["replayable"], false);
}

#[test]
fn another_policy_says_what_it_would_have_done() {
    let folder = tempfile::tempdir().unwrap();
    let log = run(folder.path(), "2");
    let same = replay(&log, &["--swap-policy", &shipped_bundle().display().to_string()]);
    let report = same.assert_code(0).json();
    assert!(report["chunks"].as_u64() >= Some(1), "{same}");
    for joint in report["joints"].as_array().unwrap() {
        assert_eq!(joint["max_deg"], 0.0, "the same policy says the same: {same}");
    }
    // One that aims five degrees higher with the elbow.
    let other = BundleCopy::new();
    other.change_tensor("normalization.safetensors", "action.mean", |mean| mean[2] += 5.0);
    let ended = replay(&log, &["--swap-policy", &other.folder().display().to_string()]);
    let report = ended.assert_code(0).json();
    for (place, joint) in report["joints"].as_array().unwrap().iter().enumerate() {
        let expected = if place == 2 { 5.0 } else { 0.0 };
        for key in ["mean_deg", "max_deg"] {
            assert!(
                (joint[key].as_f64().unwrap() - expected).abs() < 1e-3,
                "{key} of joint {place}: {ended}"
            );
        }
        assert!(joint["recorded_spread_deg"].as_f64().unwrap() >= 0.0);
    }
    let two = crate::support::repository("tests/data/smolvla_two_cameras");
    replay(&log, &["--swap-policy", &two.display().to_string()]).assert_error(3, &["wants the cameras"]);
}
