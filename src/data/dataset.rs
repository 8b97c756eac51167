//! A data set in memory: images as bytes, labels, and the names of the classes.

use std::ops::Div;

use narrows_kernels::join;

use sha2::{Digest, Sha256};

use super::error::DataError;
use super::payload::hex;
use crate::spelling::nearest;

/// Images of one shape, kept as bytes: Fashion-MNIST whole is 55 MB, a quarter of what f32 would take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataset {
    /// What messages and reports call it.
    pub name: String,
    /// Rows of an image.
    pub height: usize,
    /// Columns of an image.
    pub width: usize,
    /// Values 0–255 `[n, height * width]`, row-major.
    pub pixels: Vec<u8>,
    /// The class of each image `[n]`, below `class_names.len()`.
    pub labels: Option<Vec<u8>>,
    /// The classes in the order of their numbers; empty where there are no labels.
    pub class_names: Vec<String>,
}

impl Dataset {
    /// A data set whose parts agree. Refused: pixels that are not a whole number of images, more images than `u32`
    /// counts, another number of labels than of images, a label that is no class.
    pub fn new(
        name: impl Into<String>,
        (height, width): (usize, usize),
        pixels: Vec<u8>,
        labels: Option<Vec<u8>>,
        class_names: Vec<String>,
    ) -> Result<Dataset, DataError> {
        let name = name.into();
        let features = height.checked_mul(width).filter(|&features| features > 0);
        let Some(count) = features.and_then(|f| pixels.len().is_multiple_of(f).then(|| pixels.len() / f)) else {
            return Err(DataError::PartialImage { name, pixels: pixels.len(), height, width });
        };
        if u32::try_from(count).is_err() {
            return Err(DataError::TooMany { name, count });
        }
        if let Some(labels) = &labels {
            check_labels(&name, &name, count, labels, class_names.len())?;
        }
        Ok(Dataset { name, height, width, pixels, labels, class_names })
    }

    /// How many images.
    pub fn len(&self) -> usize {
        self.pixels.len() / self.features()
    }

    /// Whether there are no images.
    pub fn is_empty(&self) -> bool {
        self.pixels.is_empty()
    }

    /// Values of one image: `height * width`.
    pub fn features(&self) -> usize {
        self.height * self.width
    }

    /// The values of image `i` `[height * width]`.
    ///
    /// # Panics
    /// If there is no image `i`.
    pub fn row(&self, i: usize) -> &[u8] {
        let features = self.features();
        &self.pixels[i * features..][..features]
    }

