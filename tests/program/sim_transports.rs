//! Each way to a virtual board answers T:105.

use firmware_protocol::{Line, parse_line};
use rustix::termios::ioctl_tiocexcl;

use crate::sim_clients::{ASK, LineClient, NoLine, PATIENCE, connect, get, http, open};
use crate::sim_run::SimRun;

#[test]
fn a_serial_client_is_answered() {
    // G3 is silent until it is asked
    let sim = SimRun::start(&["--firmware", "g3"]);
    let mut client = open(&sim.port());
    client.send(ASK);
    assert!(client.feedback().supply_volt.is_some());
    let end = sim.end();
    let (board, log) = (end.only_board(), end.log());
    assert_eq!((&board["lines_received"], &board["frames_sent"]), (&1.into(), &1.into()), "{board}");
    assert_eq!((&board["bytes_in"], &board["lines_refused"]), (&10.into(), &0.into()), "{board}");
    assert_eq!(log.of(">"), ["{\"T\":105}"]);
    assert_eq!(log.of("<").len(), 1);
    assert!(log.event("the port was opened") < 120.0);
}

#[test]
fn a_lock_that_a_client_leaves_behind_is_opened() {
    let sim = SimRun::start(&[]);
    let mut first = open(&sim.port());
    // what serial libraries do, and what a killed client never undoes
    ioctl_tiocexcl(first.stream()).unwrap();
    first.feedback();
    drop(first);
    let begun = std::time::Instant::now();
    // everyone may open the device; the lock does not bind root, so somebody else tries
    while !opens_for_anyone(&sim.port()) {
        assert!(begun.elapsed() < PATIENCE, "the port stays locked");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    sim.end();
}

/// Whether a process without rights gets in. Of a test that is not run by root, the test itself is one.
fn opens_for_anyone(link: &std::path::Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    if !rustix::process::getuid().is_root() {
        return std::fs::File::options().read(true).write(true).open(link).is_ok();
    }
    let Ok(device) = std::fs::canonicalize(link) else { return false };
    std::fs::set_permissions(&device, std::fs::Permissions::from_mode(0o666)).unwrap();
    let mut shell = std::process::Command::new("/bin/sh");
    shell.args(["-c", "exec 3<>\"$0\""]).arg(&device).uid(65534).gid(65534);
    shell.stderr(std::process::Stdio::null()).current_dir("/").status().unwrap().success()
}

#[test]
fn a_tcp_client_is_answered_and_is_alone() {
    let sim = SimRun::start(&["--firmware", "g3", "--tcp", "0"]);
    let address = sim.address("tcp ");
    let mut first = connect(address);
    first.send(ASK);
    first.feedback();
    let mut second = connect(address);
    let refusal = second.line_that("a refusal", |_| true);
    assert!(refusal.starts_with(b"busy"), "{}", String::from_utf8_lossy(&refusal));
    assert_eq!(second.line(PATIENCE), Err(NoLine::Gone));
    first.send(ASK);
    first.feedback();
    drop(first);
    // once the first has gone, the next is let in
    let begun = std::time::Instant::now();
    loop {
        let mut next = connect(address);
        next.send(ASK);
        match next.line(PATIENCE) {
            Ok(line) if line.starts_with(b"{\"T\":1051,") => break,
            answer => assert!(begun.elapsed() < PATIENCE, "{answer:?}"),
        }
    }
    let end = sim.end();
    assert_eq!(end.only_board()["frames_sent"], 3);
    assert!(end.log().event("tcp client") < 120.0);
}

/// What a client's connection breaks off with must not end the board.
#[test]
fn a_tcp_client_that_never_reads_is_no_hindrance() {
    let sim = SimRun::start(&["--tcp", "0"]);
    let idle = connect(sim.address("tcp "));
    let mut serial = open(&sim.port());
    for _ in 0..20 {
        serial.feedback();
    }
    drop(idle);
    serial.feedback();
    sim.end();
}

#[test]
fn a_web_client_is_answered_by_g1() {
    let sim = SimRun::start(&["--http", "0"]);
    let address = sim.address("http://");
    let (status, headers, body) = get(address, "/js?json=%7B%22T%22%3A105%7D");
    assert_eq!(status, "HTTP/1.1 200 OK");
    // the firmware misspells it
    assert!(headers.contains("Content-Type: text/plane"), "{headers}");
    assert!(matches!(parse_line(body.trim_ascii().as_bytes()), Line::Feedback(_)), "{body}");
    // any name, and as curl sends it
    let (_, _, body) = get(address, "/js?anything={\"T\":105}");
    assert!(body.starts_with("{\"T\":1051,"), "{body}");
    let (status, _, body) = get(address, "/");
    assert!(status.contains("200") && body.contains("Virtual RoArm-M3"), "{status} {body}");
    assert!(get(address, "/nothing").0.contains("404"));
    assert!(http(address, "hello\r\n\r\n").0.contains("400"));
    let end = sim.end();
    assert_eq!(end.only_board()["http_requests"], 2);
    assert_eq!(end.log().of("h>"), ["{\"T\":105}", "{\"T\":105}"]);
    assert_eq!(end.log().of("h<").len(), 2);
}

#[test]
fn a_web_client_of_g3_is_told_that_the_command_is_queued() {
    let sim = SimRun::start(&["--firmware", "g3", "--http", "0"]);
    let (_, headers, body) = get(sim.address("http://"), "/js?json={\"T\":105}");
    assert_eq!(body, "{\"ok\":1}", "{headers}");
    // the answer itself goes elsewhere: to the serial port
    open(&sim.port());
    sim.end();
}

#[test]
fn refused_and_lost_lines_are_marked() {
    let sim = SimRun::start(&["--firmware", "g1"]);
    let mut client = open(&sim.port());
    client.send(b"{\"T\":1\n\n");
    // two seconds of deafness, in which the ring of 256 bytes overflows
    client.send(b"{\"T\":111,\"cmd\":2000}\n");
    client.send(&[b'x'; 2000]);
    client.send(b"\n");
    // the end of that line was lost too; it is sent again when the board is back and speaks
    let is_back = |log: &str| log.split_once("bytes lost").is_some_and(|(_, after)| after.contains(" < "));
    wait_for_log(&sim, &mut client, is_back);
    client.send(b"\n");
    wait_for_log(&sim, &mut client, |log| log.contains(">? xxx"));
    let end = sim.end();
    let (board, log) = (end.only_board(), end.log());
    assert_eq!(log.of(">?")[0], "{\"T\":1");
    assert_eq!(log.of(">"), ["", "{\"T\":111,\"cmd\":2000}"], "an empty line is no mistake");
    let lost = board["bytes_lost"].as_u64().unwrap();
    assert!((1500..2000).contains(&lost), "{board}");
    log.event(&format!("{lost} bytes lost: the receive ring was full"));
    assert_eq!(board["lines_refused"].as_u64().unwrap(), log.of(">?").len() as u64);
}

/// Reads on until the log is as wanted.
#[track_caller]
fn wait_for_log(sim: &SimRun, client: &mut LineClient<std::fs::File>, wanted: impl Fn(&str) -> bool) {
    let begun = std::time::Instant::now();
    while !wanted(&std::fs::read_to_string(sim.folder().join("board.log")).unwrap()) {
        assert!(begun.elapsed() < PATIENCE, "what was waited for is never logged");
        let _ = client.line(std::time::Duration::from_millis(50));
    }
}

#[test]
fn passwords_stay_out_of_the_log() {
    let sim = SimRun::start(&["--firmware", "g3"]);
    let mut client = open(&sim.port());
    client.send(b"{\"T\":403,\"ssid\":\"home\",\"password\":\"hunter2\"}\n");
    client.send(ASK);
    client.feedback();
    let end = sim.end();
    assert!(end.log().of(">")[0].contains("\"password\":\"***\""), "{:?}", end.log().of(">"));
    assert!(!end.ended.stderr.contains("hunter2") && !end.ended.stdout.contains("hunter2"));
}

#[test]
fn a_board_may_reset_when_it_is_opened_but_does_not_by_itself() {
    let sim = SimRun::start(&[]);
    for _ in 0..2 {
        open(&sim.port()).feedback();
    }
    assert!(!sim.end().log().of("<").iter().any(|line| line.contains("rst:0x1")));
    let sim = SimRun::start(&["--reset-on-open"]);
    let mut client = open(&sim.port());
    client.line_that("the boot text", |line| line.starts_with(b"rst:0x1"));
    sim.end().log().event("the port was opened, which resets the board");
}
