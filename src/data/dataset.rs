//! A data set in memory: samples of one shape as bytes or as floats, their labels, and the names of the classes.

use narrows_kernels::{Real, join};
use ndarray::{ArrayView, Dimension};
use sha2::{Digest, Sha256};

use super::error::{DataError, Fault, times};
use crate::files::hex;

/// Samples of one shape: images of any number of channels, or plain rows of numbers.
///
/// Images are kept as bytes with the value of each byte beside them: Fashion-MNIST whole is 55 MB, a quarter of what f32 would
/// take. Other numbers are kept as f32.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// What messages and reports call it.
    pub name: String,
    /// The class of each sample `[n]`, below `class_names.len()`.
    pub labels: Option<Vec<u8>>,
    /// The classes in the order of their numbers; empty where there are no labels.
    pub class_names: Vec<String>,
    shape: [usize; 3],
    values: Values,
}

/// The numbers `[n, height, width, channels]`, the channels of a pixel side by side.
#[derive(Clone, Debug, PartialEq)]
enum Values {
    /// Bytes, and the value that each of the 256 stands for.
    Bytes(Vec<u8>, Box<[f64; 256]>),
    /// The values themselves.
    Floats(Vec<f32>),
}

impl Dataset {
    /// Images `[n, height, width, channels]` of bytes, which stand for byte / 255; without labels. Refused: bytes that are
    /// not a whole number of images, more images than `u32` counts.
    pub fn from_bytes(name: impl Into<String>, shape: [usize; 3], bytes: Vec<u8>) -> Result<Dataset, DataError> {
        let name = name.into();
        check_count(&name, shape, bytes.len())?;
        let table = std::array::from_fn(|byte| byte as f64 / 255.0);
        Ok(Dataset::unlabelled(name, shape, Values::Bytes(bytes, Box::new(table))))
    }

