//! What the report of a search says, and its table of trials.

use minijinja::{Error, context};
use serde::Serialize;
use serde_json::Value;

use super::{Arm, ArmResult, SearchResult};
use crate::figures::Chart;
use crate::figures::bars::BarChart;
use crate::figures::curves::{Curve, LineChart};
use crate::figures::number::{significant, typeset};
use crate::figures::parallel::Parallel;
use crate::figures::scatter::Scatter;
use crate::search::{Domain, End, Parameter, Trial, importance};
use crate::study::figure::Figure;
use crate::study::report;

/// Rows of the page's table; all are in `trials.csv`.
const ROWS: usize = 30;
/// The share of the complete trials whose lines stand out.
const BEST: f64 = 0.1;

/// The facts of a page.
#[derive(Debug, Serialize)]
pub(in crate::study) struct SearchFacts {
    title: String,
    objective: String,
    /// What trials report after, in the plural: "epochs" or "folds".
    steps: String,
    direction: &'static str,
    trials: usize,
    /// Trials after which the chart of the best so far begins.
    first_few: usize,
    window: usize,
    seed: u64,
    interrupted: bool,
    parameters: Vec<ParameterFacts>,
    arms: Vec<ArmFacts>,
    /// The number of the arm that has the best trial.
    best: Option<usize>,
    /// The best complete trials of all arms.
    rows: Vec<Row>,
    complete: usize,
    /// The objective of the best trial on each fold, where it is their mean.
    folds: Option<Figure>,
    /// The figures of the test images of the best trial as a run.
    test: Option<Value>,
    /// Whether `best.toml` is of that trial.
    is_best_written: bool,
    failed: Vec<Row>,
    charts: Charts,
    toml: String,
    machine: String,
}

#[derive(Debug, Serialize)]
struct ParameterFacts {
    name: String,
    values: String,
    when: Vec<String>,
}

#[derive(Debug, Serialize)]
struct ArmFacts {
    name: String,
    made: usize,
    complete: usize,
    pruned: usize,
    failed: usize,
    epochs: usize,
    seconds: f64,
    best: Option<Row>,
}

#[derive(Clone, Debug, Serialize)]
struct Row {
    arm: String,
    trial: usize,
    objective: Option<f64>,
    epochs: usize,
    /// Numbers with four digits.
    values: Vec<String>,
    reason: String,
}

/// The charts, each an SVG element; empty where there is nothing to draw.
#[derive(Debug, Serialize)]
struct Charts {
    by_trial: String,
    by_epoch: String,
    importance: String,
    parameters: Vec<String>,
    parallel: String,
}

impl SearchFacts {
    pub fn of(result: &SearchResult) -> Self {
        let settings = &result.config.settings;
        let sign = settings.direction.sign();
        let mut rows: Vec<Row> = Vec::new();
        let mut failed: Vec<Row> = Vec::new();
        for (arm, trial) in all(result) {
            match trial.result.as_ref().map(|outcome| &outcome.end) {
                Some(End::Complete(_)) => rows.push(Row::of(result, arm, trial)),
                Some(End::Failed(_)) => failed.push(Row::of(result, arm, trial)),
                _ => {}
            }
        }
        let value = |row: &Row| sign * row.objective.unwrap_or(f64::NAN);
        rows.sort_by(|a, b| value(a).total_cmp(&value(b)));
        let complete = rows.len();
        rows.truncate(ROWS);
        failed.truncate(ROWS);
        let best = result.best().and_then(|(arm, _)| result.arms.iter().position(|one| one.arm == arm));
        SearchFacts {
            title: format!(
                "{}: {} {}",
                result.config.middle_run().map_or(String::new(), |run| run.name),
                settings.direction.name(),
                settings.objective
            ),
            objective: settings.objective.clone(),
            steps: format!("{}s", settings.step()),
            direction: settings.direction.name(),
            trials: settings.trials,
            first_few: first_few(result),
            window: settings.window,
            seed: settings.seed,
            interrupted: result.interrupted,
            parameters: (0..result.config.space.len()).map(|number| ParameterFacts::of(result, number)).collect(),
            arms: result.arms.iter().map(|arm| ArmFacts::of(result, arm)).collect(),
            best,
            rows,
            complete,
            folds: result.best().filter(|_| settings.over_folds).and_then(|(_, trial)| folds(trial)),
            test: result.test.clone(),
            is_best_written: result.is_best_written,
            failed,
            charts: Charts::of(result),
            toml: result.config.to_toml().to_owned(),
            machine: format!(
                "{}, {} at a time",
                result.machine.describe()["cpu"].as_str().unwrap_or_default(),
                result.jobs
            ),
        }
    }

