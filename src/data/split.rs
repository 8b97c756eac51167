//! The division of the samples into training, validation and test set.

use super::batches::shuffle;
use super::error::{DataError, Fault};
use crate::rng::{Purpose, stream};

/// Sample indices of the three parts: disjoint, each in ascending order. (The order of training is that of the epoch, not this one.)
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// Indices of the training samples.
    pub train: Vec<u32>,
    /// Indices of the validation samples; empty if its part is 0.
    pub validation: Vec<u32>,
    /// Indices of the test samples; empty if its part is 0.
    pub test: Vec<u32>,
}

/// Divides `n` samples in the ratio `parts` (training : validation : test), drawn without replacement; together they have all
/// samples.
///
/// The sizes are exact by largest remainder: each part gets ⌊n · part / total⌋ samples, and those left over go one each
/// to the parts with the largest remainders, of equal ones to training before validation before test. With `labels` `[n]`
/// this is done for each class by itself, so every part has the classes in the same proportion. What is drawn depends on
/// the seed and, with labels, on the class: adding a class moves no sample of another.
///
/// What is drawn are blocks of `block` samples that follow each other (of a class, with labels); at the end of a part a block may be
/// divided. With 1, samples are drawn one by one. Longer blocks keep neighbours together, such as the frames of a film, which are near
/// copies: drawn one by one, almost every sample of a part would have its copy in another.
///
/// Refused: a block of 0, a training part of 0, parts whose sum overflows `u64`, another number of labels than of samples, a part
/// above 0 that would get no sample, more samples than `u32` counts.
pub fn split(labels: Option<&[u8]>, n: usize, parts: [u64; 3], block: usize, seed: u64) -> Result<Split, DataError> {
    let [a, b, c] = parts;
    let doing = || format!("split {n} samples {a}:{b}:{c} into training, validation and test");
    let refuse = |rule: String| Err(Fault::new(rule, "").doing(doing()).asked().into());
    if block == 0 {
        return refuse("a block must have at least 1 sample".into());
    }
    if parts[0] == 0 {
        return refuse("the training part must be at least 1".into());
    }
    if parts.iter().try_fold(0u64, |sum, &part| sum.checked_add(part)).is_none() {
        return refuse(format!("the sum of the parts must be at most {}", u64::MAX));
    }
    let Ok(count) = u32::try_from(n) else {
        return refuse(format!("at most {} samples can be numbered", u32::MAX));
    };
    if let Some(labels) = labels.filter(|labels| labels.len() != n) {
        return refuse(format!("a stratified split needs a label for each sample, but there are {}", labels.len()));
    }

    let mut divided: [Vec<u32>; 3] = Default::default();
    for (class, members) in strata(labels, &(0..count).collect::<Vec<_>>()).into_iter().enumerate() {
        let mut blocks: Vec<&[u32]> = members.chunks(block).collect();
        shuffle(&mut blocks, &mut stream(seed, Purpose::Split, class as u64));
        let drawn = blocks.concat();
        let mut rest = drawn.as_slice();
        for (part, size) in divided.iter_mut().zip(shares(members.len(), &parts)) {
            let (taken, left) = rest.split_at(size);
            part.extend_from_slice(taken);
            rest = left;
        }
    }
    for ((part, &share), name) in divided.iter_mut().zip(&parts).zip(["training", "validation", "test"]) {
        if part.is_empty() && share > 0 {
            return refuse(format!("the {name} set would get no sample; more samples or other parts are needed"));
        }
        part.sort_unstable();
    }
    let [train, validation, test] = divided;
    Ok(Split { train, validation, test })
}

/// The members of each class; all of them where there are no labels.
pub(super) fn strata(labels: Option<&[u8]>, members: &[u32]) -> Vec<Vec<u32>> {
    let Some(labels) = labels else { return vec![members.to_vec()] };
    let mut strata = vec![Vec::new(); 256];
    for &member in members {
        strata[usize::from(labels[member as usize])].push(member);
    }
    strata
}

/// Whole numbers in the ratio `parts` that add up to `n`, by largest remainder; of equal remainders the earlier part's counts
/// as larger. All zero where the parts are.
pub(super) fn shares<const N: usize>(n: usize, parts: &[u64; N]) -> [usize; N] {
    let total: u128 = parts.iter().map(|&part| u128::from(part)).sum();
    if total == 0 {
        return [0; N];
    }
    let exact = parts.map(|part| n as u128 * u128::from(part));
    let mut shares = exact.map(|share| (share / total) as usize);
    let mut by_remainder: [usize; N] = std::array::from_fn(|part| part);
    // Stable, so that equal remainders keep their order.
    by_remainder.sort_by_key(|&part| std::cmp::Reverse(exact[part] % total));
    let left = n - shares.iter().sum::<usize>();
    for &part in &by_remainder[..left] {
        shares[part] += 1;
    }
    shares
}
