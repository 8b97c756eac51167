//! What the study found as a whole: the best run, the fastest, and what penalties weigh.

use super::metric::{ERROR_FLOOR, LOSS_FLOOR, TIME_FLOOR, seconds};
use super::verdict::{Verdict, distance, percent, verdict};
use crate::figures::number::significant;
use crate::study::report::axes::listed;
use crate::study::report::facts::{Facts, RunFacts};

/// The comparable run with the lowest figure, the first of equals; none where no figure is finite.
pub(crate) fn lowest(facts: &Facts, figure: impl Fn(&RunFacts) -> f64) -> Option<&RunFacts> {
    facts.comparable().filter(|run| figure(run).is_finite()).min_by(|a, b| figure(a).total_cmp(&figure(b)))
}

/// The figure that runs are ranked by, with its name and floor: the loss where it is the same for all, else the MSE.
pub(crate) fn ranking(facts: &Facts) -> (String, impl Fn(&RunFacts) -> f64, f64) {
    let (judged, by_loss) = (facts.judged, facts.common_loss().is_some());
    let figure =
        move |run: &RunFacts| run.part(judged).map_or(f64::NAN, |part| if by_loss { part.loss } else { part.mse });
    let name = format!("{} {}", facts.judged_word(), if by_loss { "loss" } else { "MSE" });
    (name, figure, if by_loss { LOSS_FLOOR } else { ERROR_FLOOR })
}

/// The best run, and how far the others are behind.
pub(super) fn best(facts: &Facts) -> String {
    let (name, figure, floor) = ranking(facts);
    let Some(best) = lowest(facts, &figure) else {
        return format!("No finished run has a {name}, so none is called the best.");
    };
    let mut said = Vec::new();
    let least = figure(best);
    let others: Vec<&RunFacts> =
        facts.comparable().filter(|run| run.name != best.name && figure(run).is_finite()).collect();
    if others.is_empty() {
        said.push(format!("The {name} of {} is {}.", best.name, significant(least, 4)));
    } else {
        let near = others.iter().filter(|run| verdict(figure(run), least, floor) == Verdict::Same);
        let near: Vec<&str> = near.map(|run| run.name.as_str()).collect();
        said.push(format!("{} has the lowest {name}, {}.", best.name, significant(least, 4)));
        match near.len() {
            0 => {
                let next = others.iter().min_by(|a, b| figure(a).total_cmp(&figure(b))).expect("there are others");
                let apart = distance(figure(next), least).map_or(String::new(), |apart| format!(", higher by {apart}"));
                said.push(format!("Next comes {} ({}{apart}).", next.name, significant(figure(next), 4)));
            }
            1..=6 => said.push(format!("No difference worth naming separates it from {}.", listed(&near))),
            count => said.push(format!("No difference worth naming separates it from {count} other runs.")),
        }
    }
    let apart: Vec<&str> =
        facts.finished().filter(|run| run.images != best.images).map(|run| run.name.as_str()).collect();
    if !apart.is_empty() {
        let is = if apart.len() == 1 { "is" } else { "are" };
        said.push(format!("{} {is} of other images, and compared with none of these.", listed(&apart)));
    }
    said.join(" ")
}

/// The run that was done first, and what its speed costs.
pub(super) fn fastest(facts: &Facts) -> Option<String> {
    let (name, figure, floor) = ranking(facts);
    let best = lowest(facts, &figure)?;
    let first = lowest(facts, |run| if run.epochs.is_empty() { f64::NAN } else { run.seconds() })?;
    if facts.comparable().count() < 2 {
        return None;
    }
    let (fast, slow) = (first.seconds(), best.seconds());
    let time_floor = TIME_FLOOR.max(first.time_spread()).max(best.time_spread());
    if first.name == best.name {
        return Some(format!("{} also took the least time, {}.", best.name, seconds(slow)));
    }
    if verdict(fast, slow, time_floor) == Verdict::Same {
        return Some(format!(
            "No run took less time than {} by a difference worth naming: {}, and {} for the fastest, {}.",
            best.name,
            seconds(slow),
            seconds(fast),
            first.name
        ));
    }
    let cost = match (verdict(figure(first), figure(best), floor), distance(figure(first), figure(best))) {
        (Verdict::Higher, Some(apart)) => format!("with a {name} that is higher by {apart}"),
        (Verdict::Higher, None) => format!("with a higher {name}"),
        (Verdict::Unknown, _) => format!("and has no {name} to compare"),
        (Verdict::Same | Verdict::Lower, _) => format!("with no difference worth naming in {name}"),
    };
    let apart = distance(fast, slow).map_or(String::new(), |apart| format!(", {apart} less"));
    Some(format!("{} took the least time, {} against {}{apart}, {cost}.", first.name, seconds(fast), seconds(slow)))
}

