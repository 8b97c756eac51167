//! The arguments, as typed on the command line. Help, completions and the man page come from here.

mod codes;

pub use codes::{
    DistributionArguments, EncodeArguments, FidelityArguments, InterpolateArguments, MapArguments, ProbeArguments,
    SampleArguments, TraverseArguments,
};

use std::ops::RangeInclusive;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::CliError;
use narrows::data::{Samples, Splits};

/// Trains, inverts and studies autoencoders on CPUs, with the same bits on every machine.
#[derive(Debug, Parser)]
#[command(name = "narrows", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = "NARROWS_DATA_DIR is a folder to look for data sets in, NARROWS_ISA forces an instruction set \
                        (scalar, neon, avx2, avx512), NO_COLOR turns colour off.\n\
                        Exit codes: 0 done, 1 the run failed, 2 the command line or the configuration is wrong, 130, 143 \
                        and 129 interrupted by SIGINT, SIGTERM and SIGHUP.")]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Print neither progress nor results: only refusals, what --json asks for, and lists and texts that are asked for
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

/// A command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train one model and write its run folder
    ///
    /// Without a preset or a file: the footwear autoencoder, on Fashion-MNIST when it is in the data directory, otherwise on
    /// footwear that the program draws itself.
    Train(TrainArguments),
    /// Train every run of a study or of a workflow and write the report that compares them
    Study(StudyArguments),
    /// Search the best values of what varies in a space, and write the report about it
    Search(SearchArguments),
    /// Measure a finished run on its training, validation and test images
    Eval(RunArguments),
    /// Draw images above their reconstructions by a finished run
    Reconstruct(ReconstructArguments),
    /// Run a finished run's decoder backwards: layer by layer, and to the codes of least reconstruction error
    Invert(InvertArguments),
    /// Write the codes of images as an NPY file
    Encode(EncodeArguments),
    /// Write the images that a run's decoder makes of codes
    Decode {
        #[command(flatten)]
        of: RunArguments,
        /// The codes, [images, values] of floats
        #[arg(value_name = "CODES.npy")]
        codes: PathBuf,
        /// The file to write the images to: an array [images, pixels], or a picture
        #[arg(long, value_name = "FILE.npy|FILE.png")]
        out: PathBuf,
    },
    /// Decode codes drawn from a distribution
    Sample(SampleArguments),
    /// Decode codes of which one value after the other moves; a code of two values also on a grid
    Traverse(TraverseArguments),
    /// Decode the way between the codes of two images, beside the blend of its ends
    Interpolate(InterpolateArguments),
    /// Measure how near images that a run makes come to its test images, and show the nearest training images
    Fidelity(FidelityArguments),
    /// Measure how well a linear classifier reads the classes from the codes, and draw the codes
    Probe(ProbeArguments),
    /// Map the codes of images by t-SNE and along their principal components, draw both maps and measure them
    Map(MapArguments),
    /// List the runs in a folder and below it
    Runs {
        /// The folder
        #[arg(default_value = "runs", hide_default_value = false)]
        folder: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Say what is known of a run: its state, figures, history, files and configuration
    Show {
        /// The run folder
        run: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Compare runs: where their configurations differ, their figures, and the curves of their losses
    Compare {
        /// The run folders
        #[arg(required = true, num_args = 2.., value_name = "RUN")]
        runs: Vec<PathBuf>,
        /// Also write a page with curves, reconstructions and codes of the runs, which must be finished
        #[arg(long, value_name = "PAGE.html")]
        out: Option<PathBuf>,
        #[command(flatten)]
        machine: MachineArguments,
    },
    /// Write a page on which one plays with a run's decoder, in any browser and without a server
    Explore(ExploreArguments),
    /// Write a run's encoder, decoder and both for runtimes of other makers
    Export {
        /// As ONNX: encoder.onnx, decoder.onnx, autoencoder.onnx
        #[arg(long, required = true)]
        onnx: bool,
        /// Folder to write them to [default: the run folder]
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        #[command(flatten)]
        of: RunArguments,
    },
    /// List, verify, fetch or draw data sets
    Data {
        /// What to do with them.
        #[command(subcommand)]
        command: DataCommand,
        /// Folder of the data sets [default: $NARROWS_DATA_DIR, else data/]
        #[arg(long, value_name = "DIR", global = true)]
        data_dir: Option<PathBuf>,
    },
    /// List the presets, print one to copy and edit, or say what a configuration can have
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Say what a word of tables, reports and configurations means, with its formula
    Explain {
        /// The word, such as NRMSE [default: list all]
        #[arg(num_args = 0..)]
        word: Vec<String>,
    },
    /// Print completions for a shell
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the man page
    Man,
}

/// What every command that computes takes.
#[derive(Debug, Args)]
pub struct MachineArguments {
    /// Threads to compute with [default: all cores]; the results do not depend on it
    #[arg(long, value_name = "N", value_parser = whole::<u16>(1..=1024))]
    pub threads: Option<u16>,
    /// Who multiplies matrices; with matrixmultiply, for comparison, the results are outside the bit contract
    #[arg(long, value_enum, default_value_t = Gemm::Narrows)]
    pub gemm: Gemm,
    /// Folder to look for data sets in, before $NARROWS_DATA_DIR and data/
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Print what was found as JSON, without words
    #[arg(long)]
    pub json: bool,
}

fn positive(text: &str) -> Result<f32, String> {
    let value: Option<f32> = text.parse().ok();
    value.filter(|value| value.is_finite() && *value > 0.0).ok_or_else(|| "a number above 0 is expected".into())
}

/// A whole number within this range.
fn whole<N: TryFrom<u64>>(range: RangeInclusive<u64>) -> impl Fn(&str) -> Result<N, String> + Clone {
    move |text| {
        let number =
            text.parse().ok().filter(|number| range.contains(number)).and_then(|number| N::try_from(number).ok());
        number.ok_or_else(|| match (range.start(), *range.end()) {
            (least, u64::MAX) => format!("a whole number from {least} on is expected"),
            (least, most) => format!("a whole number from {least} to {most} is expected"),
        })
    }
}

/// How many images; `all` is more than there are.
fn count(text: &str) -> Result<usize, String> {
    let count = if text == "all" { Some(usize::MAX) } else { text.parse().ok() };
    count.filter(|&count| count > 0).ok_or_else(|| "a whole number from 1 on or \"all\" is expected".into())
}

/// What every command on a finished run takes.
#[derive(Debug, Args)]
pub struct RunArguments {
    /// The run folder
    pub run: PathBuf,
    #[command(flatten)]
    pub machine: MachineArguments,
}

/// A GEMM engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Gemm {
    /// This program's kernels.
    Narrows,
    /// The crate of that name.
    Matrixmultiply,
}