    /// Samples of floats, without labels: `[n, height, width, channels]`, `[n, height, width]` (one channel), `[n, features]`
    /// (a row of features is one pixel of so many channels) or `[n]` (one number each). Refused: more than four dimensions,
    /// samples without values, values that are not finite, more samples than `u32` counts.
    ///
    /// ```
    /// use narrows::data::Dataset;
    /// let points = ndarray::array![[0.0, 1.0], [0.5, 0.25], [1.0, 0.0]];
    /// let data = Dataset::from_array("points", points.view())?.with_labels(vec![0, 1, 0], ["outer", "inner"])?;
    /// assert_eq!((data.len(), data.shape()), (3, [1, 1, 2]));
    /// # Ok::<(), narrows::data::DataError>(())
    /// ```
    pub fn from_array<D: Dimension>(
        name: impl Into<String>,
        array: ArrayView<'_, f32, D>,
    ) -> Result<Dataset, DataError> {
        let name = name.into();
        let shape = match *array.shape() {
            [_] => [1, 1, 1],
            [_, features] => [1, 1, features],
            [_, height, width] => [height, width, 1],
            [_, height, width, channels] => [height, width, channels],
            _ => {
                let found = format!("the array has the shape {:?}", array.shape());
                let accepted = "one to four dimensions are accepted, [samples, height, width, channels] with the last ones left out";
                return Err(unmade(&name, found, accepted));
            }
        };
        let values: Vec<f32> = array.iter().copied().collect();
        check_count(&name, shape, values.len())?;
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            let features: usize = shape.iter().product();
            let (sample, value) = (at / features, at % features);
            let found = format!("value {value} of sample {sample} (both counted from 0) is {}", values[at]);
            return Err(unmade(&name, found, "all must be finite"));
        }
        Ok(Dataset::unlabelled(name, shape, Values::Floats(values)))
    }

    /// The same samples with labels `[n]`, which number the classes from 0. Refused: another number of labels than of
    /// samples, a label for which there is no name.
    pub fn with_labels<S: Into<String>>(
        self,
        labels: Vec<u8>,
        class_names: impl IntoIterator<Item = S>,
    ) -> Result<Dataset, DataError> {
        let class_names: Vec<String> = class_names.into_iter().map(S::into).collect();
        check_labels(&self.name, &self.name, self.len(), &labels, class_names.len())?;
        Ok(Dataset { labels: Some(labels), class_names, ..self })
    }

    fn unlabelled(name: String, shape: [usize; 3], values: Values) -> Dataset {
        Dataset { name, labels: None, class_names: Vec::new(), shape, values }
    }

    /// How many samples.
    pub fn len(&self) -> usize {
        let values = match &self.values {
            Values::Bytes(bytes, _) => bytes.len(),
            Values::Floats(floats) => floats.len(),
        };
        values / self.features()
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Height, width and channels of a sample.
    pub fn shape(&self) -> [usize; 3] {
        self.shape
    }

    /// Values of one sample: `height * width * channels`.
    pub fn features(&self) -> usize {
        self.shape.iter().product()
    }

    /// The bytes `[n, height, width, channels]` where the samples are kept as bytes.
    pub fn bytes(&self) -> Option<&[u8]> {
        match &self.values {
            Values::Bytes(bytes, _) => Some(bytes),
            Values::Floats(_) => None,
        }
    }

    /// The value that each byte stands for, rounded to `T`: byte / 255 unless the set was scaled otherwise. That is the
    /// correctly rounded quotient: f64 has more than twice the bits of f32, so that rounding twice is rounding once.
    pub fn byte_values<T: Real>(&self) -> [T; 256] {
        match &self.values {
            Values::Bytes(_, table) => table.map(T::from_f64),
            Values::Floats(_) => std::array::from_fn(|byte| T::from_f64(byte as f64 / 255.0)),
        }
    }

    /// The same samples, whose bytes stand for the values that they have in `other`.
    pub fn with_byte_values_of(mut self, other: &Dataset) -> Dataset {
        if let Values::Bytes(_, table) = &mut self.values {
            **table = other.byte_values();
        }
        self
    }

    /// Lets the bytes stand for values in two steps: standardised by mean and standard deviation of all pixels of the
    /// samples at `indices`, then taken from the smallest and largest of those to 0 and 1. Since both steps are affine and
    /// the extremes those of the samples, this is (byte − darkest) / (lightest − darkest) but for rounding.
    ///
    /// Refused: samples whose bytes are all equal, no samples, a set of floats.
    pub fn standard_min_max(&mut self, indices: &[u32]) -> Result<(), DataError> {
        let features = self.features();
        let refuse = |found: &str| {
            let doing = format!("scale {} as data.scaling = \"standard-min-max\" asks", self.name);
            let accepted = "accepted: images of two levels or more, or data.scaling = \"unit\"";
            Err(Fault::new(found, accepted).doing(doing).into())
        };
        let Values::Bytes(bytes, table) = &mut self.values else {
            return refuse("its values are floats, which are taken as they are");
        };
        let mut counts = [0u64; 256];
        for &index in indices {
            bytes[index as usize * features..][..features].iter().for_each(|&level| counts[usize::from(level)] += 1);
        }
        let darkest = counts.iter().position(|&count| count > 0).unwrap_or(0);
        let lightest = counts.iter().rposition(|&count| count > 0).unwrap_or(0);
        if darkest == lightest {
            return refuse("its training images have one grey level, or there are none");
        }
        let total: u64 = counts.iter().sum();
        let unit: [f64; 256] = std::array::from_fn(|level| level as f64 / 255.0);
        let mean_of = |value: &dyn Fn(usize) -> f64| {
            (0..256).map(|level| counts[level] as f64 * value(level)).sum::<f64>() / total as f64
        };
        let mean = mean_of(&|level| unit[level]);
        let deviation = mean_of(&|level| (unit[level] - mean) * (unit[level] - mean)).sqrt();
        let standardised = unit.map(|value| (value - mean) / deviation);
        let (low, high) = (standardised[darkest], standardised[lightest]);
        **table = standardised.map(|value| (value - low) / (high - low));
        Ok(())
    }

    /// Images in colour, bytes `[n, height, width, 3]`, as grey ones `[n, height, width, 1]`: by their luma,
    /// 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601), rounded to the nearest grey, halves upwards. Others stay as they are.
    #[must_use]
    pub fn to_grey(mut self) -> Dataset {
        if let (Values::Bytes(bytes, _), 3) = (&mut self.values, self.shape[2]) {
            let luma =
                |&[r, g, b]: &[u8; 3]| (299 * u32::from(r) + 587 * u32::from(g) + 114 * u32::from(b) + 500) / 1000;
            *bytes = bytes.as_chunks().0.iter().map(|pixel| luma(pixel) as u8).collect();
            self.shape[2] = 1;
        }
        self
    }

    /// SHA-256 (hex) over the dimensions, the stored values and the labels. Names and scaling do not enter.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        let [height, width, channels] = self.shape;
        match (&self.values, channels) {
            (Values::Bytes(..), 1) => {}
            // What has no such heading is grey bytes.
            (Values::Bytes(..), _) => hash.update(format!("bytes of {channels} channels\n")),
            (Values::Floats(_), _) => hash.update(format!("floats of {channels} channels\n")),
        }
        for dim in [self.len(), height, width] {
            hash.update((dim as u64).to_le_bytes());
        }
        match &self.values {
            Values::Bytes(bytes, _) => hash.update(bytes),
            Values::Floats(floats) => floats.iter().for_each(|value| hash.update(value.to_le_bytes())),
        }
        if let Some(labels) = &self.labels {
            hash.update(labels);
        }
        hex(&hash.finalize())
    }

    /// The samples of `self`, then those of `other`: joins the published training and test parts. The name stays.
    /// Refused: other shapes, other classes, labels in only one of the two, bytes and floats, bytes that stand for other values.
    pub fn concatenate(mut self, other: Dataset) -> Result<Dataset, DataError> {
        let refuse = |first: Dataset, difference: String| {
            Err(Fault::new(difference, "").doing(format!("join {} and {}", first.name, other.name)).into())
        };
        if self.shape != other.shape {
            let shapes = [self.shape, other.shape].map(image_size);
            let difference =
                format!("their images are {} and {} pixels, and must have one shape", shapes[0], shapes[1]);
            return refuse(self, difference);
        }
        match (&mut self.labels, &other.labels) {
            (Some(labels), Some(more)) => labels.extend_from_slice(more),
            (None, None) => {}
            _ => return refuse(self, "only one of them has labels; both or none must have them".into()),
        }
        if self.class_names != other.class_names {
            return refuse(self, "their classes differ, and must be the same in the same order".into());
        }
        match (&mut self.values, &other.values) {
            (Values::Bytes(_, table), Values::Bytes(_, theirs)) if table != theirs => {
                return refuse(self, "their bytes stand for different values".into());
            }
            (Values::Bytes(bytes, _), Values::Bytes(more, _)) => bytes.extend_from_slice(more),
            (Values::Floats(floats), Values::Floats(more)) => floats.extend_from_slice(more),
            _ => return refuse(self, "one holds bytes and the other floats".into()),
        }
        check_count(&self.name, self.shape, self.len() * self.features())?;
        Ok(self)
    }

    /// The samples at `indices` `[m]`, in that order, with their labels.
    ///
    /// # Panics
    /// If an index is not below [`len`](Dataset::len).
    pub fn subset(&self, indices: &[u32]) -> Dataset {
        let features = self.features();
        let values = match &self.values {
            Values::Bytes(bytes, table) => Values::Bytes(rows(bytes, features, indices), table.clone()),
            Values::Floats(floats) => Values::Floats(rows(floats, features, indices)),
        };
        let labels = self.labels.as_ref().map(|labels| indices.iter().map(|&i| labels[i as usize]).collect());
        Dataset { name: self.name.clone(), labels, class_names: self.class_names.clone(), shape: self.shape, values }
    }

    /// Keeps the samples at `indices` `[m]`, which ascend, in the memory that they have.
    pub(super) fn keep(&mut self, indices: &[u32]) {
        let features = self.features();
        match &mut self.values {
            Values::Bytes(bytes, _) => keep_rows(bytes, features, indices),
            Values::Floats(floats) => keep_rows(floats, features, indices),
        }
        self.labels.iter_mut().for_each(|labels| keep_rows(labels, 1, indices));
    }

    /// Copies the values of the samples at `indices` `[m]` to `out` `[m, features]`, in the current thread pool. Allocates
    /// nothing.
    ///
    /// # Panics
    /// If an index is not below [`len`](Dataset::len), or `out` has another size.
    pub fn gather<T: Real>(&self, indices: &[u32], out: &mut [T]) {
        let features = self.features();
        assert_eq!(out.len(), indices.len() * features, "out must be [{}, {features}]", indices.len());
        match &self.values {
            Values::Bytes(bytes, _) => {
                let table = self.byte_values::<T>();
                gather_rows(bytes, features, indices, out, &|byte| table[usize::from(byte)]);
            }
            Values::Floats(floats) => {
                gather_rows(floats, features, indices, out, &|value| T::from_f64(f64::from(value)));
            }
        }
    }
}

