//! Videos and stored pictures against the episodes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::lists::{ListedEpisode, Survey};
use super::problem::{Findings, Place, ProblemKind};
use super::{CheckStep, Progress};
use crate::episode::columns::Table;
use crate::episode::dataset::PICTURE_TOLERANCE_S;
use crate::episode::images::ImageReader;
use crate::episode::info::PictureStorage;
use crate::episode::pictures::EpisodePictures;
use crate::episode::{CameraInfo, EpisodeError, VideoClip, VideoReader};

/// How long a picture may stay the same while the arm moves, seconds.
const FROZEN_S: f64 = 1.0;

/// What counts as movement: a change of any joint, degrees.
const MOVEMENT_DEG: f64 = 2.0;

/// Judges the pictures of every camera; with `decode` every single one.
pub(super) fn check(survey: &Survey, decode: bool, findings: &mut Findings, progress: Progress<'_>) {
    for (place, camera) in survey.info.cameras.iter().enumerate() {
        match camera.storage {
            PictureStorage::Video => check_videos(survey, place, decode, findings, progress),
            PictureStorage::Images => check_images(survey, camera, decode, findings, progress),
        }
    }
}

fn check_videos(
    survey: &Survey,
    camera: usize,
    decode: bool,
    findings: &mut Findings,
    progress: Progress<'_>,
) {
    let mut by_file: BTreeMap<PathBuf, Vec<(&ListedEpisode, VideoClip)>> = BTreeMap::new();
    for episode in &survey.episodes {
        match survey.clip(episode, camera) {
            Some(Ok(clip)) => by_file.entry(clip.path.clone()).or_default().push((episode, clip)),
            Some(Err(error)) => {
                let place = Place::file(Path::new("videos")).episode(episode.number);
                findings.add_error(&error, &survey.root, place);
            }
            None => {}
        }
    }
    let total = by_file.len();
    for (done, (path, mut clips)) in by_file.into_iter().enumerate() {
        let file = survey.relative(&path).to_path_buf();
        progress(&CheckStep { file: &file, done, total });
        let reader = match VideoReader::open(&path) {
            Ok(reader) => reader,
            Err(error) => {
                for (episode, _) in &clips {
                    findings.add_error(&error, &survey.root, Place::file(&file).episode(episode.number));
                }
                continue;
            }
        };
        check_overlap(&mut clips, camera, &file, findings);
        let mut sound = Vec::new();
        for (episode, clip) in &clips {
            if check_clip(episode, clip, &reader, Place::file(&file).episode(episode.number), findings) {
                sound.push((*episode, clip));
            }
        }
        if decode {
            for (episode, clip) in sound {
                let pictures = clip.open().map(|(reader, first)| {
                    EpisodePictures::of_video(clip.camera.clone(), clip.length, reader, first)
                });
                decode_all(survey, episode, pictures, &file, findings);
            }
        }
    }
}

/// Two episodes at the same place of a video.
fn check_overlap(
    clips: &mut [(&ListedEpisode, VideoClip)],
    camera: usize,
    file: &Path,
    findings: &mut Findings,
) {
    clips.sort_by(|(_, a), (_, b)| a.from_timestamp_s.total_cmp(&b.from_timestamp_s));
    for pair in clips.windows(2) {
        let [(before, clip), (after, next)] = pair else { continue };
        let end = clip.from_timestamp_s + (clip.length as f64 - 0.5) / clip.fps;
        if next.from_timestamp_s < end {
            let problem = format!(
                "begins at {:.4} s, inside episode {}, which ends at {:.4} s",
                next.from_timestamp_s,
                before.number,
                clip.from_timestamp_s + clip.length as f64 / clip.fps
            );
            findings.add(ProblemKind::VideoTimes, Place::file(file).episode(after.number), problem);
        }
    }
    for (episode, clip) in clips {
        let Some(to) = episode.videos.get(camera).copied().flatten().and_then(|video| video.to_s) else {
            continue;
        };
        let expected = clip.from_timestamp_s + clip.length as f64 / clip.fps;
        let off_s = (to - expected).abs();
        if off_s.is_nan() || off_s > 0.5 / clip.fps {
            let place = Place::file(&episode.list.0).episode(episode.number).row(episode.list.1);
            let problem = format!(
                "the list of episodes says that `{}` ends at {to:.4} s, expected {expected:.4} s",
                clip.camera.key
            );
            findings.add(ProblemKind::EpisodeRange, place, problem);
        }
    }
}

