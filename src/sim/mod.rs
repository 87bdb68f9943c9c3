pub mod renderer;
pub mod scene;
