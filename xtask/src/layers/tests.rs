//! Good and bad samples, among them what a search for text would miss.

use super::check::{SourceFile, check};
use proptest::prelude::*;

fn file(path: &str, content: &str) -> SourceFile {
    SourceFile { path: path.to_owned(), content: content.to_owned() }
}

/// What is wrong with one file.
fn wrong(path: &str, content: &str) -> Vec<String> {
    check(&[file(path, content)]).iter().map(ToString::to_string).collect()
}

#[track_caller]
fn assert_good(path: &str, content: &str) {
    assert_eq!(wrong(path, content), Vec::<String>::new(), "in {content}");
}

#[track_caller]
fn assert_bad(path: &str, content: &str, expected: &str) {
    let found = wrong(path, content);
    assert!(found.iter().any(|violation| violation.contains(expected)), "{content}: {found:?}");
}

#[test]
fn arrows_down_are_fine() {
    assert_good("control/gate.rs", "use crate::types::{Chunk, Command}; use super::schedule::Schedule;");
    assert_good("runtime/live.rs", "use crate::{arm::Link, camera, control, policy, types::Chunk};");
    assert_good("sim/virtual_time.rs", "use crate::{arm, camera, control::Controller, policy};");
    assert_good("camera/dataset.rs", "use crate::episode::Reader;");
    assert_good(
        "cli/run.rs",
        "use crate::{config::Config, runtime}; fn f() { println!(\"{}\", std::env::args().len()) }",
    );
    assert_good("main.rs", "fn main() -> std::process::ExitCode { roarm::cli::main() }");
    assert_good(
        "control/mod.rs",
        "use std::time::Duration; use std::sync::atomic::AtomicU64; use std::sync::Arc;",
    );
    assert_good("types/time.rs", "use calibration::Joint; use std::time::Instant;");
    assert_good("lib.rs", "pub mod cli; pub mod control; pub use control::Controller;");
}

#[test]
fn arrows_up_and_sideways_are_not() {
    assert_bad(
        "control/gate.rs",
        "use crate::runtime::Live;",
        "src/control/gate.rs:1: `control` may not use `runtime`",
    );
    assert_bad(
        "types/mod.rs",
        "use crate::arm::Link;",
        "`types` may not use `arm`; it may use no other room",
    );
    assert_bad("arm/mod.rs", "use crate::camera::FrameSource;", "`arm` may not use `camera`");
    assert_bad("runtime/mod.rs", "use crate::sim::Board;", "`runtime` may not use `sim`");
    assert_bad("sim/mod.rs", "use crate::runtime::Live;", "`sim` may not use `runtime`");
    assert_bad("policy/mod.rs", "use crate::config::Config;", "`policy` may not use `config`");
    assert_bad("main.rs", "use roarm::control::Controller;", "`main.rs` may not use `control`");
}

#[test]
fn ways_around_a_text_search_are_seen() {
    assert_bad(
        "control/a.rs",
        "use crate::{types::{Chunk}, runtime::{self, Live}};",
        "may not use `runtime`",
    );
    assert_bad(
        "control/a.rs",
        "use crate as root; fn f() { root::runtime::start() }",
        "may not use `runtime`",
    );
    assert_bad("control/a.rs", "use crate::{self as root}; use root::cli;", "may not use `cli`");
    assert_bad(
        "control/a.rs",
        "fn f() { crate\n  :: /* down? */ runtime::start() }",
        "may not use `runtime`",
    );
    assert_bad("control/a.rs", "fn f() { super::super::runtime::start() }", "may not use `runtime`");
    assert_bad("control/mod.rs", "use super::runtime;", "may not use `runtime`");
    assert_bad("control/a.rs", "mod inner { use super::super::super::runtime; }", "may not use `runtime`");
    assert_bad("control/a.rs", "use roarm::runtime;", "may not use `runtime`");
    assert_bad("control/a.rs", "extern crate self as me; use me::runtime;", "may not use `runtime`");
    assert_bad("control/a.rs", "use crate::*;", "imports all of the crate");
    assert_bad("control/a.rs", "fn f(x: <crate::runtime::Live as T>::Out) {}", "may not use `runtime`");
    assert_bad(
        "control/a.rs",
        "macro_rules! m { () => { $crate::runtime::start() } }",
        "may not use `runtime`",
    );
    assert_bad("control/a.rs", "#[serde(with = \"crate::cli::text\")] struct S;", "may not use `cli`");
    assert_bad("control/a.rs", "#[path = \"../runtime/live.rs\"] mod live;", "#[path]");
    assert_bad("control/a.rs", "use crate::r#runtime as r;", "may not use `runtime`");
}

#[test]
fn a_name_that_lib_rs_exports_counts_as_its_room() {
    let library = file("lib.rs", "pub mod runtime; pub use runtime::Live; pub use crate::types::Chunk;");
    let found = check(&[library.clone(), file("control/a.rs", "use crate::Live;")]);
    assert!(found.iter().any(|violation| violation.rule.contains("may not use `runtime`")), "{found:?}");
    let found = check(&[library, file("control/a.rs", "use crate::Chunk;")]);
    assert!(found.is_empty(), "{found:?}");
    assert_bad("control/a.rs", "use crate::Unknown;", "`crate::Unknown` is no room");
}

