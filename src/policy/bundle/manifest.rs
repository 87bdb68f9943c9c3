//! `policy.json` as values. Fields that a newer minor version adds are ignored.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The content of `policy.json`; docs/policy-bundle.md describes each field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// `roarm-policy`.
    pub format: String,
    /// `major.minor`.
    pub format_version: String,
    /// `smolvla`.
    pub policy_type: String,
    /// Horizon and rate.
    pub chunk: ChunkContract,
    /// The measured pose that goes in.
    pub state: VectorContract,
    /// The pose targets that come out.
    pub action: VectorContract,
    /// Unit and sign convention of state and action: `sdk_degrees`.
    pub frame: String,
    /// Where the statistics are.
    pub normalization: NormalizationContract,
    /// Camera slots and image preprocessing.
    pub cameras: CameraContract,
    /// Tokenizer and token width.
    pub language: LanguageContract,
    /// The flow matching loop.
    pub flow: FlowContract,
    /// Size of the key/value cache.
    pub prefix: PrefixContract,
    /// Which position ids the vision encoder looked up in training: `canonical` or `shifted`.
    pub vision_position_ids: String,
    /// What the graphs compute in. Since format 1.2; bundles of before are float32.
    #[serde(default)]
    pub compute: Compute,
    /// The three ONNX files.
    pub graphs: Graphs,
    /// Where the policy comes from.
    pub provenance: Provenance,
}

/// Horizon and rate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChunkContract {
    /// Actions a chunk holds.
    pub horizon: usize,
    /// Actions of a chunk that are played before the next one, as trained.
    pub n_action_steps: usize,
    /// Actions a second; `None` where the checkpoint does not say.
    pub fps: Option<f64>,
}

/// State or action.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VectorContract {
    /// LeRobot's feature name.
    pub key: String,
    /// Real dimensions.
    pub dim: usize,
    /// Dimensions of the graph's tensor; the rest is zeros.
    pub padded_dim: usize,
    /// One name a dimension, as in the dataset.
    pub names: Vec<String>,
    /// `mean_std`.
    pub normalization: String,
}

/// Where the statistics are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NormalizationContract {
    /// File name.
    pub file: String,
    /// Added to the standard deviation when normalising (not when going back).
    pub eps: f64,
}

/// Camera slots and image preprocessing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CameraContract {
    /// In the order of training.
    pub slots: Vec<CameraSlot>,
    /// Slots after those that are always masked.
    pub empty: usize,
    /// Height of the vision encoder's input, pixels.
    pub input_height: usize,
    /// Width of the vision encoder's input, pixels.
    pub input_width: usize,
    /// `left_top`.
    pub pad_side: String,
    /// Value of the padding before it is scaled to `range`.
    pub pad_value: f64,
    /// What 0 and 1 are scaled to.
    pub range: [f64; 2],
    /// Tokens the vision encoder makes of one image.
    pub tokens_per_image: usize,
}

/// One camera of the policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CameraSlot {
    /// LeRobot's feature name, such as `observation.images.front`.
    pub name: String,
    /// Width of the dataset's pictures, pixels. Others are resized.
    pub width: u32,
    /// Height of the dataset's pictures, pixels.
    pub height: u32,
}

/// Tokenizer and token width.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LanguageContract {
    /// File name.
    pub file: String,
    /// Tokens the policy reads.
    pub width: usize,
    /// Whether a newline is appended to a task that has none.
    pub append_newline: bool,
    /// `right`.
    pub padding_side: String,
    /// Token that fills the rest.
    pub pad_id: u32,
}

/// The flow matching loop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FlowContract {
    /// Euler steps from noise to actions.
    pub steps: usize,
    /// Length of the time embedding; even.
    pub time_embedding_dim: usize,
    /// Shortest period of the embedding's waves.
    pub min_period: f64,
    /// Longest period.
    pub max_period: f64,
}

/// Size of the key/value cache.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PrefixContract {
    /// Tokens: images, text, state.
    pub length: usize,
    /// Width of a token.
    pub hidden: usize,
    /// Transformer layers.
    pub layers: usize,
    /// Key/value heads a layer.
    pub kv_heads: usize,
    /// Width of a head.
    pub head_dim: usize,
}

/// The three ONNX files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Graphs {
    /// One camera image to image tokens.
    pub vision: GraphContract,
    /// Image tokens, text, state to the key/value cache.
    pub prefix: GraphContract,
    /// One flow matching step.
    pub denoise: GraphContract,
}

/// An ONNX file with its inputs and outputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GraphContract {
    /// File name.
    pub file: String,
    /// What goes in.
    pub inputs: Vec<TensorContract>,
    /// What comes out.
    pub outputs: Vec<TensorContract>,
    /// Bytes of the constants in the file by element type, as the exporter counted them. Since format 1.2; empty before.
    #[serde(default)]
    pub weight_bytes: BTreeMap<String, u64>,
}

/// What the large products of the graphs are computed in. Inputs and outputs are float32 in each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compute {
    /// IEEE single precision throughout.
    #[default]
    Float32,
    /// Weights and products in half precision; norms, softmax, rotary embedding and the residual stream in single precision.
    Float16,
    /// 8-bit weights, activations rounded to 8 bits at run time. Processors only.
    Int8,
}

impl std::fmt::Display for Compute {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Float32 => "float32",
            Self::Float16 => "float16",
            Self::Int8 => "int8",
        })
    }
}

/// Name, type and static shape of a graph's input or output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TensorContract {
    /// Name in the graph.
    pub name: String,
    /// Element type.
    pub dtype: Dtype,
    /// Static shape.
    pub shape: Vec<usize>,
}

/// Element type of a graph's tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dtype {
    /// IEEE single precision.
    Float32,
    /// IEEE half precision.
    Float16,
    /// 64-bit integer.
    Int64,
    /// Truth value, one byte.
    Bool,
}

impl std::fmt::Display for Dtype {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Float32 => "float32",
            Self::Float16 => "float16",
            Self::Int64 => "int64",
            Self::Bool => "bool",
        })
    }
}

impl std::fmt::Display for TensorContract {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} {:?}", self.dtype, self.shape)
    }
}

/// Where the policy comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// Exporter and version.
    pub exporter: String,
    /// SHA-256 of the checkpoint's weights.
    pub checkpoint_sha256: String,
    /// Parameters of the checkpoint.
    pub parameters: u64,
    /// Python packages that made the export, name to version.
    pub packages: serde_json::Map<String, serde_json::Value>,
    /// When, ISO 8601.
    pub created: String,
    /// Type the policy was trained in.
    pub training_dtype: String,
}

impl Manifest {
    /// The graphs with their short names.
    pub fn graphs(&self) -> [(&'static str, &GraphContract); 3] {
        [("vision", &self.graphs.vision), ("prefix", &self.graphs.prefix), ("denoise", &self.graphs.denoise)]
    }

    /// Bytes of the constants in all graphs by element type.
    pub fn weight_bytes(&self) -> BTreeMap<&str, u64> {
        let mut sum = BTreeMap::new();
        for (dtype, bytes) in self.graphs().iter().flat_map(|(_, graph)| &graph.weight_bytes) {
            let total: &mut u64 = sum.entry(dtype.as_str()).or_default();
            *total = total.saturating_add(*bytes);
        }
        sum
    }

    /// Camera places in the prefix: real slots, then empty ones.
    pub fn camera_places(&self) -> usize {
        self.cameras.slots.len().saturating_add(self.cameras.empty)
    }
}
