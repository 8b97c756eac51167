//! From the name on the command line to a configuration.

use std::path::Path;

use super::CliError;
use narrows::config::{Preset, Source, preset, presets};
use narrows::files::{argument, read_whole};

/// Whether the configuration is one of the program's own or a file of the user's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Compiled into the program.
    Preset,
    /// On disk.
    File,
}

/// The preset of this name.
pub fn preset_named(name: &str) -> Result<&'static Preset, CliError> {
    preset(name).map_err(|error| CliError::Usage(error.to_string()))
}

/// The configuration called `name`: a file if it looks like one, else a preset.
pub fn find(name: &str) -> Result<(Source, Origin), CliError> {
    let path = Path::new(name);
    if path.is_dir() && preset(name).is_err() {
        let (folder, study) = (argument(path), argument(path.join("study.toml")));
        let hint = match ["config.toml", "study.toml"].map(|file| path.join(file).is_file()) {
            [true, _] => {
                format!(
                    "`narrows train --resume {folder}` goes on with the run in it, and {name}/config.toml repeats it"
                )
            }
            [_, true] => format!("`narrows study {study} --out {folder}` makes the runs that are missing"),
            _ => "a TOML file or the name of a preset is expected; `narrows config list` names them".to_owned(),
        };
        return Err(CliError::Usage(format!("cannot read {name}: it is a folder; {hint}")));
    }
    if name.ends_with(".toml") || name.contains(std::path::MAIN_SEPARATOR) {
        return Ok((read(path)?, Origin::File));
    }
    Ok((preset_named(name)?.source()?, Origin::Preset))
}

/// The configuration in this file.
pub fn read(path: &Path) -> Result<Source, CliError> {
    let bytes = read_whole(path).map_err(|error| {
        let known: Vec<&str> = presets().iter().map(|preset| preset.name).collect();
        CliError::Usage(format!("{error}; a TOML file or the name of a preset ({}) is expected", known.join(", ")))
    })?;
    let name = path.display().to_string();
    let text = String::from_utf8(bytes)
        .map_err(|_| CliError::Usage(format!("{name} is not UTF-8 text; a TOML file is expected")))?;
    Ok(Source::parse(&text, &name)?)
}

/// Applies the settings of the command line, then the seed.
pub fn settle(source: Source, settings: &[String], seed: Option<u64>) -> Result<Source, CliError> {
    let seed = seed.map(|seed| format!("seed={seed}"));
    Ok(settings.iter().chain(&seed).try_fold(source, |source, setting| source.set(setting))?)
}
