//! Real-time chunking: a new chunk is guided to go on where the previous one, which is played meanwhile, will be.
//!
//! Black, Galliker, Levine, *Real-Time Execution of Action Chunking Flow Policies* (2025, arXiv 2506.07339), as LeRobot 0.4.4 computes
//! it in `lerobot/policies/rtc/modeling_rtc.py` (`RTCProcessor.denoise_step`). In every flow step, at time `t` from 1 down to `1/steps`,
//! with the previous chunk's left-over `p`, the noisy chunk `x` and the policy's velocity `v`:
//!
//! ```text
//! estimate  e  = x - t v                        the actions that the policy would end at from here
//! error        = (p - e) w                      w: prefix weights, one an action
//! velocity  v' = v - g error                    g: guidance weight, one a step
//! ```
//!
//! The paper multiplies the error by the Jacobian of the estimate. LeRobot computes `v` *before* it turns on the gradient of `x`, so its
//! Jacobian is the identity and its correction equals the error exactly. Hence no gradient and no second graph: three elementwise
//! formulas ([`prefix_weights`], [`guidance_weight`], [`correct_velocity`]) around the same denoise graph.
//!
//! **How close the kept actions come.** For an action with weight 1 the last step ends at
//! `x' - p = (1 - g/steps) (e - p)`: what remains of the policy's own disagreement is [`last_step_share`], which is 4/45 (0.089) with
//! 10 steps and a limit of at least 9.12. Each guided chunk reports this bound and what it came to in a [`GuidanceReport`].
//!
//! **Where LeRobot pads with zeros.** `denoise_step` of 0.4.4 pads the left-over with `torch.zeros` to the chunk's length and to the
//! padded action dimension. The added *actions* never count: just before, the horizon is cut to the left-over's length, so their weight
//! is 0. The added *dimensions* do: they are guided to 0, which is what they were in training. Both are as here with
//! [`ShortLeftOver::ShortenHorizon`](crate::types::ShortLeftOver). Later releases (`_normalize_prev_actions_length` in
//! `lerobot/rollout/inference/rtc.py`) pad a short left-over with zeros up to the horizon before that function sees it; a z-score of 0 is the dataset's mean, so the chunk is pulled to the mean pose. That is not offered here:
//! [`ShortLeftOver::HoldLast`](crate::types::ShortLeftOver) repeats the last action instead.

mod correction;
mod guidance;
mod guidance_weight;
mod prefix_weights;
mod previous_chunks;

pub use correction::correct_velocity;
pub(super) use guidance::PreparedGuidance;
pub use guidance::{Guidance, GuidanceReport};
pub use guidance_weight::{guidance_weight, last_step_share};
pub use prefix_weights::prefix_weights;
pub(super) use previous_chunks::PreviousChunks;
