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

pub use check::check;
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

#[cfg(test)]
mod tests {
    use super::*;

    settings! {
        /// A kettle.
        #[derive(Clone, Debug, PartialEq)]
        pub struct Kettle {
            /// In litres.
            pub volume: f64 = 1.5, in Range::ABOVE_ZERO;
            /// How many cups there are.
            pub cups: usize = 4, in at_least(1);
            /// What heats it.
            pub heats: Vec<Heat> = vec![Heat::Gas], in (Length { least: 1, most: 2, accepted: "a list" }, "a heat");
            /// What it is called.
            pub name("label"): Option<String> = None, in Text::any("a name");
        }
        settle settle;
    }

    settings! {
        /// A source of heat.
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub enum Heat tagged {
            /// A flame.
            Gas = "gas",
            /// A current.
            Electric = "electric" {
                /// In watts.
                power("electric"): f64 = 2000.0, in Range::ABOVE_ZERO;
            },
        }
    }

    impl Kettle {
        fn settle(&mut self, given: &dyn Fn(&str) -> bool) -> Result<(), Fault> {
            if given("cups") && self.cups as f64 > 10.0 * self.volume {
                return Err(Fault::new("cups", "more than the volume fills", "as many as it does"));
            }
            Ok(())
        }
    }

    #[test]
    fn a_value_out_of_its_range_is_named_wherever_it_stands() {
        let mut kettle = Kettle { volume: 2.0, ..Kettle::default() };
        assert_eq!(check(&mut kettle), Ok(()));
        kettle.reset();
        assert_eq!((&kettle, kettle.volume), (&Kettle::default(), 1.5));
        for (change, expected) in [
            ((|k| k.volume = f64::NAN) as fn(&mut Kettle), "\"volume\" is NaN; accepted: a finite number above 0"),
            (|k| k.cups = 0, "\"cups\" is 0; accepted: an integer from 1 to 4294967295"),
            (|k| k.cups = 16, "\"cups\" is more than the volume fills; accepted: as many as it does"),
            (|k| k.heats.clear(), "\"heats\" is a list of 0; accepted: a list"),
            (
                |k| k.heats.push(Heat::Electric { power: 0.0 }),
                "\"heats.1.electric\" is 0; accepted: a finite number above 0",
            ),
            (|k| k.name = Some(String::new()), "\"label\" is \"\"; accepted: a name"),
        ] {
            let mut kettle = Kettle::default();
            change(&mut kettle);
            assert_eq!(check(&mut kettle).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn alternatives_have_names_and_become_each_other() {
        let mut heat = Heat::default();
        assert_eq!((Heat::NAMES, heat.words(), heat.name()), (&["gas", "electric"][..], 1, "gas"));
        heat.choose(1);
        assert_eq!((heat.name(), heat.chosen(), heat), ("electric", 1, Heat::Electric { power: 2000.0 }));
    }
}
