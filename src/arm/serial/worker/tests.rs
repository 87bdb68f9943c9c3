//! What the link thread begins, keeps and throws away, without a port.
#![allow(clippy::unwrap_used)]

use std::sync::mpsc::{Receiver, sync_channel};

use firmware_protocol::emulator::{Board, BoardOptions};

use super::super::handle::mailboxes;
use super::*;
use crate::arm::serial::ArmHandle;
use crate::types::{CommandWritten, JointAngles, JointCommand};

/// A worker whose board streams and whose link is ready, and the moment of that.
fn ready() -> (Worker, ArmHandle, Receiver<LinkEvent>, Timestamp) {
    let (handle, side) = mailboxes().unwrap();
    let (events, receiver) = sync_channel(256);
    let mut now = Timestamp::from_nanos(5_000_000_000);
    let mut worker = Worker {
        machine: LinkMachine::new(LinkOptions::default(), now),
        out: WriteBuffer::default(),
        shared: Arc::clone(&side.shared),
        side,
        events,
        waiting: None,
        parked: None,
        guiding: None,
        statistics: SerialStatistics::default(),
        published: now,
        on_look: Box::new(|| {}),
    };
    let mut board = Board::new(BoardOptions::default());
    while !worker.machine.is_connected() {
        worker.machine.poll(now, &mut worker.out, &mut |_| {});
        board.receive(worker.out.pending());
        worker.out.advance(worker.out.pending().len());
        board.advance(Duration::from_millis(5));
        now = now + Duration::from_millis(5);
        let mut bytes = Vec::new();
        board.transmit(&mut bytes);
        worker.machine.receive(&bytes, now, &mut |_| {});
    }
    (worker, handle, receiver, now)
}

fn command() -> JointCommand {
    let goal = JointAngles::from(BoardOptions::BOOT_POSE);
    JointCommand {
        sequence: 0,
        tick: 0,
        goal,
        profile: crate::types::ServoProfile { speed_rad_s: 3.0, acceleration_rad_s2: 7.7 },
    }
}

fn begin(worker: &mut Worker, offered: Timestamp, connection: u32, now: Timestamp) {
    let offered = OfferedCommand { command: command(), offered, connection };
    worker.waiting = Some(offered);
    worker.begin(offered, now);
}

#[test]
fn a_command_of_this_connection_is_begun() {
    let (mut worker, _handle, _events, now) = ready();
    begin(&mut worker, now, 0, now);
    assert!(worker.out.pending().starts_with(b"{\"T\":102,") && worker.waiting.is_none());
}

#[test]
fn a_command_that_was_made_for_another_connection_is_thrown_away() {
    let (mut worker, _handle, _events, now) = ready();
    begin(&mut worker, now, 1, now);
    assert!(worker.out.is_empty() && worker.waiting.is_none());
    assert_eq!(worker.statistics.outdated_commands, 1);
}

#[test]
fn a_command_that_was_made_before_the_link_was_ready_is_thrown_away() {
    let (mut worker, _handle, _events, now) = ready();
    begin(&mut worker, now - Duration::from_millis(1), 0, now);
    assert!(worker.out.is_empty() && worker.waiting.is_none());
    assert_eq!(worker.statistics.outdated_commands, 1);
}

#[test]
fn a_command_waits_behind_other_bytes_but_not_for_long() {
    let (mut worker, _handle, _events, now) = ready();
    worker.out.push(b"rest of a line\n").unwrap();
    begin(&mut worker, now, 0, now);
    assert!(worker.out.pending() == b"rest of a line\n" && worker.waiting.is_some(), "lines would mix");
    begin(&mut worker, now, 0, now + COMMAND_MAX_AGE + Duration::from_millis(1));
    assert!(worker.waiting.is_none());
    assert_eq!(worker.statistics.stale_commands, 1);
}

#[test]
fn what_waits_when_the_port_is_lost_is_never_sent() {
    let (mut worker, _handle, _events, now) = ready();
    begin(&mut worker, now, 0, now);
    assert!(worker.out.pending().starts_with(b"{\"T\":102,"));
    worker.waiting = Some(OfferedCommand { command: command(), offered: now, connection: 0 });
    worker.lose_port(now);
    assert!(worker.out.is_empty() && worker.waiting.is_none());
}

#[test]
fn no_command_is_begun_whose_report_would_find_no_room() {
    let (mut worker, mut handle, _events, now) = ready();
    let report = CommandWritten { command: command(), written: now };
    while worker.side.written.push(ReportedCommand { report, connection: 0 }).is_ok() {}
    begin(&mut worker, now, 0, now);
    assert!(worker.out.is_empty() && worker.waiting.is_some());
    assert!(handle.take_written().is_some());
    begin(&mut worker, now, 0, now);
    assert!(!worker.out.is_empty());
}

#[test]
fn nothing_that_is_offered_after_the_release_is_begun() {
    for released in [false, true] {
        let (mut worker, mut handle, _events, now) = ready();
        worker.shared.publish(&Published {
            state: worker.machine.state(),
            connection: 0,
            ready: true,
            frozen: false,
        });
        if released {
            handle.release();
        }
        handle.offer(command());
        worker.pump(now);
        assert_eq!(worker.out.is_empty(), released);
    }
}
