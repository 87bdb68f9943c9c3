//! `cargo xtask coverage`: which lines of the control core its own tests run.
//!
//! Only the root package is built with counters, so that its dependencies come from the usual target folder. Test code does not count: the
//! layer check's reader says which lines belong to the product.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::layers;
use crate::process;
use crate::workspace::Workspace;

/// The room that is looked at, and the share of its lines that must be run, percent.
const ROOM: &str = "control";
const REQUIRED_PERCENT: f64 = 90.0;

/// Lines of one file that can be run, and those that were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Lines {
    found: usize,
    run: usize,
}

impl Lines {
    fn percent(self) -> f64 {
        if self.found == 0 { 100.0 } else { 100.0 * self.run as f64 / self.found as f64 }
    }
}

/// Why it cannot run here, with the fix.
pub(crate) fn obstacle(workspace: &Workspace) -> Option<String> {
    llvm_tool(workspace, "llvm-cov")
        .err()
        .or_else(|| llvm_tool(workspace, "llvm-profdata").err())
        .map(|failure| failure.message().to_owned())
}

/// Prints a line for each file and fails below the required share.
pub(crate) fn run(workspace: &Workspace) -> Result<(), Failure> {
    let folder = workspace.join("target/coverage");
    std::fs::create_dir_all(&folder).map_err(|error| Failure::io("create", &folder, &error))?;
    let program = build(workspace)?;
    let (raw, merged) = (folder.join("control.profraw"), folder.join("control.profdata"));
    let mut tests = process::command(workspace, &program);
    process::run("the core's tests", tests.arg(format!("{ROOM}::")).env("LLVM_PROFILE_FILE", &raw))?;
    let mut merge = process::command(workspace, llvm_tool(workspace, "llvm-profdata")?);
    process::run("llvm-profdata", merge.args(["merge", "-sparse", "-o"]).args([&merged, &raw]))?;
    let mut export = process::command(workspace, llvm_tool(workspace, "llvm-cov")?);
    export.args(["export", "-format=lcov", "-instr-profile"]).args([&merged, &program]);
    let exported = process::capture("llvm-cov", export.arg(workspace.join("src").join(ROOM)))?;
    if !exported.status.success() {
        return Err(Failure::new(format!("llvm-cov: {}", String::from_utf8_lossy(&exported.stderr).trim())));
    }
    let product = layers::product_lines(workspace)?;
    let counted = count(&String::from_utf8_lossy(&exported.stdout), &workspace.join("src"), |file, line| {
        product.get(file).is_some_and(|lines| lines.contains(&line))
    });
    report(&counted)
}

fn report(counted: &BTreeMap<String, Lines>) -> Result<(), Failure> {
    let mut total = Lines::default();
    for (file, lines) in counted {
        println!("{:6.1} %  {:>4} of {:>4}  src/{file}", lines.percent(), lines.run, lines.found);
        total.found += lines.found;
        total.run += lines.run;
    }
    println!("{:6.1} %  {:>4} of {:>4}  src/{ROOM}", total.percent(), total.run, total.found);
    if total.found == 0 {
        return Err(Failure::new(format!("no line of src/{ROOM} was counted: is the room still there?")));
    }
    if total.percent() < REQUIRED_PERCENT {
        return Err(Failure::new(format!(
            "the tests of src/{ROOM} run {:.1} % of its lines, {REQUIRED_PERCENT} % are required",
            total.percent()
        )));
    }
    Ok(())
}

/// The test program of the root package, with counters.
fn build(workspace: &Workspace) -> Result<PathBuf, Failure> {
    let mut cargo = process::cargo(workspace);
    cargo.args(["rustc", "--package", "roarm", "--lib", "--profile", "test", "--message-format", "json"]);
    cargo.args(["--", "-C", "instrument-coverage", "-C", "opt-level=0"]);
    let built = process::capture("cargo rustc", cargo.stderr(std::process::Stdio::inherit()))?;
    let text = String::from_utf8_lossy(&built.stdout);
    let program = text.lines().filter_map(|line| after(line, "\"executable\":\"")).next_back();
    match program {
        Some(program) if built.status.success() => Ok(PathBuf::from(program)),
        _ => Err(Failure::new(format!(
            "cargo rustc failed ({}): {}",
            built.status,
            String::from_utf8_lossy(&built.stderr)
        ))),
    }
}

/// The text between `key` and the next quotation mark.
fn after<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let (_, rest) = line.split_once(key)?;
    rest.split('"').next()
}

/// A tool of the compiler's own LLVM.
fn llvm_tool(workspace: &Workspace, name: &str) -> Result<PathBuf, Failure> {
    let mut rustc = process::command(workspace, std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    let told = process::capture("rustc", rustc.args(["--print", "target-libdir"]))?;
    let libraries = String::from_utf8_lossy(&told.stdout).trim().to_owned();
    let tool = Path::new(&libraries).with_file_name("bin").join(name);
    if tool.is_file() {
        Ok(tool)
    } else {
        Err(Failure::new(format!("{name} is not installed: `rustup component add llvm-tools`")))
    }
}

/// Reads an lcov text: lines for which `counts` says so, by file below `source`.
fn count(lcov: &str, source: &Path, counts: impl Fn(&str, usize) -> bool) -> BTreeMap<String, Lines> {
    let mut files: BTreeMap<String, Lines> = BTreeMap::new();
    let mut file = String::new();
    for line in lcov.lines() {
        if let Some(path) = line.strip_prefix("SF:") {
            let path = Path::new(path);
            file = path.strip_prefix(source).unwrap_or(path).to_string_lossy().into_owned();
        } else if let Some((number, times)) = line.strip_prefix("DA:").and_then(|data| data.split_once(','))
            && let (Ok(number), Ok(times)) = (number.parse(), times.parse::<u64>())
            && counts(&file, number)
        {
            let lines = files.entry(file.clone()).or_default();
            lines.found += 1;
            lines.run += usize::from(times > 0);
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_product_are_counted_by_file() {
        let lcov = "SF:/r/src/control/gate.rs\nFN:1,a\nDA:1,3\nDA:2,0\nDA:9,5\nend_of_record\nSF:/r/src/control/stop.rs\nDA:1,0\n";
        let counted = count(lcov, Path::new("/r/src"), |_, line| line < 5);
        assert_eq!(counted["control/gate.rs"], Lines { found: 2, run: 1 });
        assert_eq!(counted["control/stop.rs"], Lines { found: 1, run: 0 });
        assert!((counted["control/gate.rs"].percent() - 50.0).abs() < 1e-9);
    }

    #[test]
    fn too_little_and_nothing_at_all_fail() {
        let of = |found, run| BTreeMap::from([("control/gate.rs".to_owned(), Lines { found, run })]);
        assert!(report(&of(100, 90)).is_ok());
        assert!(report(&of(100, 89)).is_err());
        assert!(report(&BTreeMap::new()).is_err());
    }

    #[test]
    fn the_program_is_found_in_cargos_messages() {
        let line = r#"{"reason":"compiler-artifact","executable":"/t/roarm-1","fresh":false}"#;
        assert_eq!(after(line, "\"executable\":\""), Some("/t/roarm-1"));
        assert_eq!(after(r#"{"executable":null}"#, "\"executable\":\""), None);
    }
}
