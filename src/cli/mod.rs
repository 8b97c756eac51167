//! The command line: raw arguments resolved once into typed commands.
//!
//! Results go to standard output, progress and refusals to standard error. Exit codes: 0 done, 1 the run failed, 2 the
//! command line or the configuration is wrong, 130, 143 and 129 interrupted by SIGINT, SIGTERM and SIGHUP.

mod args;
mod bars;
mod codes;
mod compare;
mod config;
mod data;
mod dry_run;
mod events;
mod explain;
mod explore;
mod export;
mod images;
mod inspect;
mod interrupt;
mod invert;
mod machine;
mod output;
mod paths;
mod progress;
mod runs;
mod search;
mod source;
mod study;
mod train;
mod workflow;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};

use args::{Arguments, Command, DataCommand};

use narrows::run::RunError;

/// What ends a command without success.
#[derive(Debug, thiserror::Error)]
enum CliError {
    #[error(transparent)]
    Run(RunError),
    #[error("{0}")]
    Usage(String),
    #[error("{0}")]
    Failed(String),
    #[error("interrupted")]
    Interrupted,
}

/// What goes wrong in a run goes wrong in a command in the same words.
impl<E> From<E> for CliError
where
    RunError: From<E>,
{
    fn from(error: E) -> Self {
        CliError::Run(error.into())
    }
}

impl CliError {
    fn exit_code(&self) -> u8 {
        match self {
            CliError::Usage(_) => 2,
            CliError::Run(error) if error.is_usage() => 2,
            CliError::Run(_) | CliError::Failed(_) => 1,
            CliError::Interrupted => interrupt::exit_code(),
        }
    }
}

/// Runs the program with the process's arguments.
pub fn main() -> ExitCode {
    let matches = with_negative_numbers(Arguments::command()).try_get_matches();
    let ended = match matches.and_then(|matches| Arguments::from_arg_matches(&matches)) {
        // The help is a text that is asked for, and goes to standard output.
        Err(error) => {
            output::wrote(error.print());
            error.exit_code() as u8
        }
        Ok(arguments) => {
            if arguments.quiet {
                output::be_quiet(is_text(&arguments.command));
            }
            match dispatch(arguments.command) {
                Ok(()) => 0,
                Err(error) => {
                    if !matches!(error, CliError::Interrupted) {
                        output::complain(&error.to_string());
                    }
                    error.exit_code()
                }
            }
        }
    };
    // What failed before has been said.
    if ended == 0
        && let Some(sentence) = output::unwritten()
    {
        output::complain(&sentence);
        return ExitCode::FAILURE;
    }
    ExitCode::from(ended)
}

/// Whether a list or a text is all that the command is asked for.
fn is_text(command: &Command) -> bool {
    match command {
        Command::Config(_) | Command::Explain { .. } => true,
        Command::Runs { .. } | Command::Show { .. } | Command::Compare { .. } => true,
        Command::Data { command, .. } => matches!(command, DataCommand::List | DataCommand::Verify { .. }),
        _ => false,
    }
}

/// Takes what begins with a minus sign and a digit for a value, which is then refused by its name, and not for an option.
fn with_negative_numbers(command: clap::Command) -> clap::Command {
    let taken = |arg: clap::Arg| if arg.get_action().takes_values() { arg.allow_negative_numbers(true) } else { arg };
    command.mut_args(taken).mut_subcommands(with_negative_numbers)
}

fn dispatch(command: Command) -> Result<(), CliError> {
    match command {
        Command::Train(arguments) => train::run(arguments),
        Command::Study(arguments) => workflow::run(arguments),
        Command::Eval(of) => inspect::evaluate(&of),
        Command::Search(arguments) => search::run(arguments),
        Command::Reconstruct(arguments) => inspect::reconstruct(arguments),
        Command::Invert(arguments) => invert::run(arguments),
        Command::Encode(arguments) => codes::encode(arguments),
        Command::Decode { of, codes, out } => codes::decode(&of, &codes, &out),
        Command::Sample(arguments) => codes::sample(arguments),
        Command::Traverse(arguments) => codes::traverse(arguments),
        Command::Interpolate(arguments) => codes::interpolate(arguments),
        Command::Fidelity(arguments) => codes::fidelity(arguments),
        Command::Probe(arguments) => codes::probe(arguments),
        Command::Map(arguments) => codes::map(arguments),
        Command::Runs { folder, json } => runs::list(&folder, json),
        Command::Show { run, json } => runs::show(&run, json),
        Command::Compare { runs, out, machine } => compare::compare(&runs, out, &machine),
        Command::Explore(arguments) => explore::run(arguments),
        Command::Export { onnx: _, out, of } => export::run(out, &of),
        Command::Data { command, data_dir } => data::run(command, data_dir.as_deref()),
        Command::Config(command) => config::run(command),
        Command::Explain { word } => explain::run(Some(word.join(" ").as_str()).filter(|word| !word.is_empty())),
        Command::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "narrows", &mut text);
            output::print(&String::from_utf8_lossy(&text));
            Ok(())
        }
        Command::Man => {
            output::print(&man_page().expect("memory takes all text"));
            Ok(())
        }
    }
}

/// One page for all commands: after that of the program, each command's synopsis and options.
fn man_page() -> std::io::Result<String> {
    let mut program = Arguments::command();
    program.build();
    let mut page = Vec::new();
    clap_mangen::Man::new(program.clone()).render(&mut page)?;
    let mut open = vec![program];
    while let Some(command) = open.pop() {
        let below: Vec<_> = command.get_subcommands().filter(|below| below.get_name() != "help").cloned().collect();
        open.extend(below.into_iter().rev());
        page.extend(format!(".SH {}\n", command.get_bin_name().unwrap_or_default()).bytes());
        let man = clap_mangen::Man::new(command);
        man.render_synopsis_section(&mut page)?;
        man.render_options_section(&mut page)?;
    }
    // The commands have no pages of their own, and a section for each is enough.
    let line = |line: &str| match line.strip_suffix("(1)") {
        Some(command) => command.replace("\\-", " "),
        None => line.replace(".SH SYNOPSIS", ".PP").replace(".SH OPTIONS", ".PP"),
    };
    Ok(String::from_utf8_lossy(&page).lines().map(|text| line(text) + "\n").collect())
}
