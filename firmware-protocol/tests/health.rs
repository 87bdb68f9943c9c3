//! Faults of the virtual board are found, and a healthy board gives no finding.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::time::Duration;

use firmware_protocol::danger::{ArmMayFall, DangerousCommand};
use firmware_protocol::emulator::{Board, BoardOptions, Contact};
use firmware_protocol::health::{DetectedFirmware, Finding, HealthMonitor, HealthOptions};
use firmware_protocol::{
    Command, FeedbackMode, FirmwareAngles, Generation, GoalAngles, Joint, LineSplitter, ServoAcceleration,
    ServoSpeed, parse_line,
};

const TICK: Duration = Duration::from_millis(5);

/// A board, its monitor, and the host between them.
struct Bench {
    board: Board,
    monitor: HealthMonitor,
    lines: LineSplitter<512>,
    /// Every finding since the start, without its numbers' changes.
    seen: Vec<Finding>,
    /// Done to each line before the host sees it.
    damage: fn(usize, &mut Vec<u8>),
    count: usize,
}

impl Bench {
    fn with(options: BoardOptions) -> Self {
        Self {
            board: Board::new(options),
            monitor: HealthMonitor::new(HealthOptions::default()),
            lines: LineSplitter::new(),
            seen: Vec::new(),
            damage: |_, _| {},
            count: 0,
        }
    }

    /// A board with the sag and the dead zone of the real arm.
    fn new(generation: Generation) -> Self {
        let mut options = BoardOptions::new(generation);
        (options.servos.sag_deg, options.servos.dead_zone_deg) = (3.0, [0.8; 6]);
        // The servos hold on through a supply that the board complains about, so that each finding comes alone.
        options.brown_out_volt = 4.0;
        Self::with(options)
    }

    fn streaming(generation: Generation) -> Self {
        let mut bench = Self::new(generation);
        bench.send(Command::SetFeedbackMode(FeedbackMode::Stream));
        bench.run(1.0);
        bench
    }

    fn send(&mut self, command: Command) {
        self.board.receive(command.encode(&mut [0; Command::MAX_BYTES]));
        self.monitor.wrote(self.board.now(), &command);
    }

    fn joints(&mut self, angles: FirmwareAngles, speed: u16) {
        self.send(Command::Joints {
            goal: GoalAngles::new(angles).unwrap(),
            speed: ServoSpeed::new(speed).unwrap(),
            acceleration: ServoAcceleration::new(50).unwrap(),
        });
    }

    fn tick(&mut self) {
        self.board.advance(TICK);
        let mut bytes = Vec::new();
        self.board.transmit(&mut bytes);
        let (now, monitor) = (self.board.now(), &mut self.monitor);
        let (damage, count) = (self.damage, &mut self.count);
        self.lines.push(&bytes, |line| {
            let mut line = line.to_vec();
            *count += 1;
            damage(*count, &mut line);
            monitor.received(now, &parse_line(&line), line.len() + 2);
        });
        for finding in self.monitor.findings(now) {
            let same = |seen: &Finding| std::mem::discriminant(seen) == std::mem::discriminant(&finding);
            match self.seen.iter_mut().find(|seen| same(seen)) {
                Some(seen) => *seen = finding,
                None => self.seen.push(finding),
            }
        }
    }

    fn run(&mut self, seconds: f64) {
        for _ in 0..(seconds / TICK.as_secs_f64()) as u32 {
            self.tick();
        }
    }

    /// The arm follows goals at 25 Hz for a time; every joint swings by half a radian.
    fn swing(&mut self, seconds: f64) {
        for step in 0..(seconds * 25.0) as u32 {
            let swing = |phase: f64| 0.25 * (f64::from(step) / 25.0 * 1.3 + phase).sin();
            let home = BoardOptions::BOOT_POSE.to_array();
            let goal = Joint::ALL.map(|joint| home[joint.index()] + swing(joint.index() as f64) - 0.3);
            self.joints(FirmwareAngles::from_array(goal), 1500);
            self.run(0.04);
        }
    }

    fn now(&self) -> Vec<Finding> {
        self.monitor.findings(self.board.now()).collect()
    }

