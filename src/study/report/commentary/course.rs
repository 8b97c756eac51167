//! How each training ended, and whether it fits its training images better than others.

use super::metric::LOSS_FLOOR;
use super::verdict::{Verdict, distance, percent, verdict};
use crate::figures::number::significant;
use crate::optim::Monitor;
use crate::study::report::facts::RunFacts;
use crate::tasks::Evaluation;
use crate::train::Stop;

fn watched(run: &RunFacts) -> &'static str {
    match run.watched() {
        Monitor::ValLoss => "validation loss",
        Monitor::Loss => "training loss",
    }
}

fn epochs(count: usize) -> String {
    if count == 1 { "1 epoch".into() } else { format!("{count} epochs") }
}

/// Why the training ended, and where its loss was going.
pub(super) fn ending(run: &RunFacts) -> String {
    let (name, made) = (&run.name, run.epochs.len());
    let end = match (run.stop, &run.early_stopping) {
        (Stop::Interrupted { epoch, step }, _) => {
            return format!(
                "{name} was interrupted in epoch {epoch} after step {step}; its figures are left out of all comparisons."
            );
        }
        (Stop::Early, Some(rule)) => {
            let delta = match rule.min_delta {
                0.0 => String::new(),
                delta => format!(" by more than {delta}"),
            };
            let best = match run.best {
                Some(best) => format!(
                    "its {} had not fallen below its best so far ({}, epoch {}){delta} for {}",
                    watched(run),
                    significant(best.value, 4),
                    best.epoch,
                    epochs(made.saturating_sub(best.epoch))
                ),
                None => format!("its {} never counted as an improvement", watched(run)),
            };
            format!("{name} was stopped after {} of at most {}: {best}.", epochs(made), run.max_epochs)
        }
        (Stop::Early, None) => format!("{name} was stopped after {}.", epochs(made)),
        (Stop::LastEpoch, Some(_)) => {
            format!("{name} made all of its {}; early stopping did not end it.", epochs(made))
        }
        (Stop::LastEpoch, None) => format!("{name} made all of its {}.", epochs(made)),
    };
    format!("{end} {}", direction(run))
}

/// Where the loss was going: falling or rising is more than the floor over the last epochs.
fn direction(run: &RunFacts) -> String {
    let watched = watched(run);
    let Some(trend) = run.trend() else {
        return format!("Where its {watched} was going is not known: too few epochs with a finite loss.");
    };
    let over = match trend.epochs {
        1 => "from the last epoch but one to the last".to_owned(),
        count => format!("over the last {count} epochs"),
    };
    let slope = significant(trend.slope.abs(), 2);
    if trend.share < -LOSS_FLOOR {
        let meaning = match run.stop {
            Stop::Early => ": the stopping rule ended the training before that loss had levelled off",
            _ => "",
        };
        format!("Its {watched} was still falling {over}, by {slope} an epoch{meaning}.")
    } else if trend.share > LOSS_FLOOR {
        format!("Its {watched} was rising {over}, by {slope} an epoch.")
    } else {
        format!("Its {watched} had levelled off: it moved by {} {over}.", percent(trend.share.abs()))
    }
}

/// The rules of this section, in words.
pub(super) fn rule() -> String {
    format!(
        "A loss falls or rises when its least-squares line over the last epochs (as many as early stopping is patient for, \
         else five) moves by more than {} of the mean loss; otherwise it has levelled off.",
        super::metric::percent_short(LOSS_FLOOR)
    )
}

/// Counts of how trainings ended, for studies of too many runs to be told one by one.
pub(super) fn endings(runs: &[&RunFacts]) -> String {
    let count = |what: &dyn Fn(&RunFacts) -> bool| runs.iter().filter(|run| what(run)).count();
    let falling = |run: &RunFacts| run.trend().is_some_and(|trend| trend.share < -LOSS_FLOOR);
    let early = count(&|run| run.stop == Stop::Early);
    let last = count(&|run| run.stop == Stop::LastEpoch);
    format!(
        "Of {} finished runs, {early} were stopped early, {} of them while the loss was still falling; {last} made all of \
         their epochs, {} of them with a loss that was still falling.",
        runs.len(),
        count(&|run| run.stop == Stop::Early && falling(run)),
        count(&|run| run.stop == Stop::LastEpoch && falling(run)),
    )
}

