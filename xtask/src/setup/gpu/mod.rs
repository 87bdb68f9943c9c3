//! The libraries for an NVIDIA GPU: ONNX Runtime with the CUDA provider, and the parts of CUDA 13 and cuDNN 9 that it needs.
//!
//! Each wheel is fetched, checked and unpacked before the next one, so that an interrupted set-up goes on with the wheel it was at.

mod pins;
mod space;

use std::fs;
use std::path::{Path, PathBuf};

use self::pins::{GpuWheel, Library};
use super::artifact::Scratch;
use super::{digest, prerequisites, wheel};
use crate::failure::Failure;
use crate::workspace::Workspace;

/// Where the libraries lie.
fn folder(workspace: &Workspace) -> PathBuf {
    workspace.cache().join(pins::FOLDER)
}

/// The ONNX Runtime library of the set, if it is installed.
pub(super) fn library(workspace: &Workspace) -> Option<PathBuf> {
    let last = pins::X86_64.last()?.libraries.last()?;
    Some(folder(workspace).join(last.name())).filter(|path| path.is_file())
}

/// The wheels for this machine.
fn wheels(system: &str, processor: &str) -> Result<&'static [GpuWheel], Failure> {
    match (system, processor) {
        ("linux", "x86_64") => Ok(pins::X86_64),
        _ => Err(Failure::new(format!(
            "set-up has pinned GPU libraries for Linux on x86_64 only, not for {system} on {processor}. On a Jetson use the \
             ONNX Runtime of your JetPack and name it with ORT_DYLIB_PATH: see docs/installing.md"
        ))),
    }
}

/// Fetches what is missing or damaged. When all is there, no network is touched.
pub(super) fn install(workspace: &Workspace) -> Result<(), Failure> {
    let wheels = wheels(std::env::consts::OS, std::env::consts::ARCH)?;
    let folder = folder(workspace);
    let _lock = super::lock(workspace)?;

    let mut missing = Vec::new();
    for wheel in wheels {
        if !is_intact(&folder, wheel)? {
            missing.push(wheel);
        }
    }
    let total: u64 = wheels.iter().map(GpuWheel::unpacked_bytes).sum();
    if missing.is_empty() {
        println!("the GPU libraries are complete: .cache/{}, {}, SHA-256 right", pins::FOLDER, size(total));
        return Ok(());
    }
    prerequisites::check_python()?;
    fs::create_dir_all(&folder).map_err(|error| Failure::io("create", &folder, &error))?;

    let need = Need::of(&missing);
    let free = space::free_bytes(&folder)?;
    println!(
        "GPU libraries: {} of {} wheels to fetch, {} to download, {} in .cache/{} when done; {} free on the disk, {} needed while unpacking",
        missing.len(),
        wheels.len(),
        size(need.download),
        size(total),
        pins::FOLDER,
        size(free),
        size(need.disk)
    );
    println!(
        "cuBLAS, cuDNN and the other parts of CUDA come under NVIDIA's licences, which are put beside them."
    );
    if free < need.disk {
        return Err(Failure::new(format!(
            "not enough space for the GPU libraries: {} needed, {} free on the disk of {}. Make room, or let .cache be a \
             link to a folder on a bigger disk, and run this again",
            size(need.disk),
            size(free),
            folder.display()
        )));
    }
    for (index, wheel) in missing.iter().enumerate() {
        println!("[{}/{}] {} ({})", index + 1, missing.len(), wheel.source.title, size(wheel.download_bytes));
        fetch(workspace, wheel, &folder)?;
    }
    println!("installed in .cache/{}; next: roarm doctor --device cuda", pins::FOLDER);
    Ok(())
}

/// What the wheels ask of network and disk.
#[derive(Debug, PartialEq, Eq)]
struct Need {
    download: u64,
    /// At the worst moment: all libraries, and the biggest wheel.
    disk: u64,
}

impl Need {
    fn of(wheels: &[&GpuWheel]) -> Self {
        let download = wheels.iter().map(|wheel| wheel.download_bytes);
        let unpacked: u64 = wheels.iter().map(|wheel| wheel.unpacked_bytes()).sum();
        Self { download: download.clone().sum(), disk: unpacked + download.max().unwrap_or(0) }
    }
}

