//! Any requests to the board's web server, with time going on.
//!
//! Input as for `board_receive`, but each line goes to the web server as the argument of one request, without its line end.

use super::script::{self, Door};

/// Checks one board with one script of requests.
pub fn check(input: &[u8]) {
    script::check(input, Door::Web);
}
