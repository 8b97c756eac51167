//! Runs that differ in one value of the grid, compared.

use super::metric::{Kind, Metric};
use super::verdict::{Verdict, distance, percent, verdict};
use crate::study::report::axes::{AxisWords, capitalised, listed};
use crate::study::report::facts::{Facts, RunFacts};

/// Settings of the other axes that are told one by one; of more, how many there are.
const MOST_TOLD: usize = 4;
/// Values of an axis that are told one by one.
const MOST_VALUES: usize = 6;

/// Runs that differ in one axis only.
struct Peers<'a> {
    /// What they have in common, in words: "batch size 32"; empty where that is everything else.
    setting: String,
    /// Each with the number of its value.
    runs: Vec<(usize, &'a RunFacts)>,
}

/// The sentences about an axis, one item for each metric.
pub(super) fn along(facts: &Facts, axis: usize, metrics: &[Metric]) -> Vec<String> {
    let groups = peers(facts, axis);
    if groups.is_empty() {
        let noun = &facts.axes[axis].noun;
        return vec![format!("No two finished runs differ in their {noun} alone, so nothing is compared.")];
    }
    let words = &facts.axes[axis];
    let mut items = Vec::new();
    let mut skipped = false;
    for metric in metrics {
        let equal = |peers: &Peers<'_>, what: fn(&RunFacts) -> usize| {
            peers.runs.windows(2).all(|pair| what(pair[0].1) == what(pair[1].1))
        };
        if metric.kind == Kind::Steps && groups.iter().all(|peers| equal(peers, |run| run.steps_per_epoch)) {
            continue;
        }
        let comparable = |peers: &&Peers<'_>| metric.kind != Kind::Loss || equal(peers, |run| run.loss as usize);
        let chosen: Vec<&Peers<'_>> = groups.iter().filter(comparable).collect();
        skipped |= chosen.len() < groups.len();
        let has_figure = |peers: &&Peers<'_>| peers.runs.iter().any(|(_, run)| !(metric.value)(run).is_nan());
        if !chosen.iter().any(has_figure) {
            continue;
        }
        items.push(if words.labels.len() == 2 { pair(&chosen, words, metric) } else { many(&chosen, words, metric) });
    }
    if skipped {
        items.push("Losses of different kinds are different quantities and are not compared.".into());
    }
    items
}

/// The finished runs in groups of at least two that differ in this axis alone, in the order of the grid.
fn peers(facts: &Facts, axis: usize) -> Vec<Peers<'_>> {
    let mut groups: Vec<(Vec<usize>, Peers<'_>)> = Vec::new();
    for run in facts.finished() {
        let mut rest = run.place.clone();
        let value = rest.remove(axis);
        match groups.iter_mut().find(|(other, _)| *other == rest) {
            Some((_, peers)) => peers.runs.push((value, run)),
            None => {
                let others = facts.axes.iter().enumerate().filter(|(number, _)| *number != axis);
                let phrases: Vec<&str> =
                    others.zip(&rest).map(|((_, words), &at)| words.phrases[at].as_str()).collect();
                groups.push((rest, Peers { setting: phrases.join(", "), runs: vec![(value, run)] }));
            }
        }
    }
    for (_, peers) in &mut groups {
        peers.runs.sort_by_key(|(value, _)| *value);
    }
    groups.into_iter().map(|(_, peers)| peers).filter(|peers| peers.runs.len() > 1).collect()
}

/// "for batch size 32 ", or nothing.
fn for_setting(setting: &str) -> String {
    if setting.is_empty() { String::new() } else { format!("for {setting} ") }
}

/// What is said of a setting of the rest, and the share of the first figure that the second is away from it.
type Item = (String, f64);

