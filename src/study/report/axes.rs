//! Grid keys and their values in words.

use crate::config::{Axis, AxisValue};

/// An axis in words.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct AxisWords {
    /// "batch size".
    pub noun: String,
    /// "train.batch_size".
    pub key: String,
    /// Each value as it stands beside others: "32", "sparse".
    pub labels: Vec<String>,
    /// Each value as it stands in a sentence: "batch size 32", "sparse".
    pub phrases: Vec<String>,
}

/// Keys whose last part alone says too little.
const NOUNS: [(&str, &str); 8] = [
    ("model.code_penalty.l1", "L1 penalty on the code"),
    ("model.code_penalty.l2", "L2 penalty on the code"),
    ("model.code_penalty", "penalty on the code"),
    ("model.weight_penalty.l2", "L2 penalty on the weights"),
    ("model.init", "initialisation"),
    ("train.max_epochs", "limit of epochs"),
    ("optimizer.name", "optimizer"),
    ("data.set", "data set"),
];

impl AxisWords {
    pub fn of(axis: &Axis) -> AxisWords {
        let known = NOUNS.iter().find(|(key, _)| *key == axis.key).map(|(_, noun)| (*noun).to_owned());
        let noun = known.unwrap_or_else(|| axis.key.rsplit('.').next().unwrap_or_default().replace('_', " "));
        let phrase = |value: &AxisValue| {
            if is_named(value) { value.label.clone() } else { format!("{noun} {}", value.label) }
        };
        let labels = axis.values.iter().map(|value| value.label.clone()).collect();
        AxisWords { key: axis.key.clone(), labels, phrases: axis.values.iter().map(phrase).collect(), noun }
    }
}

/// Whether a value has a label of its own, not its TOML.
fn is_named(value: &AxisValue) -> bool {
    value.label != value.toml.trim_matches('"')
}

/// "batch size (train.batch_size): 32, 256" or, with labels, "…: regular = 0.0, sparse = 1e-6".
pub(super) fn description(axis: &Axis) -> String {
    let value = |value: &AxisValue| match is_named(value) {
        true => format!("{} = {}", value.label, value.toml),
        false => value.label.clone(),
    };
    let values: Vec<String> = axis.values.iter().map(value).collect();
    format!("{} ({}): {}", capitalised(&AxisWords::of(axis).noun), axis.key, values.join(", "))
}

/// With its first letter in upper case.
pub(super) fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// "a", "a and b", "a, b and c".
pub(super) fn listed<T: AsRef<str>>(items: &[T]) -> String {
    match items {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [rest @ .., last] => {
            let rest: Vec<&str> = rest.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", rest.join(", "), last.as_ref())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_with_labels_stand_alone_and_others_with_their_noun() {
        let axis = |key: &str, values: &[(&str, &str)]| Axis {
            key: key.into(),
            values: values.iter().map(|(l, t)| AxisValue { label: (*l).into(), toml: (*t).into() }).collect(),
        };
        let batch = axis("train.batch_size", &[("32", "32"), ("256", "256")]);
        assert_eq!(AxisWords::of(&batch).phrases, ["batch size 32", "batch size 256"]);
        assert_eq!(description(&batch), "Batch size (train.batch_size): 32, 256");
        let l1 = axis("model.code_penalty.l1", &[("regular", "0.0"), ("sparse", "1e-6")]);
        assert_eq!(AxisWords::of(&l1).phrases, ["regular", "sparse"]);
        let expected = "L1 penalty on the code (model.code_penalty.l1): regular = 0.0, sparse = 1e-6";
        assert_eq!(description(&l1), expected);
        assert_eq!(AxisWords::of(&axis("optimizer.name", &[("adam", "\"adam\"")])).phrases, ["optimizer adam"]);
        assert_eq!(listed(&["a", "b", "c"]), "a, b and c");
    }
}
