//! `cargo xtask layers`: every room under `src/` uses only the rooms below it.
//!
//! It reads tokens, not lines, so that grouped and renamed imports, paths over several lines and `super::super` are seen, and comments,
//! texts and test code are not. It does not expand macros: what a macro of another crate makes is not seen.

mod check;
mod paths;
mod table;
mod test_code;
#[cfg(test)]
mod tests;
mod tokens;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::failure::Failure;
use crate::workspace::Workspace;

/// Fails with one line for each broken rule.
pub(crate) fn run(workspace: &Workspace) -> Result<(), Failure> {
    let source = workspace.join("src");
    let mut files = Vec::new();
    read(&source, &source, &mut files)?;
    if files.is_empty() {
        return Err(Failure::new(format!("no Rust files under {}", source.display())));
    }
    let violations = check::check(&files);
    for violation in &violations {
        println!("{violation}");
    }
    if violations.is_empty() {
        println!("layers: {} files, every room uses only what lies below it", files.len());
        Ok(())
    } else {
        Err(Failure::new(format!(
            "{} broken layer rules; the rules are in xtask/src/layers/table.rs",
            violations.len()
        )))
    }
}

/// The lines that belong to the product, by file below `src/`: comments, test code and files of tests are not in it.
pub(crate) fn product_lines(workspace: &Workspace) -> Result<BTreeMap<String, BTreeSet<usize>>, Failure> {
    let source = workspace.join("src");
    let mut files = Vec::new();
    read(&source, &source, &mut files)?;
    Ok(check::product_lines(&files))
}

fn read(root: &Path, folder: &Path, files: &mut Vec<check::SourceFile>) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::io("read", folder, &error);
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            read(root, &path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let content = fs::read_to_string(&path).map_err(|error| Failure::io("read", &path, &error))?;
            let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
            files.push(check::SourceFile { path: name, content });
        }
    }
    Ok(())
}
