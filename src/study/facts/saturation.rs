//! How layers saturate, how far their weights move, and what a run makes of images after its first steps.

use std::path::Path;
use std::sync::Arc;

use narrows_kernels::Context;
use serde::Serialize;

use super::RunError;
use super::pictures::ImageTable;
use crate::figures::number::counted;
use crate::run::{beside, fit, watch};
use crate::study::{Planned, Study, StudyRun};
use crate::train::{Callback, Event, Flow};

/// Training images that tell how a layer saturates.
const IMAGES: usize = 1000;
/// Literal steps after which pictures are shown: the exercise that the sigmoid study repeats asks for 20 iterations.
const STEPS: usize = 20;
/// Images that are shown then.
const SHOWN: usize = 15;

/// The layers of a run from before its first epoch to its end.
#[derive(Clone, Debug, Serialize)]
pub(in crate::study) struct SaturationFacts {
    /// The run.
    pub run: String,
    /// Training images that it was measured on.
    pub images: usize,
    /// The sigmoid and tanh layers, first layer first.
    pub layers: Vec<LayerCourse>,
    /// The product of the mean slopes that a gradient passes on its way to the first layer, before training and after it.
    pub passed: [f64; 2],
}

/// A layer that can saturate.
#[derive(Clone, Debug, Default, Serialize)]
pub(in crate::study) struct LayerCourse {
    /// "encoder.0".
    pub layer: String,
    /// The share of saturated units before the first epoch, and after each.
    pub saturated: Vec<f64>,
    /// The mean slope of its activation at the same times.
    pub slope: Vec<f64>,
    /// Whether a gradient passes that slope.
    pub is_passed: bool,
    /// ‖W − W₀‖ / ‖W₀‖ at the same times, W being its weight and W₀ that before training.
    pub moved: Vec<f64>,
}

/// Repeats the run in `folder`, whose bits are the same again, to look at its layers after each epoch.
pub(super) fn measure(plan: &Planned, folder: &Path, context: Context) -> Result<SaturationFacts, RunError> {
    let first = plan.prepared.loaded.train().first(IMAGES);
    let mut courses: Vec<LayerCourse> = Vec::new();
    let mut begun = Vec::new();
    let weights = |params: &[f32], layer: &str| -> Vec<f32> {
        let name = format!("{layer}.weight");
        let mut table = plan.prepared.layout().iter();
        table.find(|param| param.name == name).map_or(Vec::new(), |param| param.of(params).to_vec())
    };
    watch(&plan.config, &plan.prepared, beside(folder), context, |epoch, params| {
        let layers = plan.prepared.trained(params, context).map_or(Vec::new(), |trained| trained.saturation(first));
        for (at, found) in layers.into_iter().enumerate() {
            if epoch == 0 {
                begun.push(weights(params, &found.layer));
                courses.push(LayerCourse { layer: found.layer, is_passed: found.is_passed, ..LayerCourse::default() });
            }
            let course = &mut courses[at];
            course.saturated.push(found.saturated);
            course.slope.push(found.slope);
            course.moved.push(moved(&begun[at], &weights(params, &course.layer)));
        }
    })?;
    let slopes = |of: fn(&[f64]) -> Option<&f64>| {
        courses.iter().filter(|course| course.is_passed).filter_map(move |course| of(&course.slope))
    };
    let passed = [slopes(<[f64]>::first).product(), slopes(<[f64]>::last).product()];
    Ok(SaturationFacts { run: plan.name.clone(), images: first.len(), layers: courses, passed })
}

/// ‖now − begun‖ / ‖begun‖.
fn moved(begun: &[f32], now: &[f32]) -> f64 {
    let norm = |squares: &mut dyn Iterator<Item = f64>| squares.map(|x| x * x).sum::<f64>().sqrt();
    let difference = norm(&mut begun.iter().zip(now).map(|(&a, &b)| f64::from(b) - f64::from(a)));
    difference / norm(&mut begun.iter().map(|&a| f64::from(a)))
}

/// The first test images above what each run made of them after its first [`STEPS`] steps, or after all where it makes fewer.
pub(super) fn early(study: &Study, runs: &[&StudyRun]) -> Result<Option<ImageTable>, RunError> {
    let Some(loaded) = runs.first().map(|run| run.loaded()) else { return Ok(None) };
    let originals = loaded.test().first(SHOWN).to_array();
    let mut table = ImageTable::new(&loaded.data, Vec::new());
    table.row("original", originals.outer_iter())?;
    for run in runs.iter().filter(|run| Arc::ptr_eq(run.loaded(), loaded)) {
        let (plan, context) = (&run.plan, study.machine.context);
        let mut until = Until { left: STEPS };
        let params = fit(&plan.config, &plan.prepared, beside(&run.folder), context, &mut until)?.params;
        let made = plan.trained(&params, context)?.reconstruct(originals.view())?;
        table.row(format!("{} after {}", plan.name, counted(STEPS - until.left, "step")), made.outer_iter())?;
    }
    Ok((!originals.is_empty()).then_some(table))
}

/// Ends a training after so many steps.
struct Until {
    left: usize,
}

impl Callback<f32> for Until {
    fn on_event(&mut self, event: Event<'_>) -> Flow {
        if matches!(event, Event::StepDone { .. }) {
            self.left -= 1;
        }
        if self.left == 0 { Flow::Interrupt } else { Flow::Continue }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::StudyConfig;
    use crate::study::prepare_runs;

    /// A network of four layers whose units all stand at zero, and stay there.
    fn at_zero(activation: &str, loss: &str) -> SaturationFacts {
        let text = format!(
            "name = \"zero\"\nseed = 1\n[data]\nset = \"footwear\"\nper_class = 7\nmerge = true\nsplit = {{ train = 1 }}\n\
             [model]\nencoder = [{{ dense = 5, activation = \"{activation}\" }}, {{ dense = 4, activation = \"{activation}\" }}]\n\
             decoder = [{{ dense = 5, activation = \"{activation}\" }}, {{ dense = \"input\", activation = \"{activation}\" }}]\n\
             init = {{ normal = 1e-12 }}\n[train]\nloss = \"{loss}\"\nbatch_size = 21\nmax_epochs = 1\n\
             [optimizer]\nname = \"sgd\"\nlearning_rate = 1e-12\n"
        );
        let config = StudyConfig::from_toml(&text, "zero.toml").unwrap();
        let plan = prepare_runs(&config, 1, &[]).unwrap().remove(0);
        measure(&plan, Path::new("run"), Context::detect()).unwrap()
    }

    #[test]
    fn slopes_are_derivatives_and_a_cross_entropy_has_no_slope_at_its_output() {
        let close =
            |found: f64, expected: f64| assert!((found - expected).abs() < 1e-6 * expected, "{found} for {expected}");
        close(at_zero("sigmoid", "mse").passed[0], 0.25f64.powi(4));
        close(at_zero("sigmoid", "bce").passed[0], 0.25f64.powi(3));
        let tanh = at_zero("tanh", "mse");
        close(tanh.passed[0], 1.0);
        assert!(tanh.layers.iter().all(|layer| layer.saturated == [0.0, 0.0]));
        assert_eq!(moved(&[3.0, -4.0], &[3.0, 1.0]), 1.0);
    }
}
