//! Any bytes into any virtual board, with time going on and things happening to the arm. The input is a script, see `script`.

use super::script::{self, Door};

/// Checks one board with one script.
pub fn check(input: &[u8]) {
    script::check(input, Door::Port);
}
