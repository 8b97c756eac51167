//! Numbers as a page shows them.

use minijinja::Value;
use minijinja::value::Serde;

use crate::figures::number::{significant, typeset};
use crate::nn::grouped;
use crate::optim::{Optimizer, Semantics};
use crate::study::figure::Figure;

/// What stands for a figure that was not measured.
pub(super) const ABSENT: &str = "–";

/// A number, a figure of facts, or a text that stands for an infinite one; all else is a figure that no seed has.
fn figure(value: &Value) -> Figure {
    // JSON has no infinite number, which a template may compute.
    let read = || Figure::read(&serde_json::to_value(value).unwrap_or_default());
    f64::try_from(value.clone()).map_or_else(|_| read(), |mean| Figure::of([mean]))
}

/// Applies `words` to a figure that was measured.
fn of(value: &Value, words: impl Fn(Figure) -> String) -> String {
    let figure = figure(value);
    if figure.mean.is_nan() { ABSENT.to_owned() } else { words(figure) }
}

/// `digits` significant digits: "0.2169", and over several seeds "0.2169 ± 0.0012".
pub(super) fn show(value: &Value, digits: Option<usize>) -> String {
    let digits = digits.unwrap_or(4);
    of(value, |figure| match figure.deviation {
        None => powers(&significant(figure.mean, digits)),
        Some(deviation) if !(1e-4..1e7).contains(&figure.mean.abs()) && figure.mean != 0.0 => {
            powers(&format!("{} ± {}", significant(figure.mean, digits), significant(deviation, 2)))
        }
        Some(deviation) => {
            // As many decimals as two digits of the deviation need, and no more than the mean has.
            let decimals = |value: f64, digits: usize| {
                let text = significant(value, digits);
                if text.contains('e') { usize::MAX } else { text.split_once('.').map_or(0, |(_, rest)| rest.len()) }
            };
            let spread = if deviation == 0.0 { usize::MAX } else { decimals(deviation, 2) };
            let decimals = spread.min(decimals(figure.mean, digits));
            format!("{:.decimals$}\u{a0}±\u{a0}{:.decimals$}", figure.mean, deviation).replace('-', "−")
        }
    })
}

/// How a figure stands to another, with the share from which on a difference counts where there are fewer than three seeds: "lower",
/// "higher", "same" or "unknown".
pub(super) fn against(value: &Value, other: &Value, floor: f64) -> Value {
    Value::from(Serde(figure(value).against(&figure(other), Some(floor))))
}

/// Times `factor` (1 where absent), with so many decimals: "96.49".
pub(super) fn fixed(value: &Value, decimals: usize, factor: Option<f64>) -> String {
    let factor = factor.unwrap_or(1.0);
    of(value, |figure| match (factor * figure.mean, figure.deviation) {
        (mean, _) if mean.is_infinite() => powers(&significant(mean, 1)),
        (mean, None) => format!("{mean:.decimals$}").replace('-', "−"),
        (mean, Some(deviation)) => {
            format!("{mean:.decimals$}\u{a0}±\u{a0}{:.decimals$}", factor * deviation).replace('-', "−")
        }
    })
}

/// A count, in groups of three digits; a mean that is not whole, with a decimal.
pub(super) fn count(value: &Value) -> String {
    of(value, |figure| match figure.deviation {
        Some(deviation) if deviation > 0.0 => format!("{:.1}\u{a0}±\u{a0}{deviation:.1}", figure.mean),
        _ if figure.mean.fract() != 0.0 => format!("{:.1}", figure.mean),
        _ => grouped(figure.mean.max(0.0) as usize),
    })
}

/// A share in percent, with as many digits as a reader can use: "1.2 %".
pub(super) fn percent(value: &Value) -> String {
    of(value, |figure| {
        let percent = 100.0 * figure.mean;
        let text = match percent.abs() {
            0.0 => "0".to_owned(),
            size if size < 0.01 => if percent > 0.0 { "< 0.01" } else { "> -0.01" }.to_owned(),
            size if size < 0.995 => format!("{percent:.2}"),
            size if size < 9.95 => format!("{percent:.1}"),
            size if (99.0..99.95).contains(&size) => format!("{percent:.1}"),
            _ => format!("{percent:.0}"),
        };
        format!("{}\u{a0}%", text.replace('-', "−"))
    })
}

/// A change in percent with its sign: "+1.2 %", "−34 %".
pub(super) fn change(value: &Value) -> String {
    let text = percent(value);
    if figure(value).mean > 0.0 && !text.starts_with('<') { format!("+{text}") } else { text }
}

