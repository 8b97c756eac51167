//! Kinds of runs, each by the best of its runs: optimizers at the best of several learning rates, for instance.

use serde::Serialize;

use super::compare::Rules;
use super::run::RunFacts;
use crate::study::figure::{Figure, Verdict};

/// A kind of run. The best of its runs is that whose weights have the lowest validation loss, the mean over the seeds; the test images
/// do not choose.
#[derive(Clone, Debug, Serialize)]
pub(in crate::study) struct BestFacts {
    /// What it is.
    pub what: String,
    /// Its runs, each with the validation loss of its weights, in the order of the configuration.
    pub tried: Vec<(String, Figure)>,
    /// The best of them.
    pub run: String,
    /// Whether it lies at an end of several runs, so that one beyond may be better.
    pub is_at_end: bool,
    /// Its loss on the validation images.
    pub val_loss: Figure,
    /// Its mean squared error on the part that models are judged by.
    pub mse: Figure,
    /// The same less that on the training images, seed by seed.
    pub gap: Figure,
    /// Whether no difference that counts separates it from the first.
    pub leads: bool,
}

/// Each kind with the best of its finished runs, the lowest mean error on the part `judged` first. Kinds without a run that has the figures are left out.
pub(super) fn of(wanted: &[(String, Vec<String>)], runs: &[RunFacts], judged: &str, rules: Rules) -> Vec<BestFacts> {
    let kind = |(what, names): &(String, Vec<String>)| {
        let named = names.iter().filter_map(|name| {
            runs.iter().find(|run| run.name == *name && !run.is_interrupted() && !run.loss_is_relative)
        });
        let val_loss = |run: &RunFacts| Figure::read(&run.figures["evaluation"]["validation"]["loss"]);
        let tried: Vec<(&RunFacts, Figure)> = named.map(|run| (run, val_loss(run))).collect();
        let finite = tried.iter().enumerate().filter(|(_, (_, loss))| loss.mean.is_finite());
        let (at, &(run, val_loss)) = finite.min_by(|(_, a), (_, b)| a.1.mean.total_cmp(&b.1.mean))?;
        let mse = |part: &str, tree: &serde_json::Value| tree["evaluation"][part]["mse"].as_f64().unwrap_or(f64::NAN);
        let gap = Figure::of(run.each.iter().map(|tree| mse(judged, tree) - mse("train", tree)));
        Some(BestFacts {
            what: what.clone(),
            tried: tried.iter().map(|(run, loss)| (run.name.clone(), *loss)).collect(),
            run: run.name.clone(),
            is_at_end: tried.len() > 2 && (at == 0 || at + 1 == tried.len()),
            val_loss,
            mse: run.measured("mse"),
            gap,
            leads: false,
        })
    };
    let mut kinds: Vec<BestFacts> = wanted.iter().filter_map(kind).collect();
    kinds.sort_by(|a, b| a.mse.mean.total_cmp(&b.mse.mean));
    if let Some(first) = kinds.first().map(|kind| kind.mse) {
        for kind in &mut kinds {
            kind.leads =
                kind.mse.mean.is_finite() && kind.mse.against(&first, Some(rules.floors.error)) != Verdict::Higher;
        }
    }
    kinds
}