    fn found(&self, wanted: impl Fn(&Finding) -> bool) -> bool {
        self.seen.iter().any(wanted)
    }
}

#[test]
fn a_healthy_board_gives_no_finding_for_a_minute() {
    for generation in Generation::ALL {
        for mode in [FeedbackMode::Stream, FeedbackMode::Quiet] {
            let mut bench = Bench::new(generation);
            bench.send(Command::SetFeedbackMode(mode));
            for second in 0..60 {
                // Half of the time at rest, half in motion; polls at 12.5 Hz where the board does not stream.
                if second % 20 < 10 {
                    bench.swing(1.0);
                } else if mode == FeedbackMode::Stream {
                    bench.run(1.0);
                }
                if mode == FeedbackMode::Quiet {
                    for _ in 0..10 {
                        bench.send(Command::ReadFeedback);
                        bench.run(0.08);
                    }
                }
            }
            assert_eq!(bench.seen, [], "{generation} {mode:?}");
            assert_eq!(bench.monitor.damaged_frames(), 0);
        }
    }
}

#[test]
fn goals_that_the_board_clamps_are_not_motion_that_fails() {
    for generation in [Generation::G1, Generation::G1b, Generation::G3] {
        let mut bench = Bench::streaming(generation);
        for elbow_rad in [-1.3, 3.5, -0.4] {
            bench.joints(FirmwareAngles { elbow_rad, base_rad: 4.0, ..BoardOptions::BOOT_POSE }, 1500);
            bench.run(8.0);
        }
        assert_eq!(bench.seen, [], "{generation}");
    }
}

#[test]
fn a_board_without_servo_power_is_a_dead_bus() {
    let mut options = BoardOptions::new(Generation::G1);
    options.servos.dead = [true; 7];
    let mut bench = Bench::with(options);
    bench.send(Command::SetFeedbackMode(FeedbackMode::Stream));
    bench.run(6.0);
    assert_eq!(bench.now()[0], Finding::DeadBus);
    assert!(
        bench.found(|finding| matches!(finding, Finding::SlowFeedback { dead_servos: 6, .. })),
        "{:?}",
        bench.seen
    );

    let mut g3 = Bench::streaming(Generation::G3);
    g3.board.set_dead([true; 7]);
    g3.board.set_supply_volt(4.8);
    g3.run(6.0);
    let now = g3.now();
    assert_eq!(now[0], Finding::DeadBus, "{now:?}");
    assert!(now.contains(&Finding::LowSupply { volt: Some(4.8) }));
}

#[test]
fn servos_that_die_in_motion_freeze_the_feedback() {
    for generation in [Generation::G1, Generation::G3] {
        let mut bench = Bench::streaming(generation);
        bench.swing(3.0);
        assert_eq!(bench.seen, [], "{generation}");
        bench.board.set_dead([true; 7]);
        let died = bench.board.now();
        let mut noticed = None;
        for _ in 0..40 {
            bench.swing(0.2);
            let frozen = |finding: &Finding| {
                matches!(finding, Finding::FrozenFeedback { .. } | Finding::TorqueOff { .. })
            };
            if noticed.is_none() && bench.found(frozen) {
                noticed = Some(bench.board.now() - died);
            }
        }
        let noticed = noticed.unwrap_or_else(|| panic!("{generation}: {:?}", bench.seen));
        assert!(noticed < Duration::from_secs(4), "{generation}: {noticed:?}");
        assert!(bench.found(|finding| matches!(finding, Finding::SlowFeedback { dead_servos: 6, .. })));
    }
}

#[test]
fn one_dead_servo_is_counted_and_named() {
    let one = [false, false, false, false, true, false, false];
    for generation in [Generation::G1, Generation::G3] {
        let mut bench = Bench::streaming(generation);
        bench.board.set_dead(one);
        bench.run(3.0);
        let slow = |finding: &Finding| matches!(finding, Finding::SlowFeedback { dead_servos: 1, .. });
        assert!(bench.found(slow), "{generation}: {:?}", bench.seen);
        bench.board.set_dead([false; 7]);
        bench.run(2.0);
        assert!(!bench.now().iter().any(slow), "it recovers");

        bench.send(Command::SetFeedbackMode(FeedbackMode::Debug));
        bench.run(0.5);
        bench.board.set_dead(one);
        bench.run(1.0);
        let named = |finding: &Finding| matches!(finding, Finding::ServosFailed { servos } if servos.to_string() == "15");
        assert!(bench.now().iter().any(named), "{generation}: {:?}", bench.now());
        bench.board.set_dead([false; 7]);
        bench.run(3.0);
        assert_eq!(bench.now(), []);
    }
}

