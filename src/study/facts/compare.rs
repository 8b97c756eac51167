//! Which figures of which runs differ.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::run::RunFacts;
use super::setup::Axis;
use crate::study::figure::{Figure, Floors, Verdict};

/// How runs are compared.
#[derive(Clone, Copy, Debug, Serialize)]
pub(in crate::study) struct Rules {
    /// From which difference on runs of one seed differ.
    pub floors: Floors,
    /// The part that models are judged by, as a reader calls it.
    pub part: &'static str,
    /// The last epoch that every finished run made.
    pub epoch: usize,
}

/// What kind of figure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    /// Comparable between runs with the same loss, where that is a loss of its own.
    Loss,
    Error,
    /// The root of an error.
    Root,
    Code,
    /// Epochs, steps and seconds: judged over three seeds or not at all.
    Cost,
}

/// A figure that runs are compared by.
pub(super) struct Metric {
    /// What templates call it.
    pub key: &'static str,
    /// What a reader calls it; `{}` stands for the part that models are judged by, `{n}` for the last common epoch.
    pub name: &'static str,
    /// Where it is among the figures of a run; `{}` stands for the part.
    pub pointer: &'static str,
    family: Family,
    /// Whether the lowest is the best.
    ranked: bool,
}

const fn metric(key: &'static str, name: &'static str, pointer: &'static str, family: Family, ranked: bool) -> Metric {
    Metric { key, name, pointer, family, ranked }
}

/// The figures of a run, in the order in which tables have them.
pub(super) const METRICS: [Metric; 11] = [
    metric("epochs", "epochs", "/epochs", Family::Cost, false),
    metric(
        "at_common_epoch",
        "loss after epoch {n}, the last that every run made",
        "/at_common_epoch",
        Family::Loss,
        true,
    ),
    metric("last_loss", "training loss of the last epoch", "/last/loss", Family::Loss, true),
    metric("last_val_loss", "validation loss of the last epoch", "/last/val_loss", Family::Loss, true),
    metric("loss", "{} loss", "/evaluation/{}/loss", Family::Loss, true),
    metric("mse", "{} MSE", "/evaluation/{}/mse", Family::Error, true),
    metric("nrmse", "{} NRMSE", "/evaluation/{}/nrmse", Family::Root, true),
    metric("active", "active code units", "/evaluation/{}/active_code_units", Family::Code, false),
    metric("l1", "L1 norm of the code", "/evaluation/{}/code_l1", Family::Code, false),
    metric("epoch_seconds", "seconds per epoch", "/seconds_per_epoch", Family::Cost, false),
    metric("seconds", "seconds of training", "/training_seconds", Family::Cost, false),
];

impl Metric {
    /// From which share on a difference between `runs` counts with one seed; `None` where one seed tells nothing. A loss that is the
    /// mean squared error is judged as that error is.
    fn floor(&self, floors: Floors, runs: &[&RunFacts]) -> Option<f64> {
        match self.family {
            Family::Loss if runs.iter().all(|run| run.config["train"]["loss"] == "mse") => Some(floors.error),
            Family::Loss => Some(floors.loss),
            Family::Error => Some(floors.error),
            Family::Root => Some(floors.root()),
            Family::Code => Some(floors.code),
            Family::Cost => None,
        }
    }

    /// What a reader calls it.
    fn name(&self, rules: Rules) -> String {
        self.name.replace("{}", rules.part).replace("{n}", &rules.epoch.to_string())
    }

    fn is_comparable(&self, runs: &[&RunFacts]) -> bool {
        let agree = |pair: &[&RunFacts]| pair[0].loss_label == pair[1].loss_label;
        self.family != Family::Loss || (runs.windows(2).all(agree) && !runs.iter().any(|run| run.loss_is_relative))
    }
}

/// Runs with a lowest figure: the lowest one, and those that no difference that counts separates from it.
#[derive(Clone, Debug, Serialize)]
pub(in crate::study) struct Ranking {
    /// Names of the leaders, lowest first.
    pub leaders: Vec<String>,
    /// The runs that were ranked.
    pub runs: usize,
    /// What was compared, as a reader calls it.
    pub metric: String,
    /// Its key.
    pub key: &'static str,
    /// The lowest figure.
    pub lowest: Figure,
    /// The number of their data.
    pub set: usize,
}

