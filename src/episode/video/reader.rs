//! Exact access to the frames of a video file by number.

use std::collections::VecDeque;
use std::fmt;
use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::decoded_cache::DecodedCache;
use super::decoder::{self, Decoder};
use super::mp4::{self, BoxError, VideoTrack};
use super::picture::Picture;
use crate::episode::EpisodeError;

/// The longest encoded picture that is read, bytes.
const MAX_SAMPLE_BYTES: u32 = 64 << 20;

/// A video file (MP4 with AV1 or H.264, 8-bit 4:2:0) whose frames are read by number.
///
/// Frames are counted from 0 in the order in which they are shown. Reading them in that order decodes each once; any other order
/// decodes from the keyframe before. The frame asked for is the frame returned: when a decoder gives out another number of pictures
/// than the file holds, that is an error.
pub struct VideoReader {
    path: PathBuf,
    file: File,
    track: VideoTrack,
    /// Samples in the order in which they are shown: their places in decoding order.
    shown: Vec<usize>,
    /// Number of samples in front of `shown` that the edit list hides: decoded, never shown.
    hidden: usize,
    decoder: Box<dyn Decoder>,
    group: Group,
    /// Pictures that came out of the decoder before they were asked for, by rank.
    ready: VecDeque<(usize, Vec<u8>)>,
    /// Pictures that were decoded before.
    decoded: DecodedCache,
}

/// A keyframe and what depends on it, while it is being decoded. Ranks are places in `shown`.
#[derive(Debug, Default)]
struct Group {
    /// Samples in decoding order. Closed: they are also consecutive in `shown`, with the same range of ranks.
    range: Range<usize>,
    /// The sample to decode next.
    next_sample: usize,
    /// The rank of the picture that the decoder gives out next.
    next_rank: usize,
}