#[test]
fn polls_that_cost_a_dead_servo_more_are_slow() {
    for generation in [Generation::G1, Generation::G3] {
        let mut bench = Bench::new(generation);
        bench.send(Command::SetFeedbackMode(FeedbackMode::Quiet));
        let poll = |bench: &mut Bench, times: u32| {
            for _ in 0..times {
                bench.send(Command::ReadFeedback);
                bench.run(0.4);
            }
        };
        poll(&mut bench, 10);
        assert_eq!(bench.seen, [], "{generation}");
        bench.board.set_dead([true, false, false, false, false, false, false]);
        poll(&mut bench, 10);
        assert!(
            bench.found(|finding| matches!(finding, Finding::SlowFeedback { dead_servos: 1..=2, .. })),
            "{generation}: {:?}",
            bench.seen
        );
    }
}

#[test]
fn a_joint_in_the_way_of_something_does_not_move_and_a_hand_may_hold() {
    let mut bench = Bench::streaming(Generation::G1);
    bench.board.set_contact(Joint::Base, Some(Contact::Below(-0.2)));
    bench.joints(FirmwareAngles { base_rad: -1.0, ..BoardOptions::BOOT_POSE }, 1000);
    bench.run(3.0);
    let [Finding::JointsNotMoving { joints }] = bench.now()[..] else { panic!("{:?}", bench.now()) };
    assert_eq!(joints.to_string(), "base");

    let mut holding = Bench::streaming(Generation::G1);
    holding.joints(FirmwareAngles { hand_rad: 1.8, ..BoardOptions::BOOT_POSE }, 1000);
    holding.run(3.0);
    holding.board.set_contact(Joint::Hand, Some(Contact::Above(2.5)));
    holding.joints(BoardOptions::BOOT_POSE, 1000);
    holding.run(10.0);
    assert_eq!(holding.seen, []);
}

#[test]
fn slow_goals_are_given_their_time() {
    let mut bench = Bench::streaming(Generation::G1);
    for speed in [20, 60] {
        bench.joints(FirmwareAngles { base_rad: f64::from(speed) / 40.0, ..BoardOptions::BOOT_POSE }, speed);
        bench.run(20.0);
    }
    assert_eq!(bench.seen, []);
}

#[test]
fn supply_and_torque_of_g3() {
    let mut bench = Bench::streaming(Generation::G3);
    bench.board.set_supply_volt(5.1);
    bench.run(1.0);
    assert!(bench.now().contains(&Finding::LowSupply { volt: Some(5.1) }), "{:?}", bench.now());
    assert_eq!(bench.monitor.firmware(), Some(DetectedFirmware::G3), "only G3 has that text");
    bench.board.set_supply_volt(12.0);
    bench.run(4.0);
    assert_eq!(bench.now(), []);

    let off = DangerousCommand::TorqueOff(ArmMayFall::acknowledged());
    let mut buffer = [0; DangerousCommand::MAX_BYTES];
    let line = off.encode(&mut buffer);
    bench.board.receive(line);
    bench.monitor.wrote_other(bench.board.now(), line, Duration::from_secs(10));
    bench.run(9.0);
    let [Finding::TorqueOff { joints }] = bench.now()[..] else { panic!("{:?}", bench.now()) };
    assert_eq!(joints.iter().count(), 6);
}

