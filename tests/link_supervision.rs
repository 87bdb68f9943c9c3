//! The live link to a virtual board whose cable is pulled, that is plugged in as another device, or that resets by itself.
//!
//! What counts is what reached the board: nothing while the port was away, nothing late, one whole command a frame at most.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use firmware_protocol::Generation;
use firmware_protocol::emulator::BoardOptions;
use roarm::arm::{ArmHandle, LinkEvent, LinkFault, LinkOptions, LinkState, SerialArm};
use roarm::sim::virtual_board::Fault;
use roarm::sim::{VirtualBoard, VirtualBoardOptions};
use roarm::types::{CommandWritten, Joint, JointAngles, JointCommand};

/// Longer than any test needs; reaching it is a failure.
const GIVE_UP: Duration = Duration::from_secs(60);

struct Rig {
    _folder: tempfile::TempDir,
    link: PathBuf,
    board: VirtualBoard,
    arm: SerialArm,
    handle: ArmHandle,
    sequence: u64,
    /// Each report with the connection that control was in.
    reports: Vec<(u32, CommandWritten)>,
    /// Each connection that control saw.
    connections: Vec<u32>,
}

fn options() -> LinkOptions {
    LinkOptions { still_time: Duration::from_millis(100), ..LinkOptions::default() }
}

impl Rig {
    fn new(generation: Generation, faults: &str, options: LinkOptions) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("arm");
        let board = VirtualBoard::spawn(VirtualBoardOptions {
            link: Some(link.clone()),
            faults: Fault::parse_list(faults, 1).unwrap(),
            ..VirtualBoardOptions::new(BoardOptions::new(generation))
        })
        .unwrap();
        let (arm, handle) = SerialArm::open(&link, options).unwrap();
        let start = Instant::now();
        assert_eq!(arm.wait_until_ready(|_| {}, || start.elapsed() > GIVE_UP).unwrap(), generation);
        Self {
            _folder: folder,
            link,
            board,
            arm,
            handle,
            sequence: 0,
            reports: Vec::new(),
            connections: Vec::new(),
        }
    }

    /// A tick of a control side that commands whenever it may, and sometimes offers although it may not.
    fn tick(&mut self) {
        let status = self.handle.status();
        if self.connections.last() != Some(&status.connection) {
            self.connections.push(status.connection);
        }
        self.reports.extend(
            std::iter::from_fn(|| self.handle.take_written()).map(|report| (status.connection, report)),
        );
        if status.ready || self.sequence.is_multiple_of(3) {
            let mut goal = JointAngles::from(BoardOptions::BOOT_POSE);
            goal.set(Joint::Base, (self.sequence as f64 * 0.01).sin() * 0.2);
            self.handle.offer(JointCommand {
                sequence: self.sequence,
                tick: 0,
                goal,
                profile: roarm::types::ServoProfile { speed_rad_s: 3.0, acceleration_rad_s2: 7.7 },
            });
        }
        self.sequence += 1;
        std::thread::sleep(Duration::from_millis(4));
    }

    fn until(&mut self, what: &str, mut done: impl FnMut(&Self) -> bool) {
        let start = Instant::now();
        while !done(self) {
            assert!(start.elapsed() < GIVE_UP, "waited in vain for {what}: {:?}", self.handle.link_state());
            self.board.check().unwrap();
            self.tick();
        }
    }

    /// Ends all and compares what was reported with what the board took in.
    fn end(mut self) -> Vec<LinkEvent> {
        self.handle.release();
        let events = self.arm.events().try_iter().collect();
        let statistics = self.arm.stop();
        while let Some(report) = self.handle.take_written() {
            self.reports.push((self.connections[self.connections.len() - 1], report));
        }
        // The board reads what is still on the wire.
        std::thread::sleep(Duration::from_millis(200));
        let lines = self.board.log();
        let joints: Vec<_> = lines.iter().filter(|line| line.bytes.starts_with(b"{\"T\":102")).collect();
        assert!(
            joints.iter().all(|line| line.parsed || !line.bytes.ends_with(b"}")),
            "a whole line was refused"
        );
        let whole = joints.iter().filter(|line| line.parsed).count() as u64;
        // What was on the wire when the cable was pulled may be lost; nothing else, and nothing is added.
        let losses = u64::from(*self.connections.last().unwrap());
        assert!(whole <= statistics.link.commands + losses && whole + 2 * losses >= statistics.link.commands);
        assert!(statistics.link.commands <= statistics.link.feedback_lines);
        assert_eq!((self.board.counts().bytes_lost, statistics.link.queue_full), (0, 0));
        // Reports are of the connection in which they were read, in order, and none twice.
        assert!(self.reports.windows(2).all(|pair| pair[0].1.command.sequence < pair[1].1.command.sequence));
        assert!(self.connections.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", self.connections);
        events
    }
}