/// Samples that a thread gathers at least: 8 of 784 values take 1.4 µs (2.7 ms for the 15,000 of an epoch on one thread), some
/// fifteen times what handing them over takes.
const GATHER_ROWS: usize = 8;

fn gather_rows<V: Copy + Sync, T: Send>(
    values: &[V],
    features: usize,
    indices: &[u32],
    out: &mut [T],
    value_of: &(impl Fn(V) -> T + Sync),
) {
    if indices.len() >= 2 * GATHER_ROWS {
        let (now, later) = indices.split_at(indices.len() / 2);
        let (out_now, out_later) = out.split_at_mut(now.len() * features);
        join(
            || gather_rows(values, features, now, out_now, value_of),
            || gather_rows(values, features, later, out_later, value_of),
        );
        return;
    }
    for (&index, row) in indices.iter().zip(out.chunks_exact_mut(features)) {
        for (to, &value) in row.iter_mut().zip(&values[index as usize * features..][..features]) {
            *to = value_of(value);
        }
    }
}

fn rows<V: Copy>(values: &[V], features: usize, indices: &[u32]) -> Vec<V> {
    indices.iter().flat_map(|&index| &values[index as usize * features..][..features]).copied().collect()
}

fn keep_rows<V: Copy>(values: &mut Vec<V>, features: usize, indices: &[u32]) {
    for (to, &from) in indices.iter().enumerate() {
        let from = from as usize * features;
        values.copy_within(from..from + features, to * features);
    }
    values.truncate(indices.len() * features);
    values.shrink_to_fit();
}

