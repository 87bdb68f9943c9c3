//! The fuzz target `dataset`, bounded: its seeds, what it once found, and random inputs.

use std::path::Path;

use proptest::prelude::*;

#[path = "../../fuzz/src/dataset.rs"]
#[allow(unreachable_pub, reason = "it belongs to the fuzz target")]
mod dataset;

#[test]
fn every_seed() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let mut tried = 0;
    for folder in ["seeds/dataset", "found/dataset"] {
        let Ok(entries) = fuzz.join(folder).read_dir() else { continue };
        for entry in entries {
            dataset::check_input(&std::fs::read(entry.unwrap().path()).unwrap());
            tried += 1;
        }
    }
    assert!(tried > 20, "{tried} seeds");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn random_changes(
        set in any::<u8>(),
        file in any::<u8>(),
        kept in prop_oneof![4 => Just(255_u8), 1 => any::<u8>()],
        changes in prop::collection::vec(any::<[u8; 3]>(), 0..6),
    ) {
        let mut input = vec![set, file, kept];
        input.extend(changes.as_flattened());
        dataset::check_input(&input);
    }
}

/// Few by default; `PROPTEST_CASES` asks for more, as the soak tier does.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(48)
}
