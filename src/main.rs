//! Parse, run, exit code; nothing else.

fn main() -> std::process::ExitCode {
    narrows::cli::main()
}
