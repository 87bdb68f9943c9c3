//! Time to encode a command and to read a feedback line. Budget: 500 ns and 2 µs.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use firmware_protocol::{
    Command, FirmwareAngles, GoalAngles, LineSplitter, ServoAcceleration, ServoSpeed, parse_line,
};

const FRAME_G1: &[u8] = b"{\"T\":1051,\"x\":-146.2206184,\"y\":-53.33287569,\"z\":-50.53411011,\"tit\":0.95413605,\
    \"b\":-2.791845034,\"s\":-0.001533981,\"e\":2.877747958,\"t\":-0.3512816,\"r\":3.143126634,\"g\":3.000466421,\
    \"tB\":0,\"tS\":-12,\"tE\":104,\"tT\":0,\"tR\":0}\r\n";
const FRAMES_G3: &[u8] = include_bytes!("../tests/data/wire/g3_dead_bus_feedback.log");

fn protocol(criterion: &mut Criterion) {
    let angles = [-2.792_779, 0.123_456, 1.612_3, -0.349_1, 3.129_9, 2.356_2];
    let command = Command::Joints {
        goal: GoalAngles::new(FirmwareAngles::from_array(angles)).unwrap(),
        speed: ServoSpeed::new(652).unwrap(),
        acceleration: ServoAcceleration::new(20).unwrap(),
    };
    criterion.bench_function("encode T:102", |bencher| {
        let mut buffer = [0; Command::MAX_BYTES];
        bencher.iter(|| black_box(&command).encode(black_box(&mut buffer)).len());
    });
    let frame_g3 = FRAMES_G3.split(|&byte| byte == b'\n').find(|line| line.starts_with(b"{")).unwrap();
    for (name, line) in
        [("parse T:1051, 16 keys", FRAME_G1.trim_ascii_end()), ("parse T:1051, 24 keys", frame_g3)]
    {
        criterion.bench_function(name, |bencher| bencher.iter(|| parse_line(black_box(line))));
    }
    criterion.bench_function("split and parse T:1051, 16 keys", |bencher| {
        let mut lines = LineSplitter::<512>::new();
        bencher.iter(|| {
            lines.push(black_box(FRAME_G1), |line| {
                black_box(parse_line(line));
            })
        });
    });
}

criterion_group!(benches, protocol);
criterion_main!(benches);
