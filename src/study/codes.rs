//! What the codes of a study's runs are worth.

use super::{Study, StudyRun};
use crate::analysis::{Comparison, Gaussian, LogisticRegression, Pca, choose_pairs, interpolate};
use crate::data::Samples;
use crate::figures::grid::{GridRow, ImageGrid};
use crate::figures::number::significant;
use crate::figures::png::to_grey;
use crate::figures::scatter::Scatter;
use crate::rng::{Purpose, stream};
use crate::run::{JACOBIANS, RunError};
use crate::tape::Arena;
use ndarray::Array2;

/// Pairs of test images of different classes that are interpolated between.
const PAIRS: usize = 20;
/// Pairs whose pictures are shown.
const SHOWN_PAIRS: usize = 6;
/// Images drawn from a variational run.
const SAMPLES: usize = 15;
/// Values that a traversal gives each number of the code.
const STEPS: [f32; 9] = [-2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0];

/// The measures of one run.
#[derive(Clone, Debug)]
pub struct Codes {
    /// The run.
    pub run: String,
    /// Accuracy of a multinomial logistic regression on the codes of the training images, and on those of the test images; where
    /// there are labels.
    pub accuracy: Option<[f64; 2]>,
    /// The mean of ‖∂code/∂input‖_F over the first test images.
    pub jacobian: f64,
    /// Decoded codes between the ends against the blend of the decoded ends, means over the pairs.
    pub interpolation: Vec<Comparison>,
    /// Some of the pairs: one end, what is decoded from it to the other, the other end.
    pub strips: Vec<u8>,
    /// The test codes along their first two principal components; where there are labels.
    pub scatter: Option<String>,
    /// Of a variational run: images of codes drawn from N(0, I), and the traversal of each number of the code.
    pub drawn: Option<[Vec<u8>; 2]>,
}

/// Measures the runs that the report names.
pub(super) fn measure(study: &Study) -> Result<Vec<Codes>, RunError> {
    let named = study.runs.iter().filter(|run| study.config.report.codes.contains(&run.name) && !study.interrupted);
    named.map(|run| study.machine.run(|| of_run(study, run))?).collect()
}

fn of_run(study: &Study, run: &StudyRun) -> Result<Codes, RunError> {
    let (loaded, context) = (&run.prepared.loaded, study.machine.context);
    let (data, split) = (&loaded.data, &loaded.split);
    let images = |indices| Samples { data, indices };
    let trained = run.prepared.trained(&run.executed.outcome.params, context);
    let jacobians = &split.test[..split.test.len().min(JACOBIANS)];
    let jacobian = trained.mean_jacobian_norm(images(jacobians), &mut Arena::default());

    let pairs = choose_pairs(data.labels.as_deref(), &split.test, PAIRS, run.config.seed)?;
    let ends: [Vec<u32>; 2] =
        [pairs.iter().map(|pair| pair.first).collect(), pairs.iter().map(|pair| pair.second).collect()];
    let [first, second] = [images(&ends[0]).to_array(), images(&ends[1]).to_array()];
    let between = interpolate(&trained, first.view(), second.view(), |codes| Ok(trained.decode(codes)?))?;
    let strip = |pair: usize| {
        let decoded = between.decoded[pair].outer_iter();
        let images = std::iter::once(first.row(pair)).chain(decoded).chain(std::iter::once(second.row(pair)));
        GridRow {
            label: String::new(),
            images: images.map(|image| image.iter().copied().map(to_grey).collect()).collect(),
        }
    };
    let strips = draw(data.width(), data.height(), (0..pairs.len().min(SHOWN_PAIRS)).map(strip).collect())?;

    let (mut accuracy, mut scatter) = (None, None);
    if let Some(all) = &data.labels {
        let labels = |indices: &[u32]| indices.iter().map(|&index| all[index as usize]).collect::<Vec<u8>>();
        let train = trained.encode(images(&split.train).to_array().view())?;
        let test = trained.encode(images(&split.test).to_array().view())?;
        let fitted = LogisticRegression::fit(context, train.view(), &labels(&split.train))?;
        accuracy = Some([
            fitted.accuracy(context, train.view(), &labels(&split.train))?,
            fitted.accuracy(context, test.view(), &labels(&split.test))?,
        ]);
        let pca = Pca::fit(context, train.view(), 2)?;
        let points = pca.project(context, test.view())?;
        let share = |component: usize| significant(100.0 * pca.shares.get(component).copied().unwrap_or(0.0), 3);
        let at = |i: usize, component: usize| points.row(i).get(component).copied().unwrap_or(0.0);
        let classes = labels(&split.test);
        let points = classes.iter().enumerate().map(|(i, &label)| (at(i, 0), at(i, 1), usize::from(label)));
        let chart = Scatter {
            title: String::new(),
            x_label: format!("first principal component ({} % of the variance)", share(0)),
            y_label: format!("second principal component ({} %)", share(1)),
            groups: data.class_names.clone(),
            points: points.collect(),
        };
        scatter = Some(chart.to_svg());
    }
    let drawn = match run.config.model.variational {
        Some(_) => Some(drawn(run, &trained)?),
        None => None,
    };
    Ok(Codes {
        run: run.name.clone(),
        accuracy,
        jacobian,
        interpolation: between.mean.to_vec(),
        strips,
        scatter,
        drawn,
    })
}

/// Images of codes drawn from N(0, I), and traversals of the numbers of largest divergence around zero.
fn drawn(run: &StudyRun, trained: &crate::tasks::Trained<'_, f32>) -> Result<[Vec<u8>; 2], RunError> {
    let data = &run.prepared.loaded.data;
    let row = |label: String, images: &Array2<f32>| GridRow {
        label,
        images: images.outer_iter().map(|image| image.iter().copied().map(to_grey).collect()).collect(),
    };
    let size = run.prepared.model().code_size();
    let codes = Gaussian::standard(size).sample(SAMPLES, &mut stream(run.config.seed, Purpose::Sample, 0));
    let samples = draw(data.width(), data.height(), vec![row(String::new(), &trained.decode(codes.view())?)])?;
    let history = &run.executed.outcome.history;
    let last = |name: &str| history.scalar(name).and_then(Iterator::last);
    let kl = |dimension: usize| last(&format!("kl_{dimension}")).unwrap_or(0.0);
    let mut dimensions: Vec<usize> = (0..size).collect();
    dimensions.sort_by(|&a, &b| kl(b).total_cmp(&kl(a)));
    let mut rows = Vec::new();
    for dimension in dimensions {
        let mut codes = Array2::zeros((STEPS.len(), size));
        codes.column_mut(dimension).iter_mut().zip(STEPS).for_each(|(z, step)| *z = step);
        rows.push(row(
            format!("z{} ({} nats)", dimension + 1, significant(kl(dimension), 2)),
            &trained.decode(codes.view())?,
        ));
    }
    Ok([samples, draw(data.width(), data.height(), rows)?])
}

fn draw(image_width: usize, image_height: usize, rows: Vec<GridRow>) -> Result<Vec<u8>, RunError> {
    Ok(ImageGrid::new(image_width, image_height, rows).to_png()?)
}
