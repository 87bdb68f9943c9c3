//! What the fuzz targets check, bounded: every seed, and inputs made from seeds. `cargo xtask soak` goes on from there.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub)]

use std::path::{Path, PathBuf};

use proptest::prelude::*;

#[path = "../../fuzz/src/lib.rs"]
mod checks;

/// The seeds of a target and what it once found, always in the same order.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    let files = |folder: &str| -> Vec<PathBuf> {
        let Ok(entries) = fuzz.join(folder).join(target).read_dir() else { return Vec::new() };
        let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    };
    let (seeds, found) = (files("seeds"), files("found"));
    assert!(seeds.len() > 20, "{} seeds of {target}", seeds.len());
    seeds.into_iter().chain(found).map(|file| std::fs::read(file).unwrap()).collect()
}

/// Words that parsers turn at.
const WORDS: &[&[u8]] = &[
    b"\n",
    b"\r\n",
    b"}{",
    b"\"",
    b"\\",
    b"null",
    b"1e400",
    b"-0",
    b"1051",
    b"{\"T\":105}\n",
    b"{\"T\":605,\"cmd\":2}\n",
    b"{\"T\":1041,\"x\":900}\n",
    b"{\"T\":104,\"x\":250,\"z\":200,\"spd\":0.25}\n",
    b"{\"T\":123,\"axis\":1,\"cmd\":1,\"spd\":255}\n",
    b"{\"T\":600}\n",
    b"{}\n",
    b"\0\x05",
    b"\0\xc9",
];

/// One change of an input.
#[derive(Clone, Debug)]
enum Edit {
    Put(usize, Vec<u8>),
    Cut(usize, usize),
    Append(usize),
}

fn edit() -> impl Strategy<Value = Edit> {
    let bytes = prop_oneof![
        prop::collection::vec(any::<u8>(), 1..6),
        prop::sample::select(WORDS).prop_map(<[u8]>::to_vec),
    ];
    prop_oneof![
        (any::<usize>(), bytes).prop_map(|(place, bytes)| Edit::Put(place, bytes)),
        (any::<usize>(), 1..40_usize).prop_map(|(place, length)| Edit::Cut(place, length)),
        any::<usize>().prop_map(Edit::Append),
    ]
}

/// Inputs of a target: a seed with some changes.
fn inputs(target: &str) -> impl Strategy<Value = Vec<u8>> + use<> {
    let seeds = seeds(target);
    (any::<usize>(), prop::collection::vec(edit(), 0..8)).prop_map(move |(seed, edits)| {
        let mut input = seeds[seed % seeds.len()].clone();
        for edit in edits {
            let within = |place: usize, input: &[u8]| place % (input.len() + 1);
            match edit {
                Edit::Put(place, bytes) => {
                    let place = within(place, &input);
                    input.splice(place..place, bytes);
                }
                Edit::Cut(place, length) => {
                    let place = within(place, &input);
                    input.drain(place..(place + length).min(input.len()));
                }
                Edit::Append(seed) => input.extend(&seeds[seed % seeds.len()]),
            }
        }
        input
    })
}

macro_rules! targets {
    ($($target:ident),* $(,)?) => {$(
        mod $target {
            use super::*;

            #[test]
            fn every_seed() {
                seeds(stringify!($target)).iter().for_each(|seed| checks::$target::check(seed));
            }

            proptest! {
                #[test]
                fn changed_seeds(input in inputs(stringify!($target))) {
                    checks::$target::check(&input);
                }
            }
        }
    )*};
}

targets! { splitter, feedback_line, board_receive, http_js }
