//! A capture thread: takes frames as they come and publishes the newest.

use std::sync::Arc;

use super::frame_store::FramePublisher;
use super::recorder::FrameQueue;
use super::shared::Shared;
use crate::camera::FrameSource;
use crate::control::{EndCause, FrozenPicture};
use crate::types::FramePool;

/// Buffers for the frames that are kept, one being filled and one being looked at.
const POOL: usize = 8;

/// Captures until the session or the source is over. A recording starts over when the policy takes charge, so that the policy
/// sees its beginning; until then it plays round and round.
///
/// `recorded` is the slot's number and the queue to the recorder, where all pictures are recorded.
pub(super) fn run(
    mut source: Box<dyn FrameSource>,
    mut publisher: FramePublisher,
    frozen_picture: Option<FrozenPicture>,
    recorded: Option<(usize, FrameQueue)>,
    shared: &Arc<Shared>,
) {
    // Costs a look at every byte: only where somebody makes something of it.
    let digests = frozen_picture.is_some_and(|settings| settings.every_source || source.never_repeats());
    let pool = FramePool::new(POOL);
    let mut seen_running = false;
    while !shared.is_over() {
        if !seen_running && shared.is_running() {
            seen_running = true;
            source.start_over();
        }
        match source.next_frame(&pool) {
            Ok(Some(mut frame)) => {
                frame.metadata.digest = digests.then(|| frame.picture().digest());
                let frame = publisher.publish(frame);
                if let Some((slot, queue)) = &recorded {
                    queue.push_other(*slot, frame);
                }
            }
            Ok(None) if !shared.is_running() => source.start_over(),
            Ok(None) => return shared.ask_stop(EndCause::SourceEnded),
            Err(error) => return shared.fail(EndCause::CameraFailed, &error),
        }
    }
}