#[test]
fn a_room_that_the_table_does_not_know_is_refused() {
    assert_bad("misc/mod.rs", "", "`misc` is no room");
    assert_bad("helper.rs", "", "`helper` is no room");
}

#[test]
fn the_core_has_no_clock_thread_lock_file_or_chance() {
    for (content, expected) in [
        ("use std::time::Instant;", "no clock"),
        ("use std::time::{Duration, Instant as Clock};", "no clock"),
        ("use std::time as t; fn f() { t::SystemTime::now(); }", "no clock"),
        ("fn f() { std::thread::sleep(d) }", "never waits"),
        ("use std as s; use s::thread;", "never waits"),
        ("use std::{collections::BTreeMap, fs::{self, File}};", "may not use `std::fs`"),
        ("use std::fs as disk; fn f() { disk::read(p); }", "may not use `std::fs`"),
        ("use ::std::net::TcpStream;", "may not use `std::net`"),
        ("use std::*;", "may not use `std::fs`"),
        ("use std::sync::{Arc, Mutex};", "never locks"),
        ("fn f(l: &parking_lot::RwLock<u8>) {}", "never locks"),
        ("use std::env;", "only `cli` reads the environment"),
        ("fn f() -> f64 { rand::random() }", "no randomness"),
        ("use rand_chacha::ChaCha8Rng;", "no randomness"),
        ("use std::collections::HashMap;", "its order is random"),
        ("thread_local! { static X: u8 = 0; }", "its own struct"),
    ] {
        assert_bad("control/gate.rs", content, expected);
    }
    // Other rooms may.
    assert_good("arm/link.rs", "use std::{fs, thread, sync::Mutex, time::Instant}; use rand::Rng;");
}

#[test]
fn only_cli_prints_and_reads_the_environment() {
    for (content, expected) in [
        ("fn f() { println!(\"x\") }", "`println!`"),
        ("fn f() { std::eprintln!(\"x\") }", "`eprintln!`"),
        ("fn f() { dbg !(x) }", "`dbg!`"),
        ("use std::println as say;", "`println!`"),
        ("use std::env::var;", "reads the environment"),
        ("fn f() { std::env::current_exe(); }", "reads the environment"),
        ("use std::io; fn f() { io::stdout(); }", "speaks to the terminal"),
        ("use std::io::{Write, stderr};", "speaks to the terminal"),
    ] {
        assert_bad("arm/link.rs", content, expected);
    }
    assert_good(
        "arm/link.rs",
        "use std::io::{Read, Write}; fn f() { a != b; write!(x, \"println!\"); self.print(); }",
    );
}

#[test]
fn comments_texts_and_tests_are_not_code() {
    assert_good(
        "control/gate.rs",
        "//! See crate::runtime and [`crate::cli`].\n/* use crate::cli; */ fn f() {}",
    );
    assert_good(
        "control/gate.rs",
        "const S: &str = \"use crate::cli; println!()\"; const R: &str = r#\"std::fs \"#;",
    );
    assert_good(
        "control/gate.rs",
        "fn f<'a>(x: &'a u8) {}\n#[cfg(test)]\nmod tests { use crate::sim::Board; fn t() { println!(); std::fs::read(p); } }",
    );
    assert_bad("control/gate.rs", "#[cfg(not(test))] use crate::sim;", "may not use `sim`");
    let parts = [
        file("control/mod.rs", "mod gate;\n#[cfg(test)] mod tests;"),
        file("control/gate.rs", ""),
        file("control/tests.rs", "use crate::sim::Board;"),
        file("control/tests/table.rs", "use std::fs;"),
    ];
    assert!(check(&parts).is_empty());
}

#[test]
fn reading_ends_on_what_is_not_rust() {
    for content in [
        "use {;}",
        "use a::{b;c}",
        "use ;",
        "use as",
        "use a::b as a; use b::a as b; a::c",
        "use {{{",
        "use $a",
    ] {
        wrong("control/gate.rs", content);
    }
}

#[test]
fn lines_are_those_of_the_offence() {
    let found = wrong("control/gate.rs", "use crate::{\n    types::Chunk,\n    runtime::Live,\n};\n");
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("src/control/gate.rs:3:"), "{found:?}");
}

proptest! {
    #[test]
    fn any_text_is_judged_without_a_panic(content in any::<String>()) {
        wrong("control/gate.rs", &content);
    }

    #[test]
    fn any_mix_of_rust_words_is_judged_without_a_panic(
        words in proptest::collection::vec(
            prop::sample::select(vec![
                "use", "crate", "super", "self", "as", "::", "{", "}", "(", ")", "[", "]", ",", ";", "*", "#", "!", "$", "a", "b",
                "mod", "cfg", "test", "extern", "const", "fn", "<", "'", "\"",
            ]),
            0..40,
        )
    ) {
        wrong("control/gate.rs", &words.join(" "));
    }
}
