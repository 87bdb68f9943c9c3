//! What the board sends of its own accord, whom it obeys, how hard it pushes.

use crate::TorqueLimit;

/// What the board sends of its own accord: `T:605`. Volatile: a reset brings back the generation's default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedbackMode {
    /// T:1051 only in answer to T:105.
    Quiet = 0,
    /// As quiet, with debug text; G1 echoes each line that parses. Default of G3.
    Debug = 1,
    /// One T:1051 every loop pass, as fast as the UART drains: 56 Hz on G1, 36 Hz on G3. Default of G1.
    Stream = 2,
}

/// Who may move the arm by radio: `T:301`. The default after boot is [`EspNowMode::Follower`]: **any** sender in range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EspNowMode {
    /// Nobody. What a host should send at start.
    Off = 0,
    /// This arm leads a group.
    LeaderGroup = 1,
    /// This arm leads one follower.
    LeaderSingle = 2,
    /// This arm follows any leader in range.
    Follower = 3,
}

/// Whether joints give way when pushed: `T:112`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adaptation {
    /// Every servo may use all its torque, **the hand's too**, which has 300 after boot: send T:107 behind it.
    Off,
    /// Each joint gives way beyond its limit. The firmware gives **wrist and roll the elbow's limit** and does not read
    /// theirs (G1 and G3), so there are four here; T:112 still carries all six keys.
    On {
        /// Base.
        base: TorqueLimit,
        /// Both servos of the shoulder.
        shoulder: TorqueLimit,
        /// Elbow, wrist and roll.
        elbow_wrist_roll: TorqueLimit,
        /// Hand.
        hand: TorqueLimit,
    },
}