/// Refuses values that are not a whole number of samples, and more samples than can be numbered.
fn check_count(name: &str, shape: [usize; 3], values: usize) -> Result<(), DataError> {
    let features = shape.iter().try_fold(1usize, |product, &side| product.checked_mul(side));
    let Some(count) = features.filter(|&f| f > 0 && values.is_multiple_of(f)).map(|features| values / features) else {
        return Err(unmade(
            name,
            format!("{values} values are not a whole number of {} images", image_size(shape)),
            "",
        ));
    };
    match u32::try_from(count) {
        Ok(_) => Ok(()),
        Err(_) => {
            let accepted = format!("at most {} can be numbered", u32::MAX);
            Err(unmade(name, format!("it would have {count} samples"), &accepted))
        }
    }
}

/// Refuses labels that do not fit `count` images and `classes` classes.
pub(super) fn check_labels(
    images: &str,
    origin: &str,
    count: usize,
    labels: &[u8],
    classes: usize,
) -> Result<(), DataError> {
    if labels.len() != count {
        let found = format!("{images} holds {count} images, but {origin} holds {} labels", labels.len());
        return Err(Fault::new(found, "the two counts must be equal").doing("pair images with labels").into());
    }
    match labels.iter().position(|&label| usize::from(label) >= classes) {
        Some(index) => {
            let found = format!("label number {index} (counting from 0) is {}", labels[index]);
            let accepted = format!("there are {classes} classes, so labels go from 0 to {}", classes.saturating_sub(1));
            Err(Fault::new(found, accepted).doing(format!("use the labels of {origin}")).into())
        }
        None => Ok(()),
    }
}

fn unmade(name: &str, found: String, accepted: &str) -> DataError {
    Fault::new(found, accepted).doing(format!("make the data set {name}")).into()
}

/// Height × width of an image, and its channels where they are not one: "28×28", "32×32×3".
pub fn image_size(shape: [usize; 3]) -> String {
    times(&shape[..if shape[2] == 1 { 2 } else { 3 }], "×")
}