    /// SHA-256 (hex) over the dimensions, the pixels and the labels. Names do not enter.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for dim in [self.len(), self.height, self.width] {
            hash.update((dim as u64).to_le_bytes());
        }
        hash.update(&self.pixels);
        if let Some(labels) = &self.labels {
            hash.update(labels);
        }
        hex(&hash.finalize())
    }

    /// The images of `self`, then those of `other`: pools the published training and test parts. The name stays.
    /// Refused: other shapes, other classes, labels in only one of the two.
    pub fn concatenate(mut self, other: Dataset) -> Result<Dataset, DataError> {
        let difference = if (self.height, self.width) != (other.height, other.width) {
            format!(
                "their images are {}×{} and {}×{} pixels, and must have one shape",
                self.height, self.width, other.height, other.width
            )
        } else if self.class_names != other.class_names {
            "their classes differ, and must be the same in the same order".to_string()
        } else if self.labels.is_some() != other.labels.is_some() {
            "only one of them has labels; both or none must have them".to_string()
        } else {
            self.pixels.extend_from_slice(&other.pixels);
            if let (Some(labels), Some(more)) = (&mut self.labels, &other.labels) {
                labels.extend_from_slice(more);
            }
            let count = self.len();
            return match u32::try_from(count) {
                Ok(_) => Ok(self),
                Err(_) => Err(DataError::TooMany { name: self.name, count }),
            };
        };
        Err(DataError::Unjoinable { first: self.name, second: other.name, difference })
    }

    /// The images of some classes, in their old order. A selector is the name of a class, whatever its case, or else
    /// its number in digits. The classes that remain are renumbered 0, 1, … in the order of their old numbers, so the
    /// order of the selectors does not matter; naming a class twice is naming it once.
    ///
    /// Refused: a set without labels, an empty list, a selector that is no class.
    pub fn filter_classes(&self, selectors: &[String]) -> Result<Dataset, DataError> {
        let set = || self.name.clone();
        let labels = self.labels.as_ref().ok_or_else(|| DataError::Unlabelled { set: set() })?;
        if selectors.is_empty() {
            return Err(DataError::NoClasses { set: set() });
        }
        let mut kept = vec![false; self.class_names.len()];
        for selector in selectors {
            kept[self.class_number(selector)?] = true;
        }
        let mut renumbered = vec![None; kept.len()];
        let mut class_names = Vec::new();
        for (old, name) in self.class_names.iter().enumerate().filter(|&(old, _)| kept[old]) {
            renumbered[old] = Some(class_names.len() as u8);
            class_names.push(name.clone());
        }
        let mut pixels = Vec::new();
        let mut new_labels = Vec::new();
        for (i, &label) in labels.iter().enumerate() {
            if let Some(new) = renumbered.get(usize::from(label)).copied().flatten() {
                pixels.extend_from_slice(self.row(i));
                new_labels.push(new);
            }
        }
        Dataset::new(self.name.clone(), (self.height, self.width), pixels, Some(new_labels), class_names)
    }

    /// The images at `indices` `[m]`, in that order, with their labels.
    ///
    /// # Panics
    /// If an index is not below [`len`](Dataset::len).
    pub fn subset(&self, indices: &[u32]) -> Dataset {
        let pixels = indices.iter().flat_map(|&i| self.row(i as usize)).copied().collect();
        let labels = self.labels.as_ref().map(|labels| indices.iter().map(|&i| labels[i as usize]).collect());
        Dataset { pixels, labels, name: self.name.clone(), class_names: self.class_names.clone(), ..*self }
    }

    fn class_number(&self, selector: &str) -> Result<usize, DataError> {
        let lower = selector.to_lowercase();
        let named = self.class_names.iter().position(|name| name.to_lowercase() == lower);
        let numbered = || selector.parse().ok().filter(|&number: &usize| number < self.class_names.len());
        named.or_else(numbered).ok_or_else(|| DataError::UnknownClass {
            class: selector.to_string(),
            set: self.name.clone(),
            classes: self.class_names.clone(),
            nearest: nearest(selector, self.class_names.iter().map(String::as_str)).map(str::to_owned),
        })
    }

    /// Copies the images at `indices` `[m]` to `out` `[m, height * width]`, each value looked up in `table`
    /// (from [`scale_table`]), in the current thread pool. Allocates nothing.
    ///
    /// # Panics
    /// If an index is not below [`len`](Dataset::len), or `out` has another size.
    pub fn gather<T: Copy + Send + Sync>(&self, table: &[T; 256], indices: &[u32], out: &mut [T]) {
        let features = self.features();
        assert_eq!(out.len(), indices.len() * features, "out must be [{}, {features}]", indices.len());
        if indices.len() >= 2 * GATHER_ROWS {
            let (now, later) = indices.split_at(indices.len() / 2);
            let (out_now, out_later) = out.split_at_mut(now.len() * features);
            join(|| self.gather(table, now, out_now), || self.gather(table, later, out_later));
            return;
        }
        for (&index, row) in indices.iter().zip(out.chunks_exact_mut(features)) {
            for (to, &value) in row.iter_mut().zip(self.row(index as usize)) {
                *to = table[usize::from(value)];
            }
        }
    }
}

/// Images that a thread gathers at least: 8 of 784 values take 1.4 µs (2.7 ms for the 15,000 of an epoch on one thread), some
/// fifteen times what handing them over takes.
const GATHER_ROWS: usize = 8;

