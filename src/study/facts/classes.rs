//! Classifiers: accuracy by images trained on and by fold, and what it takes to reach a stated accuracy.

use serde::Serialize;
use serde_json::Value;

use super::run::RunFacts;
use crate::config::ClassesReport;
use crate::study::Study;
use crate::study::figure::{Figure, in_front};

/// What classifiers of a study reach.
#[derive(Clone, Debug, Serialize)]
pub(in crate::study) struct ClassesFacts {
    /// The share of the validation images that is to be classified correctly, where somebody asks when it first is.
    pub reach: Option<f64>,
    /// Every run that trains a classifier.
    pub runs: Vec<ClassifierFacts>,
    /// The run with the highest mean test accuracy, and those that no difference that counts separates from it.
    pub leaders: Vec<String>,
    /// Ways of training, each with its runs, by the number of images that they are trained on.
    pub labels: Vec<(String, Vec<ClassifierFacts>)>,
    /// Models, each with its accuracy over folds and seeds.
    pub folds: Vec<FoldsFacts>,
    /// Differences between two of those models on the same folds.
    pub pairs: Vec<PairFacts>,
    /// Runs of which the test images of each class are shown by what they were taken for (first seed).
    pub confusion: Vec<Confusion>,
}

/// A run over its seeds.
#[derive(Clone, Debug, Serialize)]
pub(in crate::study) struct ClassifierFacts {
    /// Its name.
    pub run: String,
    /// Images that it is trained on.
    pub images: usize,
    /// Shares of the images of each part that are classified correctly.
    pub train: Figure,
    /// The same.
    pub validation: Figure,
    /// The same.
    pub test: Figure,
    /// Epochs, and their seconds, until the validation accuracy first was [`ClassesFacts::reach`], over the seeds that got there.
    pub epochs_to: Figure,
    /// The same.
    pub seconds_to: Figure,
    /// How many seeds got there.
    pub reached: usize,
    /// Seeds.
    pub seeds: usize,
    /// Validation accuracy after each epoch, for each seed.
    #[serde(skip)]
    pub courses: Vec<Vec<f64>>,
}

/// A model over its folds.
#[derive(Clone, Debug, Serialize)]
pub(in crate::study) struct FoldsFacts {
    /// What it is.
    pub what: String,
    /// Its runs, a fold each.
    pub runs: Vec<String>,
    /// Accuracy on the fold that was held out, over folds and seeds.
    pub accuracy: Figure,
}

/// Two models on the same folds.
#[derive(Clone, Debug, Serialize)]
pub(in crate::study) struct PairFacts {
    /// The first.
    pub first: String,
    /// The second.
    pub second: String,
    /// Accuracy of the first less that of the second, fold by fold and seed by seed.
    pub difference: Figure,
    /// Folds and seeds in which the first is the better one.
    pub better: usize,
    /// Folds and seeds that both have.
    pub folds: usize,
}

/// What the images of each class were taken for.
#[derive(Clone, Debug, Serialize)]
pub(in crate::study) struct Confusion {
    /// The run.
    pub run: String,
    /// The classes.
    pub classes: Vec<String>,
    /// The counts, a row for each class of images.
    pub counts: Vec<Vec<usize>>,
    /// For each class its images, the share of them that are taken for it (recall), and the share of those taken for it that are of it
    /// (precision); null where there are none.
    pub shares: Vec<(usize, Option<f64>, Option<f64>)>,
}

/// The facts that `wanted` asks for, from what runs wrote down; where nothing is asked for, accuracies and confusions of all
/// classifiers. `None` without a classifier.
pub(super) fn of(study: &Study, wanted: Option<&ClassesReport>, runs: &[RunFacts]) -> Option<ClassesFacts> {
    let by_name = |name: &String| runs.iter().find(|run| run.name == *name);
    let classifiers = runs.iter().filter(|run| run.figures["evaluation"]["train"].get("accuracy").is_some());
    let classifiers: Vec<&RunFacts> = classifiers.collect();
    if classifiers.is_empty() {
        return None;
    }
    let reach = wanted.map(|wanted| wanted.reach);
    let confused = || classifiers.iter().map(|run| run.name.clone()).collect();
    let default =
        ClassesReport { confusion: if wanted.is_none() { confused() } else { Vec::new() }, ..Default::default() };
    let wanted = wanted.unwrap_or(&default);
    let facts = |run: &RunFacts| classifier(study, reach, run);
    let named = |names: &[String]| names.iter().filter_map(by_name).map(facts).collect::<Vec<_>>();
    let folds: Vec<(FoldsFacts, Vec<f64>)> =
        wanted.folds.iter().map(|(what, names)| folds(what, names, study.seeds, runs)).collect();
    let mut pairs = Vec::new();
    for (at, (first, a)) in folds.iter().enumerate() {
        for (second, b) in folds[at + 1..].iter().filter(|(_, b)| b.len() == a.len()) {
            let differences = || a.iter().zip(b).map(|(a, b)| a - b);
            let difference = Figure::of(differences());
            pairs.push(PairFacts {
                first: first.what.clone(),
                second: second.what.clone(),
                difference,
                better: differences().filter(|difference| *difference > 0.0).count(),
                folds: difference.seeds,
            });
        }
    }
    let all: Vec<ClassifierFacts> = classifiers.iter().map(|run| facts(run)).collect();
    let ranked = classifiers
        .iter()
        .zip(&all)
        .map(|(run, facts)| if run.is_interrupted() { Figure::default() } else { facts.test });
    let leaders = in_front(&ranked.collect::<Vec<_>>(), true).into_iter();
    Some(ClassesFacts {
        reach,
        leaders: leaders.map(|at| all[at].run.clone()).collect(),
        runs: all,
        labels: wanted.labels.iter().map(|(what, names)| (what.clone(), named(names))).collect(),
        folds: folds.into_iter().map(|(facts, _)| facts).collect(),
        pairs,
        confusion: wanted.confusion.iter().filter_map(by_name).filter_map(|run| confusion(study, run)).collect(),
    })
}