    /// The heading of the page.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The page. An error is a mistake in a template.
    pub fn page(&self) -> Result<String, Error> {
        report::render("search", &self.title, self, context! { facts => minijinja::value::Serde(self), at => "" })
    }
}

/// The objective on each fold, of which the trial reported the means so far.
fn folds(trial: &Trial) -> Option<Figure> {
    let means = &trial.result.as_ref()?.reports;
    let sums: Vec<f64> = means.iter().enumerate().map(|(at, mean)| mean * (at + 1) as f64).collect();
    let each = sums.iter().enumerate().map(|(at, sum)| if at == 0 { *sum } else { sum - sums[at - 1] });
    Some(Figure::of(each))
}

/// Every trial, of one arm after the other.
fn all(result: &SearchResult) -> impl Iterator<Item = (Arm, &Trial)> {
    result.arms.iter().flat_map(|one| one.search.trials().iter().map(|trial| (one.arm, trial)))
}

impl Row {
    fn of(result: &SearchResult, arm: Arm, trial: &Trial) -> Self {
        let outcome = trial.result.as_ref();
        let parameters = result.config.space.parameters();
        let word = |(number, value): (usize, &Option<f64>)| match (value, &parameters[number].domain) {
            (None, _) => String::new(),
            (Some(value), Domain::Float { .. }) => typeset(&significant(*value, 4)),
            (Some(value), _) => result.config.word(number, *value),
        };
        Row {
            arm: arm.name(),
            trial: trial.number,
            objective: trial.value(),
            epochs: outcome.map_or(0, |outcome| outcome.reports.len()),
            values: trial.point.iter().enumerate().map(word).collect(),
            reason: match outcome.map(|outcome| &outcome.end) {
                Some(End::Failed(reason)) => reason.clone(),
                _ => String::new(),
            },
        }
    }
}

impl ParameterFacts {
    fn of(result: &SearchResult, number: usize) -> Self {
        let parameter = &result.config.space.parameters()[number];
        let log = if parameter.domain.is_log() { ", evenly in the logarithm" } else { "" };
        let values = match parameter.domain {
            Domain::Float { low, high, .. } => {
                let [low, high] = [low, high].map(|end| result.config.word(number, end));
                format!("{low} to {high}{log}")
            }
            Domain::Int { low, high, .. } => format!("integers from {low} to {high}{log}"),
            Domain::Choices(count) => {
                (0..count).map(|choice| result.config.word(number, choice as f64)).collect::<Vec<_>>().join(", ")
            }
        };
        let when = parameter.when.iter().map(|(name, choices)| {
            let other = result.config.space.parameters().iter().position(|one| one.name == *name).unwrap_or(number);
            let words: Vec<String> = choices.iter().map(|&choice| result.config.word(other, choice as f64)).collect();
            format!("{name} is {}", words.join(" or "))
        });
        ParameterFacts { name: parameter.name.clone(), values, when: when.collect() }
    }
}

impl ArmFacts {
    fn of(result: &SearchResult, one: &ArmResult) -> Self {
        let outcomes = || one.search.trials().iter().filter_map(|trial| trial.result.as_ref());
        let count = |state: &str| outcomes().filter(|outcome| outcome.state() == state).count();
        ArmFacts {
            name: one.arm.name(),
            made: outcomes().count(),
            complete: count("complete"),
            pruned: count("pruned"),
            failed: count("failed"),
            epochs: outcomes().map(|outcome| outcome.reports.len()).sum(),
            seconds: outcomes().map(|outcome| outcome.seconds).sum(),
            best: one.search.best().map(|trial| Row::of(result, one.arm, trial)),
        }
    }
}

