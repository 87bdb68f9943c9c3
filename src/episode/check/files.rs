//! Files that nothing refers to.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::lists::Survey;
use super::problem::{Findings, Place, ProblemKind};

/// How deep below `data` and `videos` files are looked for: `videos/KEY/chunk-000/FILE` is three.
const DEPTH: usize = 5;

/// Looks for data files and videos that no episode names.
pub(super) fn check(survey: &Survey, findings: &mut Findings) {
    let mut named: HashSet<PathBuf> = HashSet::new();
    for episode in &survey.episodes {
        named.extend(survey.data_path(episode));
        for camera in 0..survey.info.cameras.len() {
            named.extend(survey.clip(episode, camera).and_then(Result::ok).map(|clip| clip.path));
        }
    }
    let mut found = Vec::new();
    for (folder, extension) in [("data", "parquet"), ("videos", "mp4")] {
        collect(&survey.root.join(folder), extension, DEPTH, &mut found);
    }
    found.sort();
    for path in found.iter().filter(|path| !named.contains(*path)) {
        let problem = "no episode of the list refers to it";
        findings.add(ProblemKind::ExtraFile, Place::file(survey.relative(path)), problem);
    }
}

fn collect(folder: &Path, extension: &str, depth: usize, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        // A link is neither followed nor judged: what it leads to may be outside.
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() && depth > 0 {
            collect(&path, extension, depth - 1, found);
        } else if kind.is_file() && path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
}
