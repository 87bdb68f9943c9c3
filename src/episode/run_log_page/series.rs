//! The numbers of the page.

use std::io::Read;

use serde::Serialize;

use crate::control::{EndCause, Phase};
use crate::episode::run_log::{
    ChunkRecord, ControlRecord, EndRecord, NoticeLevel, Record, RunLogError, RunLogReader, RunRecord,
};
use crate::types::{DatasetAngles, JOINT_COUNT, Joint, JointAngles, Timestamp};

/// Everything that the page shows. Times are seconds from the first tick, angles degrees as datasets have them.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Series {
    task: String,
    facts: Vec<(&'static str, String)>,
    /// What is wrong with the log.
    problems: Vec<String>,
    joints: Vec<&'static str>,
    /// Length of an action.
    action_period_s: f64,
    /// One value each tick, as all that follow to `frame_age_ms`.
    t: Vec<f64>,
    measured_deg: [Vec<Option<f64>>; JOINT_COUNT],
    commanded_deg: [Vec<Option<f64>>; JOINT_COUNT],
    feedback_age_ms: Vec<Option<f64>>,
    cameras: Vec<Camera>,
    phases: Vec<PhaseBand>,
    chunks: Vec<ChunkSeries>,
    events: Vec<Event>,
    /// Name and count of each rule of the gate that ever acted.
    gate: Vec<(&'static str, u64)>,
}

#[derive(Clone, Debug, Serialize)]
struct Camera {
    name: String,
    /// Age of the newest picture.
    frame_age_ms: Vec<Option<f64>>,
}

#[derive(Clone, Debug, Serialize)]
struct PhaseBand {
    from: f64,
    to: f64,
    name: &'static str,
    /// Why, of phases that have a cause.
    cause: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
struct ChunkSeries {
    id: u64,
    /// When the picture was taken, when inference ended, when control got it.
    observed: f64,
    finished: f64,
    arrived: Option<f64>,
    /// Milliseconds: preprocess, vision, prefix, flow, denormalise.
    stages_ms: [f64; 5],
    age_start_ms: f64,
    age_end_ms: f64,
    /// One row for each action.
    z: Vec<[f64; JOINT_COUNT]>,
}

#[derive(Clone, Debug, Serialize)]
struct Event {
    t: f64,
    level: &'static str,
    text: String,
}

fn rounded(value: f64, digits: f64) -> f64 {
    (value * digits).round() / digits
}

fn degrees(angles: Option<JointAngles>) -> [Option<f64>; JOINT_COUNT] {
    let degrees = angles.map(|angles| DatasetAngles::from(angles).to_array_deg());
    std::array::from_fn(|joint| degrees.map(|degrees| rounded(degrees[joint], 1e3)))
}

fn cause(phase: &Phase) -> Option<EndCause> {
    match phase {
        Phase::Easing(cause)
        | Phase::Holding(cause)
        | Phase::Parking(cause)
        | Phase::Stopped(cause)
        | Phase::Ended(cause) => Some(*cause),
        _ => None,
    }
}

impl Series {
    /// Reads a log to its end, wherever that is.
    pub(super) fn read<R: Read>(reader: RunLogReader<R>) -> Result<Self, RunLogError> {
        let mut reader = reader.decode_only(|_, _| false);
        let run = reader.run().clone();
        let mut ticks: Vec<ControlRecord> = Vec::new();
        let (mut chunks, mut notices, mut end) = (Vec::new(), Vec::new(), None);
        while let Some(record) = reader.next_record()? {
            match record {
                Record::Control(record) => ticks.push(*record),
                Record::Chunk(record) => chunks.push(record),
                Record::Notice(record) => notices.push(record),
                Record::End(record) => end = Some(record),
                Record::Observation(_) | Record::Frame(_) | Record::Lost(_) => {}
            }
        }
        let state = reader.state();
        let mut problems: Vec<String> = state.damage.iter().chain(&state.cut).cloned().collect();
        if let Some(cut) = end.as_ref().map(|end| &end.cut).filter(|cut| !cut.is_empty()) {
            problems.push(format!("the log was cut and repaired: {cut}"));
        }
        let gaps = ticks.windows(2).filter(|pair| pair[1].tick != pair[0].tick + 1).count();
        if gaps > 0 {
            problems.push(format!("ticks are missing in {gaps} places"));
        }
        let zero = ticks.first().map_or(run.start, |tick| tick.now);
        let at = |time: Timestamp| rounded(time.seconds_since(zero), 1e4);
        let mut series = Self {
            task: run.task.clone(),
            facts: facts(&run, &ticks, end.as_ref()),
            problems,
            joints: Joint::ALL.map(Joint::name).to_vec(),
            action_period_s: run.parameters.action_period.as_secs_f64(),
            t: Vec::new(),
            measured_deg: Default::default(),
            commanded_deg: Default::default(),
            feedback_age_ms: Vec::new(),
            cameras: run
                .cameras
                .iter()
                .map(|camera| Camera { name: camera.name.clone(), frame_age_ms: Vec::new() })
                .collect(),
            phases: Vec::new(),
            chunks: chunks.iter().map(|record| chunk(record, &ticks, &at)).collect(),
            events: Vec::new(),
            gate: Vec::new(),
        };
        series.add_ticks(&ticks, &at);
        series.events.extend(notices.into_iter().map(|notice| Event {
            t: at(notice.time),
            level: match notice.level {
                NoticeLevel::Info => "info",
                NoticeLevel::Warning => "warning",
                NoticeLevel::Error => "error",
            },
            text: notice.text,
        }));
        series.events.sort_by(|one, other| one.t.total_cmp(&other.t));
        Ok(series)
    }

    fn add_ticks(&mut self, ticks: &[ControlRecord], at: &impl Fn(Timestamp) -> f64) {
        let (mut measured, mut goal) = (None, None);
        let mut gate = [0; 16];
        for tick in ticks {
            let now = at(tick.now);
            measured = tick.feedback.or(measured);
            goal = tick.command.map(|command| command.goal).or(goal);
            self.t.push(now);
            let pose = degrees(measured.map(|sample| sample.angles));
            self.measured_deg.iter_mut().zip(pose).for_each(|(joint, angle)| joint.push(angle));
            self.commanded_deg.iter_mut().zip(degrees(goal)).for_each(|(joint, angle)| joint.push(angle));
            let age_ms = |since: Timestamp| rounded(tick.now.seconds_since(since) * 1e3, 10.0);
            self.feedback_age_ms.push(measured.map(|sample| age_ms(sample.measured)));
            for (camera, frame) in self.cameras.iter_mut().zip(tick.frames) {
                camera.frame_age_ms.push(frame.map(|frame| age_ms(frame.captured)));
            }
            self.add_phase(&tick.phase, now);
            // What the gate did in this tick for the first time since a while.
            let counts = tick.gate.by_rule();
            for (before, (rule, count)) in gate.iter_mut().zip(counts) {
                if *before == 0 && count > 0 {
                    let text = format!("the gate's rule {rule} acts for the first time");
                    self.events.push(Event { t: now, level: "warning", text });
                }
                *before = count;
            }
        }
        let last = ticks.last().map(|tick| tick.gate.by_rule()).unwrap_or([("", 0); 16]);
        self.gate = last.into_iter().filter(|(_, count)| *count > 0).collect();
    }

    fn add_phase(&mut self, phase: &Phase, now: f64) {
        let (name, cause) = (phase.name(), cause(phase));
        if let Some(last) = self.phases.last_mut() {
            last.to = now;
            if last.name == name {
                return;
            }
        }
        let stop = cause.filter(|cause| {
            !cause.is_success() && !self.phases.iter().any(|band| band.cause == Some(cause.to_string()))
        });
        if let Some(cause) = stop {
            self.events.push(Event { t: now, level: "error", text: format!("stop: {cause}") });
        }
        self.phases.push(PhaseBand { from: now, to: now, name, cause: cause.map(|cause| cause.to_string()) });
    }
}

fn chunk(record: &ChunkRecord, ticks: &[ControlRecord], at: &impl Fn(Timestamp) -> f64) -> ChunkSeries {
    let ChunkRecord { chunk, z_scores, report, .. } = record;
    let timings = &report.timings;
    let stages = [timings.preprocess, timings.vision, timings.prefix, timings.flow, timings.denormalise];
    let millis = |duration: std::time::Duration| rounded(duration.as_secs_f64() * 1e3, 100.0);
    let arrived = ticks.iter().find(|tick| tick.chunk == Some(chunk.id));
    ChunkSeries {
        id: chunk.id,
        observed: at(chunk.observed),
        finished: at(chunk.finished),
        arrived: arrived.map(|tick| at(tick.now)),
        stages_ms: stages.map(millis),
        age_start_ms: millis(report.observation_age_start),
        age_end_ms: millis(report.observation_age_end),
        z: z_scores.iter().map(|row| row.map(|z| rounded(z.into(), 1e3))).collect(),
    }
}

fn facts(run: &RunRecord, ticks: &[ControlRecord], end: Option<&EndRecord>) -> Vec<(&'static str, String)> {
    let seconds =
        ticks.first().zip(ticks.last()).map_or(0.0, |(first, last)| last.now.seconds_since(first.now));
    let wall_s = i64::try_from(run.wall_start_ns / 1_000_000_000).unwrap_or_default();
    let started = chrono::DateTime::from_timestamp(wall_s, 0).unwrap_or_default();
    vec![
        ("began", started.format("%Y-%m-%d %H:%M:%S UTC").to_string()),
        ("lasted", format!("{seconds:.1} s, {} ticks", ticks.len())),
        ("ended", end.map_or_else(|| "the log does not say".to_owned(), |end| end.text.clone())),
        ("arm", format!("{}, firmware {}", run.arm, run.firmware)),
        ("policy", format!("{} on {}", run.policy.folder, run.policy.device)),
        ("program", format!("{}, {}", run.program, run.verb)),
    ]
}
