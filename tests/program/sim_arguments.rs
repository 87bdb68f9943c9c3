//! Arguments of `roarm sim` that mean nothing: exit code 2, with cause and fix.

use crate::support::program::roarm;

#[test]
fn are_refused_with_the_fix() {
    for (arguments, parts) in [
        (vec!["--fault", "cutt@5s"], vec!["no fault `cutt`", "did you mean `cut`", "cut@5s:2s"]),
        (vec!["--fault", "drop"], vec!["drop takes a probability", "drop=0.01"]),
        (vec!["--fault", "cut@soon"], vec!["`soon`", "no start", "cut@5s"]),
        (vec!["--fault", ""], vec!["missing", "cut@5s:2s"]),
        (vec!["--fault", "2:cut"], vec!["board 2", "--boards 2"]),
        (vec!["--boards", "0"], vec!["0", "--boards"]),
        (vec!["--boards", "65"], vec!["65", "--boards"]),
        (vec!["--json-library", "a5"], vec!["a5", "a6, a7"]),
        (vec!["--servos", "soft"], vec!["soft", "stock, clean, instant"]),
        (vec!["--firmware", "g2"], vec!["g2", "g1, g1b or g3"]),
        (vec!["--pose", "1,2,3"], vec!["--pose 1,2,3", "six degrees"]),
        (vec!["--pose", "0,0,0,0,0,NaN"], vec!["six degrees"]),
        (vec!["--pose", "0,0,0,0,0,0", "--pose", "0,0,0,0,0,0"], vec!["2 times", "--boards 2"]),
        (vec!["--tcp", "here"], vec!["--tcp here", "no address", "--tcp 4000"]),
        (vec!["--http", "127.0.0.1:70000"], vec!["70000", "HOST:PORT"]),
        (vec!["--tcp", "65535", "--boards", "2"], vec!["65535 is the last", "begin lower"]),
        (vec!["--tcp", "4000", "--http", "4001", "--boards", "2"], vec!["meet", "2 or more apart"]),
        (vec!["--duration", "0"], vec!["--duration 0", "above 0"]),
        (vec!["--seed", "-1"], vec!["-1", "--help"]),
    ] {
        roarm(["sim"].into_iter().chain(arguments)).assert_error(2, &parts);
    }
}

#[test]
fn help_lists_every_fault() {
    let names = [
        "cut",
        "replug",
        "garbage",
        "slow",
        "drop",
        "mute",
        "deaf",
        "reset",
        "dead-servo",
        "stuck-joint",
        "low-supply",
        "no-12v",
    ];
    for arguments in [["sim", "--fault", "help"].as_slice(), &["sim", "--help"]] {
        let ended = roarm(arguments);
        ended.assert_code(0);
        for name in names {
            assert!(ended.stdout.contains(&format!("\n  {name} ")), "{name}: {ended}");
        }
        assert!(ended.stdout.contains("--fault cut@5s:2s"), "{ended}");
    }
}
