//! A virtual board.
