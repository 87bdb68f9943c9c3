//! Encodes commands, parses feedback, watches health: with `core` alone.
//!
//! There is no `#[global_allocator]`, so that a crate that uses `alloc` does not link; and a panic handler of its own, so
//! that one that uses `std` does not compile. The C library only starts the process and copies memory.
#![no_std]
#![no_main]

use core::panic::PanicInfo;
use core::time::Duration;

use firmware_protocol::danger::{DangerousCommand, MissionEdit};
use firmware_protocol::health::{DetectedFirmware, HealthMonitor, HealthOptions};
use firmware_protocol::kinematics::{forward, inverse};
use firmware_protocol::{
    Command, FeedbackMode, FileCommand, FileName, FirmwareAngles, Generation, GoalAngles, Line, LineSplitter,
    MissionName, ServoAcceleration, ServoSpeed, limits, parse_line, steps,
};

#[link(name = "c")]
unsafe extern "C" {
    fn abort() -> !;
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    // SAFETY: C's `abort` takes nothing and may be called at any time.
    unsafe { abort() }
}

/// The precompiled `core` names the unwinder's hook in its tables. Panics abort here, so nobody ever calls it.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

const STREAM: &[u8] = b"5,\"tB\":0}\r\nServer Starts.\r\n{\"T\":1051,\"x\":345.837303,\"y\":0.530508195,\
    \"z\":223.9241261,\"tit\":-0.003067962,\"b\":0.001533981,\"s\":-0.001533981,\"e\":1.570796327,\"t\":-0.001533981,\
    \"r\":0.001533981,\"g\":3.140058673,\"tB\":0,\"tS\":0,\"tE\":0,\"tT\":0,\"tR\":0}\r\n";

/// 0 if all is as it should be, else the number of the check that was not.
fn checks() -> Result<(), i32> {
    let ensure = |holds: bool, number: i32| if holds { Ok(()) } else { Err(number) };
    let goal = GoalAngles::clamped(FirmwareAngles::HOME, Generation::G3).map_err(|_| 1)?;
    let command = Command::Joints {
        goal,
        speed: ServoSpeed::from_rad_per_s(1.0).map_err(|_| 2)?,
        acceleration: ServoAcceleration::from_rad_per_s2(3.0).map_err(|_| 3)?,
    };
    let mut buffer = [0; Command::MAX_BYTES];
    ensure(command.encode(&mut buffer).ends_with(b",\"hand\":3.1416,\"spd\":652,\"acc\":20}\n"), 4)?;

    let mut monitor = HealthMonitor::new(HealthOptions::default());
    monitor.wrote(Duration::ZERO, &Command::SetFeedbackMode(FeedbackMode::Stream));
    let (mut splitter, mut frames, mut at) = (LineSplitter::<512>::new(), 0, Duration::ZERO);
    for part in [STREAM; 8].iter().flat_map(|stream| stream.chunks(13)) {
        splitter.push(part, |line| {
            at += Duration::from_millis(18);
            let parsed = parse_line(line);
            frames += u32::from(matches!(parsed, Line::Feedback(_)));
            monitor.received(at, &parsed, line.len() + 2);
        });
    }
    ensure(frames == 8, 5)?;
    ensure(monitor.is_healthy(at), 6)?;
    ensure(monitor.firmware() == Some(DetectedFirmware::G1), 7)?;

    let name = FileName::new("notes.txt").map_err(|_| 8)?;
    let file = FileCommand::append_line(name, "a \"line\"").map_err(|_| 9)?;
    ensure(file.encode(&mut [0; FileCommand::MAX_BYTES]).ends_with(b"\"a \\\"line\\\"\"}\n"), 10)?;
    let mission = MissionName::new("demo").map_err(|_| 11)?;
    ensure(MissionEdit::append(mission, "{\"T\":115}").is_ok(), 12)?;
    let reboot = DangerousCommand::Reboot;
    ensure(reboot.encode(&mut [0; DangerousCommand::MAX_BYTES]) == b"{\"T\":600}\n", 13)?;
    let home = inverse(forward(FirmwareAngles::HOME)).ok_or(14)?;
    ensure((home[2] - FirmwareAngles::HOME.elbow_rad).abs() < 1e-9, 15)?;
    ensure(limits::first_outside(Generation::G1, FirmwareAngles::HOME).is_none(), 16)?;
    ensure(steps::goals(Generation::G1, FirmwareAngles::HOME)[0] == 2047, 17)
}

/// The process's exit code is the number of the failed check.
#[unsafe(no_mangle)]
pub extern "C" fn main(_arguments: i32, _values: *const *const u8) -> i32 {
    match checks() {
        Ok(()) => 0,
        Err(number) => number,
    }
}
