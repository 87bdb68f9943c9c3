//! A film of the cell, drawn after each episode from how arm and boxes stood: nothing is drawn or encoded beside a running policy.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

use image::codecs::gif::{GifEncoder, Repeat};
use image::{Delay, Frame, ImageError, RgbImage, imageops};

use crate::cli::exit::CliError;
use crate::cli::terminal::Progress;
use crate::episode::VideoWriter;
use crate::sim::StateReader;
use crate::sim::renderer::{CellState, Renderer};
use crate::sim::scene::Scene;
use crate::sim::virtual_time::SHOWN_PERIOD;

/// Size of the pictures that are drawn; a GIF has half of it.
const WIDTH: u32 = 640;
const HEIGHT: u32 = 480;
/// A GIF shows every third picture: it has no use for what the last two show, and is large enough.
const GIF_EVERY: usize = 3;
/// Time between them: a GIF counts hundredths of a second, and rounds down.
const GIF_DELAY_MS: u32 = 100;
/// How hard colours are looked for, 1 (well) to 30 (fast).
const GIF_SPEED: i32 = 10;

/// A film that is being written.
pub(super) struct Film {
    path: PathBuf,
    file: FilmFile,
    pictures: u64,
}

enum FilmFile {
    Mp4(Box<VideoWriter>),
    /// Unbuffered, with a second handle: the encoder keeps its own to the end.
    Gif(Box<GifEncoder<File>>, File),
}

impl Film {
    /// Begins the file; its name says what it becomes.
    pub(super) fn create(path: &Path) -> Result<Self, CliError> {
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let file = match extension.to_ascii_lowercase().as_str() {
            "mp4" => {
                let fps = 1.0 / SHOWN_PERIOD.as_secs_f64();
                FilmFile::Mp4(Box::new(VideoWriter::film(path, WIDTH, HEIGHT, fps.round())?))
            }
            "gif" => {
                let failed = |source| CliError::File { path: path.to_path_buf(), source };
                let file = File::create(path).map_err(failed)?;
                let second = file.try_clone().map_err(failed)?;
                let mut encoder = GifEncoder::new_with_speed(file, GIF_SPEED);
                encoder.set_repeat(Repeat::Infinite).map_err(|error| not_written(path, error))?;
                FilmFile::Gif(Box::new(encoder), second)
            }
            _ => {
                return Err(CliError::Arguments(format!(
                    "--video {}: a film is a .mp4 (H.264) or a .gif: give the file one of these endings",
                    path.display()
                )));
            }
        };
        Ok(Self { path: path.to_path_buf(), file, pictures: 0 })
    }

    /// Draws an episode: the cell of `scene` as it stood once each [`SHOWN_PERIOD`].
    pub(super) fn add(&mut self, scene: &Scene, shown: &[CellState]) -> Result<(), CliError> {
        let mut renderer = Renderer::new(scene, WIDTH, HEIGHT);
        let mut rgb = vec![0; WIDTH as usize * HEIGHT as usize * 3];
        let mut progress = Progress::new();
        let step = match self.file {
            FilmFile::Mp4(_) => 1,
            FilmFile::Gif(..) => GIF_EVERY,
        };
        for (number, state) in shown.iter().enumerate().step_by(step) {
            // the buffer has the renderer's own size
            let _ = renderer.render_without_noise(state, &mut rgb);
            match &mut self.file {
                FilmFile::Mp4(video) => video.add(&rgb)?,
                FilmFile::Gif(encoder, _) => {
                    encoder.encode_frame(gif_frame(&rgb)).map_err(|error| not_written(&self.path, error))?;
                }
            }
            self.pictures += 1;
            progress.update(|| format!("film: picture {} of {}", number + 1, shown.len()));
        }
        progress.finish();
        Ok(())
    }

    /// Ends the file; what to tell people about it.
    pub(super) fn finish(self) -> Result<String, CliError> {
        let failed = |source| CliError::File { path: self.path.clone(), source };
        match self.file {
            FilmFile::Mp4(video) => video.finish()?,
            FilmFile::Gif(encoder, file) => {
                drop(encoder);
                file.sync_all().map_err(failed)?;
            }
        }
        Ok(format!("film: {} pictures in {}", self.pictures, self.path.display()))
    }
}

/// A picture of half the size.
fn gif_frame(rgb: &[u8]) -> Frame {
    let picture = RgbImage::from_raw(WIDTH, HEIGHT, rgb.to_vec()).unwrap_or_default();
    let small = imageops::thumbnail(&picture, WIDTH / 2, HEIGHT / 2);
    Frame::from_parts(
        image::DynamicImage::ImageRgb8(small).into_rgba8(),
        0,
        0,
        Delay::from_numer_denom_ms(GIF_DELAY_MS, 1),
    )
}

fn not_written(path: &Path, error: ImageError) -> CliError {
    let source = match error {
        ImageError::IoError(source) => source,
        other => std::io::Error::other(other),
    };
    CliError::File { path: path.to_path_buf(), source }
}

