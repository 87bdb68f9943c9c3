//! The keys of a recording, as LeRobot has them: right ends an episode, left records it again, Esc stops.

use std::time::{Duration, Instant};

use super::super::keyboard::Keyboard;

/// The bytes of an arrow come together; an Esc that nothing follows for this long is the key itself.
const ALONE: Duration = Duration::from_millis(60);

/// A key that means something here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// Right arrow.
    Right,
    /// Left arrow.
    Left,
    /// Esc.
    Escape,
    /// Enter.
    Enter,
}

/// Puts the bytes of keys together.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// Bytes of a key that is not whole, and when the last of them came.
    begun: Vec<u8>,
    since: Option<Instant>,
}

impl Keys {
    /// The next key of the keyboard that means something.
    pub(super) fn next(&mut self, keyboard: &Keyboard) -> Option<Key> {
        while let Ok(Some(byte)) = keyboard.key() {
            self.since = Some(Instant::now());
            if let Some(key) = self.take(byte) {
                return Some(key);
            }
        }
        let alone = self.since.is_some_and(|since| since.elapsed() >= ALONE);
        if self.begun == [0x1b] && alone {
            self.begun.clear();
            return Some(Key::Escape);
        }
        None
    }

    /// Adds a byte; the key that it makes whole.
    fn take(&mut self, byte: u8) -> Option<Key> {
        match (self.begun.as_slice(), byte) {
            // A second Esc: the first one was alone.
            ([0x1b], 0x1b) => return Some(Key::Escape),
            ([], 0x1b) | ([0x1b], b'[' | b'O') => {
                self.begun.push(byte);
                return None;
            }
            _ => {}
        }
        let arrow = self.begun.len() == 2;
        self.begun.clear();
        match byte {
            b'C' if arrow => Some(Key::Right),
            b'D' if arrow => Some(Key::Left),
            b'\r' | b'\n' => Some(Key::Enter),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::sync::mpsc::channel;

    #[test]
    fn arrows_are_told_from_escape() {
        let (press, pressed) = channel();
        let (keyboard, mut keys) = (Keyboard::scripted(pressed), Keys::default());
        for byte in b"x\x1b[C\x1bOD\nC\x1b[Z" {
            press.send(*byte).unwrap();
        }
        let found: Vec<Key> = std::iter::from_fn(|| keys.next(&keyboard)).collect();
        assert_eq!(found, [Key::Right, Key::Left, Key::Enter]);
        press.send(0x1b).unwrap();
        assert_eq!(keys.next(&keyboard), None, "an arrow may follow");
        std::thread::sleep(ALONE);
        assert_eq!(keys.next(&keyboard), Some(Key::Escape));
        press.send(0x1b).unwrap();
        press.send(0x1b).unwrap();
        assert_eq!(keys.next(&keyboard), Some(Key::Escape));
    }
}
