//! The system calls of the control thread, counted from outside by tracing the real program while it records: at most one a tick besides
//! its timer.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::ptrace;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::support::{onnxruntime, repository};

/// A test that gets here has hung.
const LIMIT: Duration = Duration::from_secs(120);

/// System calls of one thread, by tick.
#[derive(Debug, Default)]
struct Ticks {
    /// How many ticks had so many calls besides the timer.
    by_calls: BTreeMap<usize, usize>,
    /// How often each call was made besides the timer.
    by_number: BTreeMap<i64, usize>,
}

/// The thread of `process` with this name, once it is there.
fn thread_named(process: &mut Child, name: &str) -> Pid {
    let begun = Instant::now();
    let folder = format!("/proc/{}/task", process.id());
    loop {
        assert!(process.try_wait().unwrap().is_none(), "the program ended");
        assert!(begun.elapsed() < LIMIT, "no thread named {name}");
        for entry in fs::read_dir(&folder).unwrap().flatten() {
            let is_it =
                fs::read_to_string(entry.path().join("comm")).is_ok_and(|comm| comm.trim_end() == name);
            if is_it {
                return Pid::from_raw(entry.file_name().to_str().unwrap().parse().unwrap());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Traces a thread until it has slept `ticks` times.
fn trace(thread: Pid, ticks: usize) -> Ticks {
    ptrace::seize(thread, ptrace::Options::PTRACE_O_TRACESYSGOOD).expect("a parent may trace its child");
    ptrace::interrupt(thread).unwrap();
    let mut counts = Ticks::default();
    // `None` until the first sleep: the tick in which tracing began is not whole.
    let mut calls: Option<usize> = None;
    let mut seen = 0;
    let mut entered = false;
    while seen <= ticks {
        let mut signal = None;
        match waitpid(thread, Some(WaitPidFlag::__WALL)).unwrap() {
            WaitStatus::PtraceSyscall(_) => {
                // Each call stops twice; only the entry counts.
                entered = !entered;
                if entered {
                    let number = call_of(thread);
                    if number == nix::libc::SYS_clock_nanosleep {
                        if let Some(calls) = calls.replace(0) {
                            *counts.by_calls.entry(calls).or_default() += 1;
                        }
                        seen += 1;
                    } else if let Some(calls) = &mut calls {
                        *calls += 1;
                        *counts.by_number.entry(number).or_default() += 1;
                    }
                }
            }
            WaitStatus::Stopped(_, stopped_by) => signal = Some(stopped_by),
            WaitStatus::PtraceEvent(..) => {}
            other => panic!("the control thread ended: {other:?}, {counts:?}"),
        }
        ptrace::syscall(thread, signal).unwrap();
    }
    // Stop it once more to let it go.
    ptrace::interrupt(thread).unwrap();
    waitpid(thread, Some(WaitPidFlag::__WALL)).unwrap();
    ptrace::detach(thread, None).unwrap();
    counts
}

/// The number of the call that a stopped thread is about to make.
fn call_of(thread: Pid) -> i64 {
    let text = fs::read_to_string(format!("/proc/{thread}/syscall")).unwrap();
    let number = text.split_whitespace().next().and_then(|number| number.parse().ok());
    number.unwrap_or_else(|| panic!("no system call: {text}"))
}

/// A run that is recorded in `logs`, with all its pictures.
fn demo(stderr: impl Into<Stdio>, logs: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_roarm"))
        .args(["demo", "--policy", "models/smolvla-tiny", "--duration", "30", "--log-frames", "all", "--log"])
        .arg(logs)
        .current_dir(repository(""))
        .env("ORT_DYLIB_PATH", onnxruntime())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(stderr)
        .spawn()
        .unwrap()
}

#[track_caller]
fn assert_one_call_a_tick(counts: &Ticks) {
    let most = counts.by_calls.keys().max().unwrap();
    assert!(*most <= 1, "ticks by calls besides the timer: {counts:?}");
    assert!(counts.by_calls.get(&1).is_some_and(|ticks| *ticks > 20), "commands were made: {counts:?}");
    assert!(counts.by_number.keys().all(|number| *number == nix::libc::SYS_write), "{counts:?}");
}

#[test]
fn a_tick_makes_one_system_call_besides_its_timer_even_when_nobody_listens() {
    let (reader, writer) = std::io::pipe().unwrap();
    let logs = tempfile::tempdir().unwrap();
    let mut program = demo(writer.try_clone().unwrap(), logs.path());
    let control = thread_named(&mut program, "control");
    // Through settling, ramp, first chunks: three requests for inference and more.
    let listening = trace(control, 400);
    // The reader stops and its pipe is full: the program's main thread hangs in its next line. A pipe that is opened anew has flags
    // of its own, so that the program's end goes on to wait.
    let path = format!("/proc/self/fd/{}", writer.as_raw_fd());
    let flags = rustix::fs::OFlags::WRONLY | rustix::fs::OFlags::NONBLOCK;
    let mut full: fs::File = rustix::fs::open(path, flags, rustix::fs::Mode::empty()).unwrap().into();
    while full.write(&[b'.'; 4096]).is_ok() {}
    while full.write(b".").is_ok() {}
    let unheard = trace(control, 200);
    program.kill().unwrap();
    program.wait().unwrap();
    drop(reader);
    assert!(logs.path().read_dir().unwrap().count() == 1, "the run was recorded");
    assert_one_call_a_tick(&listening);
    assert_one_call_a_tick(&unheard);
}
