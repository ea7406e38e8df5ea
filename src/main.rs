//! The door: parse, run, exit code. Everything else is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    neverafk::cli::main(std::env::args_os().collect(), std::env::vars_os().collect())
}
