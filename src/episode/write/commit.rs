//! How a closed episode becomes visible: all at once, and for good.

use std::fs::{self, File};
use std::path::Path;

use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::episode::EpisodeError;

/// Makes a folder and those above it.
pub(super) fn make_folder(path: &Path) -> Result<(), EpisodeError> {
    fs::create_dir_all(path).map_err(|source| EpisodeError::write(path, source))
}

/// Removes a folder that may be there, with all that is in it.
pub(super) fn clear(path: &Path) -> Result<(), EpisodeError> {
    match fs::remove_dir_all(path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(EpisodeError::write(path, source))
        }
        _ => Ok(()),
    }
}

/// Puts what was made and removed in a folder on the disk.
pub(super) fn sync_folder(path: &Path) -> Result<(), EpisodeError> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(|source| EpisodeError::write(path, source))
}

/// Puts the making of a folder itself on the disk.
pub(super) fn sync_parent(path: &Path) -> Result<(), EpisodeError> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => sync_folder(parent),
        _ => sync_folder(Path::new(".")),
    }
}

/// Moves a finished file to its place; the move is on the disk when this returns.
pub(super) fn move_into_place(from: &Path, to: &Path) -> Result<(), EpisodeError> {
    fs::rename(from, to).map_err(|source| EpisodeError::write(to, source))?;
    to.parent().map_or(Ok(()), sync_folder)
}

/// Puts the folder `next` in the place of `present`: whoever looks sees the old one or the new one, whole.
///
/// The files in `next` have to be on the disk. What was in `present` is removed.
pub(super) fn exchange_folder(next: &Path, present: &Path) -> Result<(), EpisodeError> {
    let failed = |source: std::io::Error| EpisodeError::write(present, source);
    if present.exists() {
        match renameat_with(CWD, next, CWD, present, RenameFlags::EXCHANGE) {
            Ok(()) => {}
            // Some file systems (NFS, exFAT) cannot exchange: there is a moment without either.
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS | rustix::io::Errno::NOTSUP) => {
                let old = present.with_extension("old");
                clear(&old)?;
                fs::rename(present, &old).map_err(failed)?;
                fs::rename(next, present).map_err(failed)?;
                clear(&old)?;
            }
            Err(errno) => return Err(failed(errno.into())),
        }
    } else {
        fs::rename(next, present).map_err(failed)?;
    }
    present.parent().map_or(Ok(()), sync_folder)?;
    clear(next)
}
