//! The program `narrows`.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
