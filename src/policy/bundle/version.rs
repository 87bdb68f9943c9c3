//! The bundle format's version.

use std::path::Path;

use crate::policy::PolicyError;

const FORMAT: &str = "roarm-policy";
const SUPPORTED_MAJOR: u64 = 1;
const SUPPORTED: &str = "1.x";

/// Refuses another format and a newer major version. Looks at nothing else, since a newer format may differ in everything else.
///
/// Text that is no JSON passes: the checksums have the better word for damaged files.
pub(super) fn check(path: &Path, bytes: &[u8]) -> Result<(), PolicyError> {
    let Ok(json) = serde_json::from_slice::<serde_json::Value>(bytes) else { return Ok(()) };
    let text =
        |field: &str| json.get(field).and_then(serde_json::Value::as_str).unwrap_or("missing").to_owned();
    let contract = |field: &str, expected: &str| PolicyError::Contract {
        field: field.to_owned(),
        expected: expected.to_owned(),
        found: text(field),
        fix: "Pass a folder that `python -m roarm_export` wrote",
    };
    if text("format") != FORMAT {
        return Err(contract("format", FORMAT));
    }
    let found = text("format_version");
    let major = found
        .split_once('.')
        .and_then(|(major, minor)| minor.parse::<u64>().ok().and(major.parse::<u64>().ok()))
        .ok_or_else(|| contract("format_version", "MAJOR.MINOR"))?;
    if major > SUPPORTED_MAJOR {
        return Err(PolicyError::NewerFormat {
            path: path.to_owned(),
            found,
            needed_major: major,
            supported: SUPPORTED,
        });
    }
    if major < SUPPORTED_MAJOR {
        return Err(contract("format_version", SUPPORTED));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn check_version(version: &str) -> Result<(), String> {
        let json = format!(r#"{{"format": "roarm-policy", "format_version": "{version}"}}"#);
        check(Path::new("policy.json"), json.as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn newer_minor_versions_pass_and_newer_major_ones_name_what_is_needed() {
        assert_eq!(check_version("1.0"), Ok(()));
        assert_eq!(check_version("1.7"), Ok(()));
        let message = check_version("2.3").unwrap_err();
        assert!(
            message.contains("format version 2.3") && message.contains("supports policy format 2.x"),
            "{message}"
        );
    }

    #[test]
    fn nonsense_is_refused() {
        for version in ["0.9", "1", "", "a.b", "1.x", "-1.0", "99999999999999999999.0"] {
            assert!(check_version(version).is_err(), "{version}");
        }
        let other = br#"{"format": "other", "format_version": "1.0"}"#;
        assert!(check(Path::new("policy.json"), other).is_err());
        assert!(check(Path::new("policy.json"), b"{}").is_err());
    }
}
