//! Settings: fields that know their key, their meaning, their range and their default, each from one declaration.
//!
//! The macro `settings!` declares a structure or an enumeration and, with it, how it shows itself to a [`Visitor`]. What
//! wants to know settings is a visitor: one that reads a file gives them values, one that writes a file takes their values,
//! one that lists them takes their keys and meanings, and [`check`] holds them to their ranges. None of this knows how a
//! configuration is written down.

mod check;
mod declare;
mod forms;
mod values;

pub use check::{check, check_choice};
pub(crate) use declare::settings;
pub use forms::{Counts, Length, Range, TableForm, Text, at_least};

/// What is known of a setting besides its value.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// Its key in the table where it stands.
    pub key: &'static str,
    /// What it means.
    pub doc: &'static str,
    /// Of a setting that a configuration has to give: what to write, by example.
    pub required: Option<&'static str>,
}

/// A value that a setting can have.
pub trait Setting {
    /// What the value is held to.
    type Form: Copy;

    /// Shows the value to the method of the visitor that is for its kind.
    fn show(&mut self, about: &About, form: Self::Form, visitor: &mut dyn Visitor);

    /// Whether an optional value of this form is written as `false` where there is none; the others are left out.
    fn or_false(_form: Self::Form) -> bool {
        false
    }
}

/// A structure of settings.
pub trait Settings {
    /// Shows each setting, in the order in which they are written.
    fn visit(&mut self, visitor: &mut dyn Visitor);

    /// Gives each setting its default.
    fn reset(&mut self);

    /// Decides what follows from the settings that were given, and refuses those at odds with each other. `given` says of
    /// a key whether it was given.
    fn settle(&mut self, _given: &dyn Fn(&str) -> bool) -> Result<(), Fault> {
        Ok(())
    }
}

/// One of several alternatives, each with settings of its own.
pub trait Choice {
    /// The names of the alternatives.
    fn names(&self) -> &'static [&'static str];

    /// How many of the first names are words: alternatives without settings.
    fn words(&self) -> usize {
        self.names().len()
    }

    /// The number of the alternative that it is.
    fn chosen(&self) -> usize;

    /// Becomes an alternative, with its settings at their defaults.
    fn choose(&mut self, number: usize);

    /// Whether giving a setting of this alternative chooses it where no name is given.
    fn is_implied(&self, _number: usize) -> bool {
        false
    }

    /// Whether its name is written. One that holds where no name is given may be left out.
    fn is_written(&self) -> bool {
        true
    }

    /// Shows the settings of the alternative that it is.
    fn visit(&mut self, visitor: &mut dyn Visitor);
}

/// Values one after the other, all of one kind.
pub trait Items {
    /// How many.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets all.
    fn clear(&mut self);

    /// Adds one with its default, under a name where items have names.
    fn push(&mut self, name: &str);

    /// Whether items have names.
    fn is_named(&self) -> bool;

    /// The name of an item; empty where items have none.
    fn name(&self, number: usize) -> &str;

    /// Shows an item.
    fn show(&mut self, number: usize, visitor: &mut dyn Visitor);
}

/// Who is shown settings. A method may change the value that it is given, or leave it.
pub trait Visitor {
    /// A number.
    fn number(&mut self, about: &About, value: &mut f64, range: Range);

    /// A whole number.
    fn count(&mut self, about: &About, value: &mut u64, range: Counts);

    /// Yes or no.
    fn flag(&mut self, about: &About, value: &mut bool);

    /// A text.
    fn text(&mut self, about: &About, value: &mut String, form: Text);

    /// Whether there is a value, which is shown next if there is; where not, it is written as `false` or left out.
    fn optional(&mut self, about: &About, is_some: bool, or_false: bool) -> bool;

    /// Several values.
    fn list(&mut self, about: &About, items: &mut dyn Items, length: Length);

    /// Settings in a table of their own.
    fn table(&mut self, about: &About, settings: &mut dyn Settings, form: TableForm);

    /// An alternative that is named by a word; its settings stand beside it.
    fn word(&mut self, about: &About, choice: &mut dyn Choice);

    /// An alternative that is a word, or a table of its settings, of which the first has the alternative's name for its key.
    fn tagged(&mut self, about: &About, choice: &mut dyn Choice, accepted: &'static str);

    /// A key that means nothing beside the others: what may be said of it where it is given, and what is accepted.
    fn meaningless(&mut self, _key: &'static str, _found: &str, _accepted: &str) {}
}

/// A setting that was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{key}\" is {found}; accepted: {accepted}")]
pub struct Fault {
    /// Dotted, from the structure that refuses on; items of a list are counted from 0. Empty for the structure itself.
    pub key: String,
    /// What it is, as a noun.
    pub found: String,
    /// What it could be, as a noun.
    pub accepted: String,
}

impl Fault {
    /// A fault of the setting `key`.
    pub fn new(key: impl Into<String>, found: impl Into<String>, accepted: impl Into<String>) -> Self {
        Fault { key: key.into(), found: found.into(), accepted: accepted.into() }
    }

    /// The same fault, seen from the structure in which this one has the key `outer`.
    pub fn within(self, outer: &str) -> Self {
        let key = if self.key.is_empty() { outer.to_owned() } else { format!("{outer}.{}", self.key) };
        Fault { key, ..self }
    }
}
