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

const REBOOT: &str = r#"{
    "case": "reboot", "arduinojson": "6", "infoprint": 0,
    "steps": [
        {"input": "{\"T\":108,\"joint\":1,\"p\":40}\n", "loops": 2, "dt": 10, "serial_out": "", "virtual_ms": 20, "servo_log": [
            {"f": "writeByte", "id": 11, "addr": 21, "v": 40, "ms": 0}, {"f": "writeByte", "id": 11, "addr": 23, "v": 0, "ms": 0}
        ]},
        {"input": "{\"T\":600}\n", "loops": 1, "dt": 10, "serial_out": "", "virtual_ms": 0, "event": "restart", "servo_log": [
            {"f": "esp_restart", "ms": 0}
        ]}
    ],
    "final": {
        "pos": [2047, 2047, 2047, 2048, 2047, 2047, 2047], "torque": [1, 1, 1, 1, 1, 1, 1], "spd": [0, 0, 0, 0, 0, 0, 0],
        "acc": [20, 20, 20, 20, 20, 20, 20], "p": [40, 16, 16, 16, 16, 16, 16], "i": [0, 0, 0, 0, 0, 0, 0],
        "tlimit": [1000, 1000, 1000, 1000, 1000, 1000, 300], "infoprint": 0, "espnowmode": 3
    }
}"#;

#[test]
fn the_harness_follows_a_restart_and_sees_every_kind_of_difference() {
    let replay = |record: &str| trace_replay::replay_line(record).unwrap().1;
    assert_eq!(replay(REBOOT), Ok(()));
    for (found, put, difference) in [
        ("\"ms\": 0}, {", "\"ms\": 1}, {", "expected at 1 ms"),
        ("\"v\": 40", "\"v\": 41", "value: 40"),
        (
            "\"addr\": 23, \"v\": 0, \"ms\": 0}",
            "\"addr\": 23, \"v\": 0, \"ms\": 0}, {\"f\": \"...\", \"skipped\": 3}",
            "only 2 writes",
        ),
        ("\"serial_out\": \"\", \"virtual_ms\": 20", "\"serial_out\": \"x\", \"virtual_ms\": 20", "printed"),
        ("\"virtual_ms\": 20", "\"virtual_ms\": 30", "took"),
        ("{\\\"T\\\":600}", "{\\\"T\\\":601}", "did not restart"),
        ("\"p\": [40,", "\"p\": [16,", "P gains"),
        ("300], \"infoprint\"", "301], \"infoprint\"", "torque limits"),
        ("\"pos\": [2047, 2047, 2047, 2048", "\"pos\": [2047, 2047, 2047, 2047", "positions"),
    ] {
        let tampered = REBOOT.replacen(found, put, 1);
        assert_ne!(tampered, REBOOT, "{found}");
        let seen = replay(&tampered).unwrap_err();
        assert!(seen.contains(difference), "{found}: {seen}");
    }
}
