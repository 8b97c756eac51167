//! The descent: forces, momentum, gains.

use narrows_kernels::tsne::{Repulsion, attraction};
use narrows_kernels::{Context, with_spinning_threads};

use super::affinities::Neighbourhoods;
use super::{EXAGGERATED, Progress, Tsne};
use crate::train::Flow;

/// What gains grow by while the gradient keeps its sign, the share they shrink to where it turned, and their floor.
const GAINS: [f32; 3] = [0.2, 0.8, 0.01];
/// The longest step of a point.
const LONGEST: f32 = 5.0;

/// Points of the map and what moves them, x and y each \[n\].
pub(super) struct Descent<'a> {
    context: Context,
    affinities: &'a Neighbourhoods,
    repulsion: Repulsion,
    pub at: [Vec<f32>; 2],
    steps: [Vec<f32>; 2],
    gains: [Vec<f32>; 2],
    attracted: [Vec<f32>; 2],
    repelled: [Vec<f32>; 2],
}

impl<'a> Descent<'a> {
    pub fn new(context: Context, affinities: &'a Neighbourhoods, at: [Vec<f32>; 2]) -> Self {
        let n = at[0].len();
        let all = |value: f32| [0, 1].map(|_| vec![value; n]);
        let repulsion = Repulsion::new(n);
        let [steps, attracted, repelled] = [(); 3].map(|()| all(0.0));
        Descent { context, affinities, repulsion, at, steps, gains: all(1.0), attracted, repelled }
    }

    /// Goes down until all iterations are done or `progress` asks to end; returns how many were done.
    pub fn run(&mut self, of: &Tsne, progress: Progress<'_>) -> usize {
        with_spinning_threads(|| {
            for iteration in 0..of.iterations {
                let (exaggeration, momentum) = match iteration < EXAGGERATED {
                    true => (of.exaggeration, of.momenta[0]),
                    false => (1.0, of.momenta[1]),
                };
                let rate = of.learning_rate.unwrap_or(self.at[0].len() as f64 / f64::from(exaggeration)) as f32;
                self.step(exaggeration, momentum, rate);
                if progress(iteration + 1, [&self.at[0], &self.at[1]]) == Flow::Interrupt {
                    return iteration + 1;
                }
            }
            of.iterations
        })
    }

    /// Computes the two sums of the gradient, and returns the factor 1/Z of the second.
    pub fn forces(&mut self) -> f32 {
        let isa = self.context.isa;
        let at = [&self.at[0][..], &self.at[1]];
        let [x, y] = &mut self.attracted;
        attraction(isa, self.affinities.view(), at, [x, y]);
        let [x, y] = &mut self.repelled;
        let total = self.repulsion.compute(isa, at, [x, y]);
        // Points that all lie infinitely far apart: nothing repels.
        if total > 0.0 { (1.0 / total) as f32 } else { 0.0 }
    }

    /// ¼ of the gradient of the divergence, x and y.
    #[cfg(test)]
    pub fn gradient(&mut self) -> [Vec<f32>; 2] {
        let factor = self.forces();
        let of = |axis: usize| {
            self.attracted[axis]
                .iter()
                .zip(&self.repelled[axis])
                .map(|(attracted, repelled)| attracted - factor * repelled)
        };
        [0, 1].map(|axis| of(axis).collect())
    }

    fn step(&mut self, exaggeration: f32, momentum: f32, rate: f32) {
        let factor = self.forces();
        for axis in 0..2 {
            let forces = self.attracted[axis].iter().zip(&self.repelled[axis]);
            let moved = self.steps[axis].iter_mut().zip(&mut self.gains[axis]);
            for ((step, gain), (attracted, repelled)) in moved.zip(forces) {
                let gradient = exaggeration * attracted - factor * repelled;
                // The gradient turned where it has the sign of the last step, which went down.
                let turned = (*step > 0.0, *step < 0.0) == (gradient > 0.0, gradient < 0.0);
                *gain = (if turned { *gain * GAINS[1] } else { *gain + GAINS[0] }).max(GAINS[2]);
                *step = momentum * *step - rate * *gain * gradient;
            }
        }
        let ([sx, sy], [x, y]) = (&mut self.steps, &mut self.at);
        for ((sx, sy), (x, y)) in sx.iter_mut().zip(sy).zip(x.iter_mut().zip(y)) {
            let length = (*sx * *sx + *sy * *sy).sqrt();
            if length > LONGEST {
                (*sx, *sy) = (*sx * (LONGEST / length), *sy * (LONGEST / length));
            }
            (*x, *y) = (*x + *sx, *y + *sy);
        }
        for at in &mut self.at {
            let mean = (at.iter().map(|&value| f64::from(value)).sum::<f64>() / at.len() as f64) as f32;
            at.iter_mut().for_each(|value| *value -= mean);
        }
    }
}
