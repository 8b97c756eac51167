//! `narrows study`: of a workflow its parts one after the other, and the page about all.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::CliError;
use super::args::StudyArguments;
use super::output::{self, say};
use super::{machine, search, source, study};
use narrows::config::{ConfigError, Place, WorkflowConfig};
use narrows::data::{DataError, data_dirs};
use narrows::files::argument;
use narrows::run::{Machine, RunError, Trials};
use narrows::study::search::check_made;
use narrows::study::workflow::{Part, PartConfig, begin_workflow, folder_of, write_page};

/// Makes every run of a study, or every part of a workflow.
pub fn run(arguments: StudyArguments) -> Result<(), CliError> {
    let machine = machine::resolve(&arguments.machine)?;
    let data_dirs = data_dirs(arguments.machine.data_dir.as_deref());
    let (source, _) = source::find(&arguments.config)?;
    if source.is_workflow() {
        return make(source.into_workflow()?, arguments, machine, &data_dirs);
    }
    study::run(source, arguments, machine, &data_dirs)
}

/// Makes every part that is missing.
fn make(
    config: WorkflowConfig,
    arguments: StudyArguments,
    machine: Machine,
    data_dirs: &[PathBuf],
) -> Result<(), CliError> {
    // What is wrong with a part, or that its data are not there, is said before another is made.
    let configs = read_parts(&config, &arguments)?;
    let (seeds, jobs) = (usize::from(arguments.seeds), arguments.jobs.map(usize::from));
    let base = Path::new("runs").join(&config.name);
    let out = arguments.out.unwrap_or_else(|| study::first_free(&base));
    for ((name, _), part) in config.parts.iter().zip(&configs) {
        let folder = out.join(folder_of(name));
        let prepared = match part {
            PartConfig::Study(study) => {
                study::check_begun(study, &folder)?;
                study::prepare(study, seeds, data_dirs).map(drop)
            }
            PartConfig::Search(search) => {
                check_made(search, &folder)?;
                Trials::new(search, data_dirs, &folder).map(drop).map_err(CliError::from)
            }
        };
        prepared.map_err(|error| of_part(error, name))?;
    }
    begin_workflow(&config, &out)?;
    let (mut parts, mut found, mut interrupted) = (Vec::new(), Vec::new(), false);
    let all = config.parts.len();
    for (number, ((name, _), part)) in config.parts.iter().zip(configs).enumerate() {
        if interrupted {
            break;
        }
        say!("\n# {name}, part {} of {all}\n", number + 1);
        let folder = out.join(folder_of(name));
        match part {
            PartConfig::Study(config) => {
                let made = study::make(*config, seeds, &folder, jobs, machine, data_dirs)?;
                found.push(study::to_json(&made, &folder));
                interrupted = made.interrupted;
                parts.extend(Part::of_study(name, made));
            }
            PartConfig::Search(config) => {
                let made = search::make(*config, &folder, jobs, machine, data_dirs)?;
                found.push(search::to_json(&made, &folder));
                interrupted = made.interrupted;
                parts.push(Part::of_search(name, &made));
            }
        }
        // Each part that is done is on the page, should the next take long.
        write_page(&config, &parts, &out)?;
    }
    output::json(|| json!({ "folder": out.display().to_string(), "interrupted": interrupted, "parts": found }));
    say!("\nWorkflow folder: {}", out.display());
    say!("  {:<16}all parts on one page: open it in a browser", "report.html");
    say!("  {:<16}a folder for each part, with a page of its own", "parts/");
    if interrupted {
        say!("\nThe same command with --out {} makes what is missing.", argument(&out));
        return Err(CliError::Interrupted);
    }
    Ok(())
}

/// A refusal of a part's data, whose advice to set a key names the part.
fn of_part(mut error: CliError, name: &str) -> CliError {
    if let CliError::Run(RunError::Data(DataError::Fault(fault))) = &mut error {
        fault.accepted = fault.accepted.replace("--set data.", &format!("--set {name}.data."));
    }
    error
}

/// The parts as they are asked for. A setting begins with the name of its part.
fn read_parts(config: &WorkflowConfig, arguments: &StudyArguments) -> Result<Vec<PartConfig>, CliError> {
    let names = || config.parts.iter().map(|(name, _)| name.as_str());
    let is_of = |setting: &&String, name: &str| setting.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
    // "a.b.seed=5" is a setting of the part "a.b" where there is one, else of "a".
    let owner = |setting| names().filter(|name| is_of(&setting, name)).max_by_key(|name| name.len());
    if let Some(setting) = arguments.set.iter().find(|setting| owner(setting).is_none()) {
        return Err(CliError::Usage(format!(
            "--set {setting}: a workflow has parts; a key of one of them is expected, such as {}.train.max_epochs=5 (parts: {})",
            names().next().unwrap_or_default(),
            names().collect::<Vec<_>>().join(", ")
        )));
    }
    let read = |name: &str, from: &str| {
        let (mut source, _) = source::find(from)?;
        if arguments.quick {
            source = source.quick()?;
        }
        let own = arguments.set.iter().filter(|setting| owner(setting) == Some(name));
        let settings: Vec<String> = own.map(|setting| setting[name.len() + 1..].to_owned()).collect();
        let source = source::settle(source, &settings, arguments.seed)?;
        Ok(match source.is_search() {
            true => PartConfig::Search(Box::new(source.into_search()?)),
            false => PartConfig::Study(Box::new(source.into_study()?)),
        })
    };
    let named = |(name, from): &(String, String)| {
        read(name, from).map_err(|error| match error {
            // The key as it was typed.
            CliError::Run(RunError::Config(ConfigError { place: Place::Setting(key), problem, run })) => {
                ConfigError { place: Place::Setting(format!("{name}.{key}").into()), problem, run }.into()
            }
            error => error,
        })
    };
    config.parts.iter().map(named).collect()
}
