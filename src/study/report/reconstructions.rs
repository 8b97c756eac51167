//! The first images above what each run makes of them.

use std::sync::Arc;

use super::axes::listed;
use super::commentary::{lowest, ranking};
use super::facts::Facts;
use crate::data::Splits;
use crate::figures::grid::{GridRow, ImageGrid};
use crate::figures::page::Page;
use crate::figures::png::to_grey;
use crate::run::RunError;
use crate::study::{Study, StudyRun};

/// Runs of which all are shown; of more, a choice.
const MOST_RUNS: usize = 6;
/// Images beside each other before the grid goes on below.
const MOST_BESIDE: usize = 15;

/// Writes one grid for each data set among the runs that are shown.
pub(super) fn write(page: &mut Page, study: &Study, facts: &Facts) -> Result<(), RunError> {
    page.section("Reconstructions");
    let (chosen, rule) = choice(facts);
    if let Some(rule) = rule {
        page.paragraph(&rule);
    }
    let mut groups: Vec<(&Arc<Splits>, Vec<&StudyRun>)> = Vec::new();
    for run in chosen.into_iter().map(|number| &study.runs[number]) {
        match groups.iter_mut().find(|(loaded, _)| Arc::ptr_eq(loaded, &run.prepared.loaded)) {
            Some((_, runs)) => runs.push(run),
            None => groups.push((&run.prepared.loaded, vec![run])),
        }
    }
    let mut drawn = false;
    for (loaded, runs) in groups {
        drawn |= grid(page, study, facts, loaded, &runs)?;
    }
    if !drawn {
        page.paragraph("There are no images to show.");
    }
    Ok(())
}

/// The runs that are shown, in the order of the grid, and how they were chosen where it is not all.
fn choice(facts: &Facts) -> (Vec<usize>, Option<String>) {
    if facts.runs.len() <= MOST_RUNS {
        return ((0..facts.runs.len()).collect(), None);
    }
    let (name, figure, _) = ranking(facts);
    let mut ranked: Vec<usize> = (0..facts.runs.len()).filter(|&at| figure(&facts.runs[at]).is_finite()).collect();
    ranked.sort_by(|&a, &b| figure(&facts.runs[a]).total_cmp(&figure(&facts.runs[b])));
    let mut chosen: Vec<usize> = ranked.first().into_iter().chain(ranked.last()).copied().collect();
    for axis in 0..facts.axes.len() {
        for value in 0..facts.axes[axis].labels.len() {
            chosen.extend(ranked.iter().find(|&&at| facts.runs[at].place[axis] == value));
        }
    }
    if chosen.is_empty() {
        chosen = (0..MOST_RUNS).collect();
    }
    chosen.sort_unstable();
    chosen.dedup();
    let best = lowest(facts, &figure).map_or(String::new(), |run| format!(", {},", run.name));
    let rule = format!(
        "Of {} runs, {} are shown: the one with the lowest {name}{best} the one with the highest, and for each value of the \
         grid the best run that has it.",
        facts.runs.len(),
        chosen.len()
    );
    (chosen, Some(rule))
}

/// Draws the first images of a data set, and below them what each run makes of them. Whether there were any.
fn grid(page: &mut Page, study: &Study, facts: &Facts, loaded: &Splits, runs: &[&StudyRun]) -> Result<bool, RunError> {
    let parts = loaded.parts();
    let order = [facts.judged, "test", "validation", "train"];
    let of = |name: &str| parts.iter().find(|(part, indices)| *part == name && !indices.is_empty());
    let Some((part, samples)) = order.iter().find_map(|name| of(name)) else { return Ok(false) };
    let images = samples.first(study.config.report.reconstructions);
    let indices = images.indices;
    let originals = images.to_array();
    let mut labelled = vec![("original", originals.clone())];
    for run in runs {
        let trained = run.prepared.trained(&run.executed.outcome.params, study.machine.context);
        labelled.push((&run.name, study.machine.run(|| trained.reconstruct(originals.view()))??));
    }
    let bands = indices.len().div_ceil(MOST_BESIDE);
    let columns = indices.len().div_ceil(bands);
    let mut rows = Vec::new();
    for band in 0..bands {
        let range = band * columns..((band + 1) * columns).min(indices.len());
        for (label, values) in &labelled {
            let chosen = values.outer_iter().skip(range.start).take(range.len());
            let images = chosen.map(|image| image.iter().copied().map(to_grey).collect()).collect();
            rows.push(GridRow { label: (*label).to_owned(), images });
        }
    }
    let grid = ImageGrid::new(loaded.data.width(), loaded.data.height(), rows);
    let png = ImageGrid { band: labelled.len(), ..grid }.to_png()?;
    let names: Vec<&str> = runs.iter().map(|run| run.name.as_str()).collect();
    let part = if *part == "train" { "training" } else { part };
    let count = indices.len();
    let first = if count == 1 { format!("The first {part} image") } else { format!("The first {count} {part} images") };
    let caption = format!(
        "{first} (top row{}) above the reconstructions by {}. Pixels are clipped to [0, 1], 0 black and 1 white.{}",
        if bands > 1 { " of each band" } else { "" },
        listed(&names),
        classes(loaded, indices)
    );
    let alt = format!("{count} {part} images in a row; below each, its reconstruction by {}.", listed(&names));
    page.picture(&caption, &alt, &png);
    Ok(true)
}

/// " From the left: Sandal, Sneaker, …", where there are labels.
fn classes(loaded: &Splits, indices: &[u32]) -> String {
    let Some(labels) = &loaded.data.labels else { return String::new() };
    let name = |index: &u32| loaded.data.class_names[usize::from(labels[*index as usize])].as_str();
    let names: Vec<&str> = indices.iter().take(MOST_BESIDE).map(name).collect();
    match indices.len() > MOST_BESIDE || names.len() < 2 {
        true => String::new(),
        false => format!(" From the left: {}.", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::axes::AxisWords;
    use super::super::facts::tests::run;
    use super::*;

    #[test]
    fn of_many_runs_the_ends_and_the_best_of_each_value_are_shown() {
        let losses = [0.4, 0.3, 0.2, 0.5, 0.6, 0.1, 0.9, f64::NAN];
        let runs = losses.iter().enumerate().map(|(at, &loss)| run(&format!("r{at}"), &[at / 4], &[loss])).collect();
        let labels = vec!["a".to_owned(), "b".to_owned()];
        let words = AxisWords { noun: "x".into(), key: "x".into(), phrases: labels.clone(), labels };
        let mut facts = Facts { axes: vec![words], runs, judged: "test", jobs: 1 };
        let (chosen, rule) = choice(&facts);
        assert_eq!(chosen, [2, 5, 6]);
        assert!(rule.unwrap().starts_with("Of 8 runs, 3 are shown: the one with the lowest test loss, r5,"));
        facts.runs.truncate(6);
        assert_eq!(choice(&facts), ((0..6).collect(), None));
    }
}
