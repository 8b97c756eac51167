//! `narrows explain`: the words of tables, reports and configurations.

use super::CliError;
use super::output::say;
use narrows::spelling::nearest;

/// The page of the documentation, of which an entry is a heading of names and the text below it.
const PAGE: &str = include_str!("../../docs/glossary.md");

struct Entry {
    names: &'static str,
    text: &'static str,
}

impl Entry {
    fn names(&self) -> impl Iterator<Item = &'static str> {
        self.names.split(", ")
    }
}

fn entries() -> Vec<Entry> {
    let sections = PAGE.split("\n## ").skip(1);
    sections
        .filter_map(|section| section.split_once('\n').map(|(names, text)| Entry { names, text: text.trim() }))
        .collect()
}

/// Prints the entry of a word, or lists them all. Refused: a word without an entry.
pub fn run(word: Option<&str>) -> Result<(), CliError> {
    let entries = entries();
    let Some(word) = word else {
        entries.iter().for_each(|entry| say!("{}", entry.names));
        return Ok(());
    };
    let is_it = |name: &str| plain(name) == plain(word);
    match entries.iter().find(|entry| entry.names().any(is_it)) {
        Some(entry) => {
            say!("{}", entry.names);
            entry.text.lines().for_each(|line| say!("  {line}"));
            Ok(())
        }
        None => {
            let near = nearest(word, entries.iter().flat_map(Entry::names));
            let hint = near.map(|near| format!(" (did you mean \"{near}\"?)")).unwrap_or_default();
            let word: String = word.chars().take(100).collect();
            Err(CliError::Usage(format!("the glossary has no \"{word}\"{hint}; `narrows explain` lists its words")))
        }
    }
}

/// Without case and accents, and with nothing but a space between words.
fn plain(name: &str) -> String {
    name.to_lowercase().replace(['-', '_', '–'], " ").replace('é', "e")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_entry_has_names_of_its_own_and_a_text() {
        let entries = entries();
        assert!(entries.len() > 30);
        let mut seen = BTreeSet::new();
        for entry in &entries {
            assert!(entry.text.len() > 40, "{}", entry.names);
            entry.names().for_each(|name| assert!(seen.insert(plain(name)), "{name} is there twice"));
            assert!(run(entry.names().next()).is_ok());
        }
        // A word that an entry sends its reader to has one.
        for word in ["nrmse", "Elbo", "min-delta", "patience", "kl", "perplexity", "frechet", "Adam", "kink"] {
            assert!(seen.contains(&plain(word)), "{word}");
        }
        assert!(run(Some("zebra")).is_err());
    }
}