/// Two values: the second against the first, settings with the same verdict in one clause.
fn pair(groups: &[&Peers<'_>], words: &AxisWords, metric: &Metric) -> String {
    let (first, second) = (&words.phrases[0], &words.phrases[1]);
    let mut told: Vec<((Verdict, bool), Vec<Item>)> = Vec::new();
    for peers in groups {
        let [(_, a), (_, b)] = peers.runs[..] else { continue };
        let (was, is) = ((metric.value)(a), (metric.value)(b));
        let kind = (verdict(is, was, metric.floor_of([a, b])), is == was);
        let figures = match (kind, distance(is, was)) {
            ((Verdict::Same, true), _) => (metric.format)(is),
            ((Verdict::Unknown, _), _) | (_, None) => {
                format!("{} against {}", (metric.format)(is), (metric.format)(was))
            }
            (_, Some(distance)) => format!("{} against {}, {distance}", (metric.format)(is), (metric.format)(was)),
        };
        let item = (format!("{}({figures})", for_setting(&peers.setting)), (is - was).abs() / was.abs());
        match told.iter_mut().find(|(other, _)| *other == kind) {
            Some((_, items)) => items.push(item),
            None => told.push((kind, vec![item])),
        }
    }
    let clauses = told.iter().enumerate().map(|(number, ((verdict, is_tie), items))| {
        let name = if number == 0 { capitalised(&metric.name) } else { "it".to_owned() };
        let where_and_what = if items.len() <= MOST_TOLD {
            listed(&items.iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>())
        } else {
            format!("in {} of {} settings of the rest{}", items.len(), groups.len(), range(items, *is_tie))
        };
        let what = match verdict {
            Verdict::Lower => format!("is lower with {second} than with {first}"),
            Verdict::Higher => format!("is higher with {second} than with {first}"),
            Verdict::Same if *is_tie => format!("is the same with {second} and with {first}"),
            Verdict::Same => format!("shows no difference worth naming between {second} and {first}"),
            Verdict::Unknown => format!("cannot be compared between {second} and {first}"),
        };
        format!("{name} {what} {where_and_what}")
    });
    format!("{}.", clauses.collect::<Vec<_>>().join("; "))
}

/// " (by 1.2 % to 3.4 %)", where the shares are finite.
fn range(items: &[Item], is_tie: bool) -> String {
    let shares = items.iter().map(|(_, share)| *share);
    let (low, high) = shares.fold((f64::INFINITY, 0.0f64), |(low, high), share| (low.min(share), high.max(share)));
    match low.is_finite() && high.is_finite() && !is_tie {
        true => format!(" (by {} to {})", percent(low), percent(high)),
        false => String::new(),
    }
}

/// More values than two: the lowest and the highest, and whether the figure goes one way.
fn many(groups: &[&Peers<'_>], words: &AxisWords, metric: &Metric) -> String {
    let name = capitalised(&metric.name);
    if groups.len() > MOST_TOLD {
        return most_often(groups, words, metric);
    }
    let sentences = groups.iter().map(|peers| {
        let figure = |(value, run): &(usize, &RunFacts)| (*value, (metric.value)(run));
        let figures: Vec<(usize, f64)> = peers.runs.iter().map(figure).collect();
        let finite: Vec<(usize, f64)> = figures.iter().copied().filter(|(_, figure)| figure.is_finite()).collect();
        let absent: Vec<&str> = figures
            .iter()
            .filter(|(_, figure)| !figure.is_finite())
            .map(|(value, _)| words.phrases[*value].as_str())
            .collect();
        let without = match absent.is_empty() {
            true => String::new(),
            false => format!(" There is no finite figure with {}.", listed(&absent)),
        };
        let setting = match peers.setting.as_str() {
            "" => String::new(),
            setting => format!(" for {setting}"),
        };
        let Some((low, high)) = ends(&finite) else { return format!("{name} cannot be compared{setting}.{without}") };
        let floor = metric.floor_of(peers.runs.iter().map(|(_, run)| *run));
        let (least, most) = ((metric.format)(low.1), (metric.format)(high.1));
        if verdict(high.1, low.1, floor) == Verdict::Same {
            let count = finite.len();
            let spread = if low.1 == high.1 { format!("all are {least}") } else { format!("{least} to {most}") };
            return format!(
                "{name} shows no difference worth naming between the {count} values{setting}: {spread}.{without}"
            );
        }
        let apart = distance(high.1, low.1).map_or(String::new(), |distance| format!(", higher by {distance}"));
        let (lowest, highest) = (&words.phrases[low.0], &words.phrases[high.0]);
        let close: Vec<&str> = finite
            .iter()
            .filter(|(value, figure)| *value != low.0 && verdict(*figure, low.1, floor) == Verdict::Same)
            .map(|(value, _)| words.phrases[*value].as_str())
            .collect();
        let level = match close.is_empty() {
            true => String::new(),
            false => format!(" No difference worth naming separates the lowest from {}.", listed(&close)),
        };
        let way = way(&finite, floor, metric);
        format!(
            "{name} is lowest with {lowest} ({least}) and highest with {highest} ({most}{apart}){setting}.{way}{level}{without}"
        )
    });
    sentences.collect::<Vec<_>>().join(" ")
}

/// The lowest and the highest figure, each the first of its kind.
fn ends(figures: &[(usize, f64)]) -> Option<((usize, f64), (usize, f64))> {
    let (&first, rest) = figures.split_first().filter(|(_, rest)| !rest.is_empty())?;
    Some(rest.iter().fold((first, first), |(low, high), &next| {
        (if next.1 < low.1 { next } else { low }, if next.1 > high.1 { next } else { high })
    }))
}

/// Said where every value of the axis takes the figure further in one direction.
fn way(figures: &[(usize, f64)], floor: f64, metric: &Metric) -> String {
    let steps: Vec<Verdict> = figures.windows(2).map(|pair| verdict(pair[1].1, pair[0].1, floor)).collect();
    let direction = match steps.first() {
        Some(Verdict::Lower) => "falls",
        Some(Verdict::Higher) => "rises",
        _ => return String::new(),
    };
    if steps.len() < 2 || figures.len() > MOST_VALUES || steps.iter().any(|step| *step != steps[0]) {
        return String::new();
    }
    let figures: Vec<String> = figures.iter().map(|(_, figure)| (metric.format)(*figure)).collect();
    format!(" It {direction} from each value to the next: {}.", figures.join(", "))
}

/// For many settings of the rest: how often which value has the lowest figure.
fn most_often(groups: &[&Peers<'_>], words: &AxisWords, metric: &Metric) -> String {
    let mut wins = vec![0; words.labels.len()];
    for peers in groups {
        let figures = peers.runs.iter().map(|(value, run)| (*value, (metric.value)(run)));
        let finite: Vec<(usize, f64)> = figures.filter(|(_, figure)| figure.is_finite()).collect();
        let floor = metric.floor_of(peers.runs.iter().map(|(_, run)| *run));
        if let Some((low, high)) = ends(&finite).filter(|(low, high)| verdict(high.1, low.1, floor) != Verdict::Same) {
            debug_assert!(low.1 < high.1);
            wins[low.0] += 1;
        }
    }
    let level = groups.len() - wins.iter().sum::<usize>();
    let mut order: Vec<usize> = (0..wins.len()).filter(|&value| wins[value] > 0).collect();
    order.sort_by_key(|&value| std::cmp::Reverse(wins[value]));
    let (name, total) = (capitalised(&metric.name), groups.len());
    if order.is_empty() {
        return format!("{name} shows no difference worth naming in any of {total} settings of the rest.");
    }
    let wins: Vec<String> =
        order.iter().map(|&value| format!("with {} in {}", words.phrases[value], wins[value])).collect();
    let level = match level {
        0 => String::new(),
        level => format!("; in {level} it shows no difference worth naming"),
    };
    format!("{name} is lowest {} of {total} settings of the rest{level}.", listed(&wins))
}

#[cfg(test)]
mod tests {
    use super::super::metric::metrics;
    use super::*;
    use crate::loss::Loss;
    use crate::study::report::facts::tests::run;
    use crate::train::Stop;

    fn axis(noun: &str, labels: &[&str]) -> AxisWords {
        let labels: Vec<String> = labels.iter().map(|label| (*label).to_owned()).collect();
        let phrases = labels.iter().map(|label| format!("{noun} {label}")).collect();
        AxisWords { noun: noun.into(), key: noun.into(), labels, phrases }
    }

    /// Runs a and b of one epoch that ends in these losses.
    fn two(a: f64, b: f64) -> Facts {
        let runs = vec![run("a", &[0], &[a]), run("b", &[1], &[b])];
        Facts { axes: vec![axis("size", &["a", "b"])], runs, judged: "test", jobs: 1 }
    }

    fn said(facts: &Facts, metric: &str) -> String {
        let items = along(facts, 0, &metrics(facts));
        let begins = format!("The {metric} ");
        items.iter().find(|item| item.starts_with(&begins)).unwrap_or_else(|| panic!("{items:#?}")).clone()
    }

    #[test]
    fn the_sentence_turns_with_the_order() {
        let lower = "The test loss is lower with size b than with size a (0.2000 against 0.2500, 20 %).";
        assert_eq!(said(&two(0.25, 0.2), "test loss"), lower);
        let higher = "The test loss is higher with size b than with size a (0.2500 against 0.2000, 25 %).";
        assert_eq!(said(&two(0.2, 0.25), "test loss"), higher);
        let double = "The test loss is higher with size b than with size a (0.5000 against 0.2000, a factor of 2.5).";
        assert_eq!(said(&two(0.2, 0.5), "test loss"), double);
    }

    #[test]
    fn ties_and_what_is_below_the_floor_are_no_difference() {
        let tie = "The test loss is the same with size b and with size a (0.2000).";
        assert_eq!(said(&two(0.2, 0.2), "test loss"), tie);
        let near = "The test loss shows no difference worth naming between size b and size a (0.2004 against 0.2000, \
                    0.20 %).";
        assert_eq!(said(&two(0.2, 0.2004), "test loss"), near);
        assert!(
            said(&two(0.2, 0.2002), "time per epoch").contains("is the same with size b and with size a (1.00 s).")
        );
    }

    #[test]
    fn a_figure_that_is_not_a_number_is_not_compared() {
        let expected = "The test loss cannot be compared between size b and size a (not a number against 0.2000).";
        assert_eq!(said(&two(0.2, f64::NAN), "test loss"), expected);
        let items = along(&two(f64::NAN, f64::NAN), 0, &metrics(&two(0.1, 0.1)));
        assert!(!items.iter().any(|item| item.contains("loss")), "{items:#?}");
    }

    #[test]
    fn settings_of_the_rest_are_held_fixed_and_told_apart() {
        let figures = [(0, 0, 0.2), (1, 0, 0.1), (0, 1, 0.3), (1, 1, 0.4)];
        let runs = figures.map(|(a, b, loss)| run("r", &[a, b], &[loss])).into();
        let axes = vec![axis("size", &["a", "b"]), axis("rate", &["x", "y"])];
        let facts = Facts { axes, runs, judged: "test", jobs: 1 };
        let expected = "The test loss is lower with size b than with size a for rate x (0.1000 against 0.2000, 50 %); it is \
                        higher with size b than with size a for rate y (0.4000 against 0.3000, 33 %).";
        assert_eq!(said(&facts, "test loss"), expected);
    }

    #[test]
    fn interrupted_runs_and_absent_ones_are_left_out() {
        let mut facts = two(0.2, 0.1);
        facts.runs[1].stop = Stop::Interrupted { epoch: 2, step: 3 };
        let expected = ["No two finished runs differ in their size alone, so nothing is compared."];
        assert_eq!(along(&facts, 0, &metrics(&facts)), expected);
        facts.runs.pop();
        assert_eq!(along(&facts, 0, &metrics(&facts)), expected);
    }

    #[test]
    fn losses_of_different_kinds_are_not_compared_but_errors_are() {
        let mut facts = two(0.2, 0.1);
        facts.runs[1].loss = Loss::Mse;
        let items = along(&facts, 0, &metrics(&facts));
        assert!(!items.iter().any(|item| item.contains("loss is") || item.contains("loss shows")), "{items:#?}");
        assert!(items.last().unwrap().starts_with("Losses of different kinds"), "{items:#?}");
        assert!(said(&facts, "test MSE").contains("lower with size b"));
    }

    #[test]
    fn of_several_values_the_ends_and_the_direction_are_told() {
        let several = |losses: &[f64]| {
            let runs = losses.iter().enumerate().map(|(at, &loss)| run("r", &[at], &[loss])).collect();
            Facts { axes: vec![axis("size", &["8", "16", "32"])], runs, judged: "test", jobs: 1 }
        };
        let falls = "The test loss is lowest with size 32 (0.1000) and highest with size 8 (0.3000, higher by a factor of \
                     3.0). It falls from each value to the next: 0.3000, 0.2000, 0.1000.";
        assert_eq!(said(&several(&[0.3, 0.2, 0.1]), "test loss"), falls);
        assert!(said(&several(&[0.1, 0.2, 0.3]), "test loss").contains("It rises from each"));
        let bend = said(&several(&[0.2, 0.1, 0.1001]), "test loss");
        assert!(bend.contains("lowest with size 16") && bend.contains("separates the lowest from size 32."), "{bend}");
        assert!(!bend.contains("from each value"), "{bend}");
        let level = "The test loss shows no difference worth naming between the 3 values: all are 0.2000.";
        assert_eq!(said(&several(&[0.2; 3]), "test loss"), level);
        let absent = said(&several(&[0.2, f64::NAN, 0.1]), "test loss");
        assert!(absent.ends_with("There is no finite figure with size 16."), "{absent}");
    }

    #[test]
    fn many_settings_of_the_rest_are_counted() {
        let mut runs = Vec::new();
        for other in 0..5 {
            runs.push(run("r", &[0, other], &[0.2]));
            runs.push(run("r", &[1, other], &[if other == 4 { 0.2 } else { 0.1 + 0.01 * other as f64 }]));
        }
        let axes = vec![axis("size", &["a", "b"]), axis("rate", &["1", "2", "3", "4", "5"])];
        let facts = Facts { axes, runs, judged: "test", jobs: 1 };
        let told = said(&facts, "test loss");
        assert!(
            told.starts_with("The test loss is lower with size b than with size a for rate 1 (0.1000 against"),
            "{told}"
        );
        assert!(said(&facts, "time per epoch").contains("in 5 of 5 settings of the rest"));
        let mut three = facts.clone();
        three.axes[0] = axis("size", &["a", "b", "c"]);
        let told = said(&three, "test loss");
        let expected = "The test loss is lowest with size b in 4 of 5 settings of the rest; in 1 it shows no difference worth \
                        naming.";
        assert_eq!(told, expected);
    }
}
