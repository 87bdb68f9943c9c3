//! Time of one control tick in the middle of a chunk, and what recording adds to it.

#![allow(clippy::print_stdout, clippy::expect_used, reason = "a bench tells its numbers")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use hdrhistogram::Histogram;
use roarm::control::{ControlParameters, Controller, Inputs, JointBounds, Outputs, Phase};
use roarm::episode::run_log::ControlRecord;
use roarm::runtime::bare_control_queue;
use roarm::types::{
    Chunk, CommandWritten, FeedbackSample, FrameMetadata, JointAngles, LinkStatus, MAX_CAMERAS, Playback,
    Timestamp,
};

const TICK: Duration = Duration::from_millis(20);

fn pose(angle: f64) -> JointAngles {
    JointAngles::from_array_rad([angle; 6])
}

fn parameters() -> ControlParameters {
    ControlParameters {
        trained_range: Some(JointBounds { lower: pose(-1.2), upper: pose(1.2) }),
        actions_per_chunk: 50,
        ..ControlParameters::usual(JointBounds { lower: pose(-1.5), upper: pose(1.5) })
    }
}

/// A core with everything that it needs for ever: a link that writes at once, fresh frames, chunks on demand.
struct Fixture {
    controller: Controller,
    now: Timestamp,
    arm: JointAngles,
    written: Option<CommandWritten>,
    chunk: Option<Chunk>,
}

impl Fixture {
    fn tick(&mut self) {
        self.now = self.now + TICK;
        let mut frames = [None; MAX_CAMERAS];
        frames[0] = Some(FrameMetadata {
            id: 0,
            sequence: 0,
            captured: self.now,
            width: 640,
            height: 480,
            digest: None,
        });
        let chunk = self.chunk.take();
        let inputs = Inputs {
            feedback: Some(FeedbackSample {
                sequence: 0,
                angles: self.arm,
                measured: self.now,
                torque_off: false,
            }),
            frames,
            chunk: chunk.as_ref(),
            written: self.written.take(),
            link: LinkStatus::READY,
            reset: false,
            playback: Playback::default(),
            go: self.controller.proposal().map(|proposal| proposal.number),
            stop: None,
        };
        let outputs = self.controller.tick(self.now, &inputs);
        if let Some(command) = outputs.command {
            self.arm = command.goal;
            self.written = Some(CommandWritten { command, written: self.now });
        }
        if let Some(request) = outputs.observation {
            let actions: [JointAngles; 50] = std::array::from_fn(|step| pose((step as f64 * 0.1).sin()));
            self.chunk =
                Chunk::new(request.chunk_id, request.observed, request.tick, self.now, &actions).ok();
        }
    }
}

fn tick(criterion: &mut Criterion) {
    let mut fixture = Fixture {
        controller: Controller::new(parameters()),
        now: Timestamp::from_nanos(1_000_000_000),
        arm: pose(0.1),
        written: None,
        chunk: None,
    };
    while fixture.controller.phase() != Phase::Running {
        fixture.tick();
    }
    criterion.bench_function("control tick", |bencher| bencher.iter(|| fixture.tick()));
}

/// Making a tick's record and pushing it into the recorder's ring. Criterion tells means: the quantiles are measured apart.
fn record(criterion: &mut Criterion) {
    let (mut tap, mut queue) = bare_control_queue(TICK);
    let controller = Controller::new(parameters());
    let now = Timestamp::from_nanos(1_000_000_000);
    let feedback = FeedbackSample { sequence: 0, angles: pose(0.1), measured: now, torque_off: false };
    let metadata = FrameMetadata { id: 0, sequence: 0, captured: now, width: 640, height: 480, digest: None };
    let frames = [Some(metadata); MAX_CAMERAS];
    let inputs = Inputs { feedback: Some(feedback), frames, link: LinkStatus::READY, ..Inputs::default() };
    let mut push = || {
        tap.push(ControlRecord::of(now, black_box(&inputs), black_box(&Outputs::default()), &controller, 0));
    };
    criterion.bench_function("record a tick", |bencher| {
        bencher.iter(|| {
            push();
            queue.pop()
        });
    });
    let mut nanos = Histogram::<u64>::new_with_bounds(1, 1_000_000_000, 3).expect("bounds that fit");
    for _ in 0..200_000 {
        let begun = Instant::now();
        push();
        nanos.saturating_record(u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX));
        black_box(queue.pop());
    }
    let at = |quantile| nanos.value_at_quantile(quantile);
    println!(
        "record a tick: p50 {} ns, p99 {} ns, p99.9 {} ns, max {} ns; {} bytes a record",
        at(0.5),
        at(0.99),
        at(0.999),
        nanos.max(),
        size_of::<ControlRecord>()
    );
}

criterion_group!(benches, tick, record);
criterion_main!(benches);
