//! Pictures of an episode in order, decoded ahead on other cores.

use std::ops::Range;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;

use super::{Dataset, EpisodeError, EpisodePictures};

/// Frames that one worker decodes before the next one's turn comes, unless a keyframe is farther away.
const SEGMENT: usize = 16;

/// Pictures that each worker has ready at most.
const AHEAD: usize = SEGMENT;

type Delivered = Result<Vec<u8>, EpisodeError>;

/// Reads the pictures of one episode and camera in order; threads of its own decode ahead.
///
/// The episode is cut into segments that begin where decoding can begin, and the workers take turns. Dropped early, it lets them end.
#[derive(Debug)]
pub struct PictureStream {
    workers: Vec<Worker>,
    segments: Vec<Range<usize>>,
    /// The segment that is read now, and the next frame.
    segment: usize,
    frame: usize,
    length: usize,
}

#[derive(Debug)]
struct Worker {
    /// `None` once it has ended.
    pictures: Option<Receiver<Delivered>>,
    /// Buffers that go back.
    used: Sender<Vec<u8>>,
    thread: Option<JoinHandle<()>>,
}

impl PictureStream {
    /// Begins to read. `workers` is the number of threads that decode, at least one.
    pub fn open(
        dataset: &Dataset,
        episode: usize,
        camera: Option<&str>,
        workers: usize,
    ) -> Result<Self, EpisodeError> {
        let opened: Result<Vec<_>, _> =
            (0..workers.max(1)).map(|_| dataset.pictures(episode, camera)).collect();
        Ok(Self::over(opened?))
    }

    /// Begins to read pictures that were opened once for each thread that is to decode.
    pub(super) fn over(mut pictures: Vec<EpisodePictures>) -> Self {
        let length = pictures.first().map_or(0, EpisodePictures::length);
        let segments = pictures.first().map_or_else(Vec::new, segments);
        pictures.truncate(segments.len().max(1));
        let workers = pictures.len();
        let start = |(number, pictures): (usize, EpisodePictures)| {
            let own: Vec<Range<usize>> = segments.iter().skip(number).step_by(workers).cloned().collect();
            Worker::start(pictures, own)
        };
        let workers = pictures.into_iter().enumerate().map(start).collect();
        Self { workers, segment: 0, frame: 0, length, segments }
    }

    /// Number of frames.
    pub const fn length(&self) -> usize {
        self.length
    }

    /// Puts the next picture into `rgb`, whose memory goes back to the workers. `false` at the end.
    pub fn next_picture(&mut self, rgb: &mut Vec<u8>) -> Result<bool, EpisodeError> {
        let Some(segment) = self.segments.get(self.segment) else { return Ok(false) };
        let count = self.workers.len();
        let worker = &mut self.workers[self.segment % count];
        let Some(Ok(delivered)) = worker.pictures.as_ref().map(Receiver::recv) else {
            // It ended after an error, which was handed out before.
            self.segment = self.segments.len();
            return Ok(false);
        };
        let picture = delivered.inspect_err(|_| self.segment = self.segments.len())?;
        // The worker may have ended already: then nobody needs the buffer.
        let _no_more_use = worker.used.send(std::mem::replace(rgb, picture));
        self.frame += 1;
        if self.frame == segment.end {
            self.segment += 1;
        }
        Ok(true)
    }
}

impl Worker {
    fn start(mut pictures: EpisodePictures, segments: Vec<Range<usize>>) -> Self {
        let (deliver, delivered): (SyncSender<Delivered>, _) = sync_channel(AHEAD);
        let (used, free) = channel();
        let thread = std::thread::spawn(move || {
            for frame in segments.into_iter().flatten() {
                let mut rgb: Vec<u8> = free.try_recv().unwrap_or_default();
                rgb.resize(pictures.frame_bytes(), 0);
                let read = pictures.read(frame, &mut rgb).map(|()| rgb);
                let failed = read.is_err();
                if deliver.send(read).is_err() || failed {
                    return;
                }
            }
        });
        Self { pictures: Some(delivered), used, thread: Some(thread) }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // A worker that waits to deliver sees that nobody listens.
        self.pictures = None;
        if let Some(thread) = self.thread.take() {
            // A panic in it was seen as the end of its pictures.
            let _ended = thread.join();
        }
    }
}

/// Cuts an episode where decoding can begin.
fn segments(pictures: &EpisodePictures) -> Vec<Range<usize>> {
    let mut segments = Vec::new();
    let mut start = 0;
    for frame in 1..pictures.length() {
        if frame - start >= SEGMENT && pictures.starts_at(frame) {
            segments.push(start..frame);
            start = frame;
        }
    }
    if pictures.length() > start {
        segments.push(start..pictures.length());
    }
    segments
}