#[test]
fn a_stream_that_stops_is_noticed() {
    let mut bench = Bench::streaming(Generation::G1);
    // Another client: the monitor is not told.
    bench.board.receive(b"{\"T\":605,\"cmd\":0}\n");
    bench.run(3.0);
    assert!(matches!(bench.now()[..], [Finding::NoFeedback { .. }]), "{:?}", bench.now());

    let mut stopped = Bench::streaming(Generation::G1);
    stopped.board.receive(b"{\"T\":0}\n");
    stopped.run(9.0);
    assert!(matches!(stopped.now()[..], [Finding::NoFeedback { .. }]), "{:?}", stopped.now());

    let mut waiting = Bench::streaming(Generation::G1);
    waiting.send(Command::Wait(firmware_protocol::BoardDelay::from_ms(8000).unwrap()));
    waiting.run(12.0);
    assert_eq!(waiting.seen, [], "a pause that was asked for");
}

#[test]
fn a_full_queue_a_reset_and_a_failed_start() {
    let mut bench = Bench::streaming(Generation::G3);
    assert_eq!(bench.monitor.firmware(), Some(DetectedFirmware::G2OrG3));
    for _ in 0..120 {
        bench.board.receive(b"{\"T\":301,\"mode\":0}\n");
    }
    bench.run(0.5);
    assert!(bench.now().contains(&Finding::QueueFull), "{:?}", bench.now());
    assert_eq!(bench.monitor.firmware(), Some(DetectedFirmware::G3));

    for generation in [Generation::G1, Generation::G3] {
        let mut reset = Bench::streaming(generation);
        reset.board.receive(b"{\"T\":600}\n");
        reset.run(1.0);
        assert_eq!(reset.now(), [Finding::BoardReset], "{generation}");
        assert_eq!(reset.monitor.feedback_mode(), None);
        let mut failed = Bench::streaming(generation);
        failed.board.set_dead([true; 7]);
        failed.board.receive(b"{\"T\":600}\n");
        failed.run(12.0);
        assert!(failed.found(|finding| *finding == Finding::InitFailed), "{generation}: {:?}", failed.seen);
    }
}

#[test]
fn generations_are_told_apart() {
    for (generation, keys) in [
        (Generation::G1, DetectedFirmware::G1),
        (Generation::G1b, DetectedFirmware::G1),
        (Generation::G3, DetectedFirmware::G2OrG3),
    ] {
        let bench = Bench::streaming(generation);
        assert_eq!(bench.monitor.firmware(), Some(keys));
        assert_eq!(keys.generation() == Generation::G3, generation == Generation::G3);
        // By the echo alone: no frame ever.
        let mut echo = Bench::new(generation);
        echo.board.receive(b"{\"T\":605,\"cmd\":1}\n");
        echo.run(0.1);
        let mut silent = Bench { board: echo.board, ..Bench::new(generation) };
        silent.send(Command::ResetGains);
        silent.run(0.1);
        let expected = (generation != Generation::G3).then_some(DetectedFirmware::G1);
        assert_eq!(silent.monitor.firmware(), expected, "{generation}");
        // What another client sent is echoed too, and says nothing that this host could know.
        let mut other = Bench { board: silent.board, ..Bench::new(generation) };
        other.board.receive(b"{\"T\":109}\n");
        other.run(0.1);
        assert_eq!(other.monitor.firmware(), None);
    }
}

#[test]
fn damaged_frames_are_counted_and_believed_by_nobody() {
    let mut bench = Bench::streaming(Generation::G1);
    bench.damage = |count, line| {
        if count % 5 == 0 {
            // A splice that is valid JSON: another elbow.
            let text = String::from_utf8_lossy(line).replace("\"e\":1.5", "\"e\":2.5");
            *line = text.into_bytes();
        } else if count % 7 == 0 {
            line.truncate(60);
        }
    };
    bench.run(10.0);
    assert!(bench.monitor.damaged_frames() > 100, "{}", bench.monitor.damaged_frames());
    assert_eq!(bench.seen, []);
}

#[test]
fn every_finding_says_cause_and_fix() {
    let mut bench = Bench::streaming(Generation::G3);
    bench.board.set_supply_volt(5.0);
    bench.board.set_dead([true; 7]);
    bench.swing(5.0);
    assert!(bench.seen.len() >= 4);
    for finding in &bench.seen {
        let text = finding.to_string();
        assert!(text.contains(finding.cause()) && text.ends_with(finding.fix()), "{text}");
        assert!(finding.cause().len() > 30 && finding.fix().len() > 30 && !text.contains("  "), "{text}");
    }
}