fn classifier(study: &Study, reach: Option<f64>, run: &RunFacts) -> ClassifierFacts {
    let accuracy = |part: &str| Figure::read(&run.figures["evaluation"][part]["accuracy"]);
    let courses: Vec<Vec<f64>> =
        run.history.iter().map(|columns| columns.get("val_accuracy").cloned().unwrap_or_default()).collect();
    let mut to = Vec::new();
    for (columns, course) in run.history.iter().zip(&courses) {
        if let Some(at) = reach.and_then(|reach| course.iter().position(|accuracy| *accuracy >= reach)) {
            let seconds = columns.get("seconds").map_or(f64::NAN, |seconds| seconds[..=at].iter().sum());
            to.push(((at + 1) as f64, seconds));
        }
    }
    ClassifierFacts {
        run: run.name.clone(),
        images: study.named(&run.name).next().map_or(0, |made| made.loaded().train().len()),
        train: accuracy("train"),
        validation: accuracy("validation"),
        test: accuracy("test"),
        epochs_to: Figure::of(to.iter().map(|(epochs, _)| *epochs)),
        seconds_to: Figure::of(to.iter().map(|(_, seconds)| *seconds)),
        reached: to.len(),
        seeds: courses.len(),
        courses,
    }
}

/// The accuracies on the folds held out, `seeds` of them for each run; NaN for a run that was not finished.
fn folds(what: &str, names: &[String], seeds: usize, runs: &[RunFacts]) -> (FoldsFacts, Vec<f64>) {
    let finished = |name: &String| runs.iter().find(|run| run.name == *name && !run.is_interrupted());
    let mut accuracies = Vec::new();
    for run in names.iter().map(finished) {
        let accuracy = |seed: usize| run?.each.get(seed)?["evaluation"]["validation"]["accuracy"].as_f64();
        accuracies.extend((0..seeds).map(|seed| accuracy(seed).unwrap_or(f64::NAN)));
    }
    let accuracy = Figure::of(accuracies.iter().copied());
    let runs = names.iter().filter_map(finished).map(|run| run.name.clone()).collect();
    (FoldsFacts { what: what.to_owned(), runs, accuracy }, accuracies)
}

fn confusion(study: &Study, run: &RunFacts) -> Option<Confusion> {
    let metrics: &Value = run.each.first()?;
    let counts = metrics.pointer("/evaluation/test/confusion")?.as_array()?;
    let row = |row: &Value| {
        let counts = row.as_array().into_iter().flatten();
        counts.map(|count| count.as_u64().unwrap_or(0) as usize).collect()
    };
    let classes = study.named(&run.name).next()?.loaded().data.class_names.clone();
    let counts: Vec<Vec<usize>> = counts.iter().map(row).collect();
    let share = |part: usize, of: usize| (of > 0).then(|| part as f64 / of as f64);
    let shares = (0..counts.len()).map(|class| {
        let (of_it, taken) = (counts[class].iter().sum(), counts.iter().map(|row| row[class]).sum());
        (of_it, share(counts[class][class], of_it), share(counts[class][class], taken))
    });
    Some(Confusion { run: run.name.clone(), classes, shares: shares.collect(), counts })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn folds_that_are_not_finished_leave_the_others_in_their_places() {
        let run = |name: &str, accuracies: [f64; 2], interrupted: usize| {
            let metrics = |accuracy: f64| json!({ "evaluation": { "validation": { "accuracy": accuracy } } });
            let each = accuracies.map(metrics).to_vec();
            let mut run = RunFacts { name: name.to_owned(), each, ..RunFacts::default() };
            run.stops.interrupted = interrupted;
            run
        };
        let runs = [run("a", [0.5, 0.6], 1), run("b", [0.7, 0.8], 0)];
        let (facts, found) = folds("model", &["a", "b", "c"].map(str::to_owned), 2, &runs);
        assert!(found[..2].iter().chain(&found[4..]).all(|accuracy| accuracy.is_nan()), "{found:?}");
        assert_eq!((&found[2..4], facts.runs), (&[0.7, 0.8][..], vec!["b".to_owned()]));
        assert_eq!((found.len(), facts.accuracy.seeds), (6, 2));
    }
}
