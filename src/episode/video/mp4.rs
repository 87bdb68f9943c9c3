//! The boxes of an MP4 file that lead to its pictures (ISO/IEC 14496-12).
//!
//! Own code, since the published demuxers index a file's tables unchecked: `re_mp4` 0.5.1 panics on a short table and never returns
//! from a box of size 0. Here every read is checked against its box.

use super::sample_table::SampleTable;

/// Which decoder a track needs, and its configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Codec {
    /// AV1; samples are temporal units that begin with their own sequence header or use this one.
    Av1 {
        /// `configOBUs` of the `av1C` box.
        config_obus: Vec<u8>,
    },
    /// H.264 with parameter sets apart.
    H264 {
        /// Bytes of the length in front of each NAL unit: 1 to 4.
        length_size: usize,
        /// Sequence and picture parameter sets in Annex B form.
        parameter_sets: Vec<u8>,
    },
}

/// The video track of a file, as its `moov` box describes it.
#[derive(Debug)]
pub(super) struct VideoTrack {
    pub(super) codec: Codec,
    pub(super) width: u32,
    pub(super) height: u32,
    /// Units of media time in a second.
    pub(super) timescale: u32,
    /// Media time that is presented at zero, from the edit list.
    pub(super) start: i64,
    pub(super) table: SampleTable,
}

/// Why a `moov` box cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum BoxError {
    /// Bytes that contradict the format.
    Damaged(String),
    /// A form that is not decoded here.
    Unsupported(String),
}

pub(super) fn damaged<T>(problem: impl Into<String>) -> Result<T, BoxError> {
    Err(BoxError::Damaged(problem.into()))
}

fn unsupported<T>(problem: impl Into<String>) -> Result<T, BoxError> {
    Err(BoxError::Unsupported(problem.into()))
}

/// A cursor over the content of one box. Every read past the end is an error that names the box.
#[derive(Clone, Copy)]
pub(super) struct BoxReader<'a> {
    name: [u8; 4],
    bytes: &'a [u8],
}

impl<'a> BoxReader<'a> {
    pub(super) const fn new(name: [u8; 4], bytes: &'a [u8]) -> Self {
        Self { name, bytes }
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], BoxError> {
        match self.bytes.split_at_checked(count) {
            Some((head, tail)) => {
                self.bytes = tail;
                Ok(head)
            }
            None => damaged(format!("its box `{}` is cut short", self.name.escape_ascii())),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], BoxError> {
        let mut value = [0; N];
        value.copy_from_slice(self.take(N)?);
        Ok(value)
    }

    pub(super) fn u8(&mut self) -> Result<u8, BoxError> {
        Ok(self.array::<1>()?[0])
    }

    pub(super) fn u16(&mut self) -> Result<u16, BoxError> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    pub(super) fn u32(&mut self) -> Result<u32, BoxError> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    pub(super) fn u64(&mut self) -> Result<u64, BoxError> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    /// Version of a "full box"; the flags behind it are passed over.
    pub(super) fn version(&mut self) -> Result<u8, BoxError> {
        Ok(self.array::<4>()?[0])
    }

    /// The number of entries that follow, checked against the space for them.
    pub(super) fn entry_count(&mut self, entry_size: usize) -> Result<usize, BoxError> {
        let count = self.u32()? as usize;
        if count > self.bytes.len() / entry_size {
            return damaged(format!(
                "its box `{}` states {count} entries, more than it holds",
                self.name.escape_ascii()
            ));
        }
        Ok(count)
    }

    /// The next box inside, `None` at the end.
    fn next_box(&mut self) -> Result<Option<BoxReader<'a>>, BoxError> {
        if self.bytes.is_empty() {
            return Ok(None);
        }
        let mut size = u64::from(self.u32()?);
        let name = self.array()?;
        let mut header = 8;
        if size == 1 {
            size = self.u64()?;
            header = 16;
        } else if size == 0 {
            size = header + self.bytes.len() as u64;
        }
        let content = size.checked_sub(header).and_then(|content| usize::try_from(content).ok());
        match content.filter(|content| *content <= self.bytes.len()) {
            Some(content) => Ok(Some(BoxReader { name, bytes: self.take(content)? })),
            None => damaged(format!("its box `{}` has the impossible size {size}", name.escape_ascii())),
        }
    }

