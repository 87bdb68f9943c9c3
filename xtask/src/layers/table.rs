//! The layers of `src/`, in one place. Arrows point down only.
//!
//! ```text
//! cli                                                   (reads config)
//! inject
//! runtime   replay   evaluate   profile   sim
//! control   policy   arm   camera   episode   telemetry
//! types
//! calibration, firmware-protocol                        (crates: cargo itself keeps them below)
//! ```

/// A room: a folder or file directly under `src/`, and the rooms it may use.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    pub(super) name: &'static str,
    pub(super) may_use: &'static [&'static str],
}

const fn room(name: &'static str, may_use: &'static [&'static str]) -> Room {
    Room { name, may_use }
}

pub(super) const ROOMS: &[Room] = &[
    room("types", &[]),
    room("control", &["types"]),
    room("policy", &["types"]),
    room("arm", &["types"]),
    // Exception: the run log holds what enters and leaves core and policy, as their own values.
    room("episode", &["types", "control", "policy"]),
    room("telemetry", &["types"]),
    // Exception: the source that plays a recorded episode reads the episode's files.
    room("camera", &["types", "episode"]),
    room("runtime", &["types", "control", "policy", "arm", "camera", "episode", "telemetry"]),
    room("replay", &["types", "control", "policy", "arm", "camera", "episode", "telemetry"]),
    room("evaluate", &["types", "control", "policy", "arm", "camera", "episode", "telemetry"]),
    room("profile", &["types", "control", "policy", "arm", "camera", "episode", "telemetry"]),
    // `sim` implements the ports of `arm` and `camera`, and its virtual-time shell drives control and policy; not the live shell.
    room("sim", &["types", "control", "policy", "arm", "camera", "episode", "telemetry"]),
    // Wraps the ports that the live shell is given, for the fault drill.
    room("inject", &["types", "control", "policy", "arm", "camera", "episode", "runtime"]),
    // The file's content as checked values: only `cli` reads it, so that every room below can be used without a file.
    room("config", &["types"]),
    room(
        "cli",
        &[
            "types",
            "control",
            "policy",
            "arm",
            "camera",
            "episode",
            "telemetry",
            "runtime",
            "replay",
            "evaluate",
            "profile",
            "sim",
            "inject",
            "config",
        ],
    ),
];

/// `main.rs` only starts `cli` and maps its result; `lib.rs` only declares the rooms.
pub(super) const MAIN_MAY_USE: &[&str] = &["cli"];

/// The room that may print and read the environment.
pub(super) const TERMINAL_ROOM: &str = "cli";

/// The room without I/O, clock, thread, lock or randomness.
pub(super) const PURE_ROOM: &str = "control";

/// Macros that print: for `cli` only.
pub(super) const PRINTING_MACROS: &[&str] = &["print", "println", "eprint", "eprintln", "dbg"];

/// Paths that no room below `cli` may use, with the reason.
pub(super) const BELOW_CLI: &[(&[&str], &str)] = &[
    (&["std", "env"], "only `cli` reads the environment; pass the value in"),
    (&["std", "io", "stdout"], "only `cli` speaks to the terminal; return a value"),
    (&["std", "io", "stderr"], "only `cli` speaks to the terminal; return a value"),
    (&["std", "io", "stdin"], "only `cli` listens to the terminal; pass the value in"),
];

/// Paths that the pure room may not use, with the reason.
pub(super) const IMPURE_PATHS: &[(&[&str], &str)] = &[
    (&["std", "fs"], "the core does no I/O"),
    (&["std", "io"], "the core does no I/O"),
    (&["std", "net"], "the core does no I/O"),
    (&["std", "os"], "the core does no I/O"),
    (&["std", "process"], "the core starts nothing"),
    (&["std", "thread"], "the core has no thread of its own and never waits"),
    (&["std", "sync", "mpsc"], "the core never waits"),
    (&["rustix"], "the core makes no system calls"),
    (&["libc"], "the core makes no system calls"),
    (&["tokio"], "the core does no I/O"),
    (&["tokio_serial"], "the core does no I/O"),
    (&["signal_hook"], "the core does no I/O"),
    (&["v4l"], "the core does no I/O"),
    (&["rand"], "the core has no randomness of its own: noise enters as a value"),
    (&["rand_core"], "the core has no randomness of its own: noise enters as a value"),
    (&["rand_chacha"], "the core has no randomness of its own: noise enters as a value"),
    (&["rand_distr"], "the core has no randomness of its own: noise enters as a value"),
    (&["getrandom"], "the core has no randomness of its own: noise enters as a value"),
    (&["fastrand"], "the core has no randomness of its own: noise enters as a value"),
];

/// Names that the pure room may not contain at all, wherever they were imported from, with the reason.
pub(super) const IMPURE_NAMES: &[(&str, &str)] = &[
    ("Instant", "the core has no clock: time enters as a `Timestamp`"),
    ("SystemTime", "the core has no clock: time enters as a `Timestamp`"),
    ("Mutex", "the core never locks"),
    ("RwLock", "the core never locks"),
    ("ReentrantLock", "the core never locks"),
    ("Condvar", "the core never waits"),
    ("Barrier", "the core never waits"),
    ("Once", "the core never waits"),
    ("OnceLock", "the core never waits"),
    ("LazyLock", "the core never waits"),
    ("thread_local", "the core keeps its state in its own struct"),
    ("HashMap", "its order is random: use an array or a BTreeMap"),
    ("HashSet", "its order is random: use an array or a BTreeSet"),
    ("RandomState", "the core has no randomness of its own"),
];

/// The room of that name.
pub(super) fn find(name: &str) -> Option<&'static Room> {
    ROOMS.iter().find(|room| room.name == name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Listing a room only after all that it may use is a proof that no arrow points up.
    #[test]
    fn the_table_has_no_cycle_and_no_unknown_room() {
        for (index, room) in ROOMS.iter().enumerate() {
            for used in room.may_use {
                let below = ROOMS[..index].iter().any(|earlier| earlier.name == *used);
                assert!(below, "{} may use {used}, which is not listed before it", room.name);
            }
        }
        assert!(find(TERMINAL_ROOM).is_some() && find(PURE_ROOM).is_some());
    }
}
