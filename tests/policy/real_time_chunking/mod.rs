//! Real-time chunking against what LeRobot 0.4.4's own code computed (`tests/data/real_time_chunking/`).

mod chunks;
mod continuation;

mod formulas;
mod verify;

use roarm::types::PrefixAttentionSchedule;

use crate::support::npz;

fn floats(file: &str, name: &str) -> Vec<f32> {
    npz(&format!("real_time_chunking/{file}"), name).1
}

fn numbers(file: &str, name: &str) -> Vec<usize> {
    let values: Vec<i64> = npz(&format!("real_time_chunking/{file}"), name).1;
    values.into_iter().map(|value| usize::try_from(value).unwrap()).collect()
}

/// In the order that the fixtures count in.
fn schedules(file: &str) -> Vec<PrefixAttentionSchedule> {
    let names = ["ZEROS", "ONES", "LINEAR", "EXP"];
    numbers(file, "schedule").into_iter().map(|index| names[index].parse().unwrap()).collect()
}
