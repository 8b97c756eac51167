//! Holds values to their ranges.

use super::{About, Choice, Counts, Fault, Items, Length, Range, Settings, TableForm, Text, Visitor};

/// Refuses the first value out of its range, or else settings at odds with each other.
pub fn check(settings: &mut dyn Settings) -> Result<(), Fault> {
    let mut check = Check::default();
    check.settings(settings);
    check.fault.map_or(Ok(()), Err)
}

/// Refuses the first value out of its range among those of what is chosen.
pub fn check_choice(choice: &mut dyn Choice) -> Result<(), Fault> {
    let mut check = Check::default();
    choice.visit(&mut check);
    check.fault.map_or(Ok(()), Err)
}

#[derive(Default)]
struct Check {
    path: Vec<String>,
    /// Whether what is shown next is an item of a list, which has no key of its own.
    is_item: bool,
    fault: Option<Fault>,
}

impl Check {
    fn settings(&mut self, settings: &mut dyn Settings) {
        settings.visit(self);
        if self.fault.is_none() {
            self.fault = settings.settle(&|_| true).err().map(|fault| self.rooted(fault));
        }
    }

    fn rooted(&self, fault: Fault) -> Fault {
        self.path.iter().rev().fold(fault, |fault, outer| fault.within(outer))
    }

    fn hold(&mut self, about: &About, is_accepted: bool, found: impl ToString, accepted: impl ToString) {
        let key = if std::mem::take(&mut self.is_item) { "" } else { about.key };
        if !is_accepted && self.fault.is_none() {
            self.fault = Some(self.rooted(Fault::new(key, found.to_string(), accepted.to_string())));
        }
    }

    fn below(&mut self, about: &About, show: impl FnOnce(&mut Self)) {
        let is_item = std::mem::take(&mut self.is_item);
        self.path.extend((!is_item).then(|| about.key.to_owned()));
        show(self);
        self.path.truncate(self.path.len() - usize::from(!is_item));
    }
}

impl Visitor for Check {
    fn number(&mut self, about: &About, value: &mut f64, range: Range) {
        self.hold(about, range.accepts(*value), *value, range.accepted);
    }

    fn count(&mut self, about: &About, value: &mut u64, range: Counts) {
        let is_word = range.word.is_some_and(|(_, meant)| meant == *value);
        self.hold(about, is_word || range.accepts(*value), *value, range);
    }

    fn flag(&mut self, _: &About, _: &mut bool) {}

    fn text(&mut self, about: &About, value: &mut String, form: Text) {
        self.hold(about, (form.holds)(value), format!("{value:?}"), form.accepted);
    }

    fn optional(&mut self, _: &About, is_some: bool, _: bool) -> bool {
        is_some
    }

    fn list(&mut self, about: &About, items: &mut dyn Items, length: Length) {
        let is_accepted = (length.least..=length.most).contains(&items.len());
        self.below(about, |check| {
            check.is_item = true;
            check.hold(about, is_accepted, format!("a list of {}", items.len()), length.accepted);
            for number in 0..items.len() {
                check.path.push(number.to_string());
                check.is_item = true;
                items.show(number, check);
                // Words and flags are held to nothing and leave it set.
                check.is_item = false;
                check.path.pop();
            }
        });
    }

    fn table(&mut self, about: &About, settings: &mut dyn Settings, _: TableForm) {
        self.below(about, |check| check.settings(settings));
    }

    fn word(&mut self, _: &About, choice: &mut dyn Choice) {
        choice.visit(self);
    }

    fn tagged(&mut self, about: &About, choice: &mut dyn Choice, _: &'static str) {
        self.below(about, |check| choice.visit(check));
    }
}
