//! Runs that repeat each other with other seeds, and their figures side by side.

use serde_json::{Map, Value, json};

use super::figure::Figure;
use crate::config::RunConfig;
use crate::run::RunRecord;

/// Finished runs, by their numbers in what they were taken from, that differ in name and seed alone, each seed once; in the order of their
/// seeds. A run that is not finished, or has a seed that is there already, is a group by itself.
pub type Repeats = Vec<usize>;

/// A figure of one group of runs less that of another, over the seeds that both have.
#[derive(Clone, Debug, PartialEq)]
pub struct Paired {
    /// "train", "validation" or "test".
    pub part: String,
    /// The key of the figure in `metrics.json`.
    pub figure: String,
    /// The differences, a seed each.
    pub differences: Vec<f64>,
}

/// The runs grouped by all of their configuration but name and seed, groups in the order of their first runs.
pub fn repeats(records: &[RunRecord]) -> Vec<Repeats> {
    let rest = |record: &RunRecord| RunConfig { name: String::new(), seed: 0, ..record.config.clone() };
    let mut groups: Vec<(RunConfig, Repeats)> = Vec::new();
    for (number, record) in records.iter().enumerate() {
        let rest = rest(record);
        let takes = |group: &Repeats| {
            let has =
                |&other: &usize| records[other].config.seed == record.config.seed || !records[other].state.is_done();
            record.state.is_done() && !group.iter().any(has)
        };
        match groups.iter_mut().find(|(of_group, group)| *of_group == rest && takes(group)) {
            Some((_, group)) => group.push(number),
            None => groups.push((rest, vec![number])),
        }
    }
    let mut groups: Vec<Repeats> = groups.into_iter().map(|(_, group)| group).collect();
    groups.iter_mut().for_each(|group| group.sort_by_key(|&number| records[number].config.seed));
    groups
}

/// Mean and standard deviation (dividing by one less than their number) of two values or more.
pub fn mean_and_deviation(values: &[f64]) -> Option<[f64; 2]> {
    let figure = Figure::of(values.iter().copied());
    Some([figure.mean, figure.deviation?])
}

/// Every figure of `second` less that of `first`, seed by seed; those that two seeds or more of both have.
pub fn paired(records: &[RunRecord], first: &Repeats, second: &Repeats) -> Vec<Paired> {
    let seed = |number: usize| records[number].config.seed;
    let both = first.iter().filter_map(|&a| Some((a, *second.iter().find(|&&b| seed(b) == seed(a))?)));
    let both: Vec<(usize, usize)> = both.collect();
    let Some((one, _)) = both.first() else { return Vec::new() };
    let parts = records[*one].metrics["evaluation"].as_object().into_iter().flatten();
    let figures = parts.flat_map(|(part, figures)| {
        let keys = figures.as_object().into_iter().flatten().map(|(key, _)| key).filter(|key| *key != "images");
        keys.map(move |key| (part.clone(), key.clone()))
    });
    let paired = figures.map(|(part, figure)| {
        let of = |number: usize| records[number].metrics["evaluation"][&part][&figure].as_f64();
        let differences = both.iter().filter_map(|&(a, b)| Some(of(b)? - of(a)?)).collect();
        Paired { part, figure, differences }
    });
    paired.filter(|paired| paired.differences.len() > 1).collect()
}

impl Paired {
    /// The mean of the differences, and the standard error of it: their deviation over the root of their number.
    pub fn mean_and_error(&self) -> [f64; 2] {
        let [mean, deviation] = mean_and_deviation(&self.differences).unwrap_or([f64::NAN; 2]);
        [mean, deviation / (self.differences.len() as f64).sqrt()]
    }

    /// In how many seeds the second has the lower figure.
    pub fn lower(&self) -> usize {
        self.differences.iter().filter(|&&difference| difference < 0.0).count()
    }

    /// For other programs.
    pub fn to_json(&self) -> Map<String, Value> {
        let [mean, error] = self.mean_and_error();
        let facts = json!({
            "part": self.part, "figure": self.figure, "seeds": self.differences.len(), "mean": mean, "standard_error": error,
            "lower": self.lower(), "differences": self.differences,
        });
        facts.as_object().cloned().unwrap_or_default()
    }
}
