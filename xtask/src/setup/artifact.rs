//! A pinned library in the cache: is it whole, and how it gets there.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::pins::Pin;
use super::{digest, wheel};
use crate::failure::Failure;
use crate::process;
use crate::workspace::Workspace;

/// Where the library of `pin` lies.
pub(crate) fn library(workspace: &Workspace, pin: &Pin) -> PathBuf {
    workspace.cache().join(pin.folder).join(pin.library.1)
}

/// Whether the library of `pin` is there with the right content, and its licence texts beside it. Says so when it is there but damaged.
pub(crate) fn is_intact(workspace: &Workspace, pin: &Pin) -> Result<bool, Failure> {
    let path = library(workspace, pin);
    let there = |path: &Path| path.is_file();
    if !there(&path) || !pin.notices.iter().all(|(_, name)| there(&path.with_file_name(name))) {
        return Ok(false);
    }
    let intact = digest::of_file(&path)? == pin.sha256;
    if !intact {
        println!("{} in .cache is damaged (its SHA-256 is wrong): fetching it again", pin.source.title);
    }
    Ok(intact)
}

/// Fetches, checks and installs `pin`. Until the check has passed nothing outside a temporary folder changes.
pub(crate) fn install(workspace: &Workspace, pin: &Pin) -> Result<(), Failure> {
    println!("fetching {} ({} MB) with pip …", pin.source.title, pin.megabytes);
    let scratch = Scratch::new(workspace)?;
    let wheel = wheel::download(&pin.source, &scratch.0, wheel::Progress::Hidden)?;

    let files: Vec<_> = pin.notices.iter().chain([&pin.library]).collect();
    let unpacked: Vec<_> = files.iter().map(|(member, name)| (*member, scratch.0.join(name))).collect();
    wheel::unpack(&wheel, &unpacked)?;

    let sum = digest::of_file(&scratch.0.join(pin.library.1))?;
    if sum != pin.sha256 {
        return Err(Failure::new(format!(
            "the library in the wheel of {} has SHA-256 {sum}, expected {}: not installed. Someone between this \
             machine and PyPI serves another file; check PIP_INDEX_URL, PIP_FIND_LINKS and pip.conf",
            pin.source.requirement, pin.sha256
        )));
    }
    // The library last: its presence with the right sum means that all is there.
    let folder = workspace.cache().join(pin.folder);
    fs::create_dir_all(&folder).map_err(|error| Failure::io("create", &folder, &error))?;
    for (_, name) in files {
        let target = folder.join(name);
        fs::rename(scratch.0.join(name), &target).map_err(|error| Failure::io("write", &target, &error))?;
    }
    println!("installed {} in .cache/{}", pin.source.title, pin.folder);
    Ok(())
}

/// libclang looks for its own headers (`stddef.h` and the like) in `clang/18/include` beside itself; the wheel brings none, gcc's
/// serve as well.
pub(crate) fn link_compiler_headers(workspace: &Workspace) -> Result<(), Failure> {
    let output = process::capture("gcc", Command::new("gcc").arg("-print-file-name=include"))?;
    let headers = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    if !headers.join("stddef.h").is_file() {
        return Err(Failure::new(format!(
            "gcc has no `stddef.h` in its own folder {}; reinstall it with\n    sudo apt-get install --reinstall gcc",
            headers.display()
        )));
    }
    let folder = workspace.cache().join("libclang/lib/clang/18");
    let link = folder.join("include");
    if fs::read_link(&link).is_ok_and(|target| target == headers) {
        return Ok(());
    }
    fs::create_dir_all(&folder).map_err(|error| Failure::io("create", &folder, &error))?;
    if link.symlink_metadata().is_ok() {
        fs::remove_file(&link).map_err(|error| Failure::io("replace", &link, &error))?;
    }
    symlink(&headers, &link).map_err(|error| Failure::io("create", &link, &error))
}

/// A folder below `.cache/` (so that renaming out of it is atomic) that is emptied before use and removed after.
pub(super) struct Scratch(pub(super) PathBuf);

impl Scratch {
    pub(super) fn new(workspace: &Workspace) -> Result<Self, Failure> {
        let path = workspace.cache().join("setup-in-progress");
        remove(&path)?; // left by a run that was killed
        fs::create_dir_all(&path).map_err(|error| Failure::io("create", &path, &error))?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(failure) = remove(&self.0) {
            eprintln!("xtask: {}", failure.message());
        }
    }
}

fn remove(path: &Path) -> Result<(), Failure> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Failure::io("remove", path, &error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::pins;
    use super::*;

    #[test]
    fn a_library_counts_only_with_the_pinned_content() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::at(folder.path());
        let mut pin = pins::for_this_machine().unwrap()[0].clone();
        pin.sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; // of "abc", FIPS 180-4
        assert!(!is_intact(&workspace, &pin).unwrap(), "absent");

        let path = library(&workspace, &pin);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "abd").unwrap();
        assert!(!is_intact(&workspace, &pin).unwrap(), "damaged");
        fs::write(&path, "abc").unwrap();
        assert!(!is_intact(&workspace, &pin).unwrap(), "without its licence it may not be passed on");
        for (_, name) in pin.notices {
            fs::write(path.with_file_name(name), "MIT").unwrap();
        }
        assert!(is_intact(&workspace, &pin).unwrap());
    }

    #[test]
    fn the_headers_link_is_made_and_corrected() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::at(folder.path());
        let link = workspace.cache().join("libclang/lib/clang/18/include");
        link_compiler_headers(&workspace).unwrap();
        assert!(link.join("stddef.h").is_file());

        fs::remove_file(&link).unwrap();
        symlink("/nowhere", &link).unwrap(); // as after a new version of gcc
        link_compiler_headers(&workspace).unwrap();
        assert!(link.join("stddef.h").is_file());
    }
}
