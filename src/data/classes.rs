//! The classes of a data set: chosen, renumbered, counted.

use super::dataset::Dataset;
use super::error::{DataError, Fault};
use crate::spelling::nearest;

impl Dataset {
    /// The indices of the samples of some classes, and the numbers of the classes, both ascending. A selector is the name
    /// of a class, whatever its case, or else its number in digits; naming a class twice is naming it once.
    ///
    /// Refused: a set without labels, an empty list, a selector that is no class.
    pub(super) fn members_of<S: AsRef<str>>(&self, selectors: &[S]) -> Result<(Vec<u32>, Vec<usize>), DataError> {
        let refuse = |found: &str, accepted: &str| {
            Fault::new(found, accepted).doing(format!("select classes of {}", self.name)).asked()
        };
        let labels = self.labels.as_ref();
        let labels =
            labels.ok_or_else(|| refuse("it has no labels", "leave `classes` out to use all of its images"))?;
        if selectors.is_empty() {
            return Err(refuse("the list is empty", "name at least one, or leave `classes` out to use all").into());
        }
        let mut kept: Vec<usize> =
            selectors.iter().map(|selector| self.class_number(selector.as_ref())).collect::<Result<_, _>>()?;
        kept.sort_unstable();
        kept.dedup();
        let numbered = (0u32..).zip(labels);
        let members = numbered.filter(|(_, label)| kept.contains(&usize::from(**label))).map(|(index, _)| index);
        Ok((members.collect(), kept))
    }

    /// The same samples, whose classes are those of the old numbers `kept`, numbered 0, 1, … in this order.
    pub(super) fn renumbered(mut self, kept: &[usize]) -> Dataset {
        let number = |old: u8| kept.iter().position(|&class| class == usize::from(old)).unwrap_or(0) as u8;
        self.labels.iter_mut().flatten().for_each(|label| *label = number(*label));
        self.class_names = kept.iter().map(|&class| self.class_names[class].clone()).collect();
        self
    }

    fn class_number(&self, selector: &str) -> Result<usize, DataError> {
        let lower = selector.to_lowercase();
        let named = self.class_names.iter().position(|name| name.to_lowercase() == lower);
        let numbered = || selector.parse().ok().filter(|&number: &usize| number < self.class_names.len());
        named.or_else(numbered).ok_or_else(|| {
            let names = || self.class_names.iter().map(String::as_str);
            let meant = nearest(selector, names()).map_or(String::new(), |name| format!("did you mean `{name}`? "));
            let classes: Vec<String> = names().enumerate().map(|(number, name)| format!("{name} ({number})")).collect();
            let accepted = format!("{meant}its classes are {}", classes.join(", "));
            let doing = format!("select the class `{selector}` of {}", self.name);
            Fault::new("there is none of that name", accepted).doing(doing).asked().into()
        })
    }
}

/// How many of the samples at `indices` are of each class, in the order of the class numbers; 0 is a count.
///
/// # Panics
/// If an index has no label, or a label no name.
pub fn class_distribution(labels: &[u8], indices: &[u32], class_names: &[String]) -> Vec<(String, usize)> {
    let mut counts: Vec<_> = class_names.iter().map(|name| (name.clone(), 0)).collect();
    for &index in indices {
        counts[usize::from(labels[index as usize])].1 += 1;
    }
    counts
}
