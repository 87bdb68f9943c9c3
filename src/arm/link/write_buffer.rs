//! Bytes on their way out.

/// Bytes to write, with the part that the port already took. Fixed size: nothing can pile up.
#[derive(Clone, Debug)]
pub struct WriteBuffer {
    bytes: [u8; Self::CAPACITY],
    taken: usize,
    length: usize,
}

/// The bytes do not fit: something is still waiting to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{needed} bytes do not fit behind {waiting} that still wait to be written; write those first")]
pub struct WriteBufferFull {
    /// Bytes that were to be added.
    pub needed: usize,
    /// Bytes that wait.
    pub waiting: usize,
}

impl Default for WriteBuffer {
    fn default() -> Self {
        Self { bytes: [0; Self::CAPACITY], taken: 0, length: 0 }
    }
}

impl WriteBuffer {
    /// Room in bytes: that of the board's receive ring (256-byte UART ring of Arduino-ESP32).
    pub const CAPACITY: usize = 256;

    /// Adds whole lines, or nothing when they do not fit.
    pub fn push(&mut self, lines: &[u8]) -> Result<(), WriteBufferFull> {
        let end = self.length + lines.len();
        let place = self.bytes.get_mut(self.length..end);
        let full = WriteBufferFull { needed: lines.len(), waiting: self.length - self.taken };
        place.ok_or(full)?.copy_from_slice(lines);
        self.length = end;
        Ok(())
    }

    /// What the port has not taken yet.
    pub fn pending(&self) -> &[u8] {
        &self.bytes[self.taken..self.length]
    }

    /// Whether all was written.
    pub const fn is_empty(&self) -> bool {
        self.taken == self.length
    }

    /// Notes that the port took `count` bytes; whether that was the last of them.
    pub fn advance(&mut self, count: usize) -> bool {
        self.taken = (self.taken + count).min(self.length);
        if self.taken == self.length {
            (self.taken, self.length) = (0, 0);
        }
        self.length == 0
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn partial_writes_keep_the_rest() {
        let mut buffer = WriteBuffer::default();
        buffer.push(b"{\"T\":105}\n").unwrap();
        assert!(!buffer.advance(4));
        assert_eq!(buffer.pending(), b":105}\n");
        assert!(buffer.advance(6));
        assert!(buffer.is_empty());
    }

    #[test]
    fn what_does_not_fit_leaves_the_rest_whole() {
        let mut buffer = WriteBuffer::default();
        buffer.push(&[b'a'; 250]).unwrap();
        assert_eq!(buffer.push(b"1234567"), Err(WriteBufferFull { needed: 7, waiting: 250 }));
        assert_eq!(buffer.pending(), [b'a'; 250]);
    }
}
