//! A byte stream into lines.

/// Cuts a byte stream into lines of at most `N` bytes, without allocation.
///
/// A line ends at LF; CR before it is dropped, empty lines are skipped. `}{` also ends a line, between the two: T:405
/// answers without a line end, so that the next object is glued to it. Longer lines are dropped up to their LF and counted.
/// How the bytes are dealt out over calls makes no difference. Feedback lines have up to 324 bytes, so 512 is a good `N`.
///
/// ```
/// use firmware_protocol::{Line, LineSplitter, parse_line};
/// let mut lines = LineSplitter::<512>::new();
/// let mut seen = 0;
/// for part in [&b"tail of a line}\r\n{\"T\":50}{\"a"[..], &b"\":1}\r\n"[..]] {
///     lines.push(part, |line| {
///         seen += 1;
///         assert!(matches!(parse_line(line), Line::Noise(_) | Line::OtherJson(_)));
///     });
/// }
/// assert_eq!(seen, 3);
/// ```
#[derive(Clone, Debug)]
pub struct LineSplitter<const N: usize> {
    held: [u8; N],
    length: usize,
    too_long: bool,
    dropped: u64,
}

impl<const N: usize> Default for LineSplitter<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> LineSplitter<N> {
    /// A splitter at the start of a line.
    #[must_use]
    pub const fn new() -> Self {
        Self { held: [0; N], length: 0, too_long: false, dropped: 0 }
    }

    /// Takes bytes in and hands each line that they complete to `line`, in order, without its end.
    pub fn push(&mut self, bytes: &[u8], mut line: impl FnMut(&[u8])) {
        for &byte in bytes {
            if byte == b'\n' {
                self.end(&mut line);
                continue;
            }
            if byte == b'{' && self.held[..self.length].last() == Some(&b'}') {
                self.end(&mut line);
            }
            if self.too_long {
                continue;
            }
            if let Some(place) = self.held.get_mut(self.length) {
                *place = byte;
                self.length += 1;
            } else {
                self.too_long = true;
                self.length = 0;
                self.dropped += 1;
            }
        }
    }

    fn end(&mut self, line: &mut impl FnMut(&[u8])) {
        let mut whole = &self.held[..self.length];
        while let Some(shorter) = whole.strip_suffix(b"\r") {
            whole = shorter;
        }
        if !self.too_long && !whole.is_empty() {
            line(whole);
        }
        self.length = 0;
        self.too_long = false;
    }

    /// Forgets the unfinished line, as after a reconnect.
    pub fn clear(&mut self) {
        self.length = 0;
        self.too_long = false;
    }

    /// Lines that were longer than `N` and dropped, since the start.
    #[must_use]
    pub const fn dropped_lines(&self) -> u64 {
        self.dropped
    }

    /// Bytes of the unfinished line that are held.
    #[must_use]
    pub const fn pending(&self) -> usize {
        self.length
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    fn lines<const N: usize>(parts: &[&[u8]]) -> (Vec<Vec<u8>>, u64) {
        let mut splitter = LineSplitter::<N>::new();
        let mut lines = Vec::new();
        for part in parts {
            splitter.push(part, |line| lines.push(line.to_vec()));
        }
        (lines, splitter.dropped_lines())
    }

    #[test]
    fn line_ends_and_glue() {
        let (seen, dropped) = lines::<16>(&[b"a\r\n\r\n\nb\n{1}{2}\r\r\n{3}", b"{4}\n}\n{5}\nopen"]);
        assert_eq!(seen, [&b"a"[..], b"b", b"{1}", b"{2}", b"{3}", b"{4}", b"}", b"{5}"]);
        assert_eq!(dropped, 0);
    }

    #[test]
    fn over_long_lines_are_dropped_and_counted() {
        let (seen, dropped) = lines::<4>(&[b"abcd\nabcde\nabcdefghijk", b"lmn}{\nok\n"]);
        assert_eq!(seen, [&b"abcd"[..], b"ok"]);
        assert_eq!(dropped, 2);
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_lines(
            bytes in prop::collection::vec(prop_oneof![Just(b'{'), Just(b'}'), Just(b'\n'), Just(b'\r'), any::<u8>()], 0..200),
            cuts in prop::collection::vec(0..200_usize, 0..8),
        ) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.push(bytes.len());
            cuts.sort_unstable();
            let mut start = 0;
            let parts: Vec<&[u8]> = cuts.into_iter().map(|cut| &bytes[core::mem::replace(&mut start, cut)..cut]).collect();
            prop_assert_eq!(lines::<12>(&[&bytes]), lines::<12>(&parts));
        }
    }
}
