//! What a log holds is what the dataset holds, and what is no good example stays out of it.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::time::Duration;

use super::*;
use crate::control::{EndCause, GateCounts, Phase};
use crate::episode::run_log::{CameraRecord, ControlRecord, EndRecord, LossRecord, RunLogWriter, RunRecord};
use crate::episode::{Dataset, EpisodeSource, PictureStorage, write_dataset};
use crate::types::{
    FeedbackSample, FrameMetadata, FrameSet, Joint, JointAngles, JointCommand, LinkStatus, Picture, Playback,
    ServoProfile, Timestamp,
};

const SIZE: (u32, u32) = (32, 16);
const TICK: Duration = Duration::from_millis(20);

/// A run as a test wants it.
#[derive(Clone, Debug)]
struct Run {
    /// Phases and how many ticks each lasts.
    phases: Vec<(Phase, u64)>,
    fps: f64,
    /// Which pictures are recorded.
    recorded: fn(u64) -> bool,
    /// Ticks that are lost.
    lost: fn(u64) -> bool,
    /// The end record: cause and summary; `None` for a killed run.
    end: Option<(EndCause, &'static str)>,
    cameras: Vec<&'static str>,
}

impl Default for Run {
    fn default() -> Self {
        let done = EndCause::Duration;
        Self {
            phases: vec![
                (Phase::Settling, 5),
                (Phase::Ramping, 10),
                (Phase::Running, 100),
                (Phase::Easing(done), 9),
            ],
            fps: 30.0,
            recorded: |_| true,
            lost: |_| false,
            end: Some((done, "{\"ok\":true}")),
            cameras: vec!["front", "wrist"],
        }
    }
}

fn start() -> Timestamp {
    Timestamp::from_nanos(7_000_000_000)
}

/// When tick number `tick` happened: a little late, now and then.
fn time(tick: u64) -> Timestamp {
    start() + TICK * tick as u32 + Duration::from_micros(tick * 37 % 1_500)
}

fn pose(number: u64, offset: f64) -> JointAngles {
    let angle = |joint: usize| (number as f64 * 0.013 + joint as f64).sin() * 0.4 + offset;
    JointAngles::from_array_rad(std::array::from_fn(angle))
}

/// 30 pictures a second; the second camera half a period later.
fn picture(slot: usize, number: u64) -> FrameMetadata {
    let captured =
        start() + Duration::from_nanos(33_333_333) * number as u32 + Duration::from_millis(16) * slot as u32;
    // Numbers begin anew now and then, as those of a camera that starts over once did.
    FrameMetadata { id: number % 25, sequence: number, captured, width: SIZE.0, height: SIZE.1, digest: None }
}

fn pixels(slot: usize, number: u64) -> Vec<u8> {
    (0..SIZE.0 * SIZE.1 * 3).map(|place| (place as u64 * 7 + number * 31 + slot as u64 * 101) as u8).collect()
}

/// The newest picture at `now`.
fn newest(slot: usize, now: Timestamp) -> u64 {
    (0..1_000).take_while(|number| picture(slot, *number).captured <= now).last().unwrap_or(0)
}

fn control(tick: u64, phase: Phase, cameras: usize) -> ControlRecord {
    let now = time(tick);
    let mut frames = FrameSet::default();
    for (slot, frame) in frames.iter_mut().enumerate().take(cameras) {
        *frame = Some(picture(slot, newest(slot, now)));
    }
    // Feedback and commands come at rates of their own.
    let angles = pose(tick, 0.0);
    let feedback = (tick % 3 != 1).then_some(FeedbackSample {
        sequence: tick,
        angles,
        measured: now,
        torque_off: false,
    });
    let profile = ServoProfile { speed_rad_s: 1.0, acceleration_rad_s2: 1.0 };
    let goal = pose(tick, 0.05);
    let command = (tick % 4 != 2).then_some(JointCommand { sequence: tick, tick, goal, profile });
    ControlRecord {
        tick,
        now,
        missed_ticks: 0,
        feedback,
        frames,
        chunk: None,
        written: None,
        link: LinkStatus::READY,
        go: None,
        stop: None,
        reset: false,
        playback: Playback::default(),
        command,
        observation: None,
        torque_released: false,
        phase,
        gate: GateCounts::default(),
    }
}

impl Run {
    fn ticks(&self) -> Vec<ControlRecord> {
        let phases =
            self.phases.iter().flat_map(|(phase, count)| std::iter::repeat_n(*phase, *count as usize));
        phases.zip(1..).map(|(phase, tick)| control(tick, phase, self.cameras.len())).collect()
    }

