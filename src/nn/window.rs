//! Windows on images: how kernels and pools lie on them, and what sizes come out.

use narrows_kernels::conv::Convolution;
use narrows_kernels::conv::pool::Pooling;

use super::error::ModelError;
use crate::settings::{About, Setting, Text, Visitor};
use crate::tape::Shape;

/// What is assumed around an image: zeros for kernels, nothing for pools.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Padding {
    /// As much as makes the output ⌈input / stride⌉ pixels, or for a transposed convolution input · stride; where that is odd, the
    /// larger half below and to the right, as in Keras.
    #[default]
    Same,
    /// None.
    Valid,
    /// So many pixels on each of the four sides, as in PyTorch.
    Pixels(usize),
}

impl Padding {
    /// What a configuration says.
    pub fn word(&self) -> String {
        match self {
            Padding::Same => "same".to_owned(),
            Padding::Valid => "valid".to_owned(),
            Padding::Pixels(pixels) => pixels.to_string(),
        }
    }

    fn named(word: &str) -> Option<Padding> {
        match word {
            "same" => Some(Padding::Same),
            "valid" => Some(Padding::Valid),
            digits => digits.parse().ok().filter(|&pixels| pixels <= MOST_PIXELS).map(Padding::Pixels),
        }
    }
}

/// Pixels of a kernel, a stride or a padding at most.
pub(super) const MOST_PIXELS: usize = 1024;

impl Setting for Padding {
    type Form = ();

    fn show(&mut self, about: &About, (): (), visitor: &mut dyn Visitor) {
        let form = Text {
            holds: |word| Padding::named(word).is_some(),
            accepted: "\"same\", \"valid\" or the pixels on each side, from 0 to 1024",
            or_number: true,
        };
        let mut word = self.word();
        visitor.text(about, &mut word, form);
        *self = Padding::named(&word).unwrap_or(*self);
    }
}

/// The shape that samples are given, [height, width, channels] or fewer dimensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dims {
    dims: [usize; 3],
    rank: usize,
}

impl Default for Dims {
    fn default() -> Self {
        Dims { dims: [1; 3], rank: 1 }
    }
}

impl Dims {
    /// # Panics
    /// Unless there are one to three dimensions.
    pub fn new(dims: &[usize]) -> Self {
        assert!((1..=3).contains(&dims.len()), "{dims:?}: a sample has one to three dimensions");
        let mut all = [1; 3];
        all[..dims.len()].copy_from_slice(dims);
        Dims { dims: all, rank: dims.len() }
    }

    /// As the shape of a sample.
    pub fn shape(&self) -> Shape {
        Shape::new(&self.dims[..self.rank])
    }
}

impl Setting for Dims {
    type Form = <Vec<usize> as Setting>::Form;

    fn show(&mut self, about: &About, form: Self::Form, visitor: &mut dyn Visitor) {
        let mut dims = self.dims[..self.rank].to_vec();
        dims.show(about, form, visitor);
        if (1..=3).contains(&dims.len()) {
            *self = Dims::new(&dims);
        }
    }
}

/// Where a layer on images stands: its name for messages, its kind, and the image that it is given.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub name: &'a str,
    pub kind: &'static str,
    pub input: Shape,
}