fn times(board: &VirtualBoard, fault: usize) -> (Duration, Option<Duration>) {
    let report = &board.counts().faults[fault];
    (report.began, report.ended)
}

#[test]
fn a_pulled_cable_is_won_back_and_nothing_is_sent_late() {
    for generation in [Generation::G1, Generation::G3] {
        let mut rig = Rig::new(generation, "cut@3s:1s", options());
        assert_eq!(rig.handle.status().connection, 0);
        rig.until("the loss", |rig| matches!(rig.handle.link_state(), LinkState::Reconnecting { .. }));
        rig.until("the port's return", |rig| rig.handle.link_state() == LinkState::Ready);
        let offered_before = rig.sequence;
        rig.until("commands", |rig| {
            rig.reports.last().is_some_and(|(_, report)| report.command.sequence > offered_before)
        });
        assert_eq!(rig.connections, [0, 1], "{generation}");
        let (began, Some(ended)) = times(&rig.board, 0) else { panic!("the cut lasts") };
        // A line that was complete on the wire is taken in up to two passes later.
        let slack = Duration::from_millis(80);
        let late =
            |line: &&roarm::sim::LoggedLine| line.board_time > began + slack && line.board_time < ended;
        assert_eq!(
            rig.board.log().iter().filter(late).count(),
            0,
            "{generation}: sent while the cable was out"
        );
        // First after the return come the lines of the handshake.
        let log = rig.board.log();
        let after: Vec<_> =
            log.iter().filter(|line| line.board_time >= ended && !line.bytes.is_empty()).collect();
        assert_eq!(after[0].bytes, b"{\"T\":605,\"cmd\":2}", "{generation}");
        assert_eq!(after[1].bytes, b"{\"T\":301,\"mode\":0}", "{generation}");
        let events = rig.end();
        let order = [LinkEvent::PortLost, LinkEvent::PortBack, LinkEvent::Ready { generation }];
        assert_eq!(events, order, "{generation}");
    }
}

#[test]
fn a_board_that_comes_back_as_another_device_is_found_by_its_link() {
    let mut rig = Rig::new(Generation::G1, "replug@2s:500ms,replug@5s:500ms", options());
    let first = std::fs::read_link(&rig.link).unwrap();
    rig.until("the second connection", |rig| rig.handle.status().connection == 1);
    rig.until("commands", |rig| rig.handle.link_state() == LinkState::Ready);
    assert_ne!(std::fs::read_link(&rig.link).unwrap(), first);
    rig.until("the third connection", |rig| rig.handle.status().connection == 2);
    rig.until("readiness", |rig| rig.handle.link_state() == LinkState::Ready);
    let seen = rig.reports.len();
    rig.until("commands", |rig| rig.reports.len() > seen + 20);
    rig.end();
}

#[test]
fn a_board_that_resets_by_itself_is_a_new_connection_too() {
    let mut rig = Rig::new(Generation::G1, "reset@3s", options());
    rig.until("the reset", |rig| rig.handle.status().connection == 1);
    assert!(!rig.handle.status().connected);
    rig.until("readiness", |rig| rig.handle.link_state() == LinkState::Ready);
    let seen = rig.reports.len();
    rig.until("commands", |rig| rig.reports.len() > seen + 20);
    let events = rig.end();
    assert!(
        events.iter().any(|event| matches!(event, LinkEvent::BoardReset | LinkEvent::FeedbackLost)),
        "{events:?}"
    );
    assert_eq!(*events.last().unwrap(), LinkEvent::Ready { generation: Generation::G1 });
}

#[test]
fn a_port_that_stays_away_ends_the_link() {
    let options = LinkOptions { reconnect_timeout: Duration::from_millis(700), ..options() };
    let mut rig = Rig::new(Generation::G1, "cut@2s", options);
    rig.until("the end", |rig| rig.handle.link_fault() == Some(LinkFault::Lost));
    assert_eq!(rig.handle.link_state(), LinkState::Failed(LinkFault::Lost));
    rig.until("the thread's end", |rig| rig.arm.thread_is_over());
    let events = rig.end();
    assert_eq!(events, [LinkEvent::PortLost, LinkEvent::Fault(LinkFault::Lost)]);
}

#[test]
fn control_that_dies_while_the_port_is_away_ends_the_link() {
    let Rig { arm, handle, board, .. } = {
        let mut rig = Rig::new(Generation::G1, "cut@2s", options());
        rig.until("the loss", |rig| matches!(rig.handle.link_state(), LinkState::Reconnecting { .. }));
        rig
    };
    drop(handle);
    let start = Instant::now();
    while !arm.thread_is_over() {
        assert!(start.elapsed() < GIVE_UP);
        std::thread::sleep(Duration::from_millis(2));
    }
    assert_eq!(arm.fault(), Some(LinkFault::TakenOver));
    board.check().unwrap();
}
