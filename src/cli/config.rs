//! `narrows config`: presets, and the keys of configurations.

use super::CliError;
use super::args::ConfigCommand;
use super::output::{print, say};
use super::source;
use narrows::config::{Entry, find_keys, keys_of_all, presets, schema};

/// Lists or prints presets and keys.
pub fn run(command: ConfigCommand) -> Result<(), CliError> {
    match command {
        ConfigCommand::List => {
            let width = presets().iter().map(|preset| preset.name.len()).max().unwrap_or(0);
            for preset in presets() {
                say!("{:<width$}  {}", preset.name, preset.summary);
            }
        }
        ConfigCommand::Show { name } => print(source::preset_named(&name)?.text),
        ConfigCommand::Keys { json: true, .. } => print(&format!("{:#}\n", schema())),
        ConfigCommand::Keys { markdown: true, .. } => print(&page(&keys_of_all())),
        ConfigCommand::Keys { key, .. } => {
            let found = key.map(|key| find_keys(&key)).transpose();
            let found = found.map_err(|error| CliError::Usage(error.to_string()))?;
            let found = found.unwrap_or_else(keys_of_all);
            for entry in &found {
                let Entry { key, accepted, default, meaning, with } = entry;
                let default = match default.as_str() {
                    "" | "required" => default.clone(),
                    default => format!("default {default}"),
                };
                // Of a key that is there twice, which is whose.
                let is_twice = found.iter().any(|other| other.key == *key && other.with != *with);
                let beside = entry.beside();
                let with = if is_twice && !beside.is_empty() { format!("with {beside}") } else { String::new() };
                let notes: Vec<String> = [default, with].into_iter().filter(|note| !note.is_empty()).collect();
                let notes = if notes.is_empty() { String::new() } else { format!(" ({})", notes.join(", ")) };
                say!("{key}{notes}: {accepted}\n    {meaning}");
            }
        }
    }
    Ok(())
}

/// The page of the documentation.
fn page(entries: &[Entry]) -> String {
    let mut text = "# Keys of a configuration\n\n\
                    This page is what `narrows config keys --markdown` prints. A key in a table is written with a dot here, as in\n\
                    `--set`; `[]` is an item of a list, in whose place `--set` has a number from 0, and `NAME` is a name: of a run or a part,\n\
                    or of a group of layers. A key that stands here twice means something else, or has another default, beside another choice.\n"
        .to_owned();
    let mut table = None;
    for entry in entries {
        let of = entry.key.split(['.', '[']).next().unwrap_or_default();
        let of = if of == entry.key && !entry.accepted.starts_with("a table") { "" } else { of };
        if table != Some(of) {
            let heading = if of.is_empty() { "Top level".to_owned() } else { format!("`[{of}]`") };
            text += &format!("\n## {heading}\n\n| key | accepted | default | meaning |\n|---|---|---|---|\n");
        }
        table = Some(of);
        let cell = |cell: &str| cell.replace('|', "\\|");
        let default = match entry.default.as_str() {
            default @ ("" | "none" | "required") => default.to_owned(),
            default => format!("`{default}`"),
        };
        let [accepted, default, meaning] = [&entry.accepted, &default, &entry.meaning].map(|text| cell(text));
        text += &format!("| `{}` | {accepted} | {default} | {meaning} |\n", entry.key);
    }
    text
}
