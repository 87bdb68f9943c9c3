//! The `roarm` program: maps a result to an exit code, nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    roarm::cli::main()
}
