//! The licences of the crates that are in the program: most ask that their text comes with it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::process;
use crate::workspace::Workspace;

/// Writes name, version and licence of each crate, then each licence text once, with the crates it belongs to.
pub(super) fn write_licences(workspace: &Workspace, target: &Path) -> Result<(), Failure> {
    let mut tree = process::cargo(workspace);
    tree.args(["tree", "--locked", "--package", "roarm", "--edges", "normal", "--prefix", "none"]);
    tree.args(["--format", "{p}\t{l}"]);
    let output = process::capture("cargo tree", &mut tree)?;
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr);
        return Err(Failure::new(format!("cargo tree failed: {}", reason.trim())));
    }
    let crates = parse(&String::from_utf8_lossy(&output.stdout));
    let sources = registry_sources();

    let mut list = "The Rust crates in roarm, and their licences.\n\n".to_owned();
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, licence) in &crates {
        list.push_str(&format!("{name}: {licence}\n"));
        let folder = sources.iter().map(|source| source.join(name)).find(|folder| folder.is_dir());
        for text in folder.iter().flat_map(|folder| licence_texts(folder)) {
            texts.entry(text).or_default().push(name.clone());
        }
    }
    for (text, owners) in texts {
        list.push_str(&format!("\n{}\n{}\n\n{}\n", "=".repeat(80), owners.join(", "), text.trim()));
    }
    super::write(target, list.as_bytes())
}

/// `NAME-VERSION` and licence of each crate that does not lie in this repository.
fn parse(tree: &str) -> BTreeMap<String, String> {
    let lines = tree.lines().filter_map(|line| line.split_once('\t'));
    lines
        .filter(|(package, _)| !package.contains('/')) // `roarm v0.1.0 (/path)`
        .filter_map(|(package, licence)| {
            let mut words = package.split(' ');
            let (name, version) = (words.next()?, words.next()?.strip_prefix('v')?);
            Some((format!("{name}-{version}"), licence.trim_end_matches(" (*)").to_owned()))
        })
        .collect()
}

/// Where cargo unpacks crates.
fn registry_sources() -> Vec<PathBuf> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo")));
    let Some(home) = home else { return Vec::new() };
    let registries = fs::read_dir(home.join("registry/src")).into_iter().flatten().flatten();
    registries.map(|entry| entry.path()).collect()
}

/// The texts of a crate's licences and notices, lines ended as here.
fn licence_texts(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let named = entries.filter(|entry| {
        let name = entry.file_name().to_string_lossy().to_uppercase();
        ["LICENSE", "LICENCE", "COPYING", "NOTICE", "COPYRIGHT"].iter().any(|start| name.starts_with(start))
    });
    let mut texts: Vec<_> = named.filter_map(|entry| fs::read_to_string(entry.path()).ok()).collect();
    texts.sort();
    texts.into_iter().map(|text| text.replace("\r\n", "\n").trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn crates_of_the_registry_are_listed_with_their_licence() {
        // As cargo 1.95 writes it.
        let tree = "roarm v0.1.0 (/home/me/roarm)\tMIT OR Apache-2.0\nsnap v1.1.1\tBSD-3-Clause\n\
                    serde v1.0.229\tMIT OR Apache-2.0 (*)\nserde_derive v1.0.229 (proc-macro)\tMIT OR Apache-2.0\n";
        let crates = parse(tree);
        assert_eq!(crates.len(), 3, "{crates:?}");
        assert_eq!(crates["snap-1.1.1"], "BSD-3-Clause");
        assert_eq!(crates["serde-1.0.229"], "MIT OR Apache-2.0");
    }

    #[test]
    fn texts_of_a_crate_are_found() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("LICENSE-MIT"), "Permission\r\nis granted\n").unwrap();
        fs::write(folder.path().join("README.md"), "no licence").unwrap();
        assert_eq!(licence_texts(folder.path()), ["Permission\nis granted"]);
    }
}