/// Whether the episode's stretch of the video is sound as far as its tables tell.
fn check_clip(
    episode: &ListedEpisode,
    clip: &VideoClip,
    reader: &VideoReader,
    at: Place<'_>,
    findings: &mut Findings,
) -> bool {
    let (found, stated) = ((reader.width(), reader.height()), (clip.camera.width, clip.camera.height));
    if found != stated {
        let ((w, h), (stated_w, stated_h)) = (found, stated);
        findings.add(
            ProblemKind::PictureSize,
            at,
            format!("pictures are {w}x{h}, meta/info.json says {stated_w}x{stated_h}"),
        );
        return false;
    }
    if !(clip.from_timestamp_s.is_finite() && clip.from_timestamp_s >= 0.0) {
        let place = Place::file(&episode.list.0).episode(episode.number).row(episode.list.1);
        let problem = format!("`{}` begins at {} s", clip.camera.key, clip.from_timestamp_s);
        findings.add(ProblemKind::VideoTimes, place, problem);
        return false;
    }
    let time = |frame: usize| clip.from_timestamp_s + frame as f64 / clip.fps;
    let last = time(clip.length - 1);
    let rate = reader.frames_a_second();
    if let Some(rate) = rate
        && (rate / clip.fps - 1.0).abs() > 1e-3
    {
        let problem = format!("it has {rate:.2} pictures a second, meta/info.json says {} frames", clip.fps);
        findings.add(ProblemKind::FrameRate, at, problem);
        return false;
    }
    if last > reader.last_time_s() + PICTURE_TOLERANCE_S {
        // By arithmetic: a damaged list may state any length.
        let there =
            ((reader.last_time_s() + PICTURE_TOLERANCE_S - clip.from_timestamp_s) * clip.fps).floor() + 1.0;
        let there = (there.max(0.0) as usize).min(clip.length);
        let problem = format!(
            "it ends at {:.4} s, the episode's last frame is at {last:.4} s: {} of its {} pictures are missing",
            reader.last_time_s(),
            clip.length - there,
            clip.length
        );
        findings.add(ProblemKind::VideoLength, at, problem);
        return false;
    }
    let first = reader.frame_at(time(0), PICTURE_TOLERANCE_S);
    let wrong = (0..clip.length).find(|frame| {
        let picture = reader.frame_at(time(*frame), PICTURE_TOLERANCE_S);
        picture.is_none() || picture != first.map(|first| first + frame)
    });
    if let Some(frame) = wrong {
        let problem = format!("it has no picture at {:.4} s, for frame {frame} of the episode", time(frame));
        findings.add(ProblemKind::VideoTimes, at, problem);
        return false;
    }
    true
}

fn check_images(
    survey: &Survey,
    camera: &CameraInfo,
    decode: bool,
    findings: &mut Findings,
    progress: Progress<'_>,
) {
    let total = survey.episodes.len();
    for (done, episode) in survey.episodes.iter().enumerate() {
        let Some(found) = &episode.rows else { continue };
        let file = survey.relative(&found.path).to_path_buf();
        progress(&CheckStep { file: &file, done, total });
        let at = Place::file(&file).episode(episode.number);
        let mut reader = match ImageReader::open(&found.path, &survey.root, camera, found.rows.clone()) {
            Ok(reader) => reader,
            Err(error) => {
                findings.add_error(&error, &survey.root, at);
                continue;
            }
        };
        if decode {
            let pictures = EpisodePictures::of_images(camera.clone(), episode.length, reader);
            decode_all(survey, episode, Ok(pictures), &file, findings);
            continue;
        }
        for row in found.rows.clone() {
            let size = reader.encoded(row).map(|encoded| picture_size(&encoded));
            let problem = match size {
                Ok(Ok(size)) if size == (camera.width, camera.height) => continue,
                Ok(Ok((w, h))) => (
                    ProblemKind::PictureSize,
                    format!(
                        "`{}` is {w}x{h}, meta/info.json says {}x{}",
                        camera.key, camera.width, camera.height
                    ),
                ),
                Ok(Err(problem)) => (ProblemKind::Picture, format!("`{}`: {problem}", camera.key)),
                Err(error) => (ProblemKind::Picture, error.to_string()),
            };
            findings.add(problem.0, at.row(row), problem.1);
            break;
        }
    }
}

fn picture_size(encoded: &[u8]) -> Result<(u32, u32), String> {
    let reader = image::ImageReader::new(std::io::Cursor::new(encoded)).with_guessed_format();
    let reader = reader.map_err(|error| error.to_string())?;
    reader.into_dimensions().map_err(|error| error.to_string())
}

/// Decodes every picture of an episode; looks for one that does not change while the arm moves.
fn decode_all(
    survey: &Survey,
    episode: &ListedEpisode,
    pictures: Result<EpisodePictures, EpisodeError>,
    file: &Path,
    findings: &mut Findings,
) {
    let at = Place::file(file).episode(episode.number);
    let mut pictures = match pictures {
        Ok(pictures) => pictures,
        Err(error) => return findings.add_error(&error, &survey.root, at),
    };
    let states = episode.rows.as_ref().and_then(|found| {
        let table =
            Table::read(&found.path, |name| name == "observation.state", Some(found.rows.clone())).ok()?;
        Some(table.raw_joint_vectors("observation.state").ok()?.values)
    });
    let (mut before, mut rgb) = (Vec::new(), vec![0; pictures.frame_bytes()]);
    let mut since = 0;
    for frame in 0..pictures.length() {
        if let Err(error) = pictures.read(frame, &mut rgb) {
            findings.add_error(&error, &survey.root, at);
            return;
        }
        if rgb != before {
            before.clone_from(&rgb);
            since = frame;
        }
        let moved = states.as_ref().and_then(|states| Some((states.get(since)?, states.get(frame)?)));
        let moved =
            moved.is_some_and(|(from, to)| from.iter().zip(to).any(|(a, b)| (a - b).abs() > MOVEMENT_DEG));
        if moved && (frame - since) as f64 >= FROZEN_S * survey.info.fps {
            let problem = format!(
                "`{}` shows the same picture from frame {since} to {frame} or longer, while the arm moves: a frozen camera",
                pictures.camera().key
            );
            findings.add(ProblemKind::FrozenPicture, at, problem);
            return;
        }
    }
}