/// Arguments of `train`.
#[derive(Debug, Args)]
pub struct TrainArguments {
    /// A preset's name or a TOML file
    #[arg(value_name = "PRESET|FILE")]
    pub config: Option<String>,
    /// Set a key of the configuration, as in train.batch_size=64
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Say what would be trained, in what memory and time, and which files it would write, and write nothing
    #[arg(long, conflicts_with_all = ["resume", "events"])]
    pub dry_run: bool,
    /// Write every event of training to this file as it happens, a line of JSON each
    #[arg(long, value_name = "FILE")]
    pub events: Option<PathBuf>,
    /// Seeds to train with, from the one of the configuration on: a study of that many runs, whose report has means and spreads
    #[arg(long, value_name = "N", conflicts_with_all = ["resume", "dry_run", "events"],
          value_parser = whole::<u16>(1..=100))]
    pub seeds: Option<u16>,
    /// Folder to write the run to [default: the first free of runs/NAME, runs/NAME-2, ...]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Go on with the run in this folder, to the same bits as if it had never been interrupted
    #[arg(long, value_name = "RUN", conflicts_with = "out")]
    pub resume: Option<PathBuf>,
    /// Seed of weights, split, shuffling and noise
    #[arg(long, value_name = "N", value_parser = whole::<u64>(0..=i64::MAX as u64))]
    pub seed: Option<u64>,
    #[command(flatten)]
    pub machine: MachineArguments,
}

