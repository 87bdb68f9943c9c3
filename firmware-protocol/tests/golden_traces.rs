//! The virtual board against the vendor's own G1 firmware: the same input gives the same servo writes at the same times,
//! the same text to the last digit, and the same state at the end. Format of the traces: `data/README.md`.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod trace_replay;

fn family(compressed: &[u8], cases: usize) {
    let outcome = trace_replay::replay_family(compressed);
    let shown: Vec<_> = outcome.differences.iter().take(6).collect();
    assert!(shown.is_empty(), "{} of {} match:\n{shown:#?}", outcome.matched(), outcome.cases);
    assert_eq!(outcome.cases, cases);
}

macro_rules! families {
    ($($name:ident: $cases:literal),* $(,)?) => {$(
        #[test]
        fn $name() {
            family(include_bytes!(concat!("data/traces/", stringify!($name), ".jsonl.gz")), $cases);
        }
    )*};
}

families! {
    t101: 200, t102: 444, t103: 138, t104: 202, t104spd: 30, t106: 108, t110: 6, t121: 234, t122: 282, t123: 110, t1041: 336,
    edge: 140, fk: 258, fkcmd: 32, numfmt: 230, malf: 208, multi: 32, pool: 80, misc: 272, t0: 20, t100: 8, seq: 338,
    boot: 42, dead: 66, dielater: 80,
    mission: 20, http: 50, espnow: 28, sys: 10, t501: 16,
}
