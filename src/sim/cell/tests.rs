//! What the hand may do to a box.