impl VideoReader {
    /// Opens a file and reads its tables.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, EpisodeError> {
        let path = path.as_ref();
        let file = File::open(path).map_err(|source| EpisodeError::read(path, source))?;
        let unusable = |error| match error {
            BoxError::Damaged(problem) => EpisodeError::damaged(path, problem),
            BoxError::Unsupported(problem) => {
                EpisodeError::UnsupportedVideo { path: path.to_path_buf(), problem }
            }
        };
        let length = file.metadata().map_err(|source| EpisodeError::read(path, source))?.len();
        let moov = read_moov(&file, length, path)?;
        let track = mp4::video_track(&moov, length).map_err(unusable)?;
        let (shown, hidden) = presentation_order(&track).map_err(unusable)?;
        let decoder = decoder::decoder(&track.codec, track.width.saturating_mul(track.height))
            .map_err(|problem| EpisodeError::UnsupportedVideo { path: path.to_path_buf(), problem })?;
        let path = path.to_path_buf();
        Ok(Self {
            path,
            file,
            track,
            shown,
            hidden,
            decoder,
            group: Group::default(),
            ready: VecDeque::new(),
            decoded: DecodedCache::default(),
        })
    }

    /// Keeps pictures that were decoded, up to so many bytes, those on the way to the one asked for included. At first none is kept.
    pub fn keep_decoded(&mut self, bytes: usize) {
        self.decoded = DecodedCache::new(bytes);
    }

    /// Whether decoding can begin at this frame.
    pub fn is_keyframe(&self, frame: usize) -> bool {
        self.shown.get(frame + self.hidden).is_some_and(|sample| self.track.table.samples[*sample].keyframe)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Width in pixels.
    pub fn width(&self) -> u32 {
        self.track.width
    }

    /// Height in pixels.
    pub fn height(&self) -> u32 {
        self.track.height
    }

    /// Bytes of one frame as RGB: `width * height * 3`.
    pub fn frame_bytes(&self) -> usize {
        self.track.width as usize * self.track.height as usize * 3
    }

    /// Number of frames that are shown.
    pub fn frame_count(&self) -> usize {
        self.shown.len() - self.hidden
    }

    /// When the last frame is shown, seconds from the start.
    pub fn last_time_s(&self) -> f64 {
        self.shown.last().map_or(0.0, |sample| self.time_s(*sample))
    }

    /// Pictures a second, when they follow each other evenly and there are at least two.
    pub fn frames_a_second(&self) -> Option<f64> {
        let shown = &self.shown[self.hidden..];
        let (first, last) = (*shown.first()?, *shown.last()?);
        let mean = (self.time_s(last) - self.time_s(first)) / (shown.len() - 1) as f64;
        let steps = || shown.windows(2).map(|pair| self.time_s(pair[1]) - self.time_s(pair[0]));
        let even = shown.len() > 1 && mean > 0.0 && steps().all(|step| (step - mean).abs() <= 0.1 * mean);
        even.then(|| 1.0 / mean)
    }

    /// The number of the frame that is shown at `time_s` seconds, at most `tolerance_s` away.
    pub fn frame_at(&self, time_s: f64, tolerance_s: f64) -> Option<usize> {
        let shown = &self.shown[self.hidden..];
        let after = shown.partition_point(|sample| self.time_s(*sample) < time_s);
        let distance = |frame: &usize| (self.time_s(shown[*frame]) - time_s).abs();
        let nearest = [after.checked_sub(1), Some(after).filter(|frame| *frame < shown.len())]
            .into_iter()
            .flatten()
            .min_by(|a, b| distance(a).total_cmp(&distance(b)))?;
        (distance(&nearest) <= tolerance_s).then_some(nearest)
    }

    /// Reads one frame as RGB rows without padding, [`frame_bytes`](Self::frame_bytes) long.
    pub fn read_frame(&mut self, frame: usize, rgb: &mut [u8]) -> Result<(), EpisodeError> {
        let count = self.frame_count();
        if frame >= count {
            return Err(EpisodeError::NoSuchFrame { path: self.path.clone(), frame, count });
        }
        let read = self.read_rank(frame + self.hidden, rgb);
        read.map_err(|fault| {
            // Whatever the decoder holds now is unknown: start over at the next call.
            self.group = Group::default();
            self.ready.clear();
            match fault {
                Fault::Read(source) => EpisodeError::read(&self.path, source),
                Fault::Decode(problem) => EpisodeError::Decode { path: self.path.clone(), frame, problem },
            }
        })
    }

    fn time_s(&self, sample: usize) -> f64 {
        (self.track.table.samples[sample].composition - self.track.start) as f64
            / f64::from(self.track.timescale)
    }

    fn read_rank(&mut self, rank: usize, rgb: &mut [u8]) -> Result<(), Fault> {
        if rgb.len() != self.frame_bytes() {
            return Err(Fault::Decode(format!(
                "{} bytes of room, expected {}",
                rgb.len(),
                self.frame_bytes()
            )));
        }
        if self.decoded.copy(rank, rgb) {
            return Ok(());
        }
        while self.ready.front().is_some_and(|(ready, _)| *ready < rank) {
            self.ready.pop_front();
        }
        if self.ready.front().is_some_and(|(ready, _)| *ready == rank)
            && let Some((_, picture)) = self.ready.pop_front()
        {
            rgb.copy_from_slice(&picture);
            return Ok(());
        }
        if !self.group.range.contains(&rank) || rank < self.group.next_rank {
            self.start_group(rank)?;
        }
        let mut found = false;
        while !found {
            found = self.decode_next(rank, rgb)?;
        }
        Ok(())
    }

    /// Points the decoder at the keyframe before `rank`.
    fn start_group(&mut self, rank: usize) -> Result<(), Fault> {
        let samples = &self.track.table.samples;
        let place = self.shown[rank];
        let start = (0..=place).rev().find(|place| samples[*place].keyframe).unwrap_or(0);
        let end = (place + 1..samples.len()).find(|place| samples[*place].keyframe).unwrap_or(samples.len());
        // A group that was decoded to its end leaves the decoder ready for the next keyframe.
        if self.group.next_rank != self.group.range.end || self.group.range.is_empty() {
            self.decoder.reset().map_err(Fault::Decode)?;
        }
        self.ready.clear();
        self.group = Group { range: start..end, next_sample: start, next_rank: start };
        Ok(())
    }

    /// Decodes one sample of the group, or gives out its last pictures. Returns whether the picture of `rank` was among them.
    fn decode_next(&mut self, rank: usize, rgb: &mut [u8]) -> Result<bool, Fault> {
        let size = (self.track.width, self.track.height);
        let mut found = false;
        let (group, ready, decoded) = (&mut self.group, &mut self.ready, &mut self.decoded);
        let (end, next_rank) = (group.range.end, &mut group.next_rank);
        let mut sink = |picture: &Picture<'_>| -> Result<(), String> {
            if (picture.width, picture.height) != size {
                let (width, height) = size;
                return Err(format!(
                    "a picture of {}x{} in a film of {width}x{height}",
                    picture.width, picture.height
                ));
            }
            if *next_rank == end {
                return Err("more pictures than samples since the last keyframe".to_owned());
            }
            if *next_rank == rank {
                picture.write_rgb(rgb)?;
                decoded.keep(rank, rgb.len(), |room| room.copy_from_slice(rgb));
                found = true;
            } else if *next_rank > rank {
                let mut early = vec![0; rgb.len()];
                picture.write_rgb(&mut early)?;
                ready.push_back((*next_rank, early));
            } else {
                let mut written = Ok(());
                decoded.keep(*next_rank, rgb.len(), |room| written = picture.write_rgb(room));
                written?;
            }
            *next_rank += 1;
            Ok(())
        };
        if group.next_sample < end {
            let sample = self.track.table.samples[group.next_sample];
            if sample.size > MAX_SAMPLE_BYTES {
                return Err(Fault::Decode(format!("it takes {} bytes, more than is believed", sample.size)));
            }
            let mut bytes = vec![0; sample.size as usize];
            self.file.read_exact_at(&mut bytes, sample.offset).map_err(Fault::Read)?;
            self.decoder.decode(bytes, &mut sink).map_err(Fault::Decode)?;
            group.next_sample += 1;
        }
        if group.next_sample == end {
            self.decoder.finish(&mut sink).map_err(Fault::Decode)?;
            if *next_rank != end {
                let missing = end - *next_rank;
                return Err(Fault::Decode(format!(
                    "{missing} pictures are missing before the next keyframe"
                )));
            }
        }
        Ok(found)
    }
}