/// Notes how the cell stands while an episode runs in real time, in a thread of its own.
pub(super) struct Filming {
    /// The thread ends when this is gone.
    alive: Arc<()>,
    thread: JoinHandle<Vec<CellState>>,
}

impl Filming {
    pub(super) fn start(state: StateReader) -> Result<Self, CliError> {
        let alive = Arc::new(());
        let wanted = Arc::downgrade(&alive);
        let thread = std::thread::Builder::new().name("film".to_owned()).spawn(move || {
            let (mut shown, mut due) = (Vec::new(), Instant::now());
            while wanted.strong_count() > 0 {
                shown.push(state());
                due += SHOWN_PERIOD;
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
            }
            shown
        })?;
        Ok(Self { alive, thread })
    }

    /// How the cell stood, once each [`SHOWN_PERIOD`].
    pub(super) fn stop(self) -> Vec<CellState> {
        drop(self.alive);
        // It only reads and stores: it has no reason to panic, and a film without pictures says so itself.
        self.thread.join().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use image::AnimationDecoder;
    use image::codecs::gif::GifDecoder;

    use super::*;
    use crate::episode::VideoReader;

    fn film(name: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        let scene = Scene::from_seed(3);
        let shown: Vec<CellState> = (0..7)
            .map(|step| {
                let mut angles = crate::sim::demonstration::READY_POSE;
                angles.set(calibration::Joint::Base, 0.1 * f64::from(step));
                CellState { angles, boxes: scene.boxes }
            })
            .collect();
        let mut film = Film::create(&path).unwrap();
        film.add(&scene, &shown[..4]).unwrap();
        film.add(&scene, &shown[4..]).unwrap();
        film.finish().unwrap();
        (folder, path)
    }

    /// What a picture of the cell shows must be on the film: near the drawn one, and not that of another pose.
    fn difference(rgb: &[u8], width: u32, step: i32) -> f64 {
        let scene = Scene::from_seed(3);
        let mut angles = crate::sim::demonstration::READY_POSE;
        angles.set(calibration::Joint::Base, 0.1 * f64::from(step));
        let mut drawn = vec![0; (WIDTH * HEIGHT * 3) as usize];
        let state = CellState { angles, boxes: scene.boxes };
        assert!(Renderer::new(&scene, WIDTH, HEIGHT).render_without_noise(&state, &mut drawn));
        let drawn = RgbImage::from_raw(WIDTH, HEIGHT, drawn).unwrap();
        let drawn = imageops::thumbnail(&drawn, width, width * HEIGHT / WIDTH);
        let sum: u64 = drawn.iter().zip(rgb).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
        sum as f64 / rgb.len() as f64
    }

    #[test]
    fn an_mp4_shows_every_picture() {
        let (_folder, path) = film("a.mp4");
        let mut video = VideoReader::open(&path).unwrap();
        assert_eq!((video.width(), video.height(), video.frame_count()), (WIDTH, HEIGHT, 7));
        assert!((video.frames_a_second().unwrap() - 30.0).abs() < 1e-9);
        let mut rgb = vec![0; video.frame_bytes()];
        for step in [0, 6] {
            video.read_frame(step, &mut rgb).unwrap();
            let (own, other) = (difference(&rgb, WIDTH, step as i32), difference(&rgb, WIDTH, 3));
            assert!(
                own < 2.0 && own < 0.7 * other,
                "picture {step}: {own} from its pose, {other} from another"
            );
        }
    }

    #[test]
    fn a_gif_shows_every_third_picture_at_half_the_size() {
        let (_folder, path) = film("a.GIF");
        let decoder = GifDecoder::new(std::io::BufReader::new(File::open(&path).unwrap())).unwrap();
        let frames = decoder.into_frames().collect_frames().unwrap();
        // pictures 0 and 3 of the first part, 4 of the second
        assert_eq!(frames.len(), 3);
        for (frame, step) in frames.iter().zip([0, 3, 4]) {
            assert_eq!(Duration::from(frame.delay()), Duration::from_millis(100));
            let small = image::DynamicImage::ImageRgba8(frame.buffer().clone()).into_rgb8();
            assert_eq!(small.dimensions(), (WIDTH / 2, HEIGHT / 2));
            let other = if step == 0 { 3 } else { 0 };
            let (own, far) = (difference(&small, WIDTH / 2, step), difference(&small, WIDTH / 2, other));
            assert!(own < 6.0 && own < 0.8 * far, "picture {step}: {own} from its pose, {far} from another");
        }
    }

    #[test]
    fn another_ending_is_refused_with_those_that_work() {
        let refused = Film::create(Path::new("film.avi")).map(|_| ()).unwrap_err();
        assert!(
            matches!(&refused, CliError::Arguments(text) if text.contains(".mp4") && text.contains(".gif"))
        );
    }
}
