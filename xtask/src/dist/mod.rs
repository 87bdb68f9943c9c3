//! `cargo xtask dist`: an archive that runs on another machine, without the clone, cargo or the network.

mod crates;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::Failure;
use crate::workspace::Workspace;
use crate::{process, setup};

const USAGE: &str = "usage: cargo xtask dist [--binary FILE] [--out DIR]";

/// What goes into the archive as it is: path from the repository's root, path in the archive.
const FILES: &[(&str, &str)] = &[
    ("README.md", "README.md"),
    ("CHANGELOG.md", "CHANGELOG.md"),
    ("LICENSE-MIT", "LICENSE-MIT"),
    ("LICENSE-APACHE", "LICENSE-APACHE"),
    ("roarm.example.toml", "roarm.example.toml"),
    ("docs", "docs"),
    ("models/demo/bundle", "models/demo/bundle"),
    ("packaging", "system"),
];

/// Completion scripts, under the names that each shell looks for.
const COMPLETIONS: &[(&str, &str)] = &[("bash", "roarm"), ("zsh", "_roarm"), ("fish", "roarm.fish")];

#[derive(Debug, Default, PartialEq, Eq)]
struct Options {
    /// A program that is already built; a release build is made when `None`.
    binary: Option<PathBuf>,
    /// Where the archive goes.
    out: Option<PathBuf>,
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Self, Failure> {
        let mut options = Self::default();
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let value = arguments.next().map(PathBuf::from).ok_or_else(|| Failure::usage(USAGE))?;
            match argument.as_str() {
                "--binary" => options.binary = Some(value),
                "--out" => options.out = Some(value),
                _ => return Err(Failure::usage(USAGE)),
            }
        }
        Ok(options)
    }
}

/// The verb.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<(), Failure> {
    let options = Options::parse(arguments)?;
    let archive = make(workspace, &options)?;
    let bytes = fs::metadata(&archive).map_err(|error| Failure::io("read", &archive, &error))?.len();
    println!("{} ({:.1} MB), checksum beside it", archive.display(), bytes as f64 * 1e-6);
    Ok(())
}

/// Makes the archive and proves it in a folder of its own (`tests/dist/run.sh`).
pub(crate) fn prove(workspace: &Workspace) -> Result<(), Failure> {
    let archive = make(workspace, &Options::default())?;
    process::run("tests/dist/run.sh", process::command(workspace, "tests/dist/run.sh").arg(archive))
}

fn make(workspace: &Workspace, options: &Options) -> Result<PathBuf, Failure> {
    setup::run(workspace)?;
    let binary = match &options.binary {
        Some(binary) => binary.clone(),
        None => build(workspace)?,
    };
    let out = options.out.clone().unwrap_or_else(|| target_folder(workspace).join("dist"));
    let name = archive_name(env!("CARGO_PKG_VERSION"), std::env::consts::ARCH, std::env::consts::OS);
    let folder = out.join(&name);
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|error| Failure::io("remove", &folder, &error))?;
    }
    fill(workspace, &binary, &folder)?;
    pack(&out, &name)
}

/// `roarm-0.1.0-x86_64-linux`.
fn archive_name(version: &str, processor: &str, system: &str) -> String {
    format!("roarm-{version}-{processor}-{system}")
}

fn target_folder(workspace: &Workspace) -> PathBuf {
    // Relative to the repository's root, where cargo itself works.
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| workspace.join("target"), |folder| workspace.root().join(folder))
}

fn build(workspace: &Workspace) -> Result<PathBuf, Failure> {
    let arguments = ["build", "--release", "--locked", "--package", "roarm", "--bin", "roarm"];
    process::run("building roarm", process::cargo(workspace).args(arguments))?;
    Ok(target_folder(workspace).join("release/roarm"))
}

