//! Samples of a data set: a part of it, and the three parts of a division.

use narrows_kernels::Real;
use ndarray::Array2;

use super::classes::class_distribution;
use super::dataset::Dataset;
use super::error::DataError;
use super::split::{Split, shares};

/// Some samples of a data set, in an order.
#[derive(Clone, Copy, Debug)]
pub struct Samples<'a> {
    /// The data set.
    pub data: &'a Dataset,
    /// The numbers of the samples in the data set.
    pub indices: &'a [u32],
}

impl<'a> Samples<'a> {
    /// How many samples.
    pub fn len(&self) -> usize {
        self.indices.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }

    /// Values of one sample.
    pub fn features(&self) -> usize {
        self.data.features()
    }

    /// The first `count` of them, or all if there are fewer.
    pub fn first(self, count: usize) -> Samples<'a> {
        Samples { indices: &self.indices[..count.min(self.len())], ..self }
    }

    /// The samples in pieces of `size`, the last one what is left.
    ///
    /// # Panics
    /// If `size` is 0.
    pub fn chunks(self, size: usize) -> impl Iterator<Item = Samples<'a>> {
        self.indices.chunks(size).map(move |indices| Samples { indices, ..self })
    }

    /// Their classes; `None` where there are no labels.
    pub fn labels(self) -> Option<impl ExactSizeIterator<Item = u8> + use<'a>> {
        let labels = self.data.labels.as_deref()?;
        Some(self.indices.iter().map(|&index| labels[index as usize]))
    }

    /// The classes of all of them; of none where there are no labels.
    pub fn classes(&self) -> Vec<u8> {
        self.labels().into_iter().flatten().collect()
    }

    /// The indices of the first samples of each class, `count` in all, the same number of each class.
    ///
    /// # Errors
    /// A sentence, where `count` is no multiple of the number of classes, a class has too few, or there are no labels.
    pub fn of_each_class(&self, count: usize) -> Result<Vec<u32>, String> {
        if self.data.labels.is_none() {
            return Err(format!("{} has no labels", self.data.name));
        }
        let classes = self.data.class_names.len();
        let each = count / classes.max(1);
        let mut taken = vec![0; classes];
        let first = self.indices.iter().zip(self.classes()).filter(|(_, label)| {
            let taken = &mut taken[usize::from(*label)];
            *taken += 1;
            *taken <= each
        });
        let indices: Vec<u32> = first.map(|(&index, _)| index).collect();
        if indices.len() == count {
            return Ok(indices);
        }
        Err(format!(
            "each of the {classes} classes gives the same number of labels: a multiple of {classes} is expected, of which every class of \
             these {} samples has its share",
            self.len()
        ))
    }

    /// All of them `[n, features]`, in one array.
    pub fn to_array<T: Real>(&self) -> Array2<T> {
        let mut array = Array2::from_elem((self.len(), self.features()), T::ZERO);
        self.data.gather(self.indices, array.as_slice_mut().expect("a new array is contiguous"));
        array
    }
}

/// A data set divided into samples to train on, to validate on and to test on.
#[derive(Clone, Debug)]
pub struct Splits {
    /// The data set.
    pub data: Dataset,
    /// Which sample belongs to which part.
    pub split: Split,
    /// Where the data came from, for a person.
    pub origin: String,
}

impl Splits {
    /// The samples to train on.
    pub fn train(&self) -> Samples<'_> {
        Samples { data: &self.data, indices: &self.split.train }
    }

    /// The samples to validate on; there may be none.
    pub fn validation(&self) -> Samples<'_> {
        Samples { data: &self.data, indices: &self.split.validation }
    }

    /// The samples to test on; there may be none.
    pub fn test(&self) -> Samples<'_> {
        Samples { data: &self.data, indices: &self.split.test }
    }

    /// The parts with their names: "train", "validation", "test".
    pub fn parts(&self) -> [(&'static str, Samples<'_>); 3] {
        [("train", self.train()), ("validation", self.validation()), ("test", self.test())]
    }

    /// The part of this name.
    pub fn part(&self, name: &str) -> Option<Samples<'_>> {
        self.parts().into_iter().find(|(part, _)| *part == name).map(|(_, samples)| samples)
    }

    /// Height, width and channels of a sample.
    pub fn shape(&self) -> [usize; 3] {
        self.data.shape()
    }

    /// For each part, how many samples of each class it holds; nothing where there are no labels.
    pub fn class_distributions(&self) -> Vec<(&'static str, Vec<(String, usize)>)> {
        let Some(labels) = &self.data.labels else { return Vec::new() };
        let count = |samples: Samples<'_>| class_distribution(labels, samples.indices, &self.data.class_names);
        self.parts().map(|(name, samples)| (name, count(samples))).into()
    }

    /// Keeps the first `limit` samples of each part. Where a part is ordered by class, it keeps the first of each class
    /// instead, as many as the class has a share in the part.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Splits {
        let Split { train, validation, test } = &mut self.split;
        for part in [train, validation, test].into_iter().filter(|part| part.len() > limit) {
            match self.data.labels.as_deref().filter(|labels| is_ordered_by_class(labels, part)) {
                Some(labels) => keep_shares(labels, part, limit),
                None => part.truncate(limit),
            }
        }
        self
    }

    /// Scales the data set by its training samples, see [`Dataset::standard_min_max`].
    pub fn standard_min_max(mut self) -> Result<Splits, DataError> {
        self.data.standard_min_max(&self.split.train)?;
        Ok(self)
    }
}

/// Whether neighbours are of one class far more often than chance would have it: the class changes from one sample to the
/// next less than half as often as in a random order, where it changes with probability 1 − Σ (share of a class)².
fn is_ordered_by_class(labels: &[u8], part: &[u32]) -> bool {
    let class = |index: &u32| labels[*index as usize];
    let changes = part.windows(2).filter(|pair| class(&pair[0]) != class(&pair[1])).count() as u128;
    let n = part.len() as u128;
    let alike: u128 = class_counts(labels, part).map(|count| (count as u128).pow(2)).iter().sum();
    // changes / (n − 1) < (1 − alike / n²) / 2, without rounding.
    2 * changes * n * n < (n * n - alike) * n.saturating_sub(1)
}

/// Keeps `limit` samples of `part`: of each class the first, its share by largest remainder.
fn keep_shares(labels: &[u8], part: &mut Vec<u32>, limit: usize) {
    let mut left = shares(limit, &class_counts(labels, part).map(|count| count as u64));
    part.retain(|&index| {
        let left = &mut left[usize::from(labels[index as usize])];
        let kept = *left > 0;
        *left = left.saturating_sub(1);
        kept
    });
}

fn class_counts(labels: &[u8], part: &[u32]) -> [usize; 256] {
    let mut counts = [0; 256];
    part.iter().for_each(|&index| counts[usize::from(labels[index as usize])] += 1);
    counts
}
