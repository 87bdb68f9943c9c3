//! One ONNX graph: a session, checked against the contract, with its inputs and outputs bound to fixed memory.

use std::path::{Path, PathBuf};

use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};
use ort::session::{IoBinding, RunOptions, Session};
use ort::value::{DynTensor, Outlet, PrimitiveTensorElementType, Tensor, TensorElementType};

use super::Device;
use super::device::ProviderSettings;
use crate::policy::bundle::manifest::{Dtype, GraphContract, TensorContract};
use crate::policy::{OnnxRuntime, PolicyError};

/// A graph that is ready to run.
pub(super) struct Graph {
    name: &'static str,
    device: Device,
    session: Session,
    binding: IoBinding,
    /// The device's own memory of inputs and outputs that the host touches, at fixed addresses as a CUDA graph needs them. Empty where
    /// the host's memory is the device's.
    buffers: Vec<(String, DynTensor)>,
    has_buffers: bool,
}

/// How sessions are opened: the same for all graphs of a policy.
pub(super) struct SessionSettings<'a> {
    pub(super) runtime: &'a OnnxRuntime,
    pub(super) device: Device,
    pub(super) threads: usize,
    pub(super) spinning: bool,
    pub(super) device_buffers: bool,
    pub(super) provider: ProviderSettings,
}

impl Graph {
    pub(super) fn open(
        name: &'static str,
        path: PathBuf,
        contract: &GraphContract,
        settings: &SessionSettings<'_>,
    ) -> Result<Self, PolicyError> {
        let device = settings.device;
        let session = open_session(&path, settings)?;
        for (outlets, tensors) in
            [(session.inputs(), &contract.inputs), (session.outputs(), &contract.outputs)]
        {
            check_outlets(&path, outlets, tensors)?;
        }
        let binding = session
            .create_binding()
            .map_err(|error| PolicyError::Inference { graph: name, reason: error.to_string() })?;
        let has_buffers = device.is_gpu() || settings.device_buffers;
        Ok(Self { name, device, session, binding, buffers: Vec::new(), has_buffers })
    }

    /// Memory on the device that this graph runs on.
    pub(super) fn device_tensor<T: PrimitiveTensorElementType + std::fmt::Debug>(
        &self,
        shape: &[usize],
    ) -> Result<Tensor<T>, PolicyError> {
        let allocator = self.device.allocator(&self.session).map_err(|error| self.failed(error))?;
        Tensor::new(&allocator, shape.to_vec()).map_err(|error| self.failed(error))
    }

    /// Binds a tensor of the device for good, which no host code touches.
    pub(super) fn bind_device_input<T: PrimitiveTensorElementType + std::fmt::Debug>(
        &mut self,
        input: &str,
        tensor: &Tensor<T>,
    ) -> Result<(), PolicyError> {
        self.binding.bind_input(input, tensor).map_err(|error| self.failed(error))
    }

    /// As [`Graph::bind_device_input`], for an output.
    pub(super) fn bind_device_output<T: PrimitiveTensorElementType + std::fmt::Debug>(
        &mut self,
        output: &str,
        tensor: &mut Tensor<T>,
    ) -> Result<(), PolicyError> {
        self.binding.bind_output(output, tensor).map_err(|error| self.failed(error))
    }

    /// Binds an input for good. Where host and device share memory, later writes to `tensor` are seen by the next run; elsewhere
    /// [`Graph::upload`] brings them over.
    pub(super) fn bind_input<T: PrimitiveTensorElementType + std::fmt::Debug>(
        &mut self,
        input: &str,
        tensor: &Tensor<T>,
    ) -> Result<(), PolicyError> {
        if !self.has_buffers {
            return self.bind_device_input(input, tensor);
        }
        let mut buffer = self.buffer_like(tensor)?;
        // Inputs that never change afterwards, such as the mask of real cameras, need no upload.
        tensor.copy_into(&mut buffer).map_err(|error| self.failed(error))?;
        self.binding.bind_input(input, &buffer).map_err(|error| self.failed(error))?;
        self.buffers.push((input.to_owned(), buffer.upcast()));
        Ok(())
    }

