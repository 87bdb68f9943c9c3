//! From the task's text to the policy's tokens.

use std::path::Path;

use tokenizers::Tokenizer;

use super::PolicyError;
use super::bundle::manifest::LanguageContract;
use crate::types::without_panic;

/// The policy's own tokenizer with its width, padding and newline rule.
#[derive(Clone, Debug)]
pub struct TaskTokenizer {
    tokenizer: Tokenizer,
    contract: LanguageContract,
}

/// A task as the policy reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskTokens {
    /// Token ids, padded on the right to the policy's width.
    pub ids: Vec<i64>,
    /// Which of them are the task's.
    pub mask: Vec<bool>,
}

/// How much of the token width a task takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenCount {
    /// Tokens of the task.
    pub tokens: usize,
    /// The policy's width.
    pub width: usize,
}

impl TaskTokenizer {
    pub(super) fn parse(bytes: &[u8], path: &Path, contract: &LanguageContract) -> Result<Self, PolicyError> {
        let malformed = |reason: String| PolicyError::Malformed { path: path.to_owned(), reason };
        let mut json: serde_json::Value =
            serde_json::from_slice(bytes).map_err(|error| malformed(error.to_string()))?;
        // Tokens are never turned back into text here, and tokenizers 0.23 panics on a decoder it cannot read.
        if let Some(decoder) = json.get_mut("decoder") {
            decoder.take();
        }
        // It would cut every merged token by this prefix's length, unchecked: tokenizers 0.23 then panics or worse.
        let prefix = &json["model"]["continuing_subword_prefix"];
        if !(prefix.is_null() || prefix == "") {
            let reason =
                format!("its continuing_subword_prefix is {prefix}; SmolVLA's byte-level BPE has none");
            return Err(malformed(reason));
        }
        let json = json.to_string();
        let mut tokenizer = without_panic(|| Tokenizer::from_bytes(&json))
            .ok_or_else(|| malformed("the tokenizer library gave up on it".to_owned()))?
            .map_err(|error| malformed(error.to_string()))?;
        tokenizer.with_padding(None);
        tokenizer.with_truncation(None).map_err(|error| malformed(error.to_string()))?;
        if tokenizer.id_to_token(contract.pad_id).is_none() {
            return Err(malformed(format!("it has no token {}, the pad_id of policy.json", contract.pad_id)));
        }
        Ok(Self { tokenizer, contract: contract.clone() })
    }

    /// Encodes a task as LeRobot's SmolVLA processor does: a newline is appended if there is none, then byte-level BPE.
    ///
    /// LeRobot cuts a longer task off; here it is [`PolicyError::TaskTooLong`], because a cut instruction fails silently.
    pub fn encode(&self, task: &str) -> Result<TaskTokens, PolicyError> {
        let newline = if self.contract.append_newline && !task.ends_with('\n') { "\n" } else { "" };
        let failed = |reason: String| PolicyError::TaskNotEncodable { reason };
        let encoding = without_panic(|| self.tokenizer.encode(format!("{task}{newline}"), true))
            .ok_or_else(|| failed("the tokenizer library gave up on it".to_owned()))?
            .map_err(|error| failed(error.to_string()))?;
        let (tokens, width) = (encoding.len(), self.contract.width);
        if tokens > width {
            return Err(PolicyError::TaskTooLong { tokens, width, excess: tokens - width });
        }
        let mut ids = vec![i64::from(self.contract.pad_id); width];
        let mut mask = vec![false; width];
        for (index, id) in encoding.get_ids().iter().enumerate() {
            ids[index] = i64::from(*id);
            mask[index] = true;
        }
        Ok(TaskTokens { ids, mask })
    }
}

impl TaskTokens {
    /// How much of the width the task takes.
    pub fn count(&self) -> TokenCount {
        TokenCount { tokens: self.mask.iter().filter(|real| **real).count(), width: self.ids.len() }
    }
}
