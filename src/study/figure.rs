//! Figures measured once for each seed, and when two of them differ.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value, json};

/// A figure of a run: its mean over the seeds that have it. As JSON an object with `mean`, and of several seeds with `deviation`
/// and `seeds`; a mean that is infinite is the text "∞", one that is absent is null.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Figure {
    /// The mean; NaN where no seed has the figure.
    pub mean: f64,
    /// The standard deviation over the seeds (dividing by one less than their number); `None` for fewer than two.
    pub deviation: Option<f64>,
    /// The seeds that have the figure.
    pub seeds: usize,
}

/// What JSON has in the place of an infinite number.
const INFINITE: &str = "∞";

impl Default for Figure {
    /// One that no seed has.
    fn default() -> Figure {
        Figure::of([])
    }
}

impl Figure {
    /// Of a value for each seed; NaN stands for one that was not measured.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Figure {
        let values: Vec<f64> = values.into_iter().filter(|value| !value.is_nan()).collect();
        let n = values.len() as f64;
        // What 0 / 0 gives has a sign that is not the same on every platform, and is sorted by it.
        let mean = if values.is_empty() { f64::NAN } else { values.iter().sum::<f64>() / n };
        let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
        let deviation = (values.len() > 1 && mean.is_finite()).then(|| (squares / (n - 1.0)).sqrt());
        Figure { mean, deviation, seeds: values.len() }
    }

    /// Reads a number, or what [`Serialize`] gives; everything else is a figure that no seed has.
    pub fn read(value: &Value) -> Figure {
        let mean = |value: &Value| match value {
            Value::String(text) if text == INFINITE => f64::INFINITY,
            value => value.as_f64().unwrap_or(f64::NAN),
        };
        let Value::Object(parts) = value else { return Figure::of([mean(value)]) };
        let mean = parts.get("mean").map_or(f64::NAN, mean);
        let seeds = parts.get("seeds").and_then(Value::as_u64).map_or(usize::from(!mean.is_nan()), |n| n as usize);
        Figure { mean, deviation: parts.get("deviation").and_then(Value::as_f64), seeds }
    }

    /// How this figure stands to `other`.
    ///
    /// Three seeds or more each: a difference counts when it exceeds 2·√(s² + t²), s and t being the standard deviations over
    /// the seeds, so that runs with two further seeds would rarely be in the other order. Fewer seeds tell too little of the
    /// spread: the difference must also exceed the share `floor` of the larger figure; without a floor nothing is said.
    pub fn against(&self, other: &Figure, floor: Option<f64>) -> Verdict {
        if !(self.mean.is_finite() && other.mean.is_finite()) {
            return Verdict::Unknown;
        }
        let spread = self.deviation.zip(other.deviation).map(|(s, t)| 2.0 * (s * s + t * t).sqrt());
        let share = floor.map(|floor| floor * self.mean.abs().max(other.mean.abs()));
        let least = match (spread, share) {
            (Some(spread), _) if self.seeds.min(other.seeds) > 2 => spread,
            (spread, Some(share)) => spread.map_or(share, |spread| spread.max(share)),
            (_, None) => return Verdict::Unknown,
        };
        match self.mean - other.mean {
            difference if difference.abs() <= least => Verdict::Same,
            difference if difference < 0.0 => Verdict::Lower,
            _ => Verdict::Higher,
        }
    }
}

/// The places of the highest (or lowest) figure and of those that no difference that counts separates from it, the first one first;
/// those of which that is not known are left out.
pub(super) fn in_front(figures: &[Figure], is_highest: bool) -> Vec<usize> {
    let mut places: Vec<usize> = (0..figures.len()).filter(|&at| figures[at].mean.is_finite()).collect();
    places.sort_by(|&a, &b| figures[a].mean.total_cmp(&figures[b].mean));
    if is_highest {
        places.reverse();
    }
    let Some(&first) = places.first() else { return places };
    places.retain(|&at| at == first || figures[at].against(&figures[first], None) == Verdict::Same);
    places
}

impl Serialize for Figure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("mean", &number(self.mean))?;
        if let Some(deviation) = self.deviation {
            map.serialize_entry("deviation", &deviation)?;
            map.serialize_entry("seeds", &self.seeds)?;
        }
        map.end()
    }
}

/// A number as JSON has it in facts: NaN is null, infinity a text.
pub(super) fn number(value: f64) -> Value {
    if value == f64::INFINITY { json!(INFINITE) } else { json!(value) }
}

/// How a figure stands to another.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    /// By a difference that counts.
    Lower,
    /// By a difference that counts.
    Higher,
    /// The difference does not count.
    Same,
    /// One of them is absent or not finite, or nothing is known of the spread over seeds.
    #[default]
    Unknown,
}

/// From which share on a difference between two runs of one seed each counts: twice the widest range that seeds alone gave a
/// figure of this kind, see `published/spread.toml`.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Floors {
    /// Of losses.
    pub loss: f64,
    /// Of mean squared errors.
    pub error: f64,
    /// Of figures of the code.
    pub code: f64,
}

