//! The thread that writes the dataset: pictures are encoded beside the recording, not in it.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use super::TeachError;
use crate::episode::{DatasetWriter, EpisodeError, NewFrame};
use crate::types::{DatasetAngles, Frame};

/// Frames that may wait to be encoded: two seconds at 30 a second.
const WAITING: usize = 64;

/// One frame as it was seen.
struct TaughtFrame {
    state: DatasetAngles,
    pictures: Vec<Arc<Frame>>,
}

enum Order {
    Frame(TaughtFrame),
    /// Close or discard the episode, and answer.
    Close(SyncSender<Result<(), EpisodeError>>),
    Discard(SyncSender<Result<(), EpisodeError>>),
}

/// The owner's end.
pub(super) struct DatasetThread {
    /// `None` once it is dropped.
    orders: Option<SyncSender<Order>>,
    /// Why frames are thrown away, until the episode is closed or discarded.
    failed: Arc<Mutex<Option<String>>>,
    thread: Option<JoinHandle<()>>,
}

impl DatasetThread {
    pub(super) fn start(writer: DatasetWriter, task: String) -> Result<Self, TeachError> {
        let (orders, received) = sync_channel(WAITING);
        let failed = Arc::new(Mutex::new(None));
        let mut work = Work {
            writer,
            frame: NewFrame { task, ..NewFrame::default() },
            number: 0,
            last: None,
            error: None,
            failed: Arc::clone(&failed),
        };
        let thread = thread::Builder::new().name("dataset".to_owned()).spawn(move || work.run(&received))?;
        Ok(Self { orders: Some(orders), failed, thread: Some(thread) })
    }

    /// Hands a frame over; `false` if there is no room.
    pub(super) fn add(&self, state: DatasetAngles, pictures: Vec<Arc<Frame>>) -> bool {
        let order = Order::Frame(TaughtFrame { state, pictures });
        // A thread that is gone is told when the episode ends.
        !matches!(self.orders.as_ref().map(|orders| orders.try_send(order)), Some(Err(TrySendError::Full(_))))
    }

    /// Why frames cannot be written.
    pub(super) fn fault(&self) -> Option<String> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The episode is in the dataset and on the disk when this returns.
    pub(super) fn close(&self) -> Result<(), TeachError> {
        self.ask(Order::Close)
    }

    /// The episode is forgotten when this returns.
    pub(super) fn discard(&self) -> Result<(), TeachError> {
        self.ask(Order::Discard)
    }

    fn ask(
        &self,
        order: impl FnOnce(SyncSender<Result<(), EpisodeError>>) -> Order,
    ) -> Result<(), TeachError> {
        let (answer, answered) = sync_channel(1);
        let orders = self.orders.as_ref().ok_or(TeachError::DatasetThread)?;
        orders.send(order(answer)).map_err(|_| TeachError::DatasetThread)?;
        Ok(answered.recv().map_err(|_| TeachError::DatasetThread)??)
    }
}

impl Drop for DatasetThread {
    fn drop(&mut self) {
        self.orders = None;
        let _panicked = self.thread.take().map(JoinHandle::join);
    }
}

/// What the thread does.
struct Work {
    writer: DatasetWriter,
    /// Filled anew for each frame.
    frame: NewFrame,
    number: usize,
    /// The frame whose action is not known yet.
    last: Option<TaughtFrame>,
    error: Option<EpisodeError>,
    failed: Arc<Mutex<Option<String>>>,
}

impl Work {
    fn run(&mut self, orders: &Receiver<Order>) {
        while let Ok(order) = orders.recv() {
            match order {
                Order::Frame(frame) => self.add(frame),
                Order::Close(answer) => {
                    // The arm stays where it is at the end.
                    if let Some(last) = self.last.take() {
                        let goal = last.state;
                        self.write(&last, goal);
                    }
                    let closed = match self.error.take() {
                        Some(error) => Err(error),
                        None => self.writer.close_episode(),
                    };
                    self.begin_anew();
                    let _gone = answer.send(closed);
                }
                Order::Discard(answer) => {
                    self.begin_anew();
                    let _gone = answer.send(self.writer.discard_episode());
                }
            }
        }
    }

    fn begin_anew(&mut self) {
        (self.number, self.last, self.error) = (0, None, None);
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The pose that came next is what the one before it wanted.
    fn add(&mut self, frame: TaughtFrame) {
        if let Some(last) = self.last.take() {
            self.write(&last, frame.state);
        }
        self.last = Some(frame);
    }

    fn write(&mut self, taught: &TaughtFrame, action: DatasetAngles) {
        if self.error.is_some() {
            return;
        }
        let Self { frame, writer, .. } = self;
        frame.timestamp_s = self.number as f64 / writer.outline().fps;
        (frame.state, frame.action) = (taught.state, action);
        frame.pictures.resize_with(taught.pictures.len(), Vec::new);
        for (rgb, picture) in frame.pictures.iter_mut().zip(&taught.pictures) {
            // A picture that is too short has another size, too: the writer says so.
            if picture.picture().write_rgb(rgb).is_none() {
                rgb.clear();
            }
        }
        self.number += 1;
        if let Err(error) = self.writer.add_frame(&self.frame) {
            *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
            self.error = Some(error);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::episode::{Dataset, DatasetOutline, PictureStorage};

    #[test]
    fn the_next_pose_is_the_action_and_a_discarded_episode_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let outline = DatasetOutline { fps: 10.0, robot_type: None, cameras: Vec::new() };
        let writer = DatasetWriter::create(folder.path(), outline, PictureStorage::Images).unwrap();
        let thread = DatasetThread::start(writer, "Wave.".to_owned()).unwrap();
        let state = |number: u32| DatasetAngles::from_array_deg([f64::from(number); 6]);
        for number in [90, 91] {
            assert!(thread.add(state(number), Vec::new()));
        }
        thread.discard().unwrap();
        for number in 0..5 {
            assert!(thread.add(state(number), Vec::new()));
        }
        thread.close().unwrap();
        let episode = Dataset::open(folder.path()).unwrap().episode(0).unwrap();
        assert_eq!(episode.states, (0..5).map(state).collect::<Vec<_>>());
        assert_eq!(episode.actions, [1, 2, 3, 4, 4].map(state).to_vec());
    }
}
