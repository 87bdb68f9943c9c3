//! What the machine must bring itself, and the packages that bring it.

use std::process::Command;

use crate::failure::Failure;
use crate::process;

/// The C and C++ compilers (H.264 decoder, and the headers that bindgen reads).
pub(crate) fn check_compilers() -> Result<(), Failure> {
    report(&[
        ("gcc", "gcc", process::succeeds(Command::new("gcc").arg("--version"))),
        ("g++", "g++", process::succeeds(Command::new("g++").arg("--version"))),
    ])
}

/// Python 3 with pip and venv, needed to fetch and for the Python tests.
pub(crate) fn check_python() -> Result<(), Failure> {
    let python = |arguments: &[&str]| process::succeeds(Command::new("python3").args(arguments));
    report(&[
        (
            "Python 3.11 or newer",
            "python3",
            python(&["-c", "import sys; sys.exit(sys.version_info < (3, 11))"]),
        ),
        ("Python's pip", "python3-pip", python(&["-m", "pip", "--version"])),
        ("Python's venv", "python3-venv", python(&["-c", "import venv, ensurepip"])),
    ])
}

/// One message for all that is missing: (for people, Debian package, found).
fn report(needed: &[(&str, &str, bool)]) -> Result<(), Failure> {
    let missing: Vec<_> = needed.iter().filter(|(_, _, found)| !found).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = missing.iter().map(|(name, _, _)| *name).collect();
    let packages: Vec<_> = missing.iter().map(|(_, package, _)| *package).collect();
    Err(Failure::new(format!(
        "this machine lacks {}; install with\n    sudo apt-get install {}",
        names.join(", "),
        packages.join(" ")
    )))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn all_that_is_missing_is_named_at_once_with_its_package() {
        let failure = report(&[("gcc", "gcc", true), ("pip", "python3-pip", false), ("g++", "g++", false)])
            .unwrap_err();
        let message = failure.message();
        assert!(message.contains("lacks pip, g++;"), "{message}");
        assert!(message.ends_with("apt-get install python3-pip g++"), "{message}");
        assert!(report(&[("gcc", "gcc", true)]).is_ok());
    }
}