/// Arguments of `study`.
#[derive(Debug, Args)]
pub struct StudyArguments {
    /// A study's name or a TOML file
    #[arg(value_name = "NAME|FILE")]
    pub config: String,
    /// Set a key of the configuration, for all runs; in a workflow the key of a part, as in PART.train.max_epochs=5
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Folder to write the study to [default: the first free of runs/NAME-study, runs/NAME-study-2, ...; of a workflow runs/NAME, ...]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Make the smaller study that the configuration describes under [quick]
    #[arg(long)]
    pub quick: bool,
    /// Seed of weights, split, shuffling and noise
    #[arg(long, value_name = "N", value_parser = whole::<u64>(0..=i64::MAX as u64))]
    pub seed: Option<u64>,
    /// Seeds to make every run with: its own and those that follow it; the report then shows means and spreads
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = whole::<u16>(1..=100))]
    pub seeds: u16,
    /// Runs to make side by side [default: as many as threads when the runs are small, else one]
    #[arg(long, value_name = "N", value_parser = whole::<u16>(1..=1024))]
    pub jobs: Option<u16>,
    #[command(flatten)]
    pub machine: MachineArguments,
}

/// Arguments of `search`.
#[derive(Debug, Args)]
pub struct SearchArguments {
    /// A space's name or a TOML file
    #[arg(value_name = "NAME|FILE", required_unless_present = "resume")]
    pub config: Option<String>,
    /// Set a key of the configuration for all trials, or let it vary, as in 'train.batch_size={ int = [16, 256] }'
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Trials of each sampler with each pruner
    #[arg(long, value_name = "N", value_parser = whole::<u64>(1..=u64::MAX))]
    pub trials: Option<u64>,
    /// Samplers: tpe, random, quasi, grid
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub sampler: Vec<String>,
    /// Pruners: none, median, asha
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub pruner: Vec<String>,
    /// Folder to write the search to [default: the first free of runs/NAME-search, runs/NAME-search-2, ...]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Go on with the search in this folder; with --trials to more of them
    #[arg(long, value_name = "DIR", conflicts_with_all = ["config", "out", "quick"])]
    pub resume: Option<PathBuf>,
    /// Make the smaller search that the space describes under [quick]
    #[arg(long)]
    pub quick: bool,
    /// Seed of the suggestions; that of training is the configuration's
    #[arg(long, value_name = "N", value_parser = whole::<u64>(0..=i64::MAX as u64))]
    pub seed: Option<u64>,
    /// Trials to make side by side [default: as many as threads when the models are small, else one; at most the window of the space]
    #[arg(long, value_name = "N", value_parser = whole::<u16>(1..=1024))]
    pub jobs: Option<u16>,
    #[command(flatten)]
    pub machine: MachineArguments,
}

/// A part of a run's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// What it was trained on.
    Train,
    /// What it was validated on.
    Validation,
    /// What it never saw.
    Test,
}

impl Part {
    /// Its name.
    pub fn name(self) -> &'static str {
        ["train", "validation", "test"][self as usize]
    }

    /// Refuses a part that is named twice.
    pub fn must_differ(parts: &[Part]) -> Result<(), CliError> {
        match parts.iter().enumerate().find(|(at, part)| parts[..*at].contains(part)) {
            Some((_, twice)) => {
                let name = twice.name();
                Err(CliError::Usage(format!("--part names {name} twice; every part at most once is expected")))
            }
            None => Ok(()),
        }
    }

    /// Its name and the samples of it.
    pub fn of(self, loaded: &Splits) -> (&'static str, Samples<'_>) {
        loaded.parts()[self as usize]
    }
}

/// Arguments of `reconstruct`.
#[derive(Debug, Args)]
pub struct ReconstructArguments {
    /// Which of the run's images
    #[arg(long, value_enum, default_value_t = Part::Test, conflicts_with = "images")]
    pub part: Part,
    #[command(flatten)]
    pub images: ImagesArguments,
    /// How many, from the first on
    #[arg(long, value_name = "N", default_value_t = 15, value_parser = whole::<u32>(1..=1000))]
    pub count: u32,
    /// The picture to write [default: reconstructions-PART.png in the run folder]
    #[arg(long, value_name = "FILE.png")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub of: RunArguments,
}

