//! The tensors between and around the graphs, allocated and bound once.

use std::fmt::Debug;

use ort::memory::Allocator;
use ort::value::{PrimitiveTensorElementType, Tensor};

use super::graph::Graph;
use crate::policy::PolicyError;
use crate::policy::bundle::manifest::Manifest;

/// Host memory of every input and output that our code touches, and device memory of the key/value cache, which it never touches.
pub(super) struct Memory {
    /// (1, 3, height, width), scaled.
    pub(super) pixels: Tensor<f32>,
    /// (1, tokens, hidden) of one camera.
    pub(super) image_tokens: Tensor<f32>,
    /// (1, places x tokens, hidden); empty camera places stay zero.
    pub(super) all_image_tokens: Tensor<f32>,
    /// (1, places x tokens): true for real cameras.
    pub(super) image_mask: Tensor<bool>,
    /// (1, width).
    pub(super) task_tokens: Tensor<i64>,
    /// (1, width).
    pub(super) task_mask: Tensor<bool>,
    /// (1, padded dimension), normalised.
    pub(super) state: Tensor<f32>,
    /// (1, horizon, padded dimension): noise that becomes actions.
    pub(super) actions: Tensor<f32>,
    /// (1, embedding).
    pub(super) time_embedding: Tensor<f32>,
    /// (1, horizon, padded dimension).
    pub(super) velocity: Tensor<f32>,
}

impl Memory {
    pub(super) fn bind(
        contract: &Manifest,
        vision: &mut Graph,
        prefix: &mut Graph,
        denoise: &mut Graph,
    ) -> Result<Self, PolicyError> {
        let Manifest { cameras, language, flow, prefix: cache, .. } = contract;
        let places = contract.camera_places();
        let all_tokens = places * cameras.tokens_per_image;
        let chunk = [1, contract.chunk.horizon, contract.action.padded_dim];
        let mut memory = Self {
            pixels: zeros(&[1, 3, cameras.input_height, cameras.input_width])?,
            image_tokens: zeros(&[1, cameras.tokens_per_image, cache.hidden])?,
            all_image_tokens: zeros(&[1, all_tokens, cache.hidden])?,
            image_mask: zeros(&[1, all_tokens])?,
            task_tokens: zeros(&[1, language.width])?,
            task_mask: zeros(&[1, language.width])?,
            state: zeros(&[1, contract.state.padded_dim])?,
            actions: zeros(&chunk)?,
            time_embedding: zeros(&[1, flow.time_embedding_dim])?,
            velocity: zeros(&chunk)?,
        };
        let real = cameras.slots.len() * cameras.tokens_per_image;
        memory.image_mask.extract_tensor_mut().1[..real].fill(true);

        vision.bind_input("pixels", &memory.pixels)?;
        vision.bind_output("img_emb", &mut memory.image_tokens)?;
        prefix.bind_input("img_emb", &memory.all_image_tokens)?;
        prefix.bind_input("img_pad", &memory.image_mask)?;
        prefix.bind_input("lang_tokens", &memory.task_tokens)?;
        prefix.bind_input("lang_masks", &memory.task_mask)?;
        prefix.bind_input("state", &memory.state)?;
        denoise.bind_input("x_t", &memory.actions)?;
        denoise.bind_input("time_emb", &memory.time_embedding)?;
        denoise.bind_output("v_t", &mut memory.velocity)?;

        // The key/value cache goes from one graph to the other in the device's memory; the bindings keep it alive.
        let mut mask = prefix.device_tensor::<bool>(&[1, cache.length])?;
        prefix.bind_device_output("prefix_pad_masks", &mut mask)?;
        denoise.bind_device_input("prefix_pad_masks", &mask)?;
        for name in ["k_cache", "v_cache"] {
            let shape = [cache.layers, 1, cache.length, cache.kv_heads, cache.head_dim];
            let mut tensor = prefix.device_tensor::<f32>(&shape)?;
            prefix.bind_device_output(name, &mut tensor)?;
            denoise.bind_device_input(name, &tensor)?;
        }
        Ok(memory)
    }
}

/// Host memory, zeroed: ONNX Runtime hands it out as it is.
fn zeros<T: PrimitiveTensorElementType + Debug + Default + Copy>(
    shape: &[usize],
) -> Result<Tensor<T>, PolicyError> {
    let mut tensor = Tensor::new(&Allocator::default(), shape.to_vec())
        .map_err(|error| PolicyError::Inference { graph: "input", reason: error.to_string() })?;
    tensor.extract_tensor_mut().1.fill(T::default());
    Ok(tensor)
}
