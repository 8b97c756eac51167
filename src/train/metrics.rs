//! Figures that a task gathers during an epoch.

/// Weighted sums of an epoch, one for each figure that a task keeps, by position.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metrics {
    /// Σ value · weight and Σ weight of each.
    pub sums: Vec<[f64; 2]>,
}

impl Metrics {
    /// Adds a sum over `weight` values (samples, elements) to the figure at `position`.
    pub fn add(&mut self, position: usize, sum: f64, weight: f64) {
        if self.sums.len() <= position {
            self.sums.resize(position + 1, [0.0; 2]);
        }
        let [total, weights] = &mut self.sums[position];
        *total += sum;
        *weights += weight;
    }

    /// The mean of each figure.
    pub fn means(&self) -> impl Iterator<Item = f64> {
        self.sums.iter().map(|[sum, weight]| sum / weight)
    }
}
