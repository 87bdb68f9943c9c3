//! Reading a bundle's files, each checked against `SHA256SUMS`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::policy::PolicyError;

/// Name of the checksum file.
pub(super) const CHECKSUMS: &str = "SHA256SUMS";

/// A bundle's folder whose files have all been compared with `SHA256SUMS`.
#[derive(Clone, Debug)]
pub(super) struct CheckedFiles {
    folder: PathBuf,
    sizes: BTreeMap<String, u64>,
    digest: String,
}

impl CheckedFiles {
    /// Hashes every file that `SHA256SUMS` lists.
    pub(super) fn check(folder: &Path) -> Result<Self, PolicyError> {
        let list = folder.join(CHECKSUMS);
        let bytes = read(&list)?;
        let text = String::from_utf8(bytes)
            .map_err(|error| PolicyError::Malformed { path: list.clone(), reason: error.to_string() })?;
        let mut sizes = BTreeMap::new();
        let mut hashes = BTreeMap::new();
        for (index, line) in text.lines().enumerate() {
            let (expected, name) = parse_line(line).ok_or_else(|| PolicyError::Malformed {
                path: list.clone(),
                reason: format!("line {} is not `SHA256  FILE`", index + 1),
            })?;
            let path = folder.join(name);
            let (found, size) = hash(&path)?;
            if found != expected {
                return Err(PolicyError::WrongHash { path, expected, found });
            }
            sizes.insert(name.to_owned(), size);
            hashes.insert(name, expected);
        }
        let mut hasher = Sha256::new();
        for (name, hash) in hashes {
            hasher.update(format!("{hash}  {name}\n"));
        }
        Ok(Self { folder: folder.to_owned(), sizes, digest: hexadecimal(hasher) })
    }

    /// SHA-256 over all files' hashes and names in the order of the names: two bundles with one digest are the same.
    pub(super) fn digest(&self) -> &str {
        &self.digest
    }

    /// The path of a file that was checked.
    pub(super) fn path(&self, name: &str) -> Result<PathBuf, PolicyError> {
        if self.sizes.contains_key(name) {
            Ok(self.folder.join(name))
        } else if self.folder.join(name).exists() {
            Err(PolicyError::NotListed { file: name.to_owned() })
        } else {
            Err(PolicyError::MissingFile { path: self.folder.join(name) })
        }
    }

    /// The content of a file that was checked.
    pub(super) fn read(&self, name: &str) -> Result<Vec<u8>, PolicyError> {
        read(&self.path(name)?)
    }

    /// Names and sizes in bytes, by name.
    pub(super) fn sizes(&self) -> &BTreeMap<String, u64> {
        &self.sizes
    }
}

/// `HASH  NAME` or `HASH *NAME` as `sha256sum` writes them. A name is a plain file name, so that no bundle reaches outside its folder.
fn parse_line(line: &str) -> Option<(String, &str)> {
    let (hash, rest) = line.split_at_checked(64)?;
    let name = rest.strip_prefix("  ").or_else(|| rest.strip_prefix(" *"))?;
    (hash.bytes().all(|byte| byte.is_ascii_hexdigit()) && is_plain_name(name))
        .then(|| (hash.to_ascii_lowercase(), name))
}

/// Whether `name` names a file directly in a folder.
pub(super) fn is_plain_name(name: &str) -> bool {
    !name.is_empty() && name != "." && name != ".." && !name.contains(['/', '\\', '\0'])
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, PolicyError> {
    std::fs::read(path).map_err(|source| unreadable(path, source))
}

fn hash(path: &Path) -> Result<(String, u64), PolicyError> {
    let mut file = File::open(path).map_err(|source| unreadable(path, source))?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    let mut size = 0;
    loop {
        let count = file.read(&mut buffer).map_err(|source| unreadable(path, source))?;
        if count == 0 {
            break;
        }
        hasher.update(&buffer[..count]);
        size += count as u64;
    }
    Ok((hexadecimal(hasher), size))
}

fn hexadecimal(hasher: Sha256) -> String {
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unreadable(path: &Path, source: std::io::Error) -> PolicyError {
    if source.kind() == ErrorKind::NotFound {
        PolicyError::MissingFile { path: path.to_owned() }
    } else {
        PolicyError::Unreadable { path: path.to_owned(), source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "E3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn reads_both_forms_of_sha256sum_lines() {
        let lower = HASH.to_lowercase();
        assert_eq!(parse_line(&format!("{HASH}  policy.json")), Some((lower.clone(), "policy.json")));
        assert_eq!(parse_line(&format!("{HASH} *vision.onnx")), Some((lower, "vision.onnx")));
    }

    #[test]
    fn refuses_names_outside_the_folder_and_other_nonsense() {
        for name in ["../policy.json", "/etc/passwd", "", "..", "a/b", "a\\b"] {
            assert_eq!(parse_line(&format!("{HASH}  {name}")), None, "{name}");
        }
        assert_eq!(parse_line(HASH), None);
        assert_eq!(parse_line(&format!("{}  policy.json", &HASH[1..])), None);
        assert_eq!(parse_line("ä"), None);
    }
}
