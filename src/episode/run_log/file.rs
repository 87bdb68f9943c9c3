//! Where a log is written to.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::error::RunLogError;

/// A file as the writer sees it.
pub trait LogFile: Write + Send {
    /// Returns once everything written so far is on the disk.
    fn sync(&mut self) -> io::Result<()>;

    /// The same for another thread, since a busy disk takes its time: writing goes on meanwhile.
    ///
    /// # Errors
    /// If the system gives no second handle.
    fn syncer(&self) -> io::Result<Syncer>;
}

/// Brings to the disk what was written before the call.
pub type Syncer = Box<dyn FnMut() -> io::Result<()> + Send>;

impl LogFile for File {
    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn syncer(&self) -> io::Result<Syncer> {
        let file = self.try_clone()?;
        Ok(Box::new(move || file.sync_data()))
    }
}

impl LogFile for Vec<u8> {
    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn syncer(&self) -> io::Result<Syncer> {
        Ok(Box::new(|| Ok(())))
    }
}

impl LogFile for Box<dyn LogFile> {
    fn sync(&mut self) -> io::Result<()> {
        self.as_mut().sync()
    }

    fn syncer(&self) -> io::Result<Syncer> {
        self.as_ref().syncer()
    }
}

/// The name of a log from the wall clock (UTC) and the task: `2026-12-01T0757-08-open-the-gripper.mcap`.
pub fn log_file_name(wall_ns: u64, task: &str) -> String {
    let seconds = i64::try_from(wall_ns / 1_000_000_000).unwrap_or_default();
    let date = chrono::DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    let mut name = date.format("%Y-%m-%dT%H%M-%S").to_string();
    for word in task.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()) {
        // A path's name has an end; the task stands in the log itself.
        if name.len() + word.len() > 80 {
            break;
        }
        name.push('-');
        name.push_str(&word.to_lowercase());
    }
    name.push_str(".mcap");
    name
}

/// Makes the file that `target` means: itself where it ends in `.mcap`, else a file called `name` in the folder `target`, which is made
/// where it is missing. Never overwrites anything.
///
/// # Errors
/// If a file of this name is there already, or none can be made.
pub fn create_log_file(target: &Path, name: &str) -> Result<(PathBuf, File), RunLogError> {
    let is_file = target.extension().is_some_and(|extension| extension == "mcap");
    let path = if is_file { target.to_owned() } else { target.join(name) };
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source: io::Error| {
            let fix = match source.kind() {
                io::ErrorKind::AlreadyExists => "choose another name; an existing log is never overwritten",
                io::ErrorKind::NotFound => "make the folder first",
                _ => "check the folder's permissions and the disk",
            };
            RunLogError::Create { path, source, fix }
        }
    };
    if !is_file {
        std::fs::create_dir_all(target).map_err(failed(target))?;
    }
    let file = OpenOptions::new().write(true).create_new(true).open(&path).map_err(failed(&path))?;
    // The name itself has to survive a power cut, too. Not every file system lets a folder be synced.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let _not_everywhere = File::open(folder).and_then(|folder| folder.sync_all());
    Ok((path, file))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_are_short_and_safe() {
        let at_ns = 1_796_112_000 * 1_000_000_000;
        assert_eq!(log_file_name(at_ns, "Open the gripper."), "2026-12-01T0800-00-open-the-gripper.mcap");
        assert_eq!(log_file_name(0, "../../etc/passwd"), "1970-01-01T0000-00-etc-passwd.mcap");
        assert_eq!(log_file_name(0, ""), "1970-01-01T0000-00.mcap");
        assert!(log_file_name(u64::MAX, &"word ".repeat(100)).len() < 90);
    }

    #[test]
    fn folders_are_made_and_nothing_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let logs = folder.path().join("logs/today");
        let (path, _file) = create_log_file(&logs, "a.mcap").unwrap();
        assert_eq!(path, logs.join("a.mcap"));
        let again = create_log_file(&logs, "a.mcap").unwrap_err().to_string();
        assert!(again.contains("a.mcap") && again.contains("never overwritten"), "{again}");
        let (path, _file) = create_log_file(&logs.join("b.mcap"), "a.mcap").unwrap();
        assert_eq!(path, logs.join("b.mcap"));
        let missing = create_log_file(&folder.path().join("no/b.mcap"), "a.mcap").unwrap_err().to_string();
        assert!(missing.contains("make the folder first"), "{missing}");
    }
}