/// What the errors are worth: the mean training image as every image's reconstruction.
pub(super) fn against_the_mean_image(facts: &Facts) -> Option<String> {
    let mse = |run: &RunFacts| run.part(facts.judged).map_or(f64::NAN, |part| part.mse);
    let known: Vec<&RunFacts> =
        facts.comparable().filter(|run| mse(run).is_finite() && run.mean_image_mse.is_finite()).collect();
    let first = known.first()?;
    let word = facts.judged_word();
    if known.iter().any(|run| run.mean_image_mse != first.mean_image_mse) {
        return None;
    }
    let reference = first.mean_image_mse;
    let mut said = vec![format!(
        "Answering every image with the mean training image would give a {word} MSE of {}.",
        significant(reference, 4)
    )];
    let not_lower = |run: &&&RunFacts| verdict(mse(run), reference, ERROR_FLOOR) != Verdict::Lower;
    let dead: Vec<&str> = known.iter().filter(not_lower).map(|run| run.name.as_str()).collect();
    if dead.len() < known.len() {
        let shares = known.iter().filter(|run| !not_lower(run)).map(|run| mse(run) / reference);
        let (low, high) = shares.fold((f64::INFINITY, 0.0f64), |(low, high), share| (low.min(share), high.max(share)));
        let runs = if dead.is_empty() { "The runs" } else { "The other runs" };
        let (low, high) = (percent(low), percent(high));
        said.push(match (known.len() == 1, low == high) {
            (true, _) => format!("{} has {low} of that.", first.name),
            (false, true) => format!("{runs} have {low} of that."),
            (false, false) => format!("{runs} have {low} to {high} of that."),
        });
    }
    if !dead.is_empty() {
        let has = if dead.len() == 1 { "has" } else { "have" };
        said.push(format!(
            "{} {has} learnt no more than that mean: the MSE is not lower by a difference worth naming.",
            listed(&dead)
        ));
    }
    // The exception is named before the rest.
    if said.len() == 3 {
        said.swap(1, 2);
    }
    Some(said.join(" "))
}

