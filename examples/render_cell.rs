//! Saves a picture of the simulated cell, as the camera sees it: `cargo run --release --example render_cell -- cell.png`.
//!
//! Optional further arguments: the seed and six joint angles in degrees. Without them, the picture of the README.
#![allow(clippy::print_stderr)]

use std::error::Error;

use calibration::DatasetAngles;
use roarm::sim::renderer::{CellState, Renderer};
use roarm::sim::scene::Scene;

const SIZE: [u32; 2] = [640, 480];

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("give the file to write, for example docs/images/cell.png")?;
    let seed = arguments.next().map_or(Ok(21), |text| text.parse())?;
    let angles_deg: Vec<f64> = arguments.map(|text| text.parse()).collect::<Result<_, _>>()?;
    let angles_deg = match angles_deg.as_slice() {
        [] => [-19.0, 34.0, 100.0, 46.0, 20.0, 50.0],
        given => given.try_into().map_err(|_| "give six angles in degrees, or none")?,
    };

    let scene = Scene::from_seed(seed);
    let mut renderer = Renderer::new(&scene, SIZE[0], SIZE[1]);
    let mut pixels = vec![0; (SIZE[0] * SIZE[1] * 3) as usize];
    let state = CellState { angles: DatasetAngles::from_array_deg(angles_deg).into(), boxes: scene.boxes };
    if !renderer.render(&state, 0, &mut pixels) {
        return Err("the buffer does not fit the picture".into());
    }
    image::save_buffer(&path, &pixels, SIZE[0], SIZE[1], image::ExtendedColorType::Rgb8)?;
    eprintln!("{path}: seed {seed}, angles {angles_deg:?} degrees");
    Ok(())
}
