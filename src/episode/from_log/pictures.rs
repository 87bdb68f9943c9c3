//! The pictures of an episode, decoded by a thread of their own in the order of the log.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;

use super::LoggedEpisode;
use crate::episode::EpisodeError;
use crate::episode::run_log::{FrameRecord, Record, RunLogReader};
use crate::types::{Picture, Timestamp};

/// Pictures that are ready before they are asked for.
const AHEAD: usize = 8;

/// Slot of a picture, and when it was taken.
type Name = (usize, Timestamp);

type Decoded = Result<(Name, Vec<u8>), EpisodeError>;

/// The pictures of one episode as RGB rows.
pub(super) struct LoggedPictures {
    /// `None` once it is dropped.
    decoded: Option<Receiver<Decoded>>,
    thread: Option<JoinHandle<()>>,
    /// Pictures that are needed still, and how often.
    uses: HashMap<Name, usize>,
    /// Those that came before they were asked for: a log has the policy's pictures before others.
    early: HashMap<Name, Vec<u8>>,
}

impl LoggedPictures {
    /// Begins to decode.
    pub(super) fn open(episode: &LoggedEpisode) -> Result<Self, EpisodeError> {
        let mut uses: HashMap<Name, usize> = HashMap::new();
        for frame in &episode.frames {
            for (slot, captured) in frame.pictures.iter().enumerate() {
                if let Some(captured) = captured {
                    *uses.entry((slot, *captured)).or_default() += 1;
                }
            }
        }
        let (ready, decoded) = sync_channel::<Decoded>(AHEAD);
        let (path, wanted) = (episode.log.clone(), uses.clone());
        let mut left: HashSet<Name> = uses.keys().copied().collect();
        let thread = std::thread::Builder::new().name("log pictures".to_owned()).spawn(move || {
            let decode = |record: FrameRecord| {
                let rgb = rgb(&path, &record)?;
                Ok(((record.slot, record.metadata.captured), rgb))
            };
            let reader = RunLogReader::open(&path);
            let mut reader = match reader {
                Ok(reader) => {
                    reader.decode_only(move |slot, frame| wanted.contains_key(&(slot, frame.captured)))
                }
                // Whoever no longer listens has an error of its own.
                Err(error) => return drop(ready.send(Err(error.into()))),
            };
            while !left.is_empty() {
                let sent = match reader.next_record() {
                    Ok(Some(Record::Frame(record)))
                        if left.remove(&(record.slot, record.metadata.captured)) =>
                    {
                        ready.send(decode(record))
                    }
                    Ok(Some(_)) => Ok(()),
                    Ok(None) => return,
                    Err(error) => return drop(ready.send(Err(error.into()))),
                };
                if sent.is_err() {
                    return;
                }
            }
        });
        let thread = thread.map_err(|source| EpisodeError::read(&episode.log, source))?;
        Ok(Self { decoded: Some(decoded), thread: Some(thread), uses, early: HashMap::new() })
    }

    /// Puts a picture of `log` into `rgb`.
    pub(super) fn take(
        &mut self,
        log: &Path,
        slot: usize,
        captured: Timestamp,
        rgb: &mut Vec<u8>,
    ) -> Result<(), EpisodeError> {
        let name = (slot, captured);
        while !self.early.contains_key(&name) {
            let Some(Ok(decoded)) = self.decoded.as_ref().map(Receiver::recv) else {
                let problem = format!("the picture of slot {slot} at {captured} cannot be read any more");
                return Err(EpisodeError::damaged(log, problem));
            };
            let (name, picture) = decoded?;
            self.early.insert(name, picture);
        }
        let left = self.uses.entry(name).or_insert(1);
        *left -= 1;
        if *left > 0 {
            // It is shown again.
            rgb.clone_from(&self.early[&name]);
        } else if let Some(picture) = self.early.remove(&name) {
            *rgb = picture;
        }
        Ok(())
    }
}

fn rgb(path: &Path, record: &FrameRecord) -> Result<Vec<u8>, EpisodeError> {
    let (width, height) = (record.metadata.width, record.metadata.height);
    let picture = Picture { width, height, layout: record.layout, bytes: &record.pixels };
    let mut rgb = Vec::new();
    let converted = picture.write_rgb(&mut rgb);
    let number = record.metadata.id;
    converted.ok_or_else(|| EpisodeError::damaged(path, format!("picture {number} is too short")))?;
    Ok(rgb)
}

impl Drop for LoggedPictures {
    fn drop(&mut self) {
        // The thread ends when nobody listens.
        self.decoded = None;
        let _panicked = self.thread.take().map(JoinHandle::join);
    }
}
