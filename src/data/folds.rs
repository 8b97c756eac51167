//! Folds for cross-validation, and nested parts of the training samples: divisions that are a property of the data and the seed,
//! the same for every model.

use super::batches::shuffle;
use super::error::{DataError, Fault};
use super::samples::Splits;
use super::split::strata;
use crate::rng::{Purpose, stream};

/// Deals `members` of `labels` (of one class where there are none) into `folds`: each gets every class within one sample, and all
/// together within one. The members of a class are drawn in blocks of `block` that follow each other, of which each goes to one fold.
fn deal(labels: Option<&[u8]>, members: &[u32], folds: usize, block: usize, seed: u64) -> Vec<Vec<u32>> {
    let mut dealt = vec![Vec::new(); folds];
    // The deal goes on where it ended for the class before, so that no fold is always the one to get more.
    let mut next = 0;
    for (class, members) in strata(labels, members).into_iter().enumerate() {
        let mut blocks: Vec<&[u32]> = members.chunks(block).collect();
        shuffle(&mut blocks, &mut stream(seed, Purpose::Folds, class as u64));
        for block in blocks {
            dealt[next].extend_from_slice(block);
            next = (next + 1) % folds;
        }
    }
    dealt.iter_mut().for_each(|fold| fold.sort_unstable());
    dealt
}

impl Splits {
    /// Divides the training and the validation samples anew into `folds`, of which the one numbered `fold` is validated on and the
    /// others are trained on; the test samples stay. Every such sample is in exactly one fold. If `stratified`, the folds have the
    /// samples of each class within one of each other, and all samples within one; with a `block` of more than one, the blocks of each
    /// class and all blocks, of which the last of a class may be shorter. What is dealt depends on samples, `folds`, `block` and `seed` alone.
    ///
    /// Refused: fewer than two folds or more than samples, no fold of this number, a block of 0, stratification without labels, a fold
    /// that would get no sample or all.
    ///
    /// ```
    /// use narrows::data::Dataset;
    /// let data = Dataset::open("footwear")?.split([6, 0, 1], 2026)?;
    /// let first = data.fold(5, 0, true, 1, 2026)?;
    /// assert_eq!((first.train().len(), first.validation().len(), first.test().len()), (14_400, 3_600, 3_000));
    /// # Ok::<(), narrows::data::DataError>(())
    /// ```
    pub fn fold(
        mut self,
        folds: usize,
        fold: usize,
        stratified: bool,
        block: usize,
        seed: u64,
    ) -> Result<Splits, DataError> {
        let mut members = [&self.split.train[..], &self.split.validation].concat();
        members.sort_unstable();
        let count = members.len();
        let refuse = |rule: String| {
            let doing = format!("take fold {fold} of {folds} of {count} samples");
            Err(Fault::new(rule, "").doing(doing).asked().into())
        };
        if folds < 2 || folds > count {
            return refuse(format!("there must be 2 to {count} folds, one sample in each at least"));
        }
        if fold >= folds {
            return refuse(format!("folds are numbered from 0 to {}", folds - 1));
        }
        if block == 0 {
            return refuse("a block must have at least 1 sample".into());
        }
        if stratified && self.data.labels.is_none() {
            return refuse("stratified folds need labels, and there are none; set `stratified = false`".into());
        }
        let labels = self.data.labels.as_deref().filter(|_| stratified);
        let mut dealt = deal(labels, &members, folds, block, seed);
        self.split.validation = std::mem::take(&mut dealt[fold]);
        if self.split.validation.is_empty() {
            return refuse(format!("fold {fold} would get no sample; smaller blocks or fewer folds are needed"));
        }
        self.split.train = dealt.concat();
        if self.split.train.is_empty() {
            return refuse(format!("fold {fold} would get all samples; smaller blocks are needed"));
        }
        self.split.train.sort_unstable();
        Ok(self)
    }

    /// Keeps `count` of the training samples, drawn class by class (of all where there are no labels), each class by its share; where
    /// classes have equal size, within one sample. What is kept is nested: a smaller count keeps a part of what a larger one does. A
    /// count beyond what there is keeps all.
    #[must_use]
    pub fn keep_training(mut self, count: usize, seed: u64) -> Splits {
        let mut keyed = Vec::new();
        for (class, mut members) in strata(self.data.labels.as_deref(), &self.split.train).into_iter().enumerate() {
            shuffle(&mut members, &mut stream(seed, Purpose::Subset, class as u64));
            let of = members.len() as u64;
            // The k-th of n samples stands at (2k + 1) / 2n of the order, so that each beginning of it has every class by its share.
            keyed.extend(members.into_iter().zip(0u64..).map(|(member, k)| (2 * k + 1, 2 * of, class, member)));
        }
        keyed.sort_by(|a, b| {
            (u128::from(a.0) * u128::from(b.1)).cmp(&(u128::from(b.0) * u128::from(a.1))).then(a.2.cmp(&b.2))
        });
        self.split.train = keyed.into_iter().take(count).map(|(.., member)| member).collect();
        self.split.train.sort_unstable();
        self
    }
}
