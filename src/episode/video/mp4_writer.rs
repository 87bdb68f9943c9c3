//! An MP4 file of one H.264 track, written in one go: the boxes are `mp4-atom`'s.

use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use mp4_atom::{
    Avc1, Avcc, Co64, Codec, Dinf, Dref, DrefEntry, Encode, FourCC, Ftyp, Hdlr, Mdhd, Mdia, Minf, Moov, Mvhd,
    Stbl, Stsc, StscEntry, Stsd, Stss, Stsz, StszSamples, Stts, SttsEntry, Tkhd, Trak, Url, Visual, Vmhd,
};

use super::encoder::EncodedPicture;
use crate::episode::EpisodeError;

/// Units of media time in a picture: with them 30 frames a second have LeRobot's own time base, 1/15360 s.
const UNITS_A_PICTURE: u32 = 512;

/// Writes samples as they come, the tables at the end.
pub(in crate::episode) struct Mp4Writer {
    path: PathBuf,
    file: BufWriter<File>,
    width: u16,
    height: u16,
    timescale: u32,
    /// Where the `mdat` box begins.
    data_start: u64,
    sizes: Vec<u32>,
    keyframes: Vec<u32>,
}

impl Mp4Writer {
    /// Begins a file of pictures that follow each other at `fps`.
    pub(in crate::episode) fn create(
        path: &Path,
        width: u32,
        height: u32,
        fps: f64,
    ) -> Result<Self, EpisodeError> {
        let failed = |problem: String| EpisodeError::write(path, std::io::Error::other(problem));
        let narrow = |size: u32| u16::try_from(size).map_err(|error| failed(error.to_string()));
        let timescale = (fps * f64::from(UNITS_A_PICTURE)).round() as u32;
        let mut head = Vec::new();
        let ftyp = Ftyp {
            major_brand: FourCC::new(b"isom"),
            minor_version: 512,
            compatible_brands: [b"isom", b"iso2", b"avc1", b"mp41"].map(FourCC::new).to_vec(),
        };
        ftyp.encode(&mut head).map_err(|error| failed(error.to_string()))?;
        let data_start = head.len() as u64;
        // A box of 64-bit size: it is filled in at the end.
        head.extend_from_slice(&1_u32.to_be_bytes());
        head.extend_from_slice(b"mdat");
        head.extend_from_slice(&0_u64.to_be_bytes());
        let file = File::create(path).map_err(|source| EpisodeError::write(path, source))?;
        let mut file = BufWriter::new(file);
        file.write_all(&head).map_err(|source| EpisodeError::write(path, source))?;
        Ok(Self {
            path: path.to_path_buf(),
            file,
            width: narrow(width)?,
            height: narrow(height)?,
            timescale,
            data_start,
            sizes: Vec::new(),
            keyframes: Vec::new(),
        })
    }

    /// Adds the next picture.
    pub(in crate::episode) fn add(&mut self, picture: &EncodedPicture) -> Result<(), EpisodeError> {
        self.file.write_all(&picture.sample).map_err(|source| EpisodeError::write(&self.path, source))?;
        // A sample is the encoder's answer to one picture: far below 4 GiB.
        self.sizes.push(u32::try_from(picture.sample.len()).unwrap_or(u32::MAX));
        if picture.keyframe {
            self.keyframes.push(self.sizes.len() as u32);
        }
        Ok(())
    }

    /// Writes the tables; the file is on the disk when this returns. `sets` are sequence and picture parameter set.
    pub(in crate::episode) fn finish(mut self, sets: (&[u8], &[u8])) -> Result<(), EpisodeError> {
        let path = self.path.clone();
        let written = self.tables(sets).map_err(std::io::Error::other).and_then(|moov| {
            let end = self.file.stream_position()?;
            self.file.write_all(&moov)?;
            self.file.seek(SeekFrom::Start(self.data_start + 8))?;
            self.file.write_all(&(end - self.data_start).to_be_bytes())?;
            self.file.flush()?;
            self.file.get_ref().sync_all()
        });
        written.map_err(|source| EpisodeError::write(&path, source))
    }

    fn tables(&self, (sequence, parameters): (&[u8], &[u8])) -> Result<Vec<u8>, mp4_atom::Error> {
        let count = self.sizes.len() as u32;
        let duration = u64::from(count) * u64::from(UNITS_A_PICTURE);
        let visual =
            Visual { data_reference_index: 1, width: self.width, height: self.height, ..Visual::default() };
        let avc1 = Avc1 { visual, avcc: Avcc::new(sequence, parameters)?, ..Avc1::default() };
        let stbl = Stbl {
            stsd: Stsd { codecs: vec![Codec::Avc1(avc1)] },
            stts: Stts { entries: vec![SttsEntry { sample_count: count, sample_delta: UNITS_A_PICTURE }] },
            stss: Some(Stss { entries: self.keyframes.clone() }),
            // All samples lie in one piece.
            stsc: Stsc {
                entries: vec![StscEntry {
                    first_chunk: 1,
                    samples_per_chunk: count,
                    sample_description_index: 1,
                }],
            },
            stsz: Stsz { samples: StszSamples::Different { sizes: self.sizes.clone() } },
            co64: Some(Co64 { entries: vec![self.data_start + 16] }),
            ..Stbl::default()
        };
        let minf = Minf {
            vmhd: Some(Vmhd::default()),
            dinf: Dinf { dref: Dref { entries: vec![DrefEntry::Url(Url::default())] } },
            stbl,
            ..Minf::default()
        };
        let mdia = Mdia {
            mdhd: Mdhd { timescale: self.timescale, duration, language: "und".to_owned(), ..Mdhd::default() },
            hdlr: Hdlr { handler: FourCC::new(b"vide"), name: "VideoHandler".to_owned() },
            minf,
        };
        let tkhd = Tkhd {
            track_id: 1,
            duration,
            enabled: true,
            in_movie: true,
            width: self.width.into(),
            height: self.height.into(),
            ..Tkhd::default()
        };
        let moov = Moov {
            mvhd: Mvhd { timescale: self.timescale, duration, next_track_id: 2, ..Mvhd::default() },
            trak: vec![Trak { tkhd, mdia, ..Trak::default() }],
            ..Moov::default()
        };
        let mut bytes = Vec::new();
        moov.encode(&mut bytes)?;
        Ok(bytes)
    }
}
