//! Loss curves and the tables of results.

use super::axes::listed;
use super::commentary::metric::seconds;
use super::facts::{Facts, RunFacts};
use crate::figures::number::significant;
use crate::figures::page::{Align, Page};
use crate::loss;
use crate::loss::Loss;
use crate::nn::grouped;
use crate::run::loss_chart;
use crate::study::Study;
use crate::tasks::{ACTIVE_ABOVE, Evaluation};
use crate::train::Stop;

/// Writes one figure of loss curves for each kind of loss.
pub(super) fn training(page: &mut Page, study: &Study) {
    page.section("Training");
    let mut kinds: Vec<Loss> = Vec::new();
    for run in &study.runs {
        if !kinds.contains(&run.config.model.loss) {
            kinds.push(run.config.model.loss);
        }
    }
    for kind in &kinds {
        let runs = study.runs.iter().filter(|run| run.config.model.loss == *kind);
        let curves: Vec<_> = runs.map(|run| (run.name.as_str(), &run.executed.outcome.history)).collect();
        let validated = curves.iter().any(|(_, history)| history.epochs.iter().any(|epoch| !epoch.val_loss.is_nan()));
        let whose = match (kinds.len(), curves.len()) {
            (1, 1) => String::new(),
            (1, _) => " of all runs".to_owned(),
            _ => format!(" of the runs with the loss {}", kind.name()),
        };
        let lines = match validated {
            true => {
                "Solid lines are the training loss, the mean over the steps of an epoch; dashed lines are the validation loss \
                 at its end, when the weights have already improved on those steps."
            }
            false => {
                "Lines are the training loss, the mean over the steps of an epoch. There are no validation images."
            }
        };
        let chart = loss_chart("", *kind, curves.into_iter());
        let zero = if chart.shows_zero() { "" } else { " The axis does not begin at zero." };
        let caption = format!("Losses{whose} after each epoch, without penalties. {lines}{zero}");
        page.svg(&caption, &chart.to_svg());
    }
}

/// A column of figures.
struct Column {
    header: String,
    values: Vec<f64>,
    format: Box<dyn Fn(f64) -> String>,
    /// Whether the lowest value is the best.
    lower_is_better: bool,
}

fn column(
    header: impl Into<String>,
    facts: &Facts,
    value: impl Fn(&RunFacts) -> f64,
    format: impl Fn(f64) -> String + 'static,
    lower_is_better: bool,
) -> Column {
    let values = facts.runs.iter().map(value).collect();
    Column { header: header.into(), values, format: Box::new(format), lower_is_better }
}

fn four(value: f64) -> String {
    significant(value, 4)
}

/// Writes the tables of results.
pub(super) fn tables(page: &mut Page, facts: &Facts) {
    page.section("Results");
    let word = facts.judged_word();
    let of_part = |get: fn(&Evaluation) -> f64| move |run: &RunFacts| run.part(facts.judged).map_or(f64::NAN, get);
    let comparable = facts.common_loss().is_some();
    let best_epoch = |run: &RunFacts| run.best.map_or(f64::NAN, |best| best.epoch as f64);
    let columns = vec![
        column("epochs", facts, |run| run.epochs.len() as f64, |count| format!("{count}"), false),
        column("best epoch", facts, best_epoch, |epoch| format!("{epoch}"), false),
        column("training loss", facts, RunFacts::last_loss, four, comparable),
        column("validation loss", facts, RunFacts::last_val_loss, four, comparable),
        column("test loss", facts, |run| run.test.map_or(f64::NAN, |test| test.loss), four, comparable),
        column(format!("{word} MSE"), facts, of_part(|part| part.mse), four, true),
        column(format!("{word} NRMSE"), facts, of_part(|part| part.nrmse), four, true),
    ];
    let mut caption = format!("Losses and errors. {}", losses_explained(facts));
    if facts.runs.iter().any(|run| run.best.is_some()) {
        caption += " The best epoch is the last that early stopping counted as an improvement.";
    }
    table(page, facts, caption, columns);

    let active = active_header(facts);
    let penalty = |run: &RunFacts| if run.is_penalised { run.last_penalty() } else { f64::NAN };
    let columns = vec![
        column(active, facts, of_part(|part| part.active_code_units), |units| significant(units, 3), false),
        column("L1 norm of the code", facts, of_part(|part| part.code_l1), four, false),
        column("penalty", facts, penalty, |penalty| significant(penalty, 3), false),
        column("steps", facts, |run| run.steps() as f64, |steps| grouped(steps as usize), false),
        column("time (s)", facts, RunFacts::seconds, |value| bare(seconds(value)), true),
        column("time per epoch (s)", facts, RunFacts::seconds_per_epoch, |value| bare(seconds(value)), true),
    ];
    let mut caption = format!(
        "Code and cost. A code unit is active in an image when its magnitude exceeds {ACTIVE_ABOVE}; units and L1 norm (Σ|code|) are \
         means over the {word} images. "
    );
    if facts.runs.iter().any(|run| run.is_penalised) {
        caption += "The penalty is what was added to the training loss, the mean over the steps of the last epoch. ";
    }
    caption += "A step is one batch. Times are those of training and validation; the time per epoch is the median.";
    if facts.jobs > 1 {
        caption += &format!(" Up to {} runs shared the machine at a time, which lengthens their times.", facts.jobs);
    }
    table(page, facts, caption, columns);
}

