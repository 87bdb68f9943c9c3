//! Typed access to safetensors files.

use std::path::Path;

use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use crate::policy::PolicyError;

/// What is wrong with a tensor, to follow its name in a message.
pub(super) struct TensorFault(pub(super) String);

pub(super) fn parse<'a>(bytes: &'a [u8], path: &Path) -> Result<SafeTensors<'a>, PolicyError> {
    SafeTensors::deserialize(bytes)
        .map_err(|error| PolicyError::Malformed { path: path.to_owned(), reason: error.to_string() })
}

/// Values of a float32 tensor of this shape.
pub(super) fn float32(file: &SafeTensors<'_>, name: &str, shape: &[usize]) -> Result<Vec<f32>, TensorFault> {
    let view = view(file, name, Dtype::F32, shape)?;
    Ok(view.data().as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
}

/// Values of an int64 tensor of this shape.
pub(super) fn int64(file: &SafeTensors<'_>, name: &str, shape: &[usize]) -> Result<Vec<i64>, TensorFault> {
    let view = view(file, name, Dtype::I64, shape)?;
    Ok(view.data().as_chunks::<8>().0.iter().map(|bytes| i64::from_le_bytes(*bytes)).collect())
}

/// Values of a uint8 tensor of this shape.
pub(super) fn uint8(file: &SafeTensors<'_>, name: &str, shape: &[usize]) -> Result<Vec<u8>, TensorFault> {
    Ok(view(file, name, Dtype::U8, shape)?.data().to_vec())
}

/// The shape of a tensor.
pub(super) fn shape(file: &SafeTensors<'_>, name: &str) -> Result<Vec<usize>, TensorFault> {
    let view = file.tensor(name).map_err(|_| TensorFault("is missing".to_owned()))?;
    Ok(view.shape().to_vec())
}

fn view<'a>(
    file: &SafeTensors<'a>,
    name: &str,
    dtype: Dtype,
    shape: &[usize],
) -> Result<TensorView<'a>, TensorFault> {
    let view = file.tensor(name).map_err(|_| TensorFault("is missing".to_owned()))?;
    if view.dtype() == dtype && view.shape() == shape {
        Ok(view)
    } else {
        Err(TensorFault(format!("is {:?} {:?}, expected {dtype:?} {shape:?}", view.dtype(), view.shape())))
    }
}
