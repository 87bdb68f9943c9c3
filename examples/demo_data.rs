//! Writes the demonstrations that the demo's policy is trained on: a LeRobot dataset (v3.0) and, beside its `meta`, `marks.jsonl`
//! with what the simulation alone knows.
//!
//! ```text
//! cargo run --release --example demo_data -- --seeds 100000..100230 --seeds 100350..100580 --out DIR
//! ```
//!
//! Every stretch between two knocks is an episode of the dataset. Demonstrations in which the box was not lifted are left out.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use roarm::episode::{CameraInfo, DatasetOutline, DatasetWriter, EpisodeError, NewFrame, PictureStorage};
use roarm::sim::demonstration::{self, Demonstration, PICTURE_HEIGHT, PICTURE_WIDTH, Shown};
use roarm::sim::scene::BoxColour;
use roarm::sim::{PhysicsProgram, SimError};
use roarm::types::DatasetAngles;

const CAMERA: &str = "observation.images.front";
const FPS: f64 = 30.0;

#[derive(Parser)]
struct Arguments {
    /// Seeds FROM..TO, TO not included; may be given more than once. Even seeds show the white box, odd ones the red one
    #[arg(long, value_name = "FROM..TO", value_parser = parse_seeds, required = true)]
    seeds: Vec<Range<u64>>,
    /// A new folder for the dataset
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Leave out what disturbs: bad servos, late commands, knocks
    #[arg(long)]
    undisturbed: bool,
    /// A program that computes the cell in contact physics (docs/demo-policy.md), in place of the cell's rules
    #[arg(long, value_name = "COMMAND", value_parser = parse_program)]
    physics: Option<PhysicsProgram>,
}

fn parse_seeds(text: &str) -> Result<Range<u64>, String> {
    let parsed = text.split_once("..").and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
    parsed
        .filter(|range: &Range<u64>| !range.is_empty())
        .ok_or_else(|| format!("{text:?} is no range such as 0..400"))
}

fn parse_program(text: &str) -> Result<PhysicsProgram, String> {
    PhysicsProgram::parse(text).ok_or_else(|| "name a program".to_owned())
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Dataset(#[from] EpisodeError),
    #[error(transparent)]
    Sim(#[from] SimError),
    #[error("cannot write the marks: {0}. Is the disk full?")]
    Marks(#[from] std::io::Error),
}

/// The dataset and the marks, in step.
struct Output {
    dataset: DatasetWriter,
    marks: BufWriter<File>,
}

impl Output {
    fn create(folder: &Path) -> Result<Self, Failure> {
        let camera = CameraInfo {
            key: CAMERA.to_owned(),
            width: PICTURE_WIDTH,
            height: PICTURE_HEIGHT,
            storage: PictureStorage::Images,
        };
        let outline =
            DatasetOutline { fps: FPS, robot_type: Some("roarm_m3".to_owned()), cameras: vec![camera] };
        let dataset = DatasetWriter::create(folder, outline, PictureStorage::Images)?;
        Ok(Self { dataset, marks: BufWriter::new(File::create(folder.join("marks.jsonl"))?) })
    }

    /// Adds a stretch. `complete`: it ends with the box lifted.
    fn add(&mut self, seed: u64, task: &str, stretch: &[Shown], complete: bool) -> Result<(), Failure> {
        for (number, shown) in stretch.iter().enumerate() {
            self.dataset.add_frame(&NewFrame {
                timestamp_s: number as f64 / FPS,
                state: DatasetAngles::from(shown.state),
                action: DatasetAngles::from(shown.action),
                task: task.to_owned(),
                pictures: vec![shown.picture.clone()],
            })?;
        }
        self.dataset.close_episode()?;
        let points = |shown: &Shown| {
            let marks = shown.marks;
            [marks.target_px, marks.other_px, marks.tool_px, marks.base_px]
        };
        let marks_px: Vec<[[f32; 2]; 4]> = stretch.iter().map(points).collect();
        let line =
            serde_json::json!({"seed": seed, "task": task, "complete": complete, "marks_px": marks_px});
        writeln!(self.marks, "{line}")?;
        Ok(())
    }
}

/// All frames of a demonstration.
fn shown_by(demonstration: &mut Demonstration) -> Result<Vec<Shown>, SimError> {
    let mut frames = Vec::new();
    loop {
        match demonstration.next_action() {
            Ok(Some(frame)) => frames.push(frame),
            // a box that was knocked out of reach ends it: not lifted
            Ok(None) | Err(SimError::OutOfReach(_)) => return Ok(frames),
            Err(error) => return Err(error),
        }
    }
}

fn write(arguments: &Arguments) -> Result<(), Failure> {
    let mut output = Output::create(&arguments.out)?;
    let (mut shown, mut lifted) = (0_u64, 0_u64);
    for seed in arguments.seeds.iter().cloned().flatten() {
        let colour = BoxColour::ALL[usize::from(seed % 2 == 1)];
        let task = demonstration::instruction(colour);
        let mut demonstration = Demonstration::new(seed, colour, !arguments.undisturbed);
        if let Some(program) = &arguments.physics {
            demonstration = demonstration.in_physics(program)?;
        }
        let frames = shown_by(&mut demonstration)?;
        shown += 1;
        if !demonstration.has_succeeded() {
            continue;
        }
        lifted += 1;
        let stretches: Vec<&[Shown]> = frames.chunk_by(|a, b| a.stretch == b.stretch).collect();
        let last = stretches.len().saturating_sub(1);
        for (number, stretch) in stretches.into_iter().enumerate() {
            output.add(seed, &task, stretch, number == last)?;
        }
        if lifted.is_multiple_of(20) {
            let mut terminal = std::io::stderr();
            let _nobody_reads =
                writeln!(terminal, "{lifted} of {shown} lifted, {} frames", output.dataset.frame_count());
        }
    }
    output.marks.flush()?;
    let _nobody_reads = writeln!(
        std::io::stdout(),
        "{lifted} of {shown} demonstrations, {} episodes, {} frames in {}",
        output.dataset.episode_count(),
        output.dataset.frame_count(),
        arguments.out.display()
    );
    Ok(())
}

fn main() -> ExitCode {
    match write(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _nobody_reads = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}
