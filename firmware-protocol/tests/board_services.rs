//! The virtual board's flash, missions, web server, WiFi, outputs and servo ids, beyond what the traces of the vendor's
//! firmware show: restarts, aborts, waits, and generation G3.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::time::Duration;

use firmware_protocol::emulator::{Board, BoardOptions, Drive, StrayWrite, SwitchOutput};
use firmware_protocol::{FeedbackMode, Generation};

const MS: Duration = Duration::from_millis(1);

/// A running board that prints only what commands print.
fn quiet(generation: Generation) -> Board {
    with(BoardOptions::new(generation))
}

fn with(options: BoardOptions) -> Board {
    let mut board = Board::new(options);
    board.set_feedback_mode(FeedbackMode::Quiet);
    text(&mut board, 100 * MS);
    board
}

/// What the board prints while time passes.
fn text(board: &mut Board, duration: Duration) -> String {
    board.advance(duration);
    let mut out = Vec::new();
    board.transmit(&mut out);
    String::from_utf8_lossy(&out).into_owned()
}

fn say(board: &mut Board, line: &str, duration: Duration) -> String {
    board.receive(format!("{line}\n").as_bytes());
    text(board, duration)
}

fn file(board: &Board, name: &str) -> String {
    String::from_utf8_lossy(board.flash_file(name).unwrap()).into_owned()
}

const BOOT_FILE: &str = "{\"name\":\"boot\",\"intro\":\"these cmds run automatically at boot.\"}\r\n";

