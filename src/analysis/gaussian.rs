//! A normal distribution with the mean and the covariance of codes, to sample from where none is known.

use crate::rng::standard_normal;
use narrows_kernels::Context;
use ndarray::{Array2, ArrayView2};

use super::error::AnalysisError;
use super::standard::{Standard, scatter};
use crate::linalg::cholesky_factor;
use crate::rng::Stream;

/// N(mean, L·Lᵀ).
#[derive(Clone, Debug, PartialEq)]
pub struct Gaussian {
    mean: Vec<f64>,
    /// [d, d], lower triangular, row-major.
    factor: Vec<f64>,
}

impl Gaussian {
    /// N(0, I) over codes of `d` values.
    pub fn standard(d: usize) -> Gaussian {
        let mut factor = vec![0.0; d * d];
        factor.iter_mut().step_by(d + 1).for_each(|diagonal| *diagonal = 1.0);
        Gaussian { mean: vec![0.0; d], factor }
    }

    /// With the mean and the covariance of `codes` [n, d]. Every unit gets a variance of a millionth of the mean variance more:
    /// without it the covariance would have no factor where units do not vary, or vary with others alone.
    /// Refused: fewer than two codes, codes that are not finite.
    pub fn fit(context: Context, codes: ArrayView2<'_, f32>) -> Result<Gaussian, AnalysisError> {
        let standard = Standard::centring("fit a distribution to", codes)?;
        let (n, d) = codes.dim();
        let mut factor = scatter(context, &standard.apply(codes), d);
        factor.iter_mut().for_each(|sum| *sum /= (n - 1) as f64);
        let variance = factor.iter().step_by(d + 1).sum::<f64>() / d as f64;
        factor.iter_mut().step_by(d + 1).for_each(|diagonal| *diagonal += 1e-6 * variance);
        if !cholesky_factor(&mut factor, d) {
            // All codes are one.
            factor.fill(0.0);
        }
        for i in 0..d {
            factor[i * d + i + 1..(i + 1) * d].fill(0.0);
        }
        Ok(Gaussian { mean: standard.mean, factor })
    }

    /// `count` draws [count, d].
    pub fn sample(&self, count: usize, stream: &mut Stream) -> Array2<f32> {
        let d = self.mean.len();
        let mut codes = Array2::zeros((count, d));
        for mut code in codes.rows_mut() {
            let normal: Vec<f64> = (0..d).map(|_| standard_normal(stream)).collect();
            for (i, value) in code.iter_mut().enumerate() {
                let row = &self.factor[i * d..i * d + i + 1];
                let deviation: f64 = row.iter().zip(&normal).map(|(factor, normal)| factor * normal).sum();
                *value = (self.mean[i] + deviation) as f32;
            }
        }
        codes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, stream};

    #[test]
    fn samples_have_the_mean_and_the_covariance_of_the_codes() {
        let mut noise = stream(1, Purpose::Sample, 0);
        let mixed = |z: Array2<f32>| {
            let of = |row: ndarray::ArrayView1<'_, f32>| [3.0 + 2.0 * row[0], -row[0] + 0.5 * row[1], 7.0];
            Array2::from_shape_fn((z.nrows(), 3), |(i, j)| of(z.row(i))[j])
        };
        let codes = mixed(Gaussian::standard(2).sample(20_000, &mut noise));
        let fitted = Gaussian::fit(Context::detect(), codes.view()).unwrap();
        let samples = fitted.sample(20_000, &mut stream(2, Purpose::Sample, 0));
        let again = Gaussian::fit(Context::detect(), samples.view()).unwrap();
        // Standard errors are about 2/√20000 = 0.014; the third value is 7 in every code.
        let close = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 0.06);
        assert!(close(&fitted.mean, &[3.0, 0.0, 7.0]) && close(&again.mean, &fitted.mean), "{fitted:?} {again:?}");
        assert!(close(&fitted.factor, &[2.0, 0.0, 0.0, -1.0, 0.5, 0.0, 0.0, 0.0, 0.0]), "{fitted:?}");
        assert!(close(&again.factor, &fitted.factor), "{again:?}");
    }

    #[test]
    fn codes_that_are_all_one_are_drawn_again() {
        let fitted = Gaussian::fit(Context::detect(), Array2::from_elem((4, 2), 1.5).view()).unwrap();
        assert_eq!(fitted.sample(2, &mut stream(1, Purpose::Sample, 0)), Array2::from_elem((2, 2), 1.5));
    }
}
