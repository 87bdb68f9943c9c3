//! The settings of the link to the board.

use std::time::Duration;

use firmware_protocol::Generation;

use crate::arm::LinkOptions;
use crate::config::{self, Config};

/// Longer than the age of feedback at which control stops the arm, a silent board is waited for before the connection counts as lost.
const STOP_BEFORE_LOSS: Duration = Duration::from_millis(750);

/// The link's settings.
pub(in crate::cli) fn link_options(config: &Config, generation: Option<Generation>) -> LinkOptions {
    // The core ends the run for a lost link by itself where it must not go on.
    let reconnect_timeout = match config.safety.after_link_loss {
        config::AfterLinkLoss::Resume => Duration::from_secs_f64(config.safety.reconnect_timeout_s),
        config::AfterLinkLoss::End => Duration::ZERO,
    };
    let usual = LinkOptions::default();
    // Control stops the arm for old feedback before the link gives the connection up, and has time to brake and hold.
    let after_the_stop = Duration::from_millis(config.safety.max_feedback_age_ms.into()) + STOP_BEFORE_LOSS;
    LinkOptions {
        generation,
        reconnect_timeout,
        feedback_timeout: usual.feedback_timeout.max(after_the_stop),
        stop_deceleration_rad_s2: config.motion.stop_deceleration_deg_s2.to_radians(),
        ..usual
    }
}