impl Floors {
    /// Of roots of mean squared errors.
    pub fn root(&self) -> f64 {
        0.5 * self.error
    }
}

/// The same tree of facts for each seed, as one: numbers become figures, a truth is one of all seeds, all else is that of the first
/// seed.
pub(super) fn over_seeds(trees: &[Value]) -> Value {
    match trees.first() {
        Some(Value::Object(first)) => {
            let merged = first.keys().map(|key| {
                let branches: Vec<Value> = trees.iter().map(|tree| tree[key].clone()).collect();
                (key.clone(), over_seeds(&branches))
            });
            Value::Object(merged.collect::<Map<_, _>>())
        }
        Some(Value::Array(first)) => {
            let item = |at: usize| over_seeds(&trees.iter().map(|tree| tree[at].clone()).collect::<Vec<_>>());
            Value::Array((0..first.len()).map(item).collect())
        }
        Some(Value::String(text)) if text != INFINITE => json!(text),
        Some(Value::Bool(_)) => json!(trees.iter().all(|tree| *tree == json!(true))),
        _ => json!(Figure::of(trees.iter().map(|value| Figure::read(value).mean))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_mean_and_deviation_of_what_was_measured() {
        let figure = Figure::of([1.0, f64::NAN, 2.0, 3.0]);
        assert_eq!(figure, Figure { mean: 2.0, deviation: Some(1.0), seeds: 3 });
        assert_eq!(Figure::of([0.5]), Figure { mean: 0.5, deviation: None, seeds: 1 });
        assert!(Figure::of([f64::NAN]).mean.is_nan());
        for figure in [figure, Figure::of([0.5]), Figure::of([f64::INFINITY]), Figure::of([0.5, 0.5])] {
            assert_eq!(Figure::read(&json!(figure)), figure);
        }
        assert_eq!(json!(Figure::of([])), json!({ "mean": null }));
    }

    #[test]
    fn in_front_is_what_no_difference_that_counts_separates_from_the_first() {
        let seeds: [&[f64]; 5] = [&[0.79, 0.80, 0.81], &[0.90, 0.91, 0.92], &[0.91, 0.92, 0.93], &[0.5], &[]];
        let figures = seeds.map(|seeds| Figure::of(seeds.iter().copied()));
        assert_eq!(in_front(&figures, true), [2, 1]);
        assert_eq!(in_front(&figures, false), [3], "of one seed nothing is known but its place");
        assert_eq!(in_front(&[], true), [0; 0]);
    }

    #[test]
    fn trees_become_one_tree_of_figures() {
        let tree = |loss: f64, psnr: f64| json!({ "name": "a", "at": [{ "loss": loss, "psnr": number(psnr) }] });
        let one = over_seeds(&[tree(1.0, f64::INFINITY), tree(3.0, 7.0)]);
        assert_eq!(over_seeds(&[json!([true, true]), json!([true, false])]), json!([true, false]));
        assert_eq!(one["name"], "a");
        assert_eq!(Figure::read(&one["at"][0]["loss"]), Figure::of([1.0, 3.0]));
        assert_eq!(one["at"][0]["psnr"]["mean"], "∞");
        assert_eq!(Figure::read(&one["at"][0]["nowhere"]).seeds, 0);
    }

    #[test]
    fn over_three_seeds_the_spread_decides_and_the_order_turns_the_verdict() {
        let figure = |mean: f64, spread: f64| Figure::of([mean - spread, mean, mean + spread]);
        // 2·√(0.01² + 0.01²) = 0.0283.
        assert_eq!(figure(1.0, 0.01).against(&figure(1.03, 0.01), None), Verdict::Lower);
        assert_eq!(figure(1.03, 0.01).against(&figure(1.0, 0.01), None), Verdict::Higher);
        assert_eq!(figure(1.0, 0.01).against(&figure(1.02, 0.01), None), Verdict::Same);
        // Far apart by any percentage, but not by their spread.
        assert_eq!(figure(1.0, 0.4).against(&figure(1.5, 0.4), Some(0.02)), Verdict::Same);
        assert_eq!(figure(1.0, f64::NAN).against(&Figure::of([]), None), Verdict::Unknown);
    }

    #[test]
    fn fewer_seeds_need_the_floor_too() {
        let [low, high] = [0.20, 0.21].map(|value| Figure::of([value]));
        assert_eq!(low.against(&high, Some(0.034)), Verdict::Lower);
        assert_eq!(low.against(&high, Some(0.06)), Verdict::Same);
        assert_eq!(low.against(&high, None), Verdict::Unknown);
        // Two seeds that happen to agree prove nothing; two that differ widely do.
        let pair = |a: f64, b: f64| Figure::of([a, b]);
        assert_eq!(pair(0.2, 0.2).against(&pair(0.21, 0.21), Some(0.06)), Verdict::Same);
        assert_eq!(pair(0.1, 0.3).against(&pair(0.25, 0.26), Some(0.06)), Verdict::Same);
        assert_eq!(pair(0.2, 0.2).against(&pair(0.21, 0.21), None), Verdict::Unknown);
    }
}
