//! What the fuzz target `run_log` checks, bounded: every seed, and inputs made from seeds. `cargo xtask soak` goes on from there.
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub, reason = "tests fail by panicking")]

use std::path::{Path, PathBuf};

use proptest::prelude::*;

#[path = "../fuzz/src/run_log.rs"]
mod run_log;

/// The seeds and what was once found, always in the same order.
fn seeds() -> Vec<Vec<u8>> {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let files = |folder: &str| -> Vec<PathBuf> {
        let Ok(entries) = fuzz.join(folder).join("run_log").read_dir() else { return Vec::new() };
        let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    };
    let (seeds, found) = (files("seeds"), files("found"));
    assert!(seeds.len() > 10, "{} seeds", seeds.len());
    seeds.into_iter().chain(found).map(|file| std::fs::read(file).unwrap()).collect()
}

#[test]
fn every_seed() {
    seeds().iter().for_each(|seed| run_log::check(seed));
}

/// A seed in which some bytes were put, changed or cut.
fn changed() -> impl Strategy<Value = Vec<u8>> {
    let edit = (any::<usize>(), 0..30_usize, prop::collection::vec(any::<u8>(), 0..6));
    let seeds = seeds();
    (any::<prop::sample::Index>(), prop::collection::vec(edit, 0..6)).prop_map(move |(seed, edits)| {
        let mut input = seeds[seed.index(seeds.len())].clone();
        for (place, cut, bytes) in edits {
            let place = place % (input.len() + 1);
            let end = (place + cut).min(input.len());
            input.splice(place..end, bytes);
        }
        input
    })
}

proptest! {
    #[test]
    fn changed_seeds(input in changed()) {
        run_log::check(&input);
    }

    #[test]
    fn cut_anywhere_with_anything_behind(place in any::<[u8; 2]>(), text in prop::collection::vec(any::<u8>(), 0..40)) {
        run_log::check(&[&[1][..], &place, &text].concat());
    }
}
