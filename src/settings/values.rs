//! The kinds of values that settings have.

use super::{About, Counts, Items, Length, Range, Setting, Text, Visitor};

impl Setting for f64 {
    type Form = Range;

    fn show(&mut self, about: &About, form: Range, visitor: &mut dyn Visitor) {
        visitor.number(about, self, form);
    }
}

impl Setting for u64 {
    type Form = Counts;

    fn show(&mut self, about: &About, form: Counts, visitor: &mut dyn Visitor) {
        visitor.count(about, self, form);
    }
}

impl Setting for usize {
    type Form = Counts;

    /// What does not fit is held to the largest: [`Counts`] bounds every count that sizes anything far below.
    fn show(&mut self, about: &About, form: Counts, visitor: &mut dyn Visitor) {
        let mut wide = *self as u64;
        visitor.count(about, &mut wide, form);
        *self = usize::try_from(wide).unwrap_or(usize::MAX);
    }
}

impl Setting for bool {
    type Form = ();

    fn show(&mut self, about: &About, (): (), visitor: &mut dyn Visitor) {
        visitor.flag(about, self);
    }
}

impl Setting for String {
    type Form = Text;

    fn show(&mut self, about: &About, form: Text, visitor: &mut dyn Visitor) {
        visitor.text(about, self, form);
    }
}

impl<V: Setting + Default> Setting for Option<V> {
    type Form = V::Form;

    fn show(&mut self, about: &About, form: V::Form, visitor: &mut dyn Visitor) {
        if visitor.optional(about, self.is_some(), V::or_false(form)) {
            self.get_or_insert_default().show(about, form, visitor);
        } else {
            *self = None;
        }
    }
}

impl<V: Setting + Default> Setting for Vec<V> {
    type Form = (Length, V::Form);

    fn show(&mut self, about: &About, (length, form): Self::Form, visitor: &mut dyn Visitor) {
        let new = |_: &str| V::default();
        let mut all = All { entries: self, about, form, is_named: false, new, name: |_| "", value: |value| value };
        visitor.list(about, &mut all, length);
    }
}

/// A list whose items have names, in the order in which they are written.
impl<V: Setting + Default> Setting for Vec<(String, V)> {
    type Form = (Length, V::Form);

    fn show(&mut self, about: &About, (length, form): Self::Form, visitor: &mut dyn Visitor) {
        let new = |name: &str| (name.to_owned(), V::default());
        let mut all = All {
            entries: self,
            about,
            form,
            is_named: true,
            new,
            name: |entry| &entry.0,
            value: |entry| &mut entry.1,
        };
        visitor.list(about, &mut all, length);
    }
}

struct All<'a, E, V: Setting> {
    entries: &'a mut Vec<E>,
    about: &'a About,
    form: V::Form,
    is_named: bool,
    new: fn(&str) -> E,
    name: fn(&E) -> &str,
    value: fn(&mut E) -> &mut V,
}

impl<E, V: Setting> Items for All<'_, E, V> {
    fn len(&self) -> usize {
        self.entries.len()
    }

    fn clear(&mut self) {
        self.entries.clear();
    }

    fn push(&mut self, name: &str) {
        self.entries.push((self.new)(name));
    }

    fn is_named(&self) -> bool {
        self.is_named
    }

    fn name(&self, number: usize) -> &str {
        (self.name)(&self.entries[number])
    }

    fn show(&mut self, number: usize, visitor: &mut dyn Visitor) {
        (self.value)(&mut self.entries[number]).show(self.about, self.form, visitor);
    }
}