/// The leaders among `runs` by this figure; `None` for fewer than two that have it.
fn ranking(metric: &Metric, runs: &[&RunFacts], rules: Rules) -> Option<Ranking> {
    let mut ranked: Vec<(&str, Figure)> = runs
        .iter()
        .map(|run| (run.name.as_str(), run.measured(metric.key)))
        .filter(|(_, f)| f.mean.is_finite())
        .collect();
    ranked.sort_by(|a, b| a.1.mean.total_cmp(&b.1.mean));
    let (_, lowest) = *ranked.first().filter(|_| ranked.len() > 1)?;
    let floor = metric.floor(rules.floors, runs);
    let leads = |figure: &Figure| figure.against(&lowest, floor) != Verdict::Higher;
    let leaders = ranked.iter().filter(|(_, figure)| leads(figure)).map(|(name, _)| (*name).to_owned()).collect();
    let (runs, set) = (ranked.len(), runs[0].set);
    Some(Ranking { leaders, runs, metric: metric.name(rules), key: metric.key, lowest, set })
}

/// The names of the leaders among `runs` by the metric of this key, lowest first; of fewer than two runs that have it, none.
pub(super) fn leaders(runs: &[&RunFacts], key: &str, rules: Rules) -> Vec<String> {
    let metric = METRICS.iter().find(|metric| metric.key == key);
    metric.and_then(|metric| ranking(metric, runs, rules)).map_or(Vec::new(), |ranking| ranking.leaders)
}

/// Marks in every group of runs those that lead by a figure, and gives for every group the ranking by its loss, or by its mean
/// squared error where the losses are of different kinds.
pub(super) fn rank(runs: &mut [RunFacts], rules: Rules) -> Vec<Ranking> {
    let mut rankings = Vec::new();
    let groups: BTreeSet<usize> = runs.iter().map(|run| run.group).collect();
    for group in groups {
        let peers: Vec<&RunFacts> = runs.iter().filter(|run| run.group == group && !run.is_interrupted()).collect();
        let ranked = METRICS.iter().filter(|metric| metric.ranked && metric.is_comparable(&peers));
        let found: Vec<Ranking> = ranked.filter_map(|metric| ranking(metric, &peers, rules)).collect();
        for run in runs.iter_mut().filter(|run| run.group == group) {
            let leads =
                |ranking: &&Ranking| ranking.leaders.len() < ranking.runs && ranking.leaders.contains(&run.name);
            run.best = found.iter().filter(leads).map(|ranking| ranking.key).collect();
        }
        let by = |key: &str| found.iter().find(|ranking| ranking.key == key).cloned();
        rankings.extend(by("loss").or_else(|| by("mse")));
    }
    rankings
}

/// Runs that differ in one value of the grid, compared.
#[derive(Clone, Debug, Serialize)]
pub(in crate::study) struct Comparison {
    /// The number of the axis.
    pub axis: usize,
    /// Combinations of the other values.
    pub settings: usize,
    /// A row for each figure and combination.
    pub rows: Vec<Row>,
    /// Of each figure, by its name, the value of the axis that has the lowest in every combination by a difference that counts.
    pub lowest: Vec<(String, usize)>,
}

/// A figure of runs that differ in one value of the grid alone.
#[derive(Clone, Debug, Serialize)]
pub(in crate::study) struct Row {
    /// Its key.
    pub key: &'static str,
    /// What a reader calls it.
    pub name: String,
    /// What the runs have in common, in words: "batch size 32"; empty where that is everything else.
    pub rest: String,
    /// For each value of the axis; absent where no finished run has it.
    pub figures: Vec<Figure>,
    /// The second figure less the first, as a share of the first; of two values.
    pub change: Option<f64>,
    /// Which of the values has the lowest figure, lower than every other by a difference that counts.
    pub lowest: Option<usize>,
    /// Whether the differences could be judged.
    pub judged: bool,
}