/// What the penalties add, beside the loss itself.
pub(super) fn penalties(facts: &Facts) -> Option<String> {
    let penalised = facts.finished().filter(|run| run.is_penalised);
    let shares = penalised.map(|run| (run, run.last_penalty() / (run.last_loss() + run.last_penalty())));
    let shares: Vec<(&RunFacts, f64)> = shares.filter(|(_, share)| share.is_finite()).collect();
    let (first, rest) = shares.split_first()?;
    if rest.len() < 6 {
        let told: Vec<String> = shares
            .iter()
            .map(|(run, share)| format!("{} ({}) in {}", percent(*share), significant(run.last_penalty(), 2), run.name))
            .collect();
        return Some(format!("Of what was minimised in the last epoch, penalties were {}.", listed(&told)));
    }
    let ends = rest.iter().fold((first.1, first.1), |(low, high), (_, share)| (low.min(*share), high.max(*share)));
    let (low, high) = (percent(ends.0), percent(ends.1));
    Some(format!("Of what was minimised in the last epoch, penalties were {low} to {high} in {} runs.", shares.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::Loss;
    use crate::study::report::facts::tests::run;

    fn facts(losses: &[f64]) -> Facts {
        let named = |(at, &loss): (usize, &f64)| run(&format!("r{at}"), &[at], &[loss]);
        let runs = losses.iter().enumerate().map(named).collect();
        Facts { axes: Vec::new(), runs, judged: "test", jobs: 1 }
    }

    fn with_seconds(mut facts: Facts, seconds: &[f64]) -> Facts {
        for (run, &seconds) in facts.runs.iter_mut().zip(seconds) {
            run.epochs[0].seconds = seconds;
        }
        facts
    }

    #[test]
    fn the_best_run_is_the_lowest_whatever_the_order() {
        let two = "r0 has the lowest test loss, 0.2000. Next comes r1 (0.3000, higher by 50 %).";
        assert_eq!(best(&facts(&[0.2, 0.3])), two);
        let turned = "r1 has the lowest test loss, 0.2000. Next comes r0 (0.3000, higher by 50 %).";
        assert_eq!(best(&facts(&[0.3, 0.2])), turned);
        let near = "r0 has the lowest test loss, 0.2000. No difference worth naming separates it from r1.";
        assert_eq!(best(&facts(&[0.2, 0.2004])), near);
        assert_eq!(best(&facts(&[f64::NAN, 0.2])), "The test loss of r1 is 0.2000.");
        assert_eq!(best(&facts(&[0.2])), "The test loss of r0 is 0.2000.");
        assert_eq!(best(&facts(&[f64::NAN])), "No finished run has a test loss, so none is called the best.");
        let mut mixed = facts(&[0.2, 0.3]);
        mixed.runs[0].loss = Loss::Mse;
        assert!(best(&mixed).starts_with("r0 has the lowest test MSE, 0.02500."));
        let mut apart = facts(&[0.2, 0.3, 0.1]);
        apart.runs[2].images = "faces".into();
        assert_eq!(best(&apart), format!("{two} r2 is of other images, and compared with none of these."));
    }

    #[test]
    fn speed_is_told_with_its_price() {
        let told = |losses: &[f64], seconds: &[f64]| fastest(&with_seconds(facts(losses), seconds)).unwrap();
        assert_eq!(told(&[0.2, 0.3], &[1.0, 2.0]), "r0 also took the least time, 1.00 s.");
        let price =
            "r1 took the least time, 1.00 s against 2.00 s, 50 % less, with a test loss that is higher by 50 %.";
        assert_eq!(told(&[0.2, 0.3], &[2.0, 1.0]), price);
        assert!(told(&[0.2, 0.2001], &[2.0, 1.0]).ends_with("with no difference worth naming in test loss."));
        assert!(told(&[0.2, f64::NAN], &[2.0, 1.0]).ends_with("and has no test loss to compare."));
        assert!(
            told(&[0.2, 0.3], &[2.0, 1.99])
                .starts_with("No run took less time than r0 by a difference worth naming: 2.00 s,")
        );
        assert_eq!(fastest(&facts(&[0.2])), None);
    }

    #[test]
    fn runs_that_learnt_the_mean_alone_are_named() {
        // The MSE is an eighth of the loss, and that of the mean image 0.1.
        let told = |losses: &[f64]| against_the_mean_image(&facts(losses)).unwrap();
        let reference = "Answering every image with the mean training image would give a test MSE of 0.1000. ";
        let dead = "r0 has learnt no more than that mean: the MSE is not lower by a difference worth naming.";
        let both = format!("{reference}{dead} The other runs have 25 % to 50 % of that.");
        assert_eq!(told(&[0.8, 0.4, 0.2]), both);
        assert_eq!(told(&[0.4]), format!("{reference}r0 has 50 % of that."));
        assert!(told(&[0.8, 1.6]).ends_with(
            "r0 and r1 have learnt no more than that mean: the MSE is not lower by a \
                                             difference worth naming."
        ));
        assert_eq!(against_the_mean_image(&facts(&[f64::NAN])), None);
    }

    #[test]
    fn penalties_are_a_share_of_what_is_minimised() {
        let mut facts = facts(&[0.3, 0.3]);
        assert_eq!(penalties(&facts), None);
        facts.runs[1].is_penalised = true;
        facts.runs[1].epochs[0].penalty = 0.1;
        let expected = "Of what was minimised in the last epoch, penalties were 25 % (0.10) in r1.";
        assert_eq!(penalties(&facts).unwrap(), expected);
    }
}
