//! `roarm sim` as a test starts it: with links and logs in a folder of its own, and a summary at the end.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use rustix::process::Signal;
use tempfile::TempDir;

use crate::support::program::{Ended, Program};

/// A running `roarm sim --json`.
pub(crate) struct SimRun {
    pub(crate) program: Program,
    folder: TempDir,
}

/// A `roarm sim` that has ended.
pub(crate) struct SimEnd {
    pub(crate) ended: Ended,
    folder: TempDir,
}

impl SimRun {
    /// Starts `roarm sim --link FOLDER/arm --log FOLDER/board.log --json FLAGS` and waits until it is ready.
    pub(crate) fn start(flags: &[&str]) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), flags)
    }

    pub(crate) fn start_in(folder: TempDir, flags: &[&str]) -> Self {
        let (link, log) = (folder.path().join("arm"), folder.path().join("board.log"));
        let mut arguments = vec!["sim".to_owned(), "--json".to_owned()];
        arguments.extend(["--link".to_owned(), link.display().to_string()]);
        arguments.extend(["--log".to_owned(), log.display().to_string()]);
        arguments.extend(flags.iter().map(|flag| (*flag).to_owned()));
        let mut program = Program::start(arguments);
        program.wait_until_said("Ctrl-C ends");
        Self { program, folder }
    }

    /// The link of the only board.
    pub(crate) fn port(&self) -> PathBuf {
        self.folder.path().join("arm")
    }

    /// The link of one of several boards.
    pub(crate) fn port_of(&self, board: usize) -> PathBuf {
        self.folder.path().join(format!("arm-{board}"))
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Kills it at once; what it leaves behind stays in the folder.
    pub(crate) fn kill(self) -> TempDir {
        self.program.signal(Signal::KILL);
        let _killed = self.program.finish();
        self.folder
    }

    /// The address behind `mark` in what it said, such as `tcp ` or `http://`.
    #[track_caller]
    pub(crate) fn address(&self, mark: &str) -> SocketAddr {
        let said = self.program.said();
        let after = said.split(mark).nth(1).unwrap_or_else(|| panic!("no `{mark}` in: {said}"));
        let end = after.find(|character: char| !(character.is_ascii_digit() || ".:".contains(character)));
        after[..end.unwrap_or(after.len())].parse().unwrap_or_else(|error| panic!("{error}: {after}"))
    }

    /// Ends it by a signal.
    pub(crate) fn end_by(self, signals: &[Signal]) -> SimEnd {
        for signal in signals {
            self.program.signal(*signal);
        }
        self.finish()
    }

    /// Ends it by Ctrl-C.
    pub(crate) fn end(self) -> SimEnd {
        self.end_by(&[Signal::INT])
    }

    /// Waits until it ends by itself. In each case it must end well and leave no link behind.
    pub(crate) fn finish(self) -> SimEnd {
        let Self { program, folder } = self;
        let ended = program.finish();
        ended.assert_code(0);
        for left in std::fs::read_dir(folder.path()).unwrap() {
            let left = left.unwrap().path();
            assert!(!left.is_symlink(), "{} is left behind", left.display());
        }
        SimEnd { ended, folder }
    }
}

impl SimEnd {
    /// What the summary says of a board.
    pub(crate) fn board(&self, number: usize) -> serde_json::Value {
        let summary = self.ended.json();
        assert_eq!(summary["ok"], true, "{summary}");
        summary["boards"][number - 1].clone()
    }

    /// What the summary says of the only board.
    pub(crate) fn only_board(&self) -> serde_json::Value {
        assert_eq!(self.ended.json()["boards"].as_array().unwrap().len(), 1);
        self.board(1)
    }

    /// The log, whose lines all have a time and a mark.
    pub(crate) fn log(&self) -> SimLog {
        self.log_in("board.log")
    }

    pub(crate) fn log_in(&self, name: &str) -> SimLog {
        let text = std::fs::read_to_string(self.folder.path().join(name)).unwrap();
        let line = |line: &str| {
            let mut parts = line.splitn(3, ' ');
            let at_s: f64 = parts.next().unwrap().parse().unwrap();
            (at_s, parts.next().unwrap().to_owned(), parts.next().unwrap_or_default().to_owned())
        };
        SimLog(text.lines().map(line).collect())
    }
}

/// Time, mark and text of each line.
#[derive(Debug)]
pub(crate) struct SimLog(pub(crate) Vec<(f64, String, String)>);

impl SimLog {
    /// The texts of a mark.
    pub(crate) fn of(&self, mark: &str) -> Vec<&str> {
        self.0.iter().filter(|(_, own, _)| own == mark).map(|(_, _, text)| text.as_str()).collect()
    }

    /// The time of the first event that begins like this.
    #[track_caller]
    pub(crate) fn event(&self, beginning: &str) -> f64 {
        let found = self.0.iter().find(|(_, mark, text)| mark == "!" && text.starts_with(beginning));
        found.unwrap_or_else(|| panic!("no event `{beginning}` among {:?}", self.of("!"))).0
    }
}
