//! Downloading a wheel with pip and taking single files out of it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::pins::WheelSource;
use crate::failure::Failure;
use crate::process;

/// Reads `WHEEL MEMBER TARGET…` from its arguments and writes each member to its target.
const UNPACK: &str = "\
import shutil, sys, zipfile
wheel, *pairs = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    for member, target in zip(pairs[::2], pairs[1::2]):
        with archive.open(member) as source, open(target, 'xb') as copy:
            shutil.copyfileobj(source, copy, 1 << 20)
";

/// Whether pip's progress bar is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    Hidden,
    Shown,
}

/// Downloads the wheel `source` into `folder`.
pub(crate) fn download(source: &WheelSource, folder: &Path, progress: Progress) -> Result<PathBuf, Failure> {
    // The interpreter is named too: any Python 3 with pip can fetch this wheel, whatever its own version.
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "download", "--disable-pip-version-check", "--retries", "2"]);
    pip.args(["--no-deps", "--only-binary=:all:", "--python-version", "3.13", "--implementation", "cp"]);
    pip.args(source.platforms.iter().flat_map(|platform| ["--platform", platform]));
    pip.arg("--dest").arg(folder).arg(source.requirement);
    pip.stdin(Stdio::null()).stderr(Stdio::piped());
    if progress == Progress::Shown {
        // The downloads that are worth a progress bar are too big for a second copy in pip's own cache.
        pip.arg("--no-cache-dir").stdout(Stdio::inherit());
    } else {
        pip.arg("--quiet").stdout(Stdio::piped());
    }

    let output = pip.output().map_err(|error| process::not_started("pip", &pip, &error))?;
    if !output.status.success() {
        return Err(explain(source, &String::from_utf8_lossy(&output.stderr)));
    }
    let wheel = std::fs::read_dir(folder)
        .map_err(|error| Failure::io("read", folder, &error))?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"));
    wheel
        .ok_or_else(|| Failure::new(format!("pip said it fetched {}, but left no wheel", source.requirement)))
}

/// Copies `members` (name in the wheel, target path) out of `wheel`.
pub(crate) fn unpack(wheel: &Path, members: &[(&str, PathBuf)]) -> Result<(), Failure> {
    let mut python = Command::new("python3");
    python.args(["-c", UNPACK]).arg(wheel);
    for (member, target) in members {
        python.arg(member).arg(target);
    }
    let output = process::capture("unpacking a wheel", &mut python)?;
    if output.status.success() {
        return Ok(());
    }
    let reason = String::from_utf8_lossy(&output.stderr);
    Err(Failure::new(format!("cannot unpack {}: {}", wheel.display(), last_line(&reason))))
}

/// pip's words for "I could not reach the index", from its own log lines and urllib3's.
const NO_NETWORK: &[&str] = &[
    "NewConnectionError",
    "NameResolutionError",
    "ConnectTimeoutError",
    "ReadTimeoutError",
    "ProxyError",
    "Max retries exceeded",
    "Network is unreachable",
    "Connection refused",
    "Temporary failure in name resolution",
    "Could not fetch URL",
];

/// Says what pip's complaint means and what helps.
fn explain(source: &WheelSource, complaint: &str) -> Failure {
    let (requirement, title) = (source.requirement, source.title);
    let last = last_line(complaint);
    if complaint.contains("No module named pip") {
        return Failure::new("Python's pip is missing; install with\n    sudo apt-get install python3-pip");
    }
    // Before "no matching distribution": without a network pip ends with that line too.
    if NO_NETWORK.iter().any(|sign| complaint.contains(sign)) {
        return Failure::new(format!(
            "cannot fetch {title}: no connection to the Python package index. Check the network (and HTTPS_PROXY, \
             PIP_INDEX_URL if you use them), then run this again; what was fetched before is kept.\n    pip: {last}"
        ));
    }
    if complaint.contains("No matching distribution") {
        return Failure::new(format!(
            "the package index that pip uses has no {requirement} for {}. If PIP_INDEX_URL or pip.conf point to a \
             mirror, use https://pypi.org/simple.\n    pip: {last}",
            source.platforms.join(" or ")
        ));
    }
    Failure::new(format!("pip could not fetch {requirement}: {last}"))
}

fn last_line(text: &str) -> &str {
    text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("(it gave no reason)").trim()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::pins;
    use super::*;

    fn explained(complaint: &str) -> String {
        explain(&pins::for_this_machine().unwrap()[0].source, complaint).message().to_owned()
    }

    #[test]
    fn a_missing_network_is_told_from_a_missing_package_and_a_missing_pip() {
        // As pip 23.2.1 wrote them, cut to the telling lines.
        let offline = "WARNING: Retrying (Retry(total=0, ...)) after connection broken by 'NewConnectionError(\
            '<pip._vendor.urllib3.connection.HTTPSConnection object at 0x7f>: Failed to establish a new connection: \
            [Errno -3] Temporary failure in name resolution')': /simple/onnxruntime/\n\
            ERROR: Could not find a version that satisfies the requirement onnxruntime==1.31.1 (from versions: none)\n\
            ERROR: No matching distribution found for onnxruntime==1.31.1\n";
        let absent = "ERROR: Could not find a version that satisfies the requirement onnxruntime==1.31.1 (from \
            versions: 1.20.0)\nERROR: No matching distribution found for onnxruntime==1.31.1\n";
        assert!(explained(offline).contains("no connection"));
        assert!(explained(absent).contains("has no onnxruntime==1.31.1"));
        assert!(explained("/usr/bin/python3: No module named pip\n").contains("python3-pip"));
        assert!(
            explained("OSError: [Errno 28] No space left on device\n\n").contains("No space left on device")
        );
    }
}