#[test]
fn files_outlive_a_restart() {
    let mut board = quiet(Generation::G1);
    assert_eq!(file(&board, "boot.mission"), BOOT_FILE);
    say(&mut board, r#"{"T":201,"name":"notes","content":"first"}"#, 50 * MS);
    say(&mut board, r#"{"T":204,"name":"notes","content":"third"}"#, 100 * MS);
    say(&mut board, r#"{"T":205,"name":"notes","lineNum":2,"content":"second"}"#, 100 * MS);
    say(&mut board, r#"{"T":603}"#, 50 * MS);
    assert!(board.flash_file("boot.mission").is_none());
    say(&mut board, r#"{"T":600}"#, 8000 * MS);
    // Inserting wrote the old lines back with their CR and one more.
    assert_eq!(file(&board, "notes"), "first\r\r\nsecond\r\nthird\r\r\n");
    assert_eq!(file(&board, "boot.mission"), BOOT_FILE);
    let listed =
        say(&mut board, r#"{"T":605,"cmd":0}"#, 100 * MS) + &say(&mut board, r#"{"T":200}"#, 100 * MS);
    let boot = listed.find("[file]: [boot.mission]").unwrap();
    assert!(boot < listed.find("[file]: [notes]").unwrap(), "{listed}");
}

#[test]
fn lines_are_replaced_read_and_deleted() {
    let mut board = quiet(Generation::G1);
    board.set_flash_file("notes", b"one\r\ntwo\r\n");
    say(&mut board, r#"{"T":206,"name":"notes","lineNum":1,"content":"ONE"}"#, 100 * MS);
    assert_eq!(file(&board, "notes"), "ONE\r\ntwo\r\r\n");
    say(&mut board, r#"{"T":208,"name":"notes","lineNum":1}"#, 100 * MS);
    assert_eq!(file(&board, "notes"), "two\r\r\n");
    // Only debug text shows a single line.
    assert_eq!(say(&mut board, r#"{"T":207,"name":"notes","lineNum":1}"#, 100 * MS), "");
    board.set_feedback_mode(FeedbackMode::Debug);
    let line = say(&mut board, r#"{"T":207,"name":"notes","lineNum":1}"#, 100 * MS);
    assert!(line.ends_with("two\r\r\r\n"), "{line:?}");
    assert!(
        say(&mut board, r#"{"T":203,"name":"notes"}"#, 100 * MS).ends_with("file deleted successfully.\r\n")
    );
    assert!(say(&mut board, r#"{"T":203,"name":"notes"}"#, 100 * MS).ends_with("file already deleted.\r\n"));
    assert!(
        say(&mut board, r#"{"T":208,"name":"notes"}"#, 100 * MS)
            .ends_with("Error opening file for reading\r\n")
    );
    let space = say(&mut board, r#"{"T":601}"#, 100 * MS);
    assert!(space.contains("totalBytes:\t1441792 bytes\r\nfree flash memory:\t1433600 bytes\r\n"), "{space}");
}

#[test]
fn a_line_that_is_not_there_is_replaced_in_somebody_elses_memory() {
    let replace = r#"{"T":230,"name":"boot","stepNum":5,"delay":9}"#;
    let mut board = quiet(Generation::G1);
    say(&mut board, replace, 100 * MS);
    assert_eq!(board.restarts(), 1);
    assert_eq!(file(&board, "boot.mission"), BOOT_FILE);
    let options = BoardOptions { stray_write: StrayWrite::Harmless, ..BoardOptions::new(Generation::G1) };
    let mut board = with(options);
    say(&mut board, replace, 100 * MS);
    assert_eq!((board.restarts(), file(&board, "boot.mission")), (0, BOOT_FILE.replace("\r\n", "\r\r\n")));
}

#[test]
fn a_mission_runs_until_a_byte_arrives() {
    let mut board = quiet(Generation::G1);
    say(&mut board, r#"{"T":220,"name":"wave","intro":"to and fro"}"#, 50 * MS);
    for angle_rad in [0.5, -0.5] {
        // As an object the step is printed into the file, as a text it is copied.
        let step = format!(r#"{{"T":101,"joint":1,"rad":{angle_rad},"spd":0,"acc":0}}"#);
        say(&mut board, &format!(r#"{{"T":222,"name":"wave","step":{step}}}"#), 200 * MS);
        say(&mut board, r#"{"T":224,"name":"wave","delay":400}"#, 200 * MS);
    }
    let steps = "{\"T\":101,\"joint\":1,\"rad\":0.5,\"spd\":0,\"acc\":0}\r\n{\"T\":111,\"cmd\":400}\r\n\
                 {\"T\":101,\"joint\":1,\"rad\":-0.5,\"spd\":0,\"acc\":0}\r\n{\"T\":111,\"cmd\":400}\r\n";
    assert_eq!(
        file(&board, "wave.mission"),
        format!("{{\"name\":\"wave\",\"intro\":\"to and fro\"}}\r\n{steps}")
    );
    say(&mut board, r#"{"T":242,"name":"wave","times":-1}"#, 350 * MS);
    let mut turns = vec![board.goal().base_rad];
    for _ in 0..60 {
        board.advance(50 * MS);
        let goal = board.goal().base_rad;
        if goal.signum() != turns.last().unwrap().signum() {
            turns.push(goal);
        }
    }
    assert!((7..=9).contains(&turns.len()), "{turns:?}");
    assert!(!board.is_listening());
    // Any byte will do; it is not lost on the way out.
    board.receive(b"\n");
    board.advance(450 * MS);
    assert!(board.is_listening());
}

#[test]
fn a_command_behind_a_mission_ends_it_before_its_first_step() {
    let mut board = quiet(Generation::G1);
    board.set_flash_file("open.mission", b"{}\r\n{\"T\":106,\"cmd\":1.5}\r\n");
    let before = board.goal_steps();
    board.set_feedback_mode(FeedbackMode::Debug);
    let printed = say(&mut board, "{\"T\":242,\"name\":\"open\",\"times\":3}\n{\"T\":302}", 300 * MS);
    assert!(printed.contains("[currentTimes: 1 ]\r\n[missionPlay abort.]\r\n"), "{printed}");
    assert!(printed.ends_with("24:6F:28:12:34:56\r\n"), "{printed}");
    assert_eq!(board.goal_steps(), before);
    say(&mut board, r#"{"T":242,"name":"open","times":1}"#, 300 * MS);
    assert_ne!(board.goal_steps(), before);
}

#[test]
fn a_step_from_feedback_is_where_the_firmware_believes_the_tool_to_be() {
    let save = |before: &str| {
        let mut board = quiet(Generation::G1);
        say(&mut board, &format!(r#"{before}{{"T":223,"name":"boot","spd":0.3}}"#), 300 * MS);
        file(&board, "boot.mission")
    };
    // Single precision made `spd` what it is; roll and hand are missing.
    let here = save("");
    assert!(here.contains("{\"T\":104,\"x\":346.1"), "{here}");
    assert!(here.ends_with(",\"spd\":0.300000012}\r\n"), "{here}");
    // A single joint, commanded in the same breath, has not moved yet; but the firmware thinks so.
    let turned = save("{\"T\":101,\"joint\":1,\"rad\":1.5708,\"spd\":0,\"acc\":0}\n");
    assert!(turned.contains(",\"y\":34"), "{turned}");
}

#[test]
fn a_restart_forgets_the_requests_that_wait() {
    let mut board = quiet(Generation::G1);
    board.http_js(br#"{"T":600}"#);
    board.http_js(br#"{"T":105}"#);
    board.advance(9000 * MS);
    assert_eq!((board.restarts(), board.take_http_replies()), (1, vec![]));
    board.http_js(br#"{"T":105}"#);
    board.advance(100 * MS);
    assert_eq!(board.take_http_replies().len(), 1);
}

#[test]
fn an_empty_mission_played_forever_hangs_the_board() {
    let mut board = quiet(Generation::G1);
    say(&mut board, r#"{"T":242,"name":"boot","times":9999999}"#, 300 * MS);
    assert!(board.is_listening() && !board.is_hung());
    say(&mut board, r#"{"T":242,"name":"boot","times":-1}"#, 300 * MS);
    assert!(board.is_hung());
    assert_eq!(say(&mut board, r#"{"T":302}"#, 5000 * MS), "");
}

#[test]
fn g3_ends_a_mission_only_between_two_turns_and_only_by_its_stop() {
    let mut board = quiet(Generation::G3);
    board.set_flash_file("wait.mission", b"{}\r\n{\"T\":111,\"cmd\":100}\r\n{\"T\":106,\"cmd\":1.5}\r\n");
    say(&mut board, r#"{"T":242,"name":"wait","times":-1}"#, 60 * MS);
    // Another task takes the bytes away.
    say(&mut board, r#"{"T":302}"#, 500 * MS);
    assert!(!board.is_listening());
    say(&mut board, r#"{"T":0}"#, 150 * MS);
    assert!(board.is_listening());
    assert!((board.goal().hand_rad - 1.5).abs() < 0.01);
}

#[test]
fn the_boot_plays_its_mission_unless_bytes_wait() {
    let boot = |pending: &[u8]| {
        let mut board = Board::new(BoardOptions { boot: true, ..BoardOptions::new(Generation::G1) });
        board.set_flash_file("boot.mission", b"{}\r\n{\"T\":605,\"cmd\":0}\r\n{\"T\":114,\"led\":9}\r\n");
        board.advance(1000 * MS);
        board.receive(pending);
        let printed = text(&mut board, 9000 * MS);
        assert!(printed.contains("[StepNum: 2 ] - {\"T\":114,\"led\":9}\r\r\n"), "{printed}");
        assert!(board.is_listening());
        (board.feedback_mode(), board.switch_outputs()[0])
    };
    assert_eq!(boot(b""), (0, SwitchOutput { drive: Drive::Reverse, duty: 9 }));
    assert_eq!(boot(b"\n"), (2, SwitchOutput::default()));
}

#[test]
fn requests_wait_for_the_loop_and_answers_may_be_old() {
    let mut board = quiet(Generation::G1);
    let first = board.http_js(br#"{"T":105}"#);
    let second = board.http_js(br#"{"T":101,"joint":6,"rad":2,"spd":0,"acc":0}"#);
    assert_eq!(board.take_http_replies(), []);
    // One request a loop pass.
    board.advance(45 * MS);
    let replies = board.take_http_replies();
    assert_eq!(replies.iter().map(|reply| reply.ticket).collect::<Vec<_>>(), [first, second]);
    assert!(replies[0].body.starts_with(b"{\"T\":1051,\"x\":"));
    assert_eq!((&replies[1].body[..], replies[1].content_type), (&b"null"[..], "text/plane"));
    assert!((board.goal().hand_rad - 2.0).abs() < 0.01);
    // While a command blocks, nobody answers.
    say(&mut board, r#"{"T":111,"cmd":1000}"#, 100 * MS);
    board.http_js(br#"{"T":302}"#);
    board.advance(800 * MS);
    assert_eq!(board.take_http_replies(), []);
    board.advance(300 * MS);
    assert_eq!(board.take_http_replies()[0].body, b"{\"mac\":\"24:6F:28:12:34:56\"}");
}

#[test]
fn a_request_without_a_command_drops_the_arm_of_g1() {
    for argument in ["", "hello", "{\"cmd\":1", "105"] {
        let mut board = quiet(Generation::G1);
        board.http_js(argument.as_bytes());
        board.advance(100 * MS);
        assert_eq!(board.torque(), [false; 6], "{argument}");
        board.advance(10_000 * MS);
        assert_eq!((board.torque(), board.take_http_replies().len()), ([true; 6], 1), "{argument}");
    }
}

#[test]
fn what_files_and_radio_leave_can_be_read_by_http() {
    let ask = |command: &str| {
        let mut board = quiet(Generation::G1);
        board.set_flash_file("wave.mission", b"{\"name\":\"wave\"}\r\n{\"T\":105}\r\n");
        board.http_js(command.as_bytes());
        board.advance(400 * MS);
        String::from_utf8_lossy(&board.take_http_replies()[0].body).into_owned()
    };
    assert_eq!(
        ask(r#"{"T":221,"name":"wave"}"#),
        r#"{"info":"reading mission.","first_line":"{\"name\":\"wave\"}\r","StepNum_1":"{\"T\":105}\r"}"#
    );
    assert_eq!(
        ask(r#"{"T":202,"name":"wave.mission"}"#),
        r#"{"info":"reading file","name":"wave.mission","lineNum_1":"{\"name\":\"wave\"}\r","lineNum_2":"{\"T\":105}\r"}"#
    );
    assert_eq!(ask(r#"{"T":202,"name":"no"}"#), r#"{"info":"file not found"}"#);
    assert_eq!(ask(r#"{"T":301,"mode":0}"#), r#"{"info":"esp-now mode: none"}"#);
    assert_eq!(
        ask(r#"{"T":303,"mac":"AA:BB:CC:DD:EE:FF"}"#),
        r#"{"info":"add peer","mac":"AA:BB:CC:DD:EE:FF"}"#
    );
    assert_eq!(ask(r#"{"T":601}"#), r#"{"info":"free flash space","total":1441792,"free":1433600}"#);
}

#[test]
fn g3_only_queues_requests() {
    let mut board = quiet(Generation::G3);
    for _ in 0..51 {
        board.http_js(br#"{"T":101,"joint":6,"rad":2,"spd":0,"acc":0}"#);
    }
    let replies = board.take_http_replies();
    assert!(replies[..50].iter().all(|reply| reply.body == b"{\"ok\":1}"));
    assert_eq!(replies[50].body, b"{\"error\":\"Queue full\"}");
    board.advance(50 * MS);
    assert!((board.goal().hand_rad - 2.0).abs() < 0.01);
    assert_eq!(board.take_http_replies(), []);
}

#[test]
fn a_network_that_is_not_there_makes_g1_deaf_for_15_seconds() {
    let join = r#"{"T":403,"ssid":"home","password":"secret"}"#;
    let mut board = quiet(Generation::G1);
    board.set_feedback_mode(FeedbackMode::Debug);
    let printed = say(&mut board, join, 15_400 * MS);
    assert!(!board.is_listening());
    assert!(printed.ends_with(&format!("connecting to \r\nhome\r\n{}", ".".repeat(31))), "{printed:?}");
    let printed = text(&mut board, 200 * MS);
    assert!(board.is_listening());
    let end = "STA connection timeout.\r\nwifi mode on boot: AP\r\nAP mode starts...\r\nSSID: RoArm-M3\r\n\
               Password: 12345678\r\nAP Address: 192.168.4.1\r\n";
    assert_eq!(printed, format!(".\r\n{end}"));
    let mut board = quiet(Generation::G3);
    say(&mut board, join, 100 * MS);
    assert!(board.is_listening());
}

#[test]
fn wifi_settings_are_saved_and_used_at_the_next_boot() {
    let mut board = quiet(Generation::G1);
    let create = r#"{"T":402,"ssid":"lab","password":"s3cret!!"}"#;
    say(&mut board, create, 50 * MS);
    say(&mut board, r#"{"T":401,"cmd":3}"#, 50 * MS);
    let saved = r#"{"wifi_mode_on_boot":3,"sta_ssid":"none","sta_password":"none","ap_ssid":"lab","ap_password":"s3cret!!"}"#;
    assert_eq!(file(&board, "wifiConfig.json"), saved);
    let status = say(&mut board, r#"{"T":405}"#, 100 * MS);
    assert_eq!(status, format!("{},\"ip\":\"0.0.0.0\",\"rssi\":0}}", saved.strip_suffix('}').unwrap()));
    // Boot takes about 5 s, and now it waits for the network `none`.
    say(&mut board, r#"{"T":600}"#, 15_000 * MS);
    assert!(!board.is_listening());
    board.advance(8_000 * MS);
    assert!(board.is_listening());
}

#[test]
fn a_leader_without_followers_complains_each_pass() {
    let mut board = quiet(Generation::G1);
    let printed = say(&mut board, r#"{"T":301,"mode":1}"#, 100 * MS);
    assert!(printed.matches("Error sending the data\r\n").count() >= 8, "{printed}");
    let printed = say(&mut board, r#"{"T":303,"mac":"AA:BB:CC:DD:EE:FF"}"#, 100 * MS);
    assert!(
        printed.ends_with("add peer: AA:BB:CC:DD:EE:FF\r\n") || printed.ends_with("Sent with success\r\n")
    );
    assert!(printed.matches("Sent with success\r\n").count() >= 5, "{printed}");
}

#[test]
fn a_servo_with_a_new_id_is_lost_until_it_gets_its_old_one_back() {
    let mut board = quiet(Generation::G1);
    say(&mut board, r#"{"T":501,"raw":11,"new":20}"#, 500 * MS);
    say(&mut board, r#"{"T":101,"joint":1,"rad":1,"spd":0,"acc":0}"#, 1500 * MS);
    assert!(board.angles().base_rad.abs() < 0.01);
    say(&mut board, r#"{"T":600}"#, 9000 * MS);
    say(&mut board, r#"{"T":501,"raw":20,"new":11}"#, 1000 * MS);
    say(&mut board, r#"{"T":101,"joint":1,"rad":1,"spd":0,"acc":0}"#, 1500 * MS);
    assert!((board.angles().base_rad - 1.0).abs() < 0.02, "{:?}", board.angles());
}

#[test]
fn two_servos_of_one_id_both_move() {
    let mut board = quiet(Generation::G1);
    // The roll servo becomes a second hand.
    say(&mut board, r#"{"T":501,"raw":16,"new":17}"#, 500 * MS);
    say(&mut board, r#"{"T":106,"cmd":2,"spd":0,"acc":0}"#, 1500 * MS);
    let [.., roll, hand] = board.encoder_steps();
    assert!(roll.abs_diff(1304) < 3 && hand.abs_diff(1304) < 3, "{roll} {hand}");
}
