//! Where each encoded picture lies in the file and when it is shown.

use super::mp4::{BoxError, BoxReader, damaged};

/// One encoded picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sample {
    /// First byte in the file.
    pub(super) offset: u64,
    /// Bytes.
    pub(super) size: u32,
    /// Whether decoding can begin here.
    pub(super) keyframe: bool,
    /// When it is shown, in media time.
    pub(super) composition: i64,
}

/// All samples of a track in the order of decoding.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SampleTable {
    pub(super) samples: Vec<Sample>,
}

impl SampleTable {
    /// Joins the tables of a `stbl` box; they must agree in number and stay inside a file of `file_length` bytes.
    pub(super) fn read(stbl: BoxReader<'_>, file_length: u64) -> Result<Self, BoxError> {
        let sizes = sizes(stbl.need(b"stsz")?, file_length)?;
        let times = composition_times(stbl, sizes.len())?;
        let offsets = offsets(stbl, &sizes)?;
        let mut samples: Vec<Sample> = Vec::with_capacity(sizes.len());
        for ((size, offset), composition) in sizes.into_iter().zip(offsets).zip(times) {
            if offset.checked_add(u64::from(size)).is_none_or(|end| end > file_length) {
                return damaged(format!(
                    "sample {} ends at byte {}, the file at {file_length}: it is cut short",
                    samples.len(),
                    offset.saturating_add(u64::from(size))
                ));
            }
            samples.push(Sample { offset, size, keyframe: false, composition });
        }
        match stbl.find(b"stss")? {
            // Without the box every sample is a keyframe.
            None => samples.iter_mut().for_each(|sample| sample.keyframe = true),
            Some(mut list) => {
                list.version()?;
                for _ in 0..list.entry_count(4)? {
                    let number = list.u32()? as usize;
                    match number.checked_sub(1).and_then(|place| samples.get_mut(place)) {
                        Some(sample) => sample.keyframe = true,
                        None => {
                            return damaged(format!(
                                "keyframe {number} is not among its {} samples",
                                samples.len()
                            ));
                        }
                    }
                }
            }
        }
        match samples.first() {
            Some(Sample { keyframe: true, .. }) => Ok(Self { samples }),
            Some(_) => damaged("it does not begin with a keyframe"),
            None => damaged("it holds no picture"),
        }
    }
}

fn sizes(mut stsz: BoxReader<'_>, file_length: u64) -> Result<Vec<u32>, BoxError> {
    stsz.version()?;
    match stsz.u32()? {
        0 => (0..stsz.entry_count(4)?).map(|_| stsz.u32()).collect(),
        common => {
            let count = stsz.u32()?;
            if u64::from(common) * u64::from(count) > file_length {
                return damaged(format!("its {count} samples of {common} bytes do not fit in the file"));
            }
            Ok(vec![common; count as usize])
        }
    }
}

/// Decode time plus composition offset of each sample.
fn composition_times(stbl: BoxReader<'_>, count: usize) -> Result<Vec<i64>, BoxError> {
    let mut times = Vec::with_capacity(count);
    let mut stts = stbl.need(b"stts")?;
    stts.version()?;
    let mut decode_time: i64 = 0;
    for _ in 0..stts.entry_count(8)? {
        let (run, delta) = (stts.u32()? as usize, stts.u32()?);
        if run > count - times.len() {
            return damaged(format!("its time table covers more than its {count} samples"));
        }
        for _ in 0..run {
            times.push(decode_time);
            // At most 2^32 samples of 2^32 units each stay below 2^63 in any file that fits on a disk; saturate all the same.
            decode_time = decode_time.saturating_add(i64::from(delta));
        }
    }
    if times.len() != count {
        return damaged(format!("its time table covers {} of its {count} samples", times.len()));
    }
    if let Some(mut ctts) = stbl.find(b"ctts")? {
        ctts.version()?;
        let mut rest = times.iter_mut();
        for _ in 0..ctts.entry_count(8)? {
            // Version 0 says unsigned, but writers put negative offsets there too, as every player expects.
            let (run, offset) = (ctts.u32()? as usize, ctts.u32()?.cast_signed());
            for time in rest.by_ref().take(run) {
                *time = time.saturating_add(i64::from(offset));
            }
        }
        if rest.next().is_some() {
            return damaged(format!("its composition table covers fewer than its {count} samples"));
        }
    }
    Ok(times)
}

/// The first byte of each sample, from the chunks that they lie in.
fn offsets(stbl: BoxReader<'_>, sizes: &[u32]) -> Result<Vec<u64>, BoxError> {
    let mut chunks: Vec<u64> = Vec::new();
    if let Some(mut stco) = stbl.find(b"stco")? {
        stco.version()?;
        for _ in 0..stco.entry_count(4)? {
            chunks.push(u64::from(stco.u32()?));
        }
    } else {
        let mut co64 = stbl.need(b"co64")?;
        co64.version()?;
        for _ in 0..co64.entry_count(8)? {
            chunks.push(co64.u64()?);
        }
    }
    let mut stsc = stbl.need(b"stsc")?;
    stsc.version()?;
    // Runs of chunks with the same number of samples: first chunk (from 1), samples a chunk.
    let mut runs = Vec::new();
    for _ in 0..stsc.entry_count(12)? {
        runs.push((stsc.u32()? as usize, stsc.u32()? as usize));
        stsc.u32()?;
    }
    let mut offsets = Vec::with_capacity(sizes.len());
    let mut run = 0;
    for (place, chunk) in chunks.iter().enumerate() {
        while runs.get(run + 1).is_some_and(|(first, _)| *first <= place + 1) {
            run += 1;
        }
        let Some((_, in_chunk)) = runs.get(run).filter(|(first, _)| (1..=place + 1).contains(first)) else {
            return damaged(format!("its chunk table does not say what chunk {place} holds"));
        };
        let mut offset = *chunk;
        for size in sizes.iter().skip(offsets.len()).take(*in_chunk) {
            offsets.push(offset);
            offset = offset.saturating_add(u64::from(*size));
        }
    }
    if offsets.len() != sizes.len() {
        return damaged(format!("its chunks hold {} of its {} samples", offsets.len(), sizes.len()));
    }
    Ok(offsets)
}