/// A setting, in the shortest form: "0.0001" is "10⁻⁴", "0.01" stays.
pub(super) fn setting(value: &Value) -> String {
    of(value, |figure| match figure.mean {
        size if size != 0.0 && size.abs() < 1e-2 => powers(&format!("{size:e}")),
        size => size.to_string(),
    })
}

/// "a", "a and b", "a, b and c".
pub(super) fn listed(items: Vec<String>) -> String {
    match &items[..] {
        [rest @ .., last] if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        items => items.concat(),
    }
}

/// The run of this name.
pub(super) fn named(runs: Vec<Value>, name: &str) -> Value {
    let is_named = |run: &Value| run.get_attr("name").is_ok_and(|found| found.as_str() == Some(name));
    runs.into_iter().find(is_named).unwrap_or_default()
}

/// What readers call the words of a configuration.
const TERMS: [(&str, &str); 10] = [
    ("keras", "Keras"),
    ("pytorch", "PyTorch"),
    ("relu", "ReLU"),
    ("leaky-relu", "leaky ReLU"),
    ("elu", "ELU"),
    ("mse", "mean squared error"),
    ("bce", "cross-entropy"),
    ("bce-logits", "cross-entropy of logits"),
    ("kl", "KL divergence"),
    ("gaussian", "normal noise"),
];

/// A word of a configuration as readers know it; what follows a comma stays.
pub(super) fn term(text: &str) -> String {
    let (word, rest) = text.split_at(text.find(',').unwrap_or(text.len()));
    let optimizers = Optimizer::all(Semantics::default()).map(|rule| (rule.name(), rule.title()));
    let known = optimizers.chain(TERMS).find(|(name, _)| *name == word).map_or(word, |(_, term)| term);
    format!("{known}{rest}")
}

/// With its first letter in upper case.
pub(super) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// Numbers as print has them, the parts of one not to be parted.
fn powers(text: &str) -> String {
    let word = |word: &str| if word.ends_with("infinite") { word.replace("infinite", "∞") } else { typeset(word) };
    text.split(' ').map(word).collect::<Vec<_>>().join("\u{a0}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn over(values: &[f64]) -> Value {
        Value::from(Serde(Figure::of(values.iter().copied())))
    }

    #[test]
    fn figures_are_shown_with_their_spread() {
        assert_eq!(show(&over(&[0.21689]), None), "0.2169");
        assert_eq!(show(&over(&[0.2169, 0.2181, 0.2193]), None), "0.2181\u{a0}±\u{a0}0.0012");
        assert_eq!(show(&over(&[21.0, 24.0]), Some(3)), "22.5\u{a0}±\u{a0}2.1");
        assert_eq!(show(&over(&[0.25, 0.25]), None), "0.2500\u{a0}±\u{a0}0.0000");
        assert_eq!(show(&over(&[-0.2169, -0.2181, -0.2193]), None), "−0.2181\u{a0}±\u{a0}0.0012");
        assert_eq!(show(&over(&[1.234e-5]), Some(2)), "1.2·10⁻⁵");
        assert_eq!(show(&over(&[]), None), ABSENT);
        assert_eq!(show(&over(&[f64::INFINITY]), None), "∞");
        assert_eq!(show(&Value::from("∞"), None), "∞");
        assert_eq!(show(&Value::from(()), None), ABSENT);
        assert_eq!(fixed(&over(&[0.9649]), 2, Some(100.0)), "96.49");
        assert_eq!(fixed(&over(&[-0.016]), 1, Some(100.0)), "−1.6");
        assert_eq!(count(&over(&[14.0, 14.0])), "14");
        assert_eq!(count(&Value::from(15000)), "15,000");
        assert_eq!(count(&Value::from(2.0 / 3.0)), "0.7");
    }

    #[test]
    fn shares_and_settings_are_short() {
        assert_eq!(percent(&Value::from(0.00456)), "0.46\u{a0}%");
        assert_eq!([0.0996, 0.00998].map(|x| percent(&Value::from(x))), ["10\u{a0}%", "1.0\u{a0}%"]);
        assert_eq!(
            [0.996, -5e-5, 5e-5].map(|x| percent(&Value::from(x))),
            ["99.6\u{a0}%", "> −0.01\u{a0}%", "< 0.01\u{a0}%"]
        );
        assert_eq!(change(&Value::from(-0.344)), "−34\u{a0}%");
        assert_eq!(change(&Value::from(0.0123)), "+1.2\u{a0}%");
        assert_eq!([1e-6, 2.5e-3, 0.01, 100.0].map(|x| setting(&Value::from(x))), ["10⁻⁶", "2.5·10⁻³", "0.01", "100"]);
        assert_eq!(listed(vec!["a".into(), "b".into(), "c".into()]), "a, b and c");
    }
}
