//! Several boards in one program: each has its own port, log, pose and faults.

use crate::sim_clients::{ASK, NoLine, connect, open};
use crate::sim_run::SimRun;

#[test]
fn four_boards_do_not_know_each_other() {
    let sim = SimRun::start(&[
        "--boards",
        "4",
        "--firmware",
        "g3",
        "--servos",
        "instant",
        "--tcp",
        "0",
        "--fault",
        "2:mute",
    ]);
    for board in 1..=4 {
        let mut client = open(&sim.port_of(board));
        let base_rad = 0.1 * board as f64;
        let command = format!(
            "{{\"T\":102,\"base\":{base_rad},\"shoulder\":0,\"elbow\":1.57,\"wrist\":0,\"roll\":0,\"hand\":3.14,\"spd\":0,\"acc\":0}}\n"
        );
        client.send(command.as_bytes());
        client.send(ASK);
        if board == 2 {
            assert_eq!(client.line(std::time::Duration::from_millis(500)), Err(NoLine::Silence));
        } else {
            let feedback = client.feedback();
            assert!((feedback.angles.base_rad - base_rad).abs() < 0.004, "{board}: {feedback:?}");
        }
    }
    connect(sim.address("tcp "));
    let end = sim.end();
    for board in 1..=4 {
        let summary = end.board(board);
        let base_deg = summary["pose_deg"][0].as_f64().unwrap();
        assert!((base_deg - (0.1 * board as f64).to_degrees()).abs() < 0.2, "{summary}");
        assert_eq!((&summary["board"], &summary["lines_received"]), (&board.into(), &2.into()));
        assert_eq!(summary["faults"].as_array().unwrap().len(), usize::from(board == 2), "{summary}");
        let log = end.log_in(&format!("board-{board}.log"));
        let command = format!("\"base\":{}", 0.1 * board as f64);
        assert!(log.of(">")[0].contains(&command), "{:?}", log.of(">"));
        assert_eq!(log.of("<").len(), 1, "what it said, heard or not");
    }
}

#[test]
fn each_board_may_have_its_own_pose_and_a_link_of_another_form() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("left{}right").display().to_string();
    let mut program = crate::support::program::Program::start([
        "sim",
        "--json",
        "--boards",
        "2",
        "--link",
        &link,
        "--pose",
        "10,0,90,0,0,0",
        "--pose",
        "-20,0,90,0,0,30",
        "--duration",
        "3600",
    ]);
    program.wait_until_said("Ctrl-C ends");
    for (board, base_deg) in [(1, 10.0_f64), (2, -20.0)] {
        let feedback = open(&folder.path().join(format!("left{board}right"))).feedback();
        assert!((feedback.angles.base_rad.to_degrees() - base_deg).abs() < 0.3, "{feedback:?}");
    }
    program.signal(rustix::process::Signal::TERM);
    let ended = program.finish();
    assert_eq!(ended.assert_code(0).json()["ended"], "SIGTERM");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