fn bare(seconds: String) -> String {
    seconds.trim_end_matches(" s").to_owned()
}

/// "active code units (of 50)", if all codes have one size.
fn active_header(facts: &Facts) -> String {
    let mut sizes: Vec<usize> = facts.runs.iter().map(|run| run.code_size).collect();
    sizes.sort_unstable();
    sizes.dedup();
    let sizes: Vec<String> = sizes.iter().map(usize::to_string).collect();
    match sizes.len() {
        1..=4 => format!("active code units (of {})", sizes.join(", ")),
        _ => "active code units".into(),
    }
}

fn losses_explained(facts: &Facts) -> String {
    let mut units: Vec<&str> = Vec::new();
    for run in &facts.runs {
        let unit = loss::axis_label(run.loss);
        if !units.contains(&unit) {
            units.push(unit);
        }
    }
    let are = match units.len() {
        1 => format!("The loss is the {}", units[0]),
        _ => format!("The losses are, depending on the run, {}, and not comparable", listed(&units)),
    };
    let kept = match facts.runs.iter().any(|run| run.restored_best) {
        true => "the weights that were kept (of the best epoch where early stopping says so)",
        false => "the weights after the last epoch",
    };
    let validated = facts.runs.iter().any(|run| !run.last_val_loss().is_nan());
    let last = if validated { "training and validation loss are those" } else { "the training loss is that" };
    format!(
        "{are}; {last} of the last epoch, without penalties, all else is measured with \
         {kept}. MSE is the mean squared error per pixel, pixels from 0 to 1; NRMSE its root over the range of the pixels."
    )
}

/// A table of the columns that have a figure; the best of each is marked where there are several runs.
fn table(page: &mut Page, facts: &Facts, caption: String, columns: Vec<Column>) {
    let columns: Vec<Column> =
        columns.into_iter().filter(|column| column.values.iter().any(|value| !value.is_nan())).collect();
    let mut header = vec!["run"];
    header.extend(columns.iter().map(|column| column.header.as_str()));
    let mut align = vec![Align::Number; header.len()];
    align[0] = Align::Text;
    let name = |run: &RunFacts| match run.stop {
        Stop::Interrupted { .. } => format!("{} (interrupted)", run.name),
        _ => run.name.clone(),
    };
    let text = |column: &Column, row: usize| match column.values[row] {
        value if value.is_nan() => "–".to_owned(),
        value => (column.format)(value),
    };
    let cells = |row: usize| columns.iter().map(move |column| text(column, row));
    let rows: Vec<Vec<String>> = facts
        .runs
        .iter()
        .enumerate()
        .map(|(row, run)| std::iter::once(name(run)).chain(cells(row)).collect())
        .collect();
    let mut best = Vec::new();
    for (number, column) in columns.iter().enumerate().filter(|(_, column)| column.lower_is_better) {
        let counts = |row: &usize| {
            let run = &facts.runs[*row];
            !run.is_interrupted() && run.images == facts.runs[0].images && column.values[*row].is_finite()
        };
        let rows: Vec<usize> = (0..column.values.len()).filter(counts).collect();
        let lowest = rows.iter().copied().min_by(|&a, &b| column.values[a].total_cmp(&column.values[b]));
        if let Some(lowest) = lowest.filter(|_| rows.len() > 1) {
            // Figures that read the same are marked alike.
            let same = |row: &&usize| text(column, **row) == text(column, lowest);
            best.extend(rows.iter().filter(same).map(|&row| (row, number + 1)));
        }
    }
    let caption = match best.is_empty() {
        true => caption,
        false => format!("{caption} Of figures that are better lower, the best is bold."),
    };
    page.table_with_best(&caption, &header, &rows, &align, &best);
}
