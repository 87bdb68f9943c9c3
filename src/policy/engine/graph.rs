//! One ONNX graph: a session, checked against the contract, with its inputs and outputs bound to fixed memory.

use std::path::{Path, PathBuf};

use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};
use ort::session::{IoBinding, Session};
use ort::value::{Outlet, PrimitiveTensorElementType, Tensor, TensorElementType};

use super::Device;
use crate::policy::bundle::manifest::{Dtype, GraphContract, TensorContract};
use crate::policy::{OnnxRuntime, PolicyError};

/// A graph that is ready to run.
pub(super) struct Graph {
    name: &'static str,
    device: Device,
    session: Session,
    binding: IoBinding,
}

impl Graph {
    pub(super) fn open(
        name: &'static str,
        path: PathBuf,
        contract: &GraphContract,
        runtime: &OnnxRuntime,
        device: Device,
        threads: usize,
    ) -> Result<Self, PolicyError> {
        let session = open_session(&path, runtime, device, threads)?;
        for (outlets, tensors) in
            [(session.inputs(), &contract.inputs), (session.outputs(), &contract.outputs)]
        {
            check_outlets(&path, outlets, tensors)?;
        }
        let binding = session
            .create_binding()
            .map_err(|error| PolicyError::Inference { graph: name, reason: error.to_string() })?;
        Ok(Self { name, device, session, binding })
    }

    /// Memory on the device that this graph runs on.
    pub(super) fn device_tensor<T: PrimitiveTensorElementType + std::fmt::Debug>(
        &self,
        shape: &[usize],
    ) -> Result<Tensor<T>, PolicyError> {
        let allocator = self.device.allocator(&self.session).map_err(|error| self.failed(error))?;
        Tensor::new(&allocator, shape.to_vec()).map_err(|error| self.failed(error))
    }

    /// Binds an input for good. Where host and device share memory, later writes to `tensor` are seen by the next run; elsewhere
    /// [`Graph::upload`] brings them over.
    pub(super) fn bind_input<T: PrimitiveTensorElementType + std::fmt::Debug>(
        &mut self,
        input: &str,
        tensor: &Tensor<T>,
    ) -> Result<(), PolicyError> {
        self.binding.bind_input(input, tensor).map_err(|error| self.failed(error))
    }

    /// Makes the device see what was written to a host tensor since it was bound.
    pub(super) fn upload<T: PrimitiveTensorElementType + std::fmt::Debug>(
        &mut self,
        input: &str,
        tensor: &Tensor<T>,
    ) -> Result<(), PolicyError> {
        match self.device {
            Device::Cpu => Ok(()),
            Device::Cuda { .. } => self.bind_input(input, tensor),
        }
    }

    /// Binds an output for good; `tensor` holds it after each run.
    pub(super) fn bind_output<T: PrimitiveTensorElementType + std::fmt::Debug>(
        &mut self,
        output: &str,
        tensor: &mut Tensor<T>,
    ) -> Result<(), PolicyError> {
        self.binding.bind_output(output, tensor).map_err(|error| self.failed(error))
    }

    /// Computes the outputs from the inputs.
    pub(super) fn run(&mut self) -> Result<(), PolicyError> {
        let failed =
            |error: ort::Error| PolicyError::Inference { graph: self.name, reason: error.to_string() };
        self.session.run_binding(&self.binding).map(drop).map_err(failed)
    }

    fn failed(&self, error: ort::Error) -> PolicyError {
        PolicyError::Inference { graph: self.name, reason: error.to_string() }
    }
}

fn open_session(
    path: &Path,
    runtime: &OnnxRuntime,
    device: Device,
    threads: usize,
) -> Result<Session, PolicyError> {
    let refused =
        |reason: &str| PolicyError::GraphRefused { path: path.to_owned(), reason: reason.to_owned() };
    let options = |builder: SessionBuilder| -> ort::Result<SessionBuilder> {
        Ok(builder
            .with_optimization_level(GraphOptimizationLevel::All)?
            .with_intra_threads(threads)?
            .with_inter_threads(1)?
            // Spinning threads would take the cores of camera, link and control while no chunk is computed.
            .with_intra_op_spinning(false)?
            .with_inter_op_spinning(false)?)
    };
    let builder = Session::builder(runtime.environment()).and_then(options);
    let mut builder = builder.map_err(|error| refused(error.message()))?;
    if let Some(provider) = device.provider() {
        builder = builder
            .with_execution_providers([provider])
            .map_err(|error| device.unavailable(error.message()))?;
    }
    builder.commit_from_file(path).map_err(|error| refused(error.message()))
}

/// The graph's own inputs or outputs must be those of `policy.json`.
fn check_outlets(path: &Path, outlets: &[Outlet], tensors: &[TensorContract]) -> Result<(), PolicyError> {
    let mismatch = |tensor: &str, expected: String, found: String| PolicyError::GraphMismatch {
        path: path.to_owned(),
        tensor: tensor.to_owned(),
        expected,
        found,
    };
    for tensor in tensors {
        let outlet = outlets.iter().find(|outlet| outlet.name() == tensor.name);
        let outlet =
            outlet.ok_or_else(|| mismatch(&tensor.name, tensor.to_string(), "missing".to_owned()))?;
        let dtype = outlet.dtype().tensor_type().and_then(dtype_of);
        let same_shape = outlet.dtype().tensor_shape().is_some_and(|shape| {
            shape.iter().copied().eq(tensor.shape.iter().map(|size| i64::try_from(*size).unwrap_or(i64::MAX)))
        });
        if dtype != Some(tensor.dtype) || !same_shape {
            return Err(mismatch(&tensor.name, tensor.to_string(), outlet.dtype().to_string()));
        }
    }
    match outlets.iter().find(|outlet| tensors.iter().all(|tensor| tensor.name != outlet.name())) {
        Some(outlet) => Err(mismatch(outlet.name(), "no such tensor".to_owned(), outlet.dtype().to_string())),
        None => Ok(()),
    }
}

fn dtype_of(element: TensorElementType) -> Option<Dtype> {
    match element {
        TensorElementType::Float32 => Some(Dtype::Float32),
        TensorElementType::Float16 => Some(Dtype::Float16),
        TensorElementType::Int64 => Some(Dtype::Int64),
        TensorElementType::Bool => Some(Dtype::Bool),
        _ => None,
    }
}
