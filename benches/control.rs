//! Time of one control tick in the middle of a chunk.

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use roarm::control::{ControlParameters, Controller, Inputs, JointBounds, Phase};
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

criterion_group!(benches, tick);
criterion_main!(benches);
