//! Arguments of the commands that write, draw, move and measure codes.

use std::path::PathBuf;

use clap::Args;

use super::{ImagesArguments, Part, RunArguments, count, positive, whole};

/// Arguments of `encode`.
#[derive(Debug, Args)]
pub struct EncodeArguments {
    /// Which of the run's images
    #[arg(long, value_enum, default_value_t = Part::Test, conflicts_with = "images")]
    pub part: Part,
    #[command(flatten)]
    pub images: ImagesArguments,
    /// The file to write the codes to, [images, values] of f32
    #[arg(long, value_name = "FILE.npy")]
    pub out: PathBuf,
    /// A file to write the labels of the run's images to
    #[arg(long, value_name = "FILE.npy", conflicts_with = "images")]
    pub labels: Option<PathBuf>,
    #[command(flatten)]
    pub of: RunArguments,
}

/// Arguments of `sample`.
#[derive(Debug, Args)]
pub struct SampleArguments {
    /// How many
    #[arg(long, value_name = "N", default_value_t = 15, value_parser = whole::<u32>(1..=100_000))]
    pub count: u32,
    /// Seed of the draws
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = whole::<u64>(0..=u64::MAX))]
    pub seed: u64,
    #[command(flatten)]
    pub from: DistributionArguments,
    /// The file to write [default: samples.png in the run folder]
    #[arg(long, value_name = "FILE.npy|FILE.png")]
    pub out: Option<PathBuf>,
    /// A file to write the codes to
    #[arg(long, value_name = "FILE.npy")]
    pub codes: Option<PathBuf>,
    #[command(flatten)]
    pub of: RunArguments,
}

/// Arguments of `fidelity`.
#[derive(Debug, Args)]
pub struct FidelityArguments {
    /// The run of a classifier, in whose codes images are compared
    #[arg(long, value_name = "RUN")]
    pub features: PathBuf,
    /// Measure these images, an array (.npy), a picture or a folder of pictures, beside those of RUN, which makes none then
    #[arg(long, value_name = "FILE", conflicts_with_all = ["fitted", "by_class", "seed"])]
    pub images: Option<PathBuf>,
    /// How many images to make, or to take from the file
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = whole::<u32>(10..=100_000))]
    pub count: u32,
    #[command(flatten)]
    pub from: DistributionArguments,
    /// Seed of the draws
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = whole::<u64>(0..=u64::MAX))]
    pub seed: u64,
    /// Folder to write fidelity.json and nearest.png to [default: the run folder]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub of: RunArguments,
}

/// What codes are drawn from; without a flag N(0, I), which a generator or a variational run takes.
#[derive(Clone, Copy, Debug, Args)]
pub struct DistributionArguments {
    /// Draw from a normal distribution fitted to the training codes, for a run that is not variational
    #[arg(long)]
    pub fitted: bool,
    /// Draw from a normal distribution of each class, fitted to its training codes, as often as the class has training images
    #[arg(long, conflicts_with = "fitted")]
    pub by_class: bool,
}

/// Arguments of `probe`.
#[derive(Debug, Args)]
pub struct ProbeArguments {
    /// Also probe with this many labels alone, as many of each class, from the first on
    #[arg(long, value_name = "N,...", value_delimiter = ',', value_parser = whole::<usize>(2..=u64::MAX))]
    pub labels: Vec<usize>,
    /// Also probe the pixels themselves, and the codes of the same encoder with random weights
    #[arg(long)]
    pub beside: bool,
    /// Folder to write probe.json, codes.png and codes.svg to [default: the run folder]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub of: RunArguments,
}

/// Arguments of `traverse`.
#[derive(Debug, Args)]
pub struct TraverseArguments {
    /// Go around the code of this image of the part, counted from 0 [default: around the mean of the training codes, of a
    /// variational run around zero]
    #[arg(long, value_name = "N", value_parser = whole::<usize>(0..=u64::MAX))]
    pub image: Option<usize>,
    /// The part that has the image, and whose images say which dimensions of a variational run are active
    #[arg(long, value_enum, default_value_t = Part::Test)]
    pub part: Part,
    /// How far to go to either side: standard deviations of the training codes, of a variational run units of the code
    #[arg(long, value_name = "R", default_value_t = 2.0, value_parser = positive)]
    pub range: f32,
    /// Images for each dimension
    #[arg(long, value_name = "N", default_value_t = 9, value_parser = whole::<u32>(2..=100))]
    pub steps: u32,
    /// The picture to write [default: traversal.png in the run folder]
    #[arg(long, value_name = "FILE.png")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub of: RunArguments,
}

/// Arguments of `interpolate`.
#[derive(Debug, Args)]
pub struct InterpolateArguments {
    /// Which of the run's images to pair
    #[arg(long, value_enum, default_value_t = Part::Test)]
    pub part: Part,
    /// How many pairs, of different classes where there are labels
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = whole::<u32>(1..=150))]
    pub pairs: u32,
    /// Seed of the choice of pairs
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = whole::<u64>(0..=u64::MAX))]
    pub seed: u64,
    /// Folder to write interpolation.csv and interpolation.png to [default: the run folder]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub of: RunArguments,
}

/// Arguments of `map`.
#[derive(Debug, Args)]
pub struct MapArguments {
    /// Which of the run's images
    #[arg(long, value_enum, value_delimiter = ',', value_name = "PART,...", default_value = "test")]
    pub part: Vec<Part>,
    /// How many of them all, from the first on
    #[arg(long, value_name = "N|all", default_value = "all", value_parser = count)]
    pub count: usize,
    /// How many neighbours of a code count, from 1 to a third of the other codes
    #[arg(long, value_name = "P", default_value_t = 30.0, value_parser = positive)]
    pub perplexity: f32,
    /// Steps of the descent, the first 250 with exaggerated affinities; its time is about that of all pairs of codes for each
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = whole::<u32>(1..=1_000_000_000))]
    pub iterations: u32,
    /// Folder to write map.csv, map.png, map.svg, map.json and pca.csv, pca.png, pca.svg to [default: the run folder]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub of: RunArguments,
}
