//! Statistics of the training data, and the way from degrees to z-scores and back.

use std::path::Path;

use safetensors::SafeTensors;
use serde::Serialize;

use super::manifest::{Manifest, VectorContract};
use super::tensors::{self, TensorFault};
use crate::policy::PolicyError;
use crate::types::{DatasetAngles, JOINT_COUNT};

/// Statistics of state and action, dataset units (degrees).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Normalization {
    /// Of the measured pose.
    pub state: Statistics,
    /// Of the pose targets.
    pub action: Statistics,
    /// Added to the state's standard deviation.
    pub eps: f32,
}

/// Statistics of one vector over the training data, one value a joint.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Statistics {
    /// Mean.
    pub mean: [f32; JOINT_COUNT],
    /// Standard deviation, above 0.
    pub std: [f32; JOINT_COUNT],
    /// Smallest value.
    pub min: [f32; JOINT_COUNT],
    /// Largest value.
    pub max: [f32; JOINT_COUNT],
}

impl Statistics {
    /// The mean as a pose.
    pub fn mean_pose(&self) -> DatasetAngles {
        DatasetAngles::from_array_deg(self.mean.map(f64::from))
    }

    /// The smallest values as a pose.
    pub fn min_pose(&self) -> DatasetAngles {
        DatasetAngles::from_array_deg(self.min.map(f64::from))
    }

    /// The largest values as a pose.
    pub fn max_pose(&self) -> DatasetAngles {
        DatasetAngles::from_array_deg(self.max.map(f64::from))
    }

    /// The standard deviations, degrees.
    pub fn std_deg(&self) -> [f64; JOINT_COUNT] {
        self.std.map(f64::from)
    }
}

impl Normalization {
    /// `(state - mean) / (std + eps)` in single precision, as LeRobot's `NormalizerProcessorStep` computes it.
    pub fn normalize_state(&self, state: DatasetAngles) -> [f32; JOINT_COUNT] {
        let degrees = state.to_array_deg();
        std::array::from_fn(|joint| {
            (degrees[joint] as f32 - self.state.mean[joint]) / (self.state.std[joint] + self.eps)
        })
    }

    /// `z * std + mean` in single precision, as LeRobot's `UnnormalizerProcessorStep` computes it: without `eps`.
    pub fn denormalize_action(&self, z_scores: [f32; JOINT_COUNT]) -> DatasetAngles {
        DatasetAngles::from_array_deg(std::array::from_fn(|joint| {
            f64::from(z_scores[joint] * self.action.std[joint] + self.action.mean[joint])
        }))
    }

    pub(super) fn parse(bytes: &[u8], path: &Path, manifest: &Manifest) -> Result<Self, PolicyError> {
        let file = tensors::parse(bytes, path)?;
        Ok(Self {
            state: statistics(&file, path, &manifest.state)?,
            action: statistics(&file, path, &manifest.action)?,
            eps: manifest.normalization.eps as f32,
        })
    }
}

fn statistics(
    file: &SafeTensors<'_>,
    path: &Path,
    vector: &VectorContract,
) -> Result<Statistics, PolicyError> {
    let row = |statistic: &str| row(file, path, vector, statistic);
    let statistics = Statistics { mean: row("mean")?, std: row("std")?, min: row("min")?, max: row("max")? };
    let fault = |statistic: &str, joint: usize, problem: &str| PolicyError::Statistics {
        path: path.to_owned(),
        tensor: format!("{}.{statistic}", vector.key),
        problem: format!("of {} {problem}", vector.names[joint]),
    };
    for joint in 0..JOINT_COUNT {
        if statistics.std[joint] <= 0.0 {
            let problem =
                format!("is {}, expected above 0: this joint never moved in the data", statistics.std[joint]);
            return Err(fault("std", joint, &problem));
        }
        if statistics.min[joint] > statistics.max[joint] {
            let problem =
                format!("is {}, above the maximum {}", statistics.min[joint], statistics.max[joint]);
            return Err(fault("min", joint, &problem));
        }
    }
    Ok(statistics)
}

fn row(
    file: &SafeTensors<'_>,
    path: &Path,
    vector: &VectorContract,
    statistic: &str,
) -> Result<[f32; JOINT_COUNT], PolicyError> {
    let tensor = format!("{}.{statistic}", vector.key);
    let fault =
        |problem: String| PolicyError::Statistics { path: path.to_owned(), tensor: tensor.clone(), problem };
    let values =
        tensors::float32(file, &tensor, &[JOINT_COUNT]).map_err(|TensorFault(problem)| fault(problem))?;
    if let Some(joint) = values.iter().position(|value| !value.is_finite()) {
        return Err(fault(format!(
            "of {} is {}, expected a finite number",
            vector.names[joint], values[joint]
        )));
    }
    values.try_into().map_err(|_| fault(format!("does not have {JOINT_COUNT} values")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normalization() -> Normalization {
        let statistics = Statistics {
            mean: [1.0, 48.0, -10.0, 60.0, 0.0, 30.0],
            std: [10.0, 20.0, 30.0, 25.0, 5.0, 15.0],
            min: [-90.0; 6],
            max: [90.0; 6],
        };
        Normalization { state: statistics, action: statistics, eps: 1e-8 }
    }

    #[test]
    fn the_mean_is_zero_and_one_deviation_is_one() {
        let normalization = normalization();
        assert_eq!(normalization.normalize_state(normalization.state.mean_pose()), [0.0; 6]);
        let shifted = DatasetAngles::from_array_deg([11.0, 68.0, 20.0, 85.0, 5.0, 45.0]);
        assert_eq!(normalization.normalize_state(shifted), [1.0; 6]);
        assert_eq!(normalization.denormalize_action([1.0; 6]), shifted);
    }

    #[test]
    fn eps_enters_the_way_in_only() {
        let mut normalization = normalization();
        normalization.eps = 10.0;
        let shifted = DatasetAngles::from_array_deg([11.0, 68.0, 20.0, 85.0, 5.0, 45.0]);
        assert_eq!(normalization.normalize_state(shifted)[0], 0.5);
        assert_eq!(normalization.denormalize_action([1.0; 6]), shifted);
    }
}
