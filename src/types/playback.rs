//! Pausing what is played.

/// How far the actions that wait to be played may go on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Playback {
    /// The playhead slows down within a quarter of a second, at an action, and stays there.
    pub paused: bool,
    /// So many actions have been asked for one by one since the start of the run; one more lets a paused playhead go on to the next.
    pub steps: u32,
}