/// Lays the archive's content out in `folder`.
fn fill(workspace: &Workspace, binary: &Path, folder: &Path) -> Result<(), Failure> {
    let program = folder.join("roarm");
    copy(binary, &program)?;
    process::run("strip", Command::new("strip").arg("--strip-debug").arg(&program))?;

    // Beside the program, where it looks.
    let library = setup::onnxruntime_library(workspace)?;
    copy(&library, &folder.join(library.file_name().unwrap_or_default()))?;
    for notice in ["LICENSE", "ThirdPartyNotices.txt"] {
        copy(&library.with_file_name(notice), &folder.join("licences/onnxruntime").join(notice))?;
    }
    crates::write_licences(workspace, &folder.join("licences/rust-crates.txt"))?;

    for (from, to) in FILES {
        copy(&workspace.join(from), &folder.join(to))?;
    }
    for (shell, name) in COMPLETIONS {
        let script = ask(&program, ["completions", shell].map(OsStr::new))?;
        write(&folder.join("completions").join(name), &script)?;
    }
    let pages = folder.join("man/man1");
    fs::create_dir_all(&pages).map_err(|error| Failure::io("create", &pages, &error))?;
    ask(&program, [OsStr::new("man"), pages.as_os_str()])?;
    Ok(())
}

/// What `program` prints.
fn ask(program: &Path, arguments: [&OsStr; 2]) -> Result<Vec<u8>, Failure> {
    let output = process::capture("roarm", Command::new(program).args(arguments))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let reason = String::from_utf8_lossy(&output.stderr);
    Err(Failure::new(format!("{} cannot write its own documents: {}", program.display(), reason.trim())))
}

/// A gzipped tar, its entries in a fixed order and owned by nobody in particular, and its SHA-256 as `sha256sum` writes it.
fn pack(out: &Path, name: &str) -> Result<PathBuf, Failure> {
    let file = format!("{name}.tar.gz");
    let mut tar = Command::new("tar");
    tar.args([
        "--create",
        "--gzip",
        "--sort=name",
        "--owner=0",
        "--group=0",
        "--numeric-owner",
        "--directory",
    ]);
    tar.arg(out).arg("--file").arg(out.join(&file)).arg(name);
    process::run("tar", &mut tar)?;
    let sum = setup::sha256(&out.join(&file))?;
    write(&out.join(format!("{file}.sha256")), format!("{sum}  {file}\n").as_bytes())?;
    Ok(out.join(file))
}

/// Copies a file, or a folder with all that is in it.
fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    if from.is_dir() {
        let entries = fs::read_dir(from).map_err(|error| Failure::io("read", from, &error))?;
        for entry in entries {
            let entry = entry.map_err(|error| Failure::io("read", from, &error))?;
            copy(&entry.path(), &to.join(entry.file_name()))?;
        }
        return Ok(());
    }
    create_parent(to)?;
    fs::copy(from, to).map(drop).map_err(|error| Failure::io("copy", from, &error))
}

fn write(path: &Path, content: &[u8]) -> Result<(), Failure> {
    create_parent(path)?;
    fs::write(path, content).map_err(|error| Failure::io("write", path, &error))
}

fn create_parent(path: &Path) -> Result<(), Failure> {
    let Some(parent) = path.parent() else { return Ok(()) };
    fs::create_dir_all(parent).map_err(|error| Failure::io("create", parent, &error))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn options_are_read_and_unknown_ones_refused() {
        let parse =
            |line: &str| Options::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        let options = parse("--binary b --out o").unwrap();
        assert_eq!(options, Options { binary: Some("b".into()), out: Some("o".into()) });
        assert!(parse("--binary").is_err() && parse("--release x").is_err() && parse("x").is_err());
    }

    #[test]
    fn everything_that_is_packed_is_in_the_repository() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        for (from, _) in FILES {
            assert!(root.join(from).exists(), "{from}");
        }
    }

    #[test]
    fn a_folder_is_copied_whole_and_packed_with_its_checksum() {
        let root = tempfile::tempdir().unwrap();
        write(&root.path().join("from/a/b"), b"deep").unwrap();
        write(&root.path().join("from/c"), b"flat").unwrap();
        copy(&root.path().join("from"), &root.path().join("to")).unwrap();
        assert_eq!(fs::read(root.path().join("to/a/b")).unwrap(), b"deep");
        assert_eq!(fs::read(root.path().join("to/c")).unwrap(), b"flat");

        let archive = pack(root.path(), "to").unwrap();
        let sums = format!("{}.sha256", archive.display());
        let check =
            Command::new("sha256sum").args(["--check", "--quiet", &sums]).current_dir(root.path()).status();
        assert!(check.unwrap().success());
    }
}