    /// Makes the device see what was written to a host tensor since it was bound.
    pub(super) fn upload<T: PrimitiveTensorElementType + std::fmt::Debug>(
        &mut self,
        input: &str,
        tensor: &Tensor<T>,
    ) -> Result<(), PolicyError> {
        let Some((_, buffer)) = self.buffers.iter_mut().find(|(name, _)| name == input) else {
            return Ok(());
        };
        let failed =
            |error: ort::Error| PolicyError::Inference { graph: self.name, reason: error.to_string() };
        tensor.upcast_ref().copy_into(buffer).map_err(failed)
    }

    /// Binds an output for good; after each run and [`Graph::download`], `tensor` holds it.
    pub(super) fn bind_output<T: PrimitiveTensorElementType + std::fmt::Debug>(
        &mut self,
        output: &str,
        tensor: &mut Tensor<T>,
    ) -> Result<(), PolicyError> {
        if !self.has_buffers {
            return self.bind_device_output(output, tensor);
        }
        let mut buffer = self.buffer_like(tensor)?;
        self.bind_device_output(output, &mut buffer)?;
        self.buffers.push((output.to_owned(), buffer.upcast()));
        Ok(())
    }

    /// Makes the host see what the device wrote to an output in the last run.
    pub(super) fn download<T: PrimitiveTensorElementType + std::fmt::Debug>(
        &mut self,
        output: &str,
        tensor: &mut Tensor<T>,
    ) -> Result<(), PolicyError> {
        let Some((_, buffer)) = self.buffers.iter().find(|(name, _)| name == output) else {
            return Ok(());
        };
        buffer.copy_into(tensor.upcast_mut()).map_err(|error| self.failed(error))
    }

    fn buffer_like<T: PrimitiveTensorElementType + std::fmt::Debug>(
        &self,
        tensor: &Tensor<T>,
    ) -> Result<Tensor<T>, PolicyError> {
        let shape: Vec<usize> =
            tensor.shape().iter().map(|size| usize::try_from(*size).unwrap_or_default()).collect();
        self.device_tensor(&shape)
    }

    /// Computes the outputs from the inputs, until it is done or `options` are told to terminate.
    pub(super) fn run(&mut self, options: &RunOptions) -> Result<(), PolicyError> {
        let failed =
            |error: ort::Error| PolicyError::Inference { graph: self.name, reason: error.to_string() };
        self.session.run_binding_with_options(&self.binding, options).map(drop).map_err(failed)
    }

    fn failed(&self, error: ort::Error) -> PolicyError {
        PolicyError::Inference { graph: self.name, reason: error.to_string() }
    }
}

fn open_session(path: &Path, settings: &SessionSettings<'_>) -> Result<Session, PolicyError> {
    let SessionSettings { runtime, device, threads, spinning, .. } = *settings;
    let refused =
        |reason: &str| PolicyError::GraphRefused { path: path.to_owned(), reason: reason.to_owned() };
    let options = |builder: SessionBuilder| -> ort::Result<SessionBuilder> {
        Ok(builder
            .with_optimization_level(GraphOptimizationLevel::All)?
            .with_intra_threads(threads)?
            .with_inter_threads(1)?
            // One block for all values of a run is larger than what malloc keeps: the processor would map and zero it anew in each run.
            .with_memory_pattern(device.is_gpu())?
            // By default off: spinning threads take the cores of camera, link and control.
            .with_intra_op_spinning(spinning)?
            .with_inter_op_spinning(false)?)
    };
    let builder = Session::builder(runtime.environment()).and_then(options);
    let mut builder = builder.map_err(|error| refused(error.message()))?;
    let providers = device.providers(&settings.provider);
    if !providers.is_empty() {
        builder = builder
            .with_execution_providers(providers)
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