/// Arguments of `invert`.
#[derive(Debug, Args)]
pub struct InvertArguments {
    /// Which of the run's images
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        value_name = "PART,...",
        default_value = "train,test",
        conflicts_with = "images"
    )]
    pub part: Vec<Part>,
    #[command(flatten)]
    pub images: ImagesArguments,
    /// How many of each part, from the first on
    #[arg(long, value_name = "N|all", default_value = "1000", value_parser = count)]
    pub count: usize,
    /// Folder to write inversion.json, inversion.csv and inversion.png to [default: the run folder]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub of: RunArguments,
}

/// Images that are not the run's own.
#[derive(Debug, Args)]
pub struct ImagesArguments {
    /// Other images instead: an IDX, MATLAB, PNG or CIFAR-10 file, or a folder with IDX, PNG or CIFAR-10 files; for encode
    /// also an NPY file [images, pixels] of floats from 0 to 1 or of bytes
    #[arg(long, value_name = "PATH")]
    pub images: Option<PathBuf>,
    /// The array of a MATLAB file [default: X or ff]
    #[arg(long, value_name = "NAME", requires = "images")]
    pub variable: Option<String>,
}

/// Arguments of `explore`.
#[derive(Debug, Args)]
pub struct ExploreArguments {
    /// Whose codes the map shows
    #[arg(long, value_enum, default_value_t = Part::Test)]
    pub part: Part,
    /// How many of them, from the first on, and how many training images to compare with
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = whole::<u32>(2..=10_000))]
    pub count: u32,
    /// The page to write [default: explore.html in the run folder]
    #[arg(long, value_name = "FILE.html")]
    pub out: Option<PathBuf>,
    /// Open it in the browser
    #[arg(long)]
    pub open: bool,
    #[command(flatten)]
    pub of: RunArguments,
}

/// What to do with data sets.
#[derive(Debug, Subcommand)]
pub enum DataCommand {
    /// List the known data sets, and which are here
    List,
    /// Check every file of the sets against its SHA-256
    Verify {
        /// Names of sets [default: those that are here]
        names: Vec<String>,
    },
    /// Download sets, verify them, and put them in place
    Fetch {
        /// Names of sets
        #[arg(required = true)]
        names: Vec<String>,
    },
    /// Draw a built-in set and save it as IDX files
    Make {
        /// Which set
        #[arg(value_enum, default_value_t = Drawn::Footwear)]
        set: Drawn,
        /// Pictures of each of the three classes of footwear [default: 7000]
        #[arg(long, value_name = "N", value_parser = whole::<u32>(1..=100_000))]
        per_class: Option<u32>,
        /// Seed of the pictures
        #[arg(long, value_name = "N", default_value_t = narrows::data::DRAWN_SEED, value_parser = whole::<u64>(0..=u64::MAX))]
        seed: u64,
        /// Folder to write to [default: the name of the set in the data directory]
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// Save the images of a run as IDX files, divided as the run divided them, for use in other programs
    Export {
        /// The run folder
        run: PathBuf,
        /// Folder to write train-, validation- and t10k-images-idx3-ubyte and their labels to
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
}

/// A set that the program draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Drawn {
    /// Sandals, sneakers and ankle boots.
    Footwear,
    /// Frames of one face whose pose and expression vary smoothly.
    DrawnFaces,
}

/// What to do with presets.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// List the presets
    List,
    /// Print a preset
    Show {
        /// Its name
        name: String,
    },
    /// List every key with what is accepted, its default and its meaning
    Keys {
        /// A key or a table, such as train.batch_size or optimizer [default: all]
        key: Option<String>,
        /// Print the JSON Schema of configurations, for editors
        #[arg(long, conflicts_with_all = ["key", "markdown"])]
        json: bool,
        /// Print the page of the documentation
        #[arg(long, conflicts_with = "key")]
        markdown: bool,
    },
}