/// Whether all libraries of `wheel` are in `folder` with the right content. Says so when one is there but damaged.
fn is_intact(folder: &Path, wheel: &GpuWheel) -> Result<bool, Failure> {
    for library in wheel.libraries {
        let path = folder.join(library.name());
        let Ok(found) = fs::metadata(&path) else { return Ok(false) };
        // The size first: hashing gigabytes takes seconds.
        if found.len() != library.bytes || digest::of_file(&path)? != library.sha256 {
            println!("{} in .cache/{} is damaged: fetching it again", library.name(), pins::FOLDER);
            return Ok(false);
        }
    }
    Ok(true)
}

/// Downloads one wheel and takes its libraries into `folder`, each only with the right checksum.
fn fetch(workspace: &Workspace, wheel: &GpuWheel, folder: &Path) -> Result<(), Failure> {
    let scratch = Scratch::new(workspace)?;
    let archive = wheel::download(&wheel.source, &scratch.0, wheel::Progress::Shown)?;
    let mut members: Vec<(&str, PathBuf)> =
        wheel.notices.iter().map(|(member, name)| (*member, scratch.0.join(name))).collect();
    members.extend(wheel.libraries.iter().map(|library| (library.member, scratch.0.join(library.name()))));
    wheel::unpack(&archive, &members)?;
    for library in wheel.libraries {
        check(library, &scratch.0.join(library.name()), wheel.source.requirement)?;
    }
    for (_, path) in &members {
        let name = path.file_name().unwrap_or_default();
        let target = folder.join(name);
        fs::rename(path, &target).map_err(|error| Failure::io("write", &target, &error))?;
    }
    Ok(())
}

fn check(library: &Library, path: &Path, requirement: &str) -> Result<(), Failure> {
    let sum = digest::of_file(path)?;
    if sum == library.sha256 {
        return Ok(());
    }
    Err(Failure::new(format!(
        "{} in the wheel of {requirement} has SHA-256 {sum}, expected {}: not installed. Someone between this machine and \
         PyPI serves another file; check PIP_INDEX_URL, PIP_FIND_LINKS and pip.conf",
        library.name(),
        library.sha256
    )))
}

/// For people: `256 MB`, `1.2 GB`.
fn size(bytes: u64) -> String {
    if bytes >= 1_000_000_000 {
        format!("{:.1} GB", bytes as f64 * 1e-9)
    } else {
        format!("{:.0} MB", bytes as f64 * 1e-6)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::pins::WheelSource;
    use super::*;

    const ABC: Library = Library {
        member: "some/folder/libabc.so.1",
        bytes: 3,
        sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", // of "abc", FIPS 180-4
    };
    const WHEEL: GpuWheel = GpuWheel {
        source: WheelSource { title: "abc", requirement: "abc==1", platforms: &[] },
        download_bytes: 2,
        libraries: &[ABC],
        notices: &[],
    };

    #[test]
    fn a_wheel_counts_only_with_all_its_libraries_and_their_content() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!is_intact(folder.path(), &WHEEL).unwrap(), "absent");
        let path = folder.path().join("libabc.so.1");
        for damaged in ["ab", "abd", "abcd"] {
            fs::write(&path, damaged).unwrap();
            assert!(!is_intact(folder.path(), &WHEEL).unwrap(), "{damaged}");
        }
        fs::write(&path, "abc").unwrap();
        assert!(is_intact(folder.path(), &WHEEL).unwrap());
    }

    #[test]
    fn a_library_with_another_checksum_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("libabc.so.1");
        fs::write(&path, "abd").unwrap();
        let failure = check(&ABC, &path, "abc==1").unwrap_err();
        assert!(failure.message().contains("libabc.so.1") && failure.message().contains("PIP_INDEX_URL"));
    }

    #[test]
    fn space_is_counted_for_the_worst_moment() {
        let big = GpuWheel { download_bytes: 50, ..WHEEL };
        assert_eq!(Need::of(&[&WHEEL, &big]), Need { download: 52, disk: 6 + 50 });
        assert_eq!(Need::of(&[]), Need { download: 0, disk: 0 });
    }

    #[test]
    fn a_machine_without_pinned_libraries_is_told_where_to_read_on() {
        assert!(wheels("linux", "x86_64").is_ok());
        let failure = wheels("linux", "aarch64").unwrap_err();
        assert!(failure.message().contains("ORT_DYLIB_PATH") && failure.message().contains("installing.md"));
    }

    #[test]
    fn sizes_are_for_people() {
        assert_eq!((size(255_560_985), size(1_181_996_486)), ("256 MB".to_owned(), "1.2 GB".to_owned()));
    }
}