    /// The first box inside with this name.
    pub(super) fn find(mut self, name: &[u8; 4]) -> Result<Option<BoxReader<'a>>, BoxError> {
        while let Some(found) = self.next_box()? {
            if found.name == *name {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The first box inside with this name, which must be there.
    pub(super) fn need(self, name: &[u8; 4]) -> Result<BoxReader<'a>, BoxError> {
        match self.find(name)? {
            Some(found) => Ok(found),
            None => {
                damaged(format!("its box `{}` lacks `{}`", self.name.escape_ascii(), name.escape_ascii()))
            }
        }
    }
}

/// Finds the one video track in the content of a `moov` box. `file_length` bounds what its samples may claim.
pub(super) fn video_track(moov: &[u8], file_length: u64) -> Result<VideoTrack, BoxError> {
    let moov = BoxReader::new(*b"moov", moov);
    if moov.find(b"mvex")?.is_some() {
        return unsupported("a fragmented MP4 (ffmpeg -movflags faststart makes a plain one)");
    }
    let movie_timescale = timescale(moov.need(b"mvhd")?)?;
    let mut rest = moov;
    while let Some(inside) = rest.next_box()? {
        if inside.name == *b"trak" {
            let media = inside.need(b"mdia")?;
            let mut handler = media.need(b"hdlr")?;
            handler.take(8)?;
            if handler.array()? == *b"vide" {
                return track(inside, media, movie_timescale, file_length);
            }
        }
    }
    damaged("it holds no video track")
}

fn track(
    trak: BoxReader<'_>,
    media: BoxReader<'_>,
    movie_timescale: u32,
    file_length: u64,
) -> Result<VideoTrack, BoxError> {
    let timescale = timescale(media.need(b"mdhd")?)?;
    let start = match trak.find(b"edts")? {
        Some(edits) => match edits.find(b"elst")? {
            Some(list) => presentation_start(list, movie_timescale, timescale)?,
            None => 0,
        },
        None => 0,
    };
    let stbl = media.need(b"minf")?.need(b"stbl")?;
    let (codec, width, height) = sample_description(stbl.need(b"stsd")?)?;
    if width == 0 || height == 0 {
        return damaged(format!("it states pictures of {width}x{height}"));
    }
    Ok(VideoTrack { codec, width, height, timescale, start, table: SampleTable::read(stbl, file_length)? })
}

/// Units a second, from `mvhd` or `mdhd`: both begin alike.
fn timescale(mut header: BoxReader<'_>) -> Result<u32, BoxError> {
    let times = if header.version()? == 1 { 16 } else { 8 };
    header.take(times)?;
    match header.u32()? {
        0 => damaged("its timescale is 0"),
        timescale => Ok(timescale),
    }
}

/// The media time that is presented at zero.
///
/// Written are: one edit (its media time is where the show begins: encoders with B-frames shift by their delay so), with an empty
/// edit in front when the track starts late. Anything else cuts the film.
fn presentation_start(
    mut list: BoxReader<'_>,
    movie_timescale: u32,
    timescale: u32,
) -> Result<i64, BoxError> {
    let long = list.version()? == 1;
    let count = list.entry_count(if long { 20 } else { 12 })?;
    let mut delay: i64 = 0;
    for entry in 0..count {
        let (duration, media_time) = if long {
            (list.u64()?, list.u64()?.cast_signed())
        } else {
            (u64::from(list.u32()?), i64::from(list.u32()?.cast_signed()))
        };
        let rate = list.u32()?;
        if media_time == -1 && entry + 1 < count {
            let units = u128::from(duration) * u128::from(timescale) / u128::from(movie_timescale);
            match i64::try_from(units).ok().and_then(|units| delay.checked_add(units)) {
                Some(sum) => delay = sum,
                None => return damaged("its edit list starts the film after the end of time"),
            }
        } else if entry + 1 == count && media_time >= 0 && rate == 0x1_0000 {
            return Ok(media_time - delay);
        } else {
            return unsupported("its edit list cuts or stretches the film");
        }
    }
    Ok(0)
}

fn sample_description(mut stsd: BoxReader<'_>) -> Result<(Codec, u32, u32), BoxError> {
    stsd.version()?;
    if stsd.u32()? != 1 {
        return unsupported("it changes its codec on the way");
    }
    let Some(mut entry) = stsd.next_box()? else {
        return damaged("it names no codec");
    };
    let name = entry.name;
    // Reserved, data reference, pre-defined: 24 bytes to the size; resolution to depth: 50 bytes to the boxes.
    entry.take(24)?;
    let (width, height) = (u32::from(entry.u16()?), u32::from(entry.u16()?));
    entry.take(50)?;
    let codec = match &name {
        b"av01" => {
            let mut configuration = entry.need(b"av1C")?;
            let [_, _, depth, _] = configuration.array()?;
            if depth & 0x40 != 0 {
                return unsupported("AV1 with more than 8 bits a channel");
            }
            Codec::Av1 { config_obus: configuration.bytes.to_vec() }
        }
        b"avc1" | b"avc3" => h264_configuration(entry.need(b"avcC")?)?,
        other => return unsupported(format!("the codec `{}`", other.escape_ascii())),
    };
    Ok((codec, width, height))
}

fn h264_configuration(mut configuration: BoxReader<'_>) -> Result<Codec, BoxError> {
    // Version, profile, compatibility, level.
    configuration.take(4)?;
    let length_size = usize::from(configuration.u8()? & 3) + 1;
    let mut parameter_sets = Vec::new();
    for mask in [0x1f, 0xff] {
        for _ in 0..configuration.u8()? & mask {
            let length = usize::from(configuration.u16()?);
            parameter_sets.extend_from_slice(&[0, 0, 0, 1]);
            parameter_sets.extend_from_slice(configuration.take(length)?);
        }
    }
    Ok(Codec::H264 { length_size, parameter_sets })
}