/// The values v / 255 for v = 0…255: pixels scaled to [0, 1]. Numerator and denominator are exact in `f32` and in
/// `f64`, so each value is the correctly rounded quotient.
pub fn scale_table<T: Copy + From<u8> + Div<Output = T>>() -> [T; 256] {
    std::array::from_fn(|value| T::from(value as u8) / T::from(255))
}

/// The values of the grey levels in two steps: standardised by mean and standard deviation of all pixels of the images at
/// `indices`, then taken from the smallest and largest of those to 0 and 1. Since both steps are affine and the extremes those
/// of the images, this is (level − darkest) / (lightest − darkest) but for rounding. `None` where all pixels have one level,
/// or there are none.
pub fn standard_min_max_table(data: &Dataset, indices: &[u32]) -> Option<[f64; 256]> {
    let mut counts = [0u64; 256];
    for &index in indices {
        data.row(index as usize).iter().for_each(|&level| counts[usize::from(level)] += 1);
    }
    let total: u64 = counts.iter().sum();
    let unit = scale_table::<f64>();
    let mean_of = |value: &dyn Fn(usize) -> f64| {
        (0..256).map(|level| counts[level] as f64 * value(level)).sum::<f64>() / total as f64
    };
    let mean = mean_of(&|level| unit[level]);
    let deviation = mean_of(&|level| (unit[level] - mean) * (unit[level] - mean)).sqrt();
    let standardised = unit.map(|value| (value - mean) / deviation);
    let darkest = counts.iter().position(|&count| count > 0)?;
    let lightest = counts.iter().rposition(|&count| count > 0)?;
    let (low, high) = (standardised[darkest], standardised[lightest]);
    (darkest < lightest).then(|| standardised.map(|value| (value - low) / (high - low)))
}

/// How many of the samples at `indices` are of each class, in the order of the class numbers; 0 is a count.
///
/// # Panics
/// If an index has no label, or a label no name.
pub fn class_distribution(labels: &[u8], indices: &[u32], class_names: &[String]) -> Vec<(String, usize)> {
    let mut counts: Vec<_> = class_names.iter().map(|name| (name.clone(), 0)).collect();
    for &index in indices {
        counts[usize::from(labels[index as usize])].1 += 1;
    }
    counts
}

