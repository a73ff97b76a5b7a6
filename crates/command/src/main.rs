//! The command `nn`.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(nn_command::run(std::env::args_os()))
}
