//! The memory of a document in version 6 of the library.

use std::vec::Vec;

/// 256 bytes: 16 a member, and each copied text once with its end mark.
#[derive(Clone, Debug, Default)]
pub(super) struct Pool {
    used: usize,
    texts: Vec<Vec<u8>>,
}

impl Pool {
    const BYTES: usize = 256;

    pub(super) fn room(&self) -> usize {
        Self::BYTES - self.used
    }

    /// Keeps a text; `None` if it does not fit.
    pub(super) fn keep_text(&mut self, text: &[u8]) -> Option<()> {
        if self.texts.iter().any(|kept| kept == text) {
            return Some(());
        }
        (text.len() < self.room()).then(|| {
            self.used += text.len() + 1;
            self.texts.push(text.to_vec());
        })
    }

    pub(super) fn take_slot(&mut self) -> Option<()> {
        (self.room() >= 16).then(|| self.used += 16)
    }
}