impl Place<'_> {
    pub fn refuse(&self, rule: impl Into<String>) -> ModelError {
        let (layer, kind) = (self.name.to_owned(), self.kind);
        ModelError::Image { layer, kind, found: self.input, accepted: rule.into() }
    }

    /// Refuses what has more values than `most`.
    pub fn at_most(&self, most: usize, what: &str, shape: Shape) -> Result<(), ModelError> {
        match shape.checked_len() {
            Some(len) if len <= most => Ok(()),
            _ => Err(self.refuse(format!("samples so small that its {what} {shape} has at most {most} values"))),
        }
    }

    /// Height, width and channels.
    pub fn image(&self) -> Result<[usize; 3], ModelError> {
        match *self.input.dims() {
            [height, width, channels] => Ok([height, width, channels]),
            _ => Err(self
                .refuse("images [height, width, channels]; put a layer such as { reshape = [3, 3, 256] } before it")),
        }
    }

    /// The output's pixels along one dimension, and the padding before the first.
    fn extent(
        &self,
        pixels: usize,
        window: usize,
        stride: usize,
        padding: Padding,
    ) -> Result<(usize, usize), ModelError> {
        let (output, before) = match padding {
            Padding::Same => {
                let output = pixels.div_ceil(stride);
                (output, ((output - 1) * stride + window).saturating_sub(pixels) / 2)
            }
            Padding::Valid => (pixels.checked_sub(window).map_or(0, |free| free / stride + 1), 0),
            Padding::Pixels(around) => {
                ((pixels + 2 * around).checked_sub(window).map_or(0, |free| free / stride + 1), around)
            }
        };
        if output == 0 {
            return Err(self.refuse(format!("at least {window} pixels in height and width, padding included")));
        }
        Ok((output, before))
    }

    /// Of a convolution to so many channels.
    pub fn convolution(
        &self,
        filters: usize,
        kernel: usize,
        stride: usize,
        padding: Padding,
    ) -> Result<Convolution, ModelError> {
        assert!(kernel > 0 && stride > 0, "{}: a kernel and a stride have at least one pixel", self.name);
        let [height, width, channels] = self.image()?;
        let (rows, cols) =
            (self.extent(height, kernel, stride, padding)?, self.extent(width, kernel, stride, padding)?);
        Ok(Convolution {
            image: [height, width],
            image_channels: channels,
            output: [rows.0, cols.0],
            output_channels: filters,
            kernel: [kernel; 2],
            stride: [stride; 2],
            padding: [rows.1, cols.1],
        })
    }

    /// Of a transposed convolution to so many channels: the convolution that would lead back.
    pub fn transposed(
        &self,
        filters: usize,
        kernel: usize,
        stride: usize,
        padding: Padding,
        more: usize,
    ) -> Result<Convolution, ModelError> {
        assert!(kernel > 0 && stride > 0, "{}: a kernel and a stride have at least one pixel", self.name);
        let [height, width, channels] = self.image()?;
        let (extra, before) = match padding {
            Padding::Same => (0, kernel.saturating_sub(stride) / 2),
            Padding::Valid => (kernel.saturating_sub(stride), 0),
            Padding::Pixels(around) => (0, around),
        };
        let size = |pixels: usize| match padding {
            Padding::Pixels(around) => ((pixels - 1) * stride + kernel + more).saturating_sub(2 * around),
            _ => pixels * stride + extra + more,
        };
        let image = [size(height), size(width)];
        if image.contains(&0) {
            return Err(self.refuse("images that are larger than what the padding takes away"));
        }
        Ok(Convolution {
            image,
            image_channels: filters,
            output: [height, width],
            output_channels: channels,
            kernel: [kernel; 2],
            stride: [stride; 2],
            padding: [before; 2],
        })
    }

    /// Of a pool. Refuses a padding that a window could lie in whole.
    pub fn pooling(&self, window: usize, stride: usize, padding: Padding) -> Result<Pooling, ModelError> {
        if matches!(padding, Padding::Pixels(around) if 2 * around > window) {
            return Err(self.refuse(format!("a padding of at most half of its window of {window} pixels")));
        }
        let of = self.convolution(1, window, stride, padding)?;
        let channels = of.image_channels;
        let Convolution { image, output, kernel: window, stride, padding, .. } = of;
        Ok(Pooling { image, output, channels, window, stride, padding })
    }

    /// Of a border of zeros, as a pool of single pixels over a larger image.
    pub fn border(&self, pixels: usize) -> Result<Pooling, ModelError> {
        let [height, width, channels] = self.image()?;
        let output = [height + 2 * pixels, width + 2 * pixels];
        Ok(Pooling { image: [height, width], output, channels, window: [1; 2], stride: [1; 2], padding: [pixels; 2] })
    }

    /// Of pixels repeated in blocks, as the pool that would lead back.
    pub fn blocks(&self, factor: usize) -> Result<Pooling, ModelError> {
        let [height, width, channels] = self.image()?;
        let image = [height * factor, width * factor];
        let (window, stride) = ([factor; 2], [factor; 2]);
        Ok(Pooling { image, output: [height, width], channels, window, stride, padding: [0; 2] })
    }
}