    fn write(&self, folder: &Path) -> PathBuf {
        let path = folder.join(format!("{}.mcap", std::fs::read_dir(folder).unwrap().count()));
        let cameras =
            self.cameras.iter().map(|name| CameraRecord { name: (*name).to_owned(), source: String::new() });
        let mut run = RunRecord {
            cameras: cameras.collect(),
            start: start(),
            tick_period: TICK,
            task: "Pick up the white box".to_owned(),
            ..RunRecord::for_tests()
        };
        run.parameters.action_period = Duration::from_secs_f64(1.0 / self.fps);
        let mut writer = RunLogWriter::create(std::fs::File::create(&path).unwrap(), &run).unwrap();
        let mut captured = vec![0; self.cameras.len()];
        for record in self.ticks() {
            if (self.lost)(record.tick) {
                continue;
            }
            // Ticks stand before their pictures.
            writer.control(&record).unwrap();
            for (slot, next) in captured.iter_mut().enumerate() {
                while picture(slot, *next).captured <= record.now {
                    if (self.recorded)(*next) {
                        let bytes = pixels(slot, *next);
                        writer
                            .frame(slot, &picture(slot, *next), &Picture::rgb8(SIZE.0, SIZE.1, &bytes))
                            .unwrap();
                    }
                    *next += 1;
                }
            }
        }
        match self.end {
            Some((cause, summary)) => {
                let (text, summary, lost) = (cause.to_string(), summary.to_owned(), LossRecord::default());
                let end = EndRecord { cause: Some(cause), text, summary, lost, cut: String::new() };
                writer.finish(time(1_000), &end).unwrap();
            }
            None => writer.flush().unwrap(),
        }
        path
    }
}

fn read(logs: &[PathBuf]) -> Result<LoggedRuns, EpisodeError> {
    LoggedRuns::read(logs, None, &mut |_| ())
}

/// Why each episode of a run is set aside.
fn reasons(run: &Run) -> Vec<Option<String>> {
    let folder = tempfile::tempdir().unwrap();
    let runs = read(&[run.write(folder.path())]).unwrap();
    runs.episodes().iter().map(|episode| episode.set_aside.clone()).collect()
}

#[track_caller]
fn assert_set_aside(run: &Run, word: &str) {
    let reasons = reasons(run);
    assert!(
        reasons.len() == 1 && reasons[0].as_ref().is_some_and(|reason| reason.contains(word)),
        "{reasons:?}"
    );
}

#[test]
fn what_a_log_holds_is_what_the_dataset_holds() {
    let folder = tempfile::tempdir().unwrap();
    let run = Run::default();
    let logs = [run.write(folder.path()), run.write(folder.path())];
    let runs = read(&logs).unwrap();
    let out = folder.path().join("set");
    let mut source = runs.select(|episode| episode.set_aside.is_none());
    write_dataset(&mut source, &out, PictureStorage::Images, &mut |_| true).unwrap();
    let dataset = Dataset::open(&out).unwrap();
    assert_eq!((dataset.fps(), dataset.episode_count(), dataset.robot_type()), (30.0, 2, Some("roarm_m3")));
    let ticks = run.ticks();
    let first = ticks.iter().position(|tick| tick.phase == Phase::Running).unwrap();
    for number in 0..2 {
        let episode = dataset.episode(number).unwrap();
        assert_eq!((episode.task.as_str(), episode.states.len()), ("Pick up the white box", 60));
        let mut pictures: Vec<_> = ["observation.images.front", "observation.images.wrist"]
            .map(|key| dataset.pictures(number, Some(key)).unwrap())
            .into();
        for frame in 0..60 {
            let due = ticks[first].now + Duration::from_secs_f64(frame as f64 / 30.0);
            let nearest = (first..first + 100).min_by_key(|place| ticks[*place].now.distance(due)).unwrap();
            let single =
                |angles: JointAngles| DatasetAngles::from(angles).map(|angle| f64::from(angle as f32));
            let measured = ticks[..=nearest].iter().rev().find_map(|tick| tick.feedback).unwrap().angles;
            let commanded = ticks[..=nearest].iter().rev().find_map(|tick| tick.command).unwrap().goal;
            assert_eq!(episode.states[frame], single(measured), "state {frame}");
            assert_eq!(episode.actions[frame], single(commanded), "action {frame}");
            for (slot, pictures) in pictures.iter_mut().enumerate() {
                let mut found = vec![0; pictures.frame_bytes()];
                pictures.read(frame, &mut found).unwrap();
                let shown = ticks[nearest].frames[slot].unwrap().sequence;
                assert!(found == pixels(slot, shown), "frame {frame} of slot {slot} shows picture {shown}");
            }
        }
    }
}

#[test]
fn runs_that_failed_are_set_aside() {
    let usual = Run::default();
    assert_eq!(reasons(&usual), [None]);
    let ended = |cause, summary| {
        let mut run = usual.clone();
        run.phases[3] = (Phase::Easing(cause), 9);
        Run { end: Some((cause, summary)), ..run }
    };
    assert_set_aside(
        &ended(EndCause::NotFollowing { joint: Joint::Elbow }, "{\"ok\":false}"),
        "does not follow",
    );
    assert_set_aside(&ended(EndCause::EmergencyStop, "{\"ok\":false}"), "emergency stop");
    assert_set_aside(&ended(EndCause::GripperIdle, "{\"ok\":false}"), "the gripper stayed closed");
    let label = "{\"ok\":false,\"motion\":{\"gripper_idle\":true}}";
    assert_set_aside(&ended(EndCause::Duration, label), "the gripper stayed closed");
    assert_set_aside(&ended(EndCause::Duration, "{\"ok\":false}"), "duration reached");
    assert_eq!(reasons(&ended(EndCause::Interrupted, "{\"ok\":true}")), [None], "the operator ended it");
}

#[test]
fn after_a_stop_and_a_reset_another_episode_begins() {
    let stop = EndCause::NotFollowing { joint: Joint::Base };
    let mut run = Run::default();
    run.phases.splice(
        3..,
        [
            (Phase::Stopped(stop), 20),
            (Phase::Ramping, 5),
            (Phase::Running, 50),
            (Phase::Easing(EndCause::Duration), 5),
        ],
    );
    let reasons = reasons(&run);
    assert!(reasons[0].as_ref().unwrap().contains("does not follow"), "{reasons:?}");
    assert_eq!(reasons[1..], [None]);
}

#[test]
fn what_is_missing_sets_an_episode_aside() {
    let usual = Run::default();
    let killed = Run { end: None, phases: usual.phases[..3].to_vec(), ..usual.clone() };
    assert_set_aside(&killed, "the episode is incomplete");
    assert_set_aside(&Run { lost: |tick| tick == 60, ..usual.clone() }, "lacks ticks in 1 places");
    let few = Run { recorded: |number| number % 20 == 0, ..usual.clone() };
    assert_set_aside(&few, "of 60 frames have no picture of camera front: record with --log-frames all");
    let gap = Run { recorded: |number| number != 40, ..usual };
    assert_eq!(reasons(&gap), [None], "a single picture that was dropped: the one before is young enough");
}

#[test]
fn an_episode_without_pictures_is_not_selected() {
    let folder = tempfile::tempdir().unwrap();
    let gap = Run { recorded: |number| number < 20, ..Run::default() };
    let runs = read(&[gap.write(folder.path())]).unwrap();
    assert!(!runs.has_all_pictures(&runs.episodes()[0]));
    assert_eq!(runs.select(|_| true).episode_count(), 0);
}

#[test]
fn logs_that_do_not_belong_together_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let usual = Run::default().write(folder.path());
    let others = [
        (Run { fps: 10.0, ..Run::default() }, "10 a second"),
        (Run { cameras: vec!["front"], ..Run::default() }, "cameras are front 32x16"),
        (Run { fps: 60.0, ..Run::default() }, "ask for fewer with --fps"),
    ];
    for (other, word) in others {
        let other = other.write(folder.path());
        let error = read(&[usual.clone(), other.clone()]).unwrap_err().to_string();
        assert!(error.contains(word) && error.contains(&other.display().to_string()), "{error}");
    }
    let fewer = LoggedRuns::read(&[usual], Some(10.0), &mut |_| ()).unwrap();
    assert_eq!((fewer.outline().fps, fewer.episodes()[0].length()), (10.0, 20));
}
