//! What no linear code can beat.
//!
//! Of all affine maps to d numbers and back, the projection on the first d principal components around the mean has the least
//! mean squared error on the images it was made from (Eckart and Young 1936): Σ_{j>d} λ_j / (n · features), λ the eigenvalues of
//! the scatter matrix (X − m)ᵀ(X − m). A decoder that is not affine may go below it, and on other images anything may.

use narrows_kernels::{Accumulate, Context, Epilogue, MatMut, MatRef, gemm};

use crate::data::Samples;
use crate::linalg::{Matrix, symmetric_eigen};

/// Images at a time: the sums are chains over all of them, whatever this is.
const TOGETHER: usize = 2048;

/// The principal components of a set of images.
#[derive(Clone, Debug)]
pub struct PcaFloor {
    context: Context,
    mean: Vec<f64>,
    /// Columns: the eigenvectors of the scatter matrix, that of the largest eigenvalue first.
    components: Matrix<f64>,
}

impl PcaFloor {
    /// The principal components of `images`, in f64.
    ///
    /// # Panics
    /// When there are none.
    pub fn of(context: Context, images: Samples<'_>) -> Self {
        assert!(!images.indices.is_empty(), "principal components need images");
        let features = images.data.features();
        let mut mean = vec![0.0; features];
        for_each(images, |rows| {
            for row in rows.chunks_exact(features) {
                mean.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
            }
        });
        mean.iter_mut().for_each(|sum| *sum /= images.indices.len() as f64);
        let mut scatter = vec![0.0; features * features];
        for_each(images, |rows| {
            centre(rows, &mean);
            let x = MatRef::new(rows, rows.len() / features, features);
            let out = MatMut::new(&mut scatter, features, features);
            gemm(context, out, Accumulate::Add, x.transposed(), x, Epilogue::NONE);
        });
        let mut scatter = Matrix::copy_of(MatRef::new(&scatter, features, features));
        let (_, components) = symmetric_eigen(context, &mut scatter);
        PcaFloor { context, mean, components }
    }

    /// √(mean squared error per pixel) / (largest − smallest pixel) of `images` projected on the first d components, for each d
    /// of `sizes`. Sizes beyond the number of pixels are as good as that number.
    pub fn nrmse(&self, images: Samples<'_>, sizes: &[usize]) -> Vec<f64> {
        let features = self.mean.len();
        let most = sizes.iter().copied().max().unwrap_or(0).min(features);
        let components = self.components.block(0..features, 0..most);
        let mut errors = vec![0.0; sizes.len()];
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for_each(images, |rows| {
            rows.iter().for_each(|&x| (low, high) = (low.min(x), high.max(x)));
            centre(rows, &self.mean);
            let count = rows.len() / features;
            let mut codes = vec![0.0; count * most];
            let out = MatMut::new(&mut codes, count, most);
            gemm(
                self.context,
                out,
                Accumulate::Overwrite,
                MatRef::new(rows, count, features),
                components,
                Epilogue::NONE,
            );
            for (sample, row) in rows.chunks_exact(features).enumerate() {
                let whole: f64 = row.iter().map(|x| x * x).sum();
                let code = &codes[sample * most..(sample + 1) * most];
                for (error, &size) in errors.iter_mut().zip(sizes) {
                    let taken: f64 = code[..size.min(most)].iter().map(|z| z * z).sum();
                    *error += (whole - taken).max(0.0);
                }
            }
        });
        let values = images.indices.len() * features;
        errors.into_iter().map(|error| (error / values as f64).sqrt() / (high - low)).collect()
    }
}

fn for_each(images: Samples<'_>, mut work: impl FnMut(&mut [f64])) {
    for indices in images.indices.chunks(TOGETHER) {
        let mut rows = Samples { indices, ..images }.to_array();
        work(rows.as_slice_mut().expect("a new array is contiguous"));
    }
}

fn centre(rows: &mut [f64], mean: &[f64]) {
    for row in rows.chunks_exact_mut(mean.len()) {
        row.iter_mut().zip(mean).for_each(|(x, mean)| *x -= mean);
    }
}