impl fmt::Debug for VideoReader {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = (self.width(), self.height());
        let mut shown = formatter.debug_struct("VideoReader");
        shown
            .field("path", &self.path)
            .field("size", &size)
            .field("frames", &self.frame_count())
            .finish_non_exhaustive()
    }
}

enum Fault {
    Read(std::io::Error),
    Decode(String),
}

/// The content of the file's `moov` box.
fn read_moov(file: &File, length: u64, path: &Path) -> Result<Vec<u8>, EpisodeError> {
    let read = |source| EpisodeError::read(path, source);
    let mut at = 0;
    while length - at >= 8 {
        let mut head = [0; 16];
        let available = (length - at).min(16);
        file.read_exact_at(&mut head[..if available == 16 { 16 } else { 8 }], at).map_err(read)?;
        let [a, b, c, d, name @ ..] = head;
        let (header, size) = match u32::from_be_bytes([a, b, c, d]) {
            0 => (8, length - at),
            1 => {
                let [_, _, _, _, long @ ..] = name;
                (16, u64::from_be_bytes(long))
            }
            size => (8, u64::from(size)),
        };
        if size < header || size > length - at {
            let problem = format!(
                "it is no MP4 or cut short: the box at byte {at} states {size} bytes, {} are there",
                length - at
            );
            return Err(EpisodeError::damaged(path, problem));
        }
        if name.starts_with(b"moov") {
            let mut content = vec![0; usize::try_from(size - header).unwrap_or(usize::MAX)];
            file.read_exact_at(&mut content, at + header).map_err(read)?;
            return Ok(content);
        }
        at += size;
    }
    Err(EpisodeError::damaged(path, "it holds no `moov` box: no MP4, or its recording never ended"))
}

/// Sorts samples by the time at which they are shown, and counts those that the edit list hides.
fn presentation_order(track: &VideoTrack) -> Result<(Vec<usize>, usize), BoxError> {
    let samples = &track.table.samples;
    let mut shown: Vec<usize> = (0..samples.len()).collect();
    shown.sort_by_key(|place| samples[*place].composition);
    if shown.windows(2).any(|pair| samples[pair[0]].composition == samples[pair[1]].composition) {
        return Err(BoxError::Damaged("two of its pictures are shown at the same time".to_owned()));
    }
    // A group is closed when sorting moves none of its samples across a keyframe.
    let mut group = 0;
    for (rank, place) in shown.iter().enumerate() {
        if samples[rank].keyframe {
            group = rank;
            if *place != rank {
                return Err(BoxError::Unsupported(
                    "pictures before a keyframe depend on it (open GOP)".to_owned(),
                ));
            }
        }
        if *place < group {
            return Err(BoxError::Unsupported(
                "pictures after a keyframe depend on what lies before (open GOP)".to_owned(),
            ));
        }
    }
    let hidden = shown.iter().take_while(|place| samples[**place].composition < track.start).count();
    Ok((shown, hidden))
}