/// Compares the finished runs along every axis of the grid.
pub(super) fn along_axes(axes: &[Axis], runs: &[RunFacts], rules: Rules) -> Vec<Comparison> {
    let comparison = |axis: usize| {
        let mut groups: BTreeMap<Vec<usize>, Vec<&RunFacts>> = BTreeMap::new();
        for run in runs.iter().filter(|run| !run.is_interrupted() && run.place.len() == axes.len()) {
            let mut rest = run.place.clone();
            rest.remove(axis);
            groups.entry(rest).or_default().push(run);
        }
        groups.retain(|_, runs| runs.len() > 1);
        let (mut rows, mut lowest) = (Vec::new(), Vec::new());
        for metric in &METRICS {
            let begin = rows.len();
            for (rest, runs) in groups.iter().filter(|(_, runs)| metric.is_comparable(runs)) {
                let others = axes.iter().enumerate().filter(|(number, _)| *number != axis);
                let rest: Vec<&str> =
                    others.zip(rest).map(|((_, other), &at)| other.values[at].phrase.as_str()).collect();
                let of_value = |value: usize| runs.iter().find(|run| run.place[axis] == value);
                let figures = (0..axes[axis].values.len())
                    .map(|value| of_value(value).map_or(Figure::default(), |run| run.measured(metric.key)));
                let floor = metric.floor(rules.floors, runs);
                rows.extend(row(metric, figures.collect(), rest.join(", "), rules, floor));
            }
            let first = rows[begin..].first().and_then(|row: &Row| row.lowest);
            if rows.len() - begin == groups.len() && rows[begin..].iter().all(|row| row.lowest == first) {
                lowest.extend(first.map(|value| (metric.name(rules), value)));
            }
        }
        Comparison { axis, settings: groups.len(), rows, lowest }
    };
    (0..axes.len()).map(comparison).filter(|comparison| comparison.settings > 0).collect()
}

/// One figure, for each value of an axis; `None` where none has it.
fn row(metric: &Metric, figures: Vec<Figure>, rest: String, rules: Rules, floor: Option<f64>) -> Option<Row> {
    let there: Vec<(usize, &Figure)> = figures.iter().enumerate().filter(|(_, figure)| figure.seeds > 0).collect();
    there.first()?;
    let verdict = |a: &Figure, b: &Figure| a.against(b, floor);
    let is_lowest = |(at, figure): &&(usize, &Figure)| {
        there.iter().all(|(other, others)| other == at || verdict(figure, others) == Verdict::Lower)
    };
    let change = match figures[..] {
        [a, b] if a.mean != 0.0 => Some((b.mean - a.mean) / a.mean.abs()).filter(|change| change.is_finite()),
        _ => None,
    };
    let lowest = there.iter().find(is_lowest).map(|(at, _)| *at).filter(|_| there.len() > 1);
    let judged = there.windows(2).all(|pair| verdict(pair[0].1, pair[1].1) != Verdict::Unknown);
    Some(Row { key: metric.key, name: metric.name(rules), rest, change, lowest, judged, figures })
}

#[cfg(test)]
mod tests {
    use super::super::setup::AxisValue;
    use super::*;

    const RULES: Rules = Rules { floors: Floors { loss: 0.034, error: 0.12, code: 0.1 }, part: "test", epoch: 1 };

    /// A run of one seed for each of `losses`, whose errors are an eighth of them.
    fn run(name: &str, place: &[usize], losses: &[f64]) -> RunFacts {
        let loss = Figure::of(losses.iter().copied());
        let measured = BTreeMap::from([
            ("loss", loss),
            ("mse", Figure::of(losses.iter().map(|loss| loss / 8.0))),
            ("seconds", Figure::of([1.0])),
        ]);
        RunFacts {
            name: name.into(),
            place: place.into(),
            loss_label: "cross-entropy",
            measured,
            ..RunFacts::default()
        }
    }

