//! Files of a LeRobot dataset with some bytes changed: the reader and the check say what is wrong, and never panic.
//!
//! An input is a choice of file (two bytes), how much of it is kept (one byte: 255 is all), and changes of three bytes each: place
//! (modulo the file's length) and value. So short inputs reach deep into a real file.

use std::fs;
use std::path::{Path, PathBuf};

use roarm::episode::{CheckOptions, Dataset, EpisodeError, Repair, check};

/// The datasets that are damaged, below `tests/data`: every layout, both codecs, images.
const SETS: [&str; 5] = [
    "lerobot_v3_h264",
    "lerobot_v3_images",
    "lerobot_v3_two_cameras",
    "lerobot_v21_video",
    "lerobot_v21_images",
];

/// Whether a file belongs to a dataset: pictures of expected results do not.
fn files_of(set: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![set.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path())
            } else {
                files.push(entry.path())
            }
        }
    }
    files.sort();
    files
}

/// A folder of this process alone, with a dataset in it.
fn copy_of(set: &Path) -> PathBuf {
    let name = format!("roarm-fuzz-{}-{:?}", std::process::id(), std::thread::current().id());
    let root = std::env::temp_dir().join(name).join(set.file_name().unwrap());
    if !root.exists() {
        for file in files_of(set) {
            let to = root.join(file.strip_prefix(set).unwrap());
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(file, to).unwrap();
        }
    }
    root
}

pub fn check_input(bytes: &[u8]) {
    let &[set, file, kept, ref changes @ ..] = bytes else { return };
    let data = Path::new(env!("CARGO_MANIFEST_DIR"));
    let data =
        [data.join("tests/data"), data.join("../tests/data")].into_iter().find(|data| data.exists()).unwrap();
    let set = data.join(SETS[usize::from(set) % SETS.len()]);
    let files = files_of(&set);
    let original = &files[usize::from(file) % files.len()];
    let mut content = fs::read(original).unwrap();
    content.truncate((content.len() * usize::from(kept)).div_ceil(255));
    for change in changes.chunks_exact(3) {
        let place = usize::from(u16::from_be_bytes([change[0], change[1]]));
        if !content.is_empty() {
            let place = place % content.len();
            content[place] = change[2];
        }
    }
    let root = copy_of(&set);
    let damaged = root.join(original.strip_prefix(&set).unwrap());
    fs::write(&damaged, content).unwrap();
    let _restored = Restored { original, damaged: &damaged };
    if let Err(error) = read_all(&root) {
        // Where and what to do; no file outside.
        let text = error.to_string();
        assert!(text.contains(&*root.to_string_lossy()), "names no file of the dataset: {text}");
    }
    let report = check(&root, CheckOptions { decode_pictures: true }, &mut |_| {}).unwrap();
    for problem in &report.problems {
        assert!(problem.file.is_relative() && !problem.fix.is_empty(), "{problem:?}");
    }
    // What repair keeps can be read.
    if let Ok(repair) = Repair::plan(&root, CheckOptions::default(), &mut |_| {}) {
        assert!(repair.kept().len() <= report.episodes);
    }
}

/// Puts the original file back when dropped, after a panic too: the next input must not see this one's damage.
struct Restored<'a> {
    original: &'a Path,
    damaged: &'a Path,
}

impl Drop for Restored<'_> {
    fn drop(&mut self) {
        fs::copy(self.original, self.damaged).unwrap();
    }
}

fn read_all(root: &Path) -> Result<(), EpisodeError> {
    let dataset = Dataset::open(root)?;
    for number in 0..dataset.episode_count() {
        dataset.episode(number)?;
        for camera in dataset.cameras() {
            let mut pictures = dataset.pictures(number, Some(&camera.key))?;
            let mut rgb = vec![0; pictures.frame_bytes()];
            for frame in 0..pictures.length() {
                pictures.read(frame, &mut rgb)?;
            }
        }
    }
    Ok(())
}
