//! What can go wrong between a bundle's folder and a chunk of actions.

use std::path::PathBuf;

/// A policy could not be loaded or run. Each message names the cause and the fix; nothing moves after one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The policy answered with more actions than a chunk can carry.
    #[error(transparent)]
    Horizon(#[from] crate::types::ChunkOverflow),
    /// The bundle's graphs cannot be computed on the device.
    #[error(
        "a policy in {compute} does not run on {device}: ask for --device cpu, or convert the float32 bundle with `python -m roarm_export BUNDLE --out OTHER --dtype fp16`"
    )]
    ComputeNotOnDevice {
        /// What the bundle computes in.
        compute: super::bundle::Compute,
        /// Which device was asked for.
        device: String,
    },
    /// The folder does not exist or has no `policy.json`.
    #[error(
        "{} is not a policy bundle: it has no policy.json. Export one with `python -m roarm_export CHECKPOINT --out BUNDLE`, or pass the folder that holds policy.json", path.display()
    )]
    NotABundle {
        /// The folder.
        path: PathBuf,
    },
    /// A file that the bundle needs is absent.
    #[error("the policy bundle lacks {}: copy the whole bundle again, or export it again", path.display())]
    MissingFile {
        /// The file.
        path: PathBuf,
    },
    /// A file could not be read.
    #[error("cannot read {}: {source}. Check its permissions and the disk", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A file's content cannot be parsed.
    #[error("{} is damaged or not what its name says: {reason}. Copy the bundle again, or export it again", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What the parser said.
        reason: String,
    },
    /// `policy.json` was written for a later major version.
    #[error(
        "{} has format version {found}, this roarm reads {supported}: install a roarm that supports policy format {needed_major}.x, or export the policy with an exporter that writes {supported}", path.display()
    )]
    NewerFormat {
        /// `policy.json`.
        path: PathBuf,
        /// The version it has.
        found: String,
        /// The major version of the roarm that is needed.
        needed_major: u64,
        /// What this build reads, such as `1.x`.
        supported: &'static str,
    },
    /// A file's SHA-256 is not the one in `SHA256SUMS`.
    #[error(
        "{} does not match SHA256SUMS: expected {expected}, found {found}. The file is damaged or was changed after the export: copy the bundle again, or export it again", path.display()
    )]
    WrongHash {
        /// The file.
        path: PathBuf,
        /// Hexadecimal, from `SHA256SUMS`.
        expected: String,
        /// Hexadecimal, computed here.
        found: String,
    },
    /// A file that the bundle needs has no line in `SHA256SUMS`.
    #[error("SHA256SUMS has no line for {file}, so it cannot be trusted: export the policy again")]
    NotListed {
        /// Its name.
        file: String,
    },
    /// A field of `policy.json` has a value that cannot be right or is not supported.
    #[error("policy.json: {field} is {found}, expected {expected}. {fix}")]
    Contract {
        /// The field, dotted.
        field: String,
        /// What it must be.
        expected: String,
        /// What it is.
        found: String,
        /// What to do.
        fix: &'static str,
    },
    /// Normalisation statistics are missing or unusable.
    #[error(
        "{}: {tensor} {problem}. Compute the dataset's statistics again (`lerobot-edit-dataset`, or train again) and export the policy again", path.display()
    )]
    Statistics {
        /// `normalization.safetensors`.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The parity fixture lacks a tensor or has one of another shape or type.
    #[error("{}: {tensor} {problem}. Export the policy again", path.display())]
    Parity {
        /// `parity.safetensors` or `parity.json`.
        path: PathBuf,
        /// The tensor or field.
        tensor: String,
        /// What is wrong with it.
        problem: String,
    },
    /// An ONNX file's inputs and outputs are not those that `policy.json` promises.
    #[error(
        "{}: {tensor} is {found}, policy.json says {expected}. The files come from different exports: export the policy again", path.display()
    )]
    GraphMismatch {
        /// The ONNX file.
        path: PathBuf,
        /// The graph's input or output.
        tensor: String,
        /// Type and shape of `policy.json`.
        expected: String,
        /// Type and shape in the graph.
        found: String,
    },
    /// The task has more tokens than the policy reads.
    #[error(
        "the task has {tokens} tokens, {excess} more than the {width} this policy reads: shorten it (LeRobot would cut the end off silently)"
    )]
    TaskTooLong {
        /// Tokens of the task.
        tokens: usize,
        /// The policy's token width.
        width: usize,
        /// How many too many.
        excess: usize,
    },
    /// The tokenizer could not encode the task.
    #[error("the policy's tokenizer cannot encode the task: {reason}. Use plain text")]
    TaskNotEncodable {
        /// What the tokenizer said.
        reason: String,
    },
    /// A chunk was asked for before a task was set.
    #[error("no task is set: pass --task with the text the policy was trained on")]
    NoTask,
    /// No camera slot has this name.
    #[error(
        "the policy has no camera slot `{name}`; its slots are {known}: name one of them, as in --camera {example}=SOURCE"
    )]
    UnknownSlot {
        /// The name that was given.
        name: String,
        /// The policy's slots, separated by commas.
        known: String,
        /// One of them.
        example: String,
    },
    /// A slot has no picture, or more than one.
    #[error(
        "camera slot `{slot}` has {count} pictures, expected one: connect exactly one camera to each slot of the policy"
    )]
    PictureCount {
        /// The slot.
        slot: String,
        /// The number of pictures that were given for it.
        count: usize,
    },
    /// A picture's memory does not fit its size, or the size cannot be resized.
    #[error("the picture for camera slot `{slot}` is {width}x{height} with {values} values: {problem}")]
    PictureSize {
        /// The slot.
        slot: String,
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// Length of the buffer.
        values: usize,
        /// What is wrong and what to do.
        problem: String,
    },
    /// The noise has the wrong length.
    #[error("the noise has {found} values, the policy takes {expected} (horizon x padded action dimension)")]
    NoiseLength {
        /// Expected length.
        expected: usize,
        /// Given length.
        found: usize,
    },
    /// The previous chunk cannot guide the new one.
    #[error("real-time chunking: {problem}")]
    Guidance {
        /// What is wrong and what to do.
        problem: String,
    },
    /// The measured state holds NaN or infinity.
    #[error(
        "joint {joint} of the observation's state is {value}: the feedback is corrupt, check the arm's bus"
    )]
    StateNotFinite {
        /// The joint.
        joint: crate::types::Joint,
        /// Its value.
        value: f64,
    },
    /// No ONNX Runtime library was found.
    #[error(
        "no ONNX Runtime library for --device {device} was found. Looked at: {looked_at}. Run `{setup}`, or name the library with --onnxruntime or ORT_DYLIB_PATH"
    )]
    LibraryNotFound {
        /// Where it was looked for.
        looked_at: String,
        /// `cpu` or `cuda`.
        device: &'static str,
        /// The command that fetches one for the device.
        setup: &'static str,
    },
    /// The library that was named does not exist.
    #[error("the ONNX Runtime library {} (from {origin}) does not exist: correct the path, or leave it out to use the one of `cargo xtask setup`", path.display())]
    LibraryMissing {
        /// The path.
        path: PathBuf,
        /// Who named it.
        origin: &'static str,
    },
    /// The library could not be opened.
    #[error("{} cannot be opened as ONNX Runtime: {reason}. Run `cargo xtask setup` to fetch it again; it needs glibc 2.28 or newer and the machine's own architecture", path.display())]
    LibraryUnusable {
        /// The path.
        path: PathBuf,
        /// The loader's reason.
        reason: String,
    },
    /// The library is older than the API that is used.
    #[error("{} is ONNX Runtime {found}, roarm needs {needed} or newer: run `cargo xtask setup`", path.display())]
    LibraryTooOld {
        /// The path.
        path: PathBuf,
        /// Its version.
        found: String,
        /// The oldest that works.
        needed: String,
    },
    /// This process has already loaded another ONNX Runtime library; one is all it can have.
    #[error("ONNX Runtime is already loaded from {}; {} cannot be loaded beside it: start another process", loaded.display(), asked.display())]
    LibraryConflict {
        /// The one that is in use.
        loaded: PathBuf,
        /// The one that was asked for.
        asked: PathBuf,
    },
    /// The execution provider that was asked for is not available. There is no fallback to another one.
    #[error("the {provider} execution provider is not available: {reason}. {fix}")]
    ProviderUnavailable {
        /// Such as `CUDA`.
        provider: &'static str,
        /// What ONNX Runtime said.
        reason: String,
        /// What to do about this reason.
        fix: String,
    },
    /// ONNX Runtime refused a graph.
    #[error("ONNX Runtime cannot load {}: {reason}. The file is damaged or needs a newer ONNX Runtime: export the policy again, or run `cargo xtask setup`", path.display())]
    GraphRefused {
        /// The ONNX file.
        path: PathBuf,
        /// ONNX Runtime's reason.
        reason: String,
    },
    /// ONNX Runtime failed while running a graph or preparing its memory.
    #[error(
        "the policy's {graph} graph failed: {reason}. If memory ran out, close other programs or choose another --device"
    )]
    Inference {
        /// `vision`, `prefix` or `denoise`.
        graph: &'static str,
        /// ONNX Runtime's reason.
        reason: String,
    },
    /// A folder could not be made.
    #[error("cannot write to {}: {source}. Check its permissions and the disk", path.display())]
    Unwritable {
        /// The folder.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// Another thread asked for the chunk's end, see [`Interrupter`](super::Interrupter).
    #[error("the chunk was ended before it was finished, because a stop was asked for")]
    Interrupted,
    /// The chunk took longer than its limit.
    #[error(
        "the chunk was not finished after {limit_ms} ms: use a faster --device, more --threads or a smaller policy, or raise max_observation_age_ms under [safety]"
    )]
    TooSlow {
        /// The limit.
        limit_ms: u128,
    },
}