/// Whether the loss on images that were not trained on turned upwards: from its lowest epoch to the last.
fn turned(run: &RunFacts) -> Option<(usize, f64, Verdict)> {
    let finite = run.epochs.iter().filter(|epoch| epoch.val_loss.is_finite());
    let lowest = finite.min_by(|a, b| a.val_loss.total_cmp(&b.val_loss))?;
    let last = run.last_val_loss();
    Some((lowest.epoch, lowest.val_loss, verdict(last, lowest.val_loss, LOSS_FLOOR)))
}

/// The part that stands against the training images: validation, or else test.
fn held_out(run: &RunFacts) -> Option<(&'static str, Evaluation)> {
    run.validation.map(|part| ("validation", part)).or(run.test.map(|part| ("test", part)))
}

/// A run overfits when its loss is higher on images that it was not trained on, and has risen there since its lowest.
pub(super) fn overfits(run: &RunFacts) -> bool {
    let (Some(train), Some((_, other))) = (run.train, held_out(run)) else { return false };
    let has_risen = turned(run).is_some_and(|(.., turn)| turn == Verdict::Higher);
    has_risen && verdict(other.loss, train.loss, LOSS_FLOOR) == Verdict::Higher
}

/// Whether the training images are fitted better than those of the validation (or else the test) part, with the weights
/// that were kept, and whether the validation loss turned upwards.
pub(super) fn fit(run: &RunFacts) -> Option<String> {
    let train = run.train?;
    let (part, other) = held_out(run)?;
    let gap = verdict(other.loss, train.loss, LOSS_FLOOR);
    let apart = distance(other.loss, train.loss).map_or(String::new(), |distance| format!(" by {distance}"));
    let against = format!("{} against {}", significant(other.loss, 4), significant(train.loss, 4));
    let first = match gap {
        Verdict::Higher => format!("its loss is higher on {part} images than on training images{apart} ({against})"),
        Verdict::Lower => format!("its loss is lower on {part} images than on training images{apart} ({against})"),
        Verdict::Same => {
            format!("there is no difference worth naming between its loss on {part} and on training images ({against})")
        }
        Verdict::Unknown => format!("its losses on {part} and training images cannot be compared ({against})"),
    };
    let second = match turned(run) {
        None | Some((_, _, Verdict::Unknown)) => String::new(),
        Some((epoch, lowest, Verdict::Higher)) => {
            let rise = distance(run.last_val_loss(), lowest).map_or(String::new(), |rise| format!(" by {rise}"));
            let verdict = if overfits(run) { ": it overfits" } else { "" };
            format!(", and its validation loss has risen{rise} since its lowest, in epoch {epoch}{verdict}")
        }
        Some((epoch, ..)) if epoch == run.epochs.len() => {
            ", and its validation loss was lowest in the last epoch: no sign of overfitting".into()
        }
        Some((epoch, ..)) => format!(
            ", and its validation loss has not risen by more than {} since its lowest, in epoch {epoch}: no sign of overfitting",
            super::metric::percent_short(LOSS_FLOOR)
        ),
    };
    Some(format!("{}: {first}{second}.", run.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::report::facts::tests::run;
    use crate::train::Best;
    use crate::train::EarlyStoppingRule;

    fn early(losses: &[f64]) -> RunFacts {
        let mut run = run("r", &[], losses);
        run.stop = Stop::Early;
        run.best = Some(Best { epoch: 1, value: losses[0] });
        run.early_stopping = Some(EarlyStoppingRule {
            monitor: Monitor::ValLoss,
            patience: 3,
            min_delta: 0.01,
            baseline: None,
            start_from_epoch: 0,
            restore_best: false,
        });
        run
    }

    #[test]
    fn a_run_that_was_stopped_while_falling_is_told_from_one_that_was_level_or_rising() {
        let falling = ending(&early(&[0.209, 0.206, 0.203, 0.2]));
        let expected = "r was stopped after 4 epochs of at most 50: its validation loss had not fallen below its best so far \
                        (0.2090, epoch 1) by more than 0.01 for 3 epochs. Its validation loss was still falling over \
                        the last 3 epochs, by 0.0030 an epoch: the stopping rule ended the training before that loss had \
                        levelled off.";
        assert_eq!(falling, expected);
        let rising = ending(&early(&[0.2, 0.203, 0.206, 0.209]));
        assert!(
            rising.ends_with("Its validation loss was rising over the last 3 epochs, by 0.0030 an epoch."),
            "{rising}"
        );
        let level = ending(&early(&[0.2, 0.2001, 0.2, 0.2001]));
        assert!(level.contains("had levelled off: it moved by 0.03 % over the last 3 epochs."), "{level}");
        let broken = ending(&early(&[0.2, f64::NAN, 0.2]));
        assert!(broken.ends_with("was going is not known: too few epochs with a finite loss."), "{broken}");
    }

    #[test]
    fn other_endings_are_said_as_they_were() {
        let last = ending(&run("r", &[], &[0.3, 0.2]));
        let expected = "r made all of its 2 epochs. Its validation loss was still falling from the last epoch but one to the \
                        last, by 0.10 an epoch.";
        assert_eq!(last, expected);
        let mut cut = run("r", &[], &[0.3, 0.2]);
        cut.stop = Stop::Interrupted { epoch: 3, step: 7 };
        assert!(ending(&cut).starts_with("r was interrupted in epoch 3 after step 7;"));
        let mut never = early(&[0.3, 0.3]);
        never.best = None;
        assert!(ending(&never).contains("never counted as an improvement"));
        assert!(ending(&run("r", &[], &[0.3])).starts_with("r made all of its 1 epoch."));
    }

    #[test]
    fn endings_are_counted() {
        let runs = [early(&[0.3, 0.29, 0.28, 0.27]), early(&[0.2; 4]), run("r", &[], &[0.2, 0.1])];
        let told = endings(&runs.iter().collect::<Vec<_>>());
        let expected = "Of 3 finished runs, 2 were stopped early, 1 of them while the loss was still falling; 1 made all of \
                        their epochs, 1 of them with a loss that was still falling.";
        assert_eq!(told, expected);
    }

    #[test]
    fn overfitting_needs_a_gap_and_a_rise() {
        let fit_of = |losses: &[f64], train: f64| {
            let mut run = run("r", &[], losses);
            run.train.as_mut().unwrap().loss = train;
            fit(&run).unwrap()
        };
        let over = "r: its loss is higher on validation images than on training images by 20 % (0.3000 against 0.2500), and \
                    its validation loss has risen by 50 % since its lowest, in epoch 2: it overfits.";
        assert_eq!(fit_of(&[0.25, 0.2, 0.3], 0.25), over);
        let no_gap = fit_of(&[0.25, 0.2, 0.3], 0.3);
        assert!(no_gap.contains("no difference worth naming") && !no_gap.contains("overfit"), "{no_gap}");
        assert!(fit_of(&[0.25, 0.2, 0.3], 0.4).contains("its loss is lower on validation images"));
        assert!(fit_of(&[0.3, 0.2], 0.1).ends_with(
            "by a factor of 2.0 (0.2000 against 0.1000), and its validation loss was \
                                                   lowest in the last epoch: no sign of overfitting."
        ));
        assert!(
            fit_of(&[0.3, 0.2, 0.2001], 0.1).contains("has not risen by more than 0.5 % since its lowest, in epoch 2")
        );
        assert!(fit_of(&[0.3, f64::NAN], 0.1).contains("cannot be compared (not a number against 0.1000)"));
        let mut bare = run("r", &[], &[0.1]);
        bare.validation = None;
        assert!(fit(&bare).unwrap().contains("on test and on training images"));
        bare.test = None;
        assert_eq!(fit(&bare), None);
    }
}
