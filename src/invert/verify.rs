//! Whether a run folder's weights are those that the run ended with.

use std::path::Path;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::InvertError;
use crate::files::read_whole;

/// Compares `model.safetensors` in `folder` with the SHA-256 in `metrics.json`. Refuses either when it is missing, metrics that
/// are no JSON or name no digest, and weights with another digest.
pub fn verify_weights(folder: &Path) -> Result<(), InvertError> {
    let path = folder.join("metrics.json");
    let refuse = |reason: String| InvertError::Metrics { path: path.clone(), reason };
    let metrics: Value =
        serde_json::from_slice(&read_whole(&path)?).map_err(|error| refuse(format!("it is no JSON ({error})")))?;
    let Some(expected) = metrics.get("model_sha256").and_then(Value::as_str) else {
        return Err(refuse("it has no model_sha256".to_owned()));
    };
    let weights = folder.join("model.safetensors");
    let digest = Sha256::digest(read_whole(&weights)?);
    let found: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    if found == expected {
        return Ok(());
    }
    Err(InvertError::Altered { path: weights, expected: expected.to_owned(), found })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_that_are_missing_altered_or_unsaid_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        let refusal = || verify_weights(folder.path()).unwrap_err().to_string();
        assert!(refusal().starts_with("cannot read"), "{}", refusal());
        write("metrics.json", "{");
        assert!(refusal().contains("it is no JSON"), "{}", refusal());
        write("metrics.json", "{}");
        assert!(refusal().contains("it has no model_sha256"), "{}", refusal());
        // SHA-256 of "abc" (FIPS 180-4, B.1).
        let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        write("metrics.json", &format!("{{\"model_sha256\": \"{digest}\"}}"));
        assert!(refusal().starts_with("cannot read"), "{}", refusal());
        write("model.safetensors", "abc");
        assert!(verify_weights(folder.path()).is_ok());
        write("model.safetensors", "abd");
        assert!(refusal().contains("is not what the run wrote") && refusal().contains(digest), "{}", refusal());
    }
}