/// Refuses labels that do not fit `count` images and `classes` classes.
pub(crate) fn check_labels(
    images: &str,
    origin: &str,
    count: usize,
    labels: &[u8],
    classes: usize,
) -> Result<(), DataError> {
    if labels.len() != count {
        return Err(DataError::CountMismatch {
            images: images.to_string(),
            image_count: count,
            labels: origin.to_string(),
            label_count: labels.len(),
        });
    }
    match labels.iter().position(|&label| usize::from(label) >= classes) {
        Some(index) => {
            Err(DataError::LabelOutOfRange { origin: origin.to_string(), index, label: labels[index], classes })
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three_classes() -> Dataset {
        let names = ["Trouser", "Sandal", "Ankle boot"].map(String::from).to_vec();
        Dataset::new("toys", (1, 2), (0..10).collect(), Some(vec![2, 0, 1, 2, 0]), names).unwrap()
    }

    fn select(selectors: &[&str]) -> Result<Dataset, String> {
        let selectors: Vec<String> = selectors.iter().map(|s| s.to_string()).collect();
        three_classes().filter_classes(&selectors).map_err(|error| error.to_string())
    }

    #[test]
    fn classes_are_selected_by_name_in_any_case_or_by_number_and_renumbered() {
        let boots = select(&["ANKLE BOOT", "trouser"]).unwrap();
        assert_eq!(boots.pixels, [0, 1, 2, 3, 6, 7, 8, 9]);
        assert_eq!(boots.labels.as_deref(), Some(&[1, 0, 1, 0][..]));
        assert_eq!(boots.class_names, ["Trouser", "Ankle boot"]);
        assert_eq!(select(&["0", "2", "Trouser"]).unwrap(), boots);
    }

    #[test]
    fn a_name_made_of_digits_comes_before_the_number() {
        let names = vec!["1".to_string(), "0".to_string()];
        let set = Dataset::new("swapped", (1, 1), vec![7, 8], Some(vec![0, 1]), names).unwrap();
        assert_eq!(set.filter_classes(&["1".to_string()]).unwrap().pixels, [7]);
    }

    #[test]
    fn selections_that_cannot_be_made_say_why() {
        assert_eq!(
            select(&["Sandle"]).unwrap_err(),
            "cannot select the class `Sandle` of toys: did you mean `Sandal`? \
             its classes are Trouser (0), Sandal (1), Ankle boot (2)"
        );
        assert!(select(&["3"]).unwrap_err().contains("`3`"));
        assert!(select(&[]).unwrap_err().contains("the list is empty"));
        let unlabelled = Dataset { labels: None, ..three_classes() };
        assert!(unlabelled.filter_classes(&["0".into()]).unwrap_err().to_string().contains("has no labels"));
    }

    #[test]
    fn parts_that_disagree_make_no_data_set() {
        let names = || vec!["a".to_string(), "b".to_string()];
        let make = |pixels, labels| Dataset::new("x", (2, 2), pixels, Some(labels), names()).unwrap_err().to_string();
        assert!(make(vec![0; 7], vec![]).contains("7 pixels are not a whole number of 2×2 images"));
        assert!(make(vec![0; 8], vec![0; 3]).contains("holds 2 images, but x holds 3 labels"));
        let sentence = make(vec![0; 8], vec![1, 2]);
        assert!(sentence.contains("label number 1 (counting from 0) is 2, but there are 2 classes"), "{sentence}");
        assert!(Dataset::new("x", (0, 4), vec![], None, vec![]).is_err());
    }

    #[test]
    fn concatenation_appends_and_refuses_other_shapes_classes_and_missing_labels() {
        let both = three_classes().concatenate(three_classes()).unwrap();
        assert_eq!(both.len(), 10);
        assert_eq!(both.row(5), three_classes().row(0));
        assert_eq!(both.labels.as_ref().unwrap()[5..], three_classes().labels.unwrap()[..]);
        let refused = |other: Dataset| three_classes().concatenate(other).unwrap_err().to_string();
        assert!(refused(Dataset { height: 2, width: 1, ..three_classes() }).contains("1×2 and 2×1"));
        assert!(refused(Dataset { class_names: vec![], ..three_classes() }).contains("classes differ"));
        assert!(refused(Dataset { labels: None, ..three_classes() }).contains("only one of them has labels"));
    }

    #[test]
    fn the_digest_sees_pixels_labels_and_shape_but_no_names() {
        let base = three_classes();
        assert_eq!(base.digest(), Dataset { name: "other".into(), ..base.clone() }.digest());
        let mut pixel = base.clone();
        pixel.pixels[3] ^= 1;
        let mut label = base.clone();
        label.labels.as_mut().unwrap()[0] = 1;
        let shape = Dataset { height: 2, width: 1, ..base.clone() };
        let unlabelled = Dataset { labels: None, ..base.clone() };
        for other in [pixel, label, shape, unlabelled] {
            assert_ne!(base.digest(), other.digest());
        }
    }

    #[test]
    fn gathered_values_are_the_exact_quotients() {
        let set = three_classes();
        let (narrow, wide) = (scale_table::<f32>(), scale_table::<f64>());
        for v in 0..=255u8 {
            assert_eq!(narrow[usize::from(v)], f32::from(v) / 255.0);
            assert_eq!(wide[usize::from(v)], f64::from(v) / 255.0);
        }
        let mut out = [f32::NAN; 4];
        set.gather(&narrow, &[4, 0], &mut out);
        assert_eq!(out, [8.0 / 255.0, 9.0 / 255.0, 0.0, 1.0 / 255.0]);
    }
}