fn importances(result: &SearchResult, one: &ArmResult) -> Vec<Option<f64>> {
    importance(&result.config.space, one.search.trials(), result.config.settings.direction.sign())
}

impl Charts {
    fn of(result: &SearchResult) -> Self {
        Charts {
            by_trial: best_so_far(result, false),
            by_epoch: best_so_far(result, true),
            importance: importance_chart(result),
            parameters: (0..result.config.space.len()).map(|number| against(result, number)).collect(),
            parallel: parallel(result),
        }
    }
}

/// Of so many trials of each arm the first few, after which the chart of the best so far begins: chance decides how bad these are.
fn first_few(result: &SearchResult) -> usize {
    result.config.settings.trials.div_ceil(10)
}

/// The best objective so far of each arm, against trials or the epochs that they took. What is worse than every arm's best after the
/// [first few](first_few) is not drawn.
fn best_so_far(result: &SearchResult, by_epoch: bool) -> String {
    let sign = result.config.settings.direction.sign();
    let course = |one: &ArmResult| {
        let mut best = f64::NAN;
        let so_far = one.search.trials().iter().map(|trial| {
            best = best.min(sign * trial.value().unwrap_or(f64::NAN));
            best
        });
        so_far.collect::<Vec<f64>>()
    };
    let courses: Vec<Vec<f64>> = result.arms.iter().map(course).collect();
    let then = courses.iter().filter_map(|course| course.get(first_few(result) - 1));
    let limit = then.copied().fold(f64::NAN, f64::max);
    let curve = |(group, (one, course)): (usize, (&ArmResult, &Vec<f64>))| {
        let values = course.iter().map(|&best| if best > limit { f64::NAN } else { sign * best }).collect();
        let epochs = one.search.trials().iter().scan(0, |epochs, trial| {
            *epochs += trial.result.as_ref().map_or(0, |outcome| outcome.reports.len());
            Some(*epochs as f64)
        });
        Curve { label: one.arm.name(), values, at: by_epoch.then(|| epochs.collect()), group, ..Curve::default() }
    };
    let chart = LineChart {
        x_label: if by_epoch {
            format!("{}s of all trials so far", result.config.settings.step())
        } else {
            "trials".into()
        },
        y_label: format!("best {} so far", result.config.settings.objective),
        curves: result.arms.iter().zip(&courses).enumerate().map(curve).collect(),
        ..LineChart::default()
    };
    chart.to_svg()
}

fn importance_chart(result: &SearchResult) -> String {
    let of: Vec<Vec<Option<f64>>> = result.arms.iter().map(|one| importances(result, one)).collect();
    let group = |(number, parameter): (usize, &Parameter)| {
        let values: Option<Vec<f64>> = of.iter().map(|one| one[number]).collect();
        Some((parameter.name.clone(), values?.into_iter().map(|value| 100.0 * value).collect()))
    };
    let groups: Vec<(String, Vec<f64>)> =
        result.config.space.parameters().iter().enumerate().filter_map(group).collect();
    let chart = BarChart {
        title: String::new(),
        value_label: "importance (%)".into(),
        series: result.arms.iter().map(|one| one.arm.name()).collect(),
        groups,
    };
    if chart.groups.is_empty() { String::new() } else { chart.to_svg() }
}

/// The objective of complete trials against a parameter.
fn against(result: &SearchResult, number: usize) -> String {
    let parameter = &result.config.space.parameters()[number];
    let name = &parameter.name;
    let x_label = if parameter.domain.is_log() { format!("decimal logarithm of {name}") } else { name.clone() };
    let x_names = match parameter.domain {
        Domain::Choices(count) => (0..count).map(|choice| result.config.word(number, choice as f64)).collect(),
        _ => Vec::new(),
    };
    let x = |value: f64| if parameter.domain.is_log() { libm::log10(value) } else { value };
    let mut points = Vec::new();
    for (group, one) in result.arms.iter().enumerate() {
        let own = one.search.trials().iter();
        points.extend(own.filter_map(|trial| Some((x(trial.point[number]?), trial.value()?, group))));
    }
    if points.is_empty() {
        return String::new();
    }
    let groups = result.arms.iter().map(|one| one.arm.name()).collect();
    let y_label = result.config.settings.objective.clone();
    Scatter { x_label, y_label, x_names, groups, points, ..Scatter::default() }.to_svg()
}

