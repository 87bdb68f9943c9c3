//! Clocks that jump: the wall clock may, and decides nothing; the monotonic one shows that the machine stood still.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use firmware_protocol::Generation;
use rustix::process::Signal;

use super::drill::drilled;
use crate::attempt::Attempt;
use crate::support::port::VirtualArm;
use crate::support::program::Program;

/// Longer than feedback may be old in `patient.toml`.
const STEP: &str = "clock.step=3s@500ms";

#[test]
fn a_jump_of_the_monotonic_clock_is_a_protective_stop() {
    let drilled = drilled(STEP, 4, "no feedback for");
    assert!(
        drilled.summary["missed_ticks"].as_u64() >= Some(140),
        "no burst makes up for them: {}",
        drilled.summary
    );
    assert!(drilled.summary["gate"]["feedback_age"].as_u64() >= Some(1), "{}", drilled.summary);
}

/// What a suspended computer looks like from inside, while the board outside goes on: what was sent meanwhile is lost or old.
#[test]
fn a_program_that_stood_still_for_seconds_neither_bursts_nor_jumps() {
    let arm = VirtualArm::start("g1");
    let mut program = Attempt::at(&arm.port()).patient().with(&["--duration", "6"]).start();
    program.wait_until_said("running ");
    std::thread::sleep(Duration::from_millis(700));
    program.signal(Signal::STOP);
    std::thread::sleep(Duration::from_secs(4));
    program.signal(Signal::CONT);
    let ended = program.finish();
    let summary = ended.summary();
    // It stops for old feedback, or the link finds first that the board was silent for it, and the run is resumed.
    let stopped = summary["ended"].as_str().unwrap().contains("no feedback for");
    let resumed = summary["ended"] == "duration reached" && summary["link_losses"].as_u64() >= Some(1);
    assert!(stopped && ended.code == Some(4) || resumed && ended.code == Some(0), "{ended}");
    assert!(summary["missed_ticks"].as_u64() >= Some(150), "{summary}");
    let log = arm.end();
    log.assert_limits(Generation::G1);
    log.assert_steps();
    // A connection that was silent for so long is not written to again before a new handshake: where the run has stopped, the arm
    // stays at the last goal of before.
    if log.quiet_at_the_end_s() < 3.0 {
        log.assert_held();
    }
}

/// Overrides the C library's calls for the wall clock: it jumps to and fro by years, the faster the oftener it is read. Counts itself
/// into the file that `WALL_CLOCK_READS` names, so that the test knows that it was there.
const JUMPING_WALL_CLOCK: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long jump(void) {
    static unsigned reads;
    const char *name = getenv("WALL_CLOCK_READS");
    int file = name ? open(name, O_WRONLY | O_CREAT | O_APPEND, 0600) : -1;
    if (file >= 0) {
        if (write(file, "x", 1) < 0) abort();
        close(file);
    }
    return (__atomic_add_fetch(&reads, 1, __ATOMIC_RELAXED) % 2 ? 1L : -1L) * 100000000L;
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int failed = real(clock, time);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) time->tv_sec += jump();
    return failed;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    time->tv_sec = now.tv_sec;
    time->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *result) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (result) *result = now.tv_sec;
    return now.tv_sec;
}
"#;

/// Builds the library that makes the wall clock jump. The linker that Rust needs on this system is a C compiler too.
fn jumping_wall_clock(folder: &Path) -> PathBuf {
    let (source, library) = (folder.join("wall_clock.c"), folder.join("wall_clock.so"));
    std::fs::write(&source, JUMPING_WALL_CLOCK).unwrap();
    let arguments = ["-shared", "-fPIC", "-O1", "-o"];
    let built = Command::new("cc").args(arguments).arg(&library).arg(&source).arg("-ldl").status();
    assert!(built.expect("cc, which links Rust programs").success());
    library
}

#[test]
fn a_wall_clock_that_jumps_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (library, reads) = (jumping_wall_clock(folder.path()), folder.path().join("reads"));
    // The library is there, and does what it says.
    let environment = [("LD_PRELOAD", library.as_os_str()), ("WALL_CLOCK_READS", reads.as_os_str())];
    let dated = Command::new("date").arg("+%s").envs(environment).output().unwrap();
    let told: i64 = String::from_utf8(dated.stdout).unwrap().trim().parse().unwrap();
    let real = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() as i64;
    assert!((told - real).abs() > 90_000_000, "{told} at {real}");
    assert!(std::fs::metadata(&reads).unwrap().len() > 0);

    let arm = VirtualArm::start("g1");
    let attempt = Attempt::at(&arm.port()).patient().with(&["--duration", "4"]);
    let ended = Program::start_with(attempt.arguments(), &environment).finish();
    let summary = ended.assert_code(0).summary();
    assert_eq!(summary["ended"], "duration reached", "{ended}");
    let elapsed_s = summary["elapsed_s"].as_f64().unwrap();
    assert!(elapsed_s > 4.0 && elapsed_s < 110.0, "{summary}");
    assert_eq!(summary["link_losses"], 0, "{summary}");
    let log = arm.end();
    log.assert_limits(Generation::G1);
    log.assert_steps();
    log.assert_held();
}
