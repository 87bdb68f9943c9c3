//! Files in the chip's flash memory. They outlive a restart.

use std::collections::BTreeMap;
use std::vec::Vec;

/// The file system of the chip, all files in one folder.
#[derive(Clone, Debug, Default)]
pub(super) struct Flash {
    /// Listed by name, as the file system does.
    files: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Flash {
    /// Size of the partition in the chip's usual table, bytes.
    pub(super) const TOTAL_BYTES: usize = 0x16_0000;
    const BLOCK_BYTES: usize = 4096;
    /// Smaller files live in the blocks of the folder.
    const INLINE_BYTES: usize = 512;

    pub(super) fn read(&self, name: &[u8]) -> Option<&[u8]> {
        self.files.get(name).map(Vec::as_slice)
    }

    /// The lines of a file without their LF. A last line without one counts if it is not empty.
    pub(super) fn lines(&self, name: &[u8]) -> Option<Vec<Vec<u8>>> {
        let mut lines: Vec<Vec<u8>> =
            self.read(name)?.split(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
        if lines.last().is_some_and(Vec::is_empty) {
            lines.pop();
        }
        Some(lines)
    }

    pub(super) fn write(&mut self, name: &[u8], content: Vec<u8>) {
        self.files.insert(name.to_vec(), content);
    }

    /// Adds a line with CR LF.
    pub(super) fn append(&mut self, name: &[u8], line: &[u8]) {
        let file = self.files.entry(name.to_vec()).or_default();
        file.extend(line);
        file.extend(b"\r\n");
    }

    pub(super) fn remove(&mut self, name: &[u8]) -> bool {
        self.files.remove(name).is_some()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &Vec<u8>> {
        self.files.keys()
    }

    /// Bytes in use: two blocks for the folder, and those of larger files.
    pub(super) fn used_bytes(&self) -> usize {
        let large = self.files.values().map(Vec::len).filter(|&bytes| bytes > Self::INLINE_BYTES);
        (2 + large.map(|bytes| bytes.div_ceil(Self::BLOCK_BYTES)).sum::<usize>()) * Self::BLOCK_BYTES
    }
}