    fn axis(noun: &str, labels: &[&str]) -> Axis {
        let value = |label: &&str| AxisValue {
            label: (*label).into(),
            toml: (*label).into(),
            phrase: format!("{noun} {label}"),
        };
        Axis { key: noun.into(), noun: noun.into(), values: labels.iter().map(value).collect() }
    }

    fn leaders(runs: &mut [RunFacts]) -> Vec<String> {
        rank(runs, RULES).first().map_or(Vec::new(), |ranking| ranking.leaders.clone())
    }

    #[test]
    fn one_seed_makes_no_leader_that_another_seed_could_turn_round() {
        // 2 % apart: two seeds of one setting are.
        let mut near = [run("a", &[], &[0.200]), run("b", &[], &[0.204])];
        assert_eq!(leaders(&mut near), ["a", "b"]);
        assert!(near.iter().all(|run| run.best.is_empty()));
        let mut far = [run("a", &[], &[0.25]), run("b", &[], &[0.20])];
        assert_eq!(leaders(&mut far), ["b"]);
        assert_eq!(far.each_ref().map(|run| run.best.clone()), [vec![], vec!["loss", "mse"]]);
        // Over three seeds the spread decides, and 2 % may count.
        let mut seeds = [run("a", &[], &[0.200, 0.201, 0.199]), run("b", &[], &[0.204, 0.205, 0.203])];
        assert_eq!(leaders(&mut seeds), ["a"]);
        assert_eq!(leaders(&mut [run("a", &[], &[0.2])]), [""; 0]);
        assert_eq!(leaders(&mut [run("a", &[], &[f64::NAN]), run("b", &[], &[0.2])]), [""; 0]);
    }

    #[test]
    fn runs_of_other_images_or_losses_share_no_ranking() {
        let mut runs = [run("a", &[], &[0.3]), run("b", &[], &[0.2]), run("c", &[], &[0.1]), run("d", &[], &[0.9])];
        (runs[2].group, runs[3].group) = (1, 1);
        let rankings = rank(&mut runs, RULES);
        assert_eq!(rankings.iter().map(|ranking| &ranking.leaders[..]).collect::<Vec<_>>(), [["b"], ["c"]]);
        runs[0].loss_label = "mean squared error";
        assert_eq!(rank(&mut runs, RULES)[0].metric, "test MSE");
        runs[3].loss_is_relative = true;
        assert_eq!(rank(&mut runs, RULES)[1].metric, "test MSE");
    }

    #[test]
    fn runs_are_compared_that_differ_in_one_value_alone() {
        let figures = [(0, 0, 0.2), (1, 0, 0.1), (0, 1, 0.3), (1, 1, 0.4)];
        let runs = figures.map(|(a, b, loss)| run("r", &[a, b], &[loss]));
        let axes = [axis("size", &["a", "b"]), axis("rate", &["x", "y"])];
        let compared = along_axes(&axes, &runs, RULES);
        let size = &compared[0];
        let rows = |key: &str| size.rows.iter().filter(|row| row.key == key).collect::<Vec<_>>();
        let loss = rows("loss");
        assert_eq!(loss.iter().map(|row| row.rest.as_str()).collect::<Vec<_>>(), ["rate x", "rate y"]);
        assert_eq!((loss[0].lowest, loss[1].lowest), (Some(1), Some(0)));
        assert_eq!(loss[0].change, Some(-0.5));
        assert_eq!(size.lowest, [], "no value is the lowest in both settings");
        // x leads with a and with b.
        assert_eq!(compared[1].lowest, [("test loss".to_owned(), 0), ("test MSE".to_owned(), 0)]);
        // One seed says nothing about times.
        assert!(rows("seconds").iter().all(|row| !row.judged && row.lowest.is_none()));
    }

    #[test]
    fn interrupted_runs_are_left_out() {
        let mut runs = [run("a", &[0], &[0.2]), run("b", &[1], &[0.1])];
        runs[1].stops.interrupted = 1;
        assert!(along_axes(&[axis("size", &["a", "b"])], &runs, RULES).is_empty());
        assert_eq!(leaders(&mut runs), [""; 0]);
    }
}