fn parallel(result: &SearchResult) -> String {
    let sign = result.config.settings.direction.sign();
    let parameters = result.config.space.parameters();
    let mut complete: Vec<(&Trial, f64)> = all(result).filter_map(|(_, trial)| Some((trial, trial.value()?))).collect();
    complete.sort_by(|(_, a), (_, b)| (sign * b).total_cmp(&(sign * a)));
    let (Some((_, worst)), Some((_, best))) = (complete.first(), complete.last()) else { return String::new() };
    let place =
        |number: usize, value: Option<f64>| value.map_or(f64::NAN, |value| parameters[number].domain.share(value));
    let axis = |(number, parameter): (usize, &Parameter)| {
        let [low, high] = [0.0, 1.0].map(|end| match parameter.domain {
            Domain::Float { low, high, .. } => result.config.word(number, if end == 0.0 { low } else { high }),
            Domain::Int { .. } => result.config.word(number, parameter.domain.at(end)),
            Domain::Choices(count) => result.config.word(number, end * (count - 1) as f64),
        });
        [parameter.name.rsplit('.').next().unwrap_or_default().to_owned(), low, high]
    };
    let [low, high] = [worst.min(*best), worst.max(*best)];
    let words = [low, high].map(|value| significant(value, 3));
    let objective = [result.config.settings.objective.clone(), words[0].clone(), words[1].clone()];
    let height = |value: f64| if high > low { (value - low) / (high - low) } else { 0.5 };
    let shown = complete.len() - (BEST * complete.len() as f64).ceil() as usize;
    let lines = complete.iter().enumerate().map(|(rank, (trial, value))| {
        let places = trial.point.iter().enumerate().map(|(number, value)| place(number, *value));
        (usize::from(rank < shown), places.chain([height(*value)]).collect())
    });
    let chart = Parallel {
        axes: parameters.iter().enumerate().map(axis).chain([objective]).collect(),
        groups: vec!["the best tenth".into(), "the others".into()],
        lines: lines.collect(),
    };
    chart.to_svg()
}

/// The text of `trials.csv`: a row for each trial. `objective` is that of a complete trial, `last` that of the last epoch, numbers in the
/// shortest form that reads back to the same bits; values are written as in a configuration. No column but `seconds` depends on the machine.
pub(super) fn trials_csv(result: &SearchResult) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let head = ["sampler", "pruner", "trial", "state", "objective", "last", "epochs", "seconds"].map(str::to_owned);
    let names = result.config.space.parameters().iter().map(|parameter| parameter.name.clone());
    let mut rows = vec![head.into_iter().chain(names).chain(["reason".to_owned()]).collect::<Vec<String>>()];
    for (arm, trial) in all(result) {
        let Some(outcome) = &trial.result else { continue };
        let row = Row::of(result, arm, trial);
        let number = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
        let head = [
            arm.sampler.name().to_owned(),
            arm.pruner.name().to_owned(),
            trial.number.to_string(),
            outcome.state().to_owned(),
            number(row.objective),
            number(outcome.reports.last().copied()),
            row.epochs.to_string(),
            format!("{:.3}", outcome.seconds),
        ];
        let exact = trial.point.iter().enumerate();
        let values =
            exact.map(|(number, value)| value.map_or(String::new(), |value| result.config.word(number, value)));
        rows.push(head.into_iter().chain(values).chain([row.reason]).collect());
    }
    for row in rows {
        writer.write_record(row).expect("memory takes all text");
    }
    String::from_utf8(writer.into_inner().expect("memory takes all text")).expect("it was made of texts")
}
