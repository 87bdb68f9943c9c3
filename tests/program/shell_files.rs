//! `roarm completions` and `roarm man`: what a package installs beside the program.

use crate::support::program::roarm;

#[test]
fn completions_know_the_verbs_and_a_shell_reads_them() {
    for shell in ["bash", "zsh", "fish"] {
        let script = roarm(["completions", shell]).assert_code(0).stdout.clone();
        for word in ["doctor", "--onnxruntime", "--board-log"] {
            assert!(script.contains(word.trim_start_matches('-')), "{shell}: {word}");
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("roarm");
    std::fs::write(&script, &roarm(["completions", "bash"]).stdout).unwrap();
    let read = std::process::Command::new("bash").arg("-n").arg(&script).status().unwrap();
    assert!(read.success());
    roarm(["completions", "tcsh"]).assert_error(2, &["tcsh", "bash"]);
}

#[test]
fn every_verb_has_a_page() {
    let folder = tempfile::tempdir().unwrap();
    roarm(["man", &folder.path().display().to_string()]).assert_code(0);
    for verb in ["roarm", "roarm-run", "roarm-demo", "roarm-policy-verify", "roarm-doctor"] {
        let page = std::fs::read_to_string(folder.path().join(format!("{verb}.1"))).unwrap();
        assert!(page.contains(".TH ") && page.contains("SH NAME"), "{verb}: {page}");
    }
    assert!(roarm(["man"]).assert_code(0).stdout.contains(".TH roarm 1"));
    roarm(["man", "/nowhere/at/all"]).assert_error(2, &["/nowhere/at/all", "Name a folder that exists"]);
}

#[test]
fn the_help_does_not_list_them() {
    let help = roarm(["--help"]).assert_code(0).stdout.clone();
    assert!(!help.contains("completions") && help.contains("doctor"), "{help}");
}
