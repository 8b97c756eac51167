//! From the name on the command line to a configuration.

use std::path::Path;

use super::CliError;
use narrows::config::{Source, preset, presets};
use narrows::files::read_whole;

/// Whether the configuration is one of the program's own or a file of the user's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Compiled into the program.
    Preset,
    /// On disk.
    File,
}

/// The configuration called `name`: a file if it looks like one, else a preset.
pub fn find(name: &str) -> Result<(Source, Origin), CliError> {
    let path = Path::new(name);
    if name.ends_with(".toml") || name.contains(std::path::MAIN_SEPARATOR) {
        let bytes = read_whole(path).map_err(|error| {
            let known: Vec<&str> = presets().iter().map(|preset| preset.name).collect();
            CliError::Usage(format!("{error}; a TOML file or the name of a preset ({}) is expected", known.join(", ")))
        })?;
        let text = String::from_utf8(bytes)
            .map_err(|_| CliError::Usage(format!("{name} is not UTF-8 text; a TOML file is expected")))?;
        return Ok((Source::parse(&text, name)?, Origin::File));
    }
    Ok((preset(name)?.source()?, Origin::Preset))
}

/// Applies the settings of the command line, then the seed.
pub fn settle(mut source: Source, settings: &[String], seed: Option<u64>) -> Result<Source, CliError> {
    for setting in settings {
        source = source.set(setting)?;
    }
    if let Some(seed) = seed {
        source = source.set(&format!("seed={seed}"))?;
    }
    Ok(source)
}
