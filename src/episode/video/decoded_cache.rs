//! Pictures that were decoded lately, within a budget of memory.

use std::collections::{BTreeMap, HashMap};

/// The pictures used last, by their place in the order of showing. Without a budget it holds nothing.
#[derive(Debug, Default)]
pub(super) struct DecodedCache {
    budget: usize,
    bytes: usize,
    pictures: HashMap<usize, (u64, Vec<u8>)>,
    /// When each was used last: the least is the first to go.
    by_use: BTreeMap<u64, usize>,
    uses: u64,
}

impl DecodedCache {
    /// A cache for so many bytes of pictures.
    pub(super) fn new(budget: usize) -> Self {
        Self { budget, ..Self::default() }
    }

    /// Copies a picture that is held. Returns whether it was.
    pub(super) fn copy(&mut self, rank: usize, rgb: &mut [u8]) -> bool {
        self.uses += 1;
        let Some((used, picture)) =
            self.pictures.get_mut(&rank).filter(|(_, picture)| picture.len() == rgb.len())
        else {
            return false;
        };
        self.by_use.remove(used);
        self.by_use.insert(self.uses, rank);
        *used = self.uses;
        rgb.copy_from_slice(picture);
        true
    }

    /// Holds the picture that `write` puts into `bytes` of room; `write` is not called when the budget allows none.
    pub(super) fn keep(&mut self, rank: usize, bytes: usize, write: impl FnOnce(&mut [u8])) {
        if bytes > self.budget || self.pictures.contains_key(&rank) {
            return;
        }
        let mut room = None;
        while self.bytes + bytes > self.budget {
            let Some((_, oldest)) = self.by_use.pop_first() else { break };
            room = self.pictures.remove(&oldest).map(|(_, picture)| picture);
            self.bytes -= room.as_ref().map_or(0, Vec::len);
        }
        let mut room = room.filter(|room| room.len() == bytes).unwrap_or_else(|| vec![0; bytes]);
        write(&mut room);
        self.uses += 1;
        self.by_use.insert(self.uses, rank);
        self.pictures.insert(rank, (self.uses, room));
        self.bytes += bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_used_longest_ago_goes_first() {
        let mut cache = DecodedCache::new(8);
        for rank in 0..2 {
            cache.keep(rank, 4, |room| room.fill(rank as u8));
        }
        let mut rgb = [9; 4];
        assert!(cache.copy(0, &mut rgb) && rgb == [0; 4]);
        cache.keep(2, 4, |room| room.fill(2));
        assert!(!cache.copy(1, &mut rgb), "1 was used longest ago");
        assert!(cache.copy(0, &mut rgb) && rgb == [0; 4]);
        assert!(cache.copy(2, &mut rgb) && rgb == [2; 4]);
        assert_eq!(cache.bytes, 8);
    }

    #[test]
    fn without_a_budget_nothing_is_converted() {
        let mut cache = DecodedCache::default();
        let mut called = false;
        cache.keep(0, 4, |_| called = true);
        assert!(!called && !cache.copy(0, &mut [0; 4]));
    }
}
