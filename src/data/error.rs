//! What can be wrong with data, each as a sentence.

use std::path::PathBuf;

use super::dataset::size;
use super::matlab::MatFault;
use super::npy::NpyFault;
use super::picture::PictureFault;
use super::published::{DRAWN_FACES, DRAWN_SET};
use crate::files::FileError;

/// A data set that cannot be read, chosen from, divided, verified or fetched.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// The operating system refused a file operation.
    #[error(transparent)]
    File(#[from] FileError),

    /// A file that should be IDX and is not.
    #[error("cannot read {} as IDX: {fault}", path.display())]
    Idx {
        /// The file.
        path: PathBuf,
        /// Which rule of the format it breaks.
        fault: IdxFault,
    },

    /// A gzip file that ends before its stream does.
    #[error(
        "cannot decompress {}: the gzip stream is truncated, the file ends before the stream does; \
         fetch or copy it again",
        path.display()
    )]
    TruncatedGzip {
        /// The file.
        path: PathBuf,
    },

    /// A gzip file whose stream or checksum is wrong, or that goes on after the stream's end.
    #[error("cannot decompress {}: {detail}; fetch or copy it again", path.display())]
    DamagedGzip {
        /// The file.
        path: PathBuf,
        /// What the decompressor found.
        detail: String,
    },

    /// A catalogued file whose payload has another size than the catalogue says.
    #[error(
        "cannot load {}: its payload is {found} bytes, but the catalogue gives {expected}; \
         `narrows data verify` checks the whole set",
        path.display()
    )]
    PayloadSize {
        /// The file.
        path: PathBuf,
        /// Bytes that the catalogue promises.
        expected: u64,
        /// Bytes that the file holds, decompressed.
        found: u64,
    },

    /// Images of another shape than the catalogue or the other part of the set has.
    #[error(
        "cannot use {origin}: its images are {} pixels (height × width), where {} is needed",
        size(*found), size(*expected)
    )]
    ImageShape {
        /// The file or data set.
        origin: String,
        /// Height, width and channels that are needed.
        expected: [usize; 3],
        /// Height, width and channels that were found.
        found: [usize; 3],
    },

    /// Values that are not a whole number of samples.
    #[error("cannot make the data set {name}: {values} values are not a whole number of {} images", size(*shape))]
    PartialImage {
        /// The data set.
        name: String,
        /// Values given.
        values: usize,
        /// Height, width and channels of a sample.
        shape: [usize; 3],
    },

    /// An array that is no list of samples.
    #[error(
        "cannot make the data set {name} of an array of shape {found:?}: one to four dimensions are accepted,          [samples, height, width, channels] with the last ones left out"
    )]
    Dimensions {
        /// The data set.
        name: String,
        /// The array's dimensions.
        found: Vec<usize>,
    },

    /// A value that is NaN or infinite.
    #[error(
        "cannot make the data set {name}: value {at} of sample {sample} (both counted from 0) is {value}, and all must be finite"
    )]
    NotFinite {
        /// The data set.
        name: String,
        /// The sample.
        sample: usize,
        /// The value within the sample.
        at: usize,
        /// What it is.
        value: f32,
    },

    /// A different number of labels than of images.
    #[error(
        "cannot pair images with labels: {images} holds {image_count} images, but {labels} holds {label_count} labels; \
         the two counts must be equal"
    )]
    CountMismatch {
        /// Where the images are from.
        images: String,
        /// How many images.
        image_count: usize,
        /// Where the labels are from.
        labels: String,
        /// How many labels.
        label_count: usize,
    },

    /// A label for which there is no class.
    #[error(
        "cannot use the labels of {origin}: label number {index} (counting from 0) is {label}, \
         but there are {classes} classes, so labels go from 0 to {}",
        classes.saturating_sub(1)
    )]
    LabelOutOfRange {
        /// The file or data set.
        origin: String,
        /// Position of the label, from 0.
        index: usize,
        /// The label.
        label: u8,
        /// How many classes there are.
        classes: usize,
    },

    /// More images than sample indices can count.
    #[error("cannot use {name}: it has {count} images, and at most {} can be numbered", u32::MAX)]
    TooMany {
        /// The data set.
        name: String,
        /// How many images.
        count: usize,
    },

    /// Two parts that cannot be joined.
    #[error("cannot join {first} and {second}: {difference}")]
    Unjoinable {
        /// The data set that was to be extended.
        first: String,
        /// The data set that was to be appended.
        second: String,
        /// In what they differ.
        difference: String,
    },

    /// A class that the data set does not have.
    #[error("cannot select the class `{class}` of {set}: {}its classes are {}", meant(nearest), numbered(classes))]
    UnknownClass {
        /// What was asked for.
        class: String,
        /// The data set.
        set: String,
        /// The classes it has, in the order of their numbers.
        classes: Vec<String>,
        /// The class that was probably meant.
        nearest: Option<String>,
    },

    /// Classes asked of a data set without labels.
    #[error("cannot select classes of {set}: it has no labels; leave `classes` out to use all of its images")]
    Unlabelled {
        /// The data set.
        set: String,
    },

    /// An empty list of classes.
    #[error("cannot select classes of {set}: the list is empty; name at least one, or leave `classes` out to use all")]
    NoClasses {
        /// The data set.
        set: String,
    },

    /// A set that the catalogue does not list.
    #[error("cannot find a data set named `{name}`: {}the catalogue lists {}", meant(nearest), known.join(", "))]
    UnknownSet {
        /// What was asked for.
        name: String,
        /// The names in the catalogue.
        known: Vec<String>,
        /// The name that was probably meant.
        nearest: Option<String>,
    },

    /// A catalogued set that no data directory holds.
    #[error(
        "cannot load {set}: it is not (or not whole) in any of the folders searched: {}; \
         `narrows data fetch {set}` downloads it, or train on the {} that the program draws with `--set data.set={stand_in}`",
        searched.join(", "),
        if *stand_in == DRAWN_FACES { "faces" } else { "footwear" }
    )]
    SetAbsent {
        /// The set.
        set: String,
        /// The folders, each with the files it lacks where it has some.
        searched: Vec<String>,
        /// The drawn set that is most like it.
        stand_in: &'static str,
    },

    /// A name that is neither a set nor a path.
    #[error(
        "cannot find the data set {set:?}: it is neither a catalogued set ({known}), nor {DRAWN_SET:?} or {DRAWN_FACES:?}, nor \
         a file or folder that exists{}",
        nearest.as_ref().map(|nearest| format!("; did you mean {nearest:?}?")).unwrap_or_default()
    )]
    NotASet {
        /// What was asked for.
        set: String,
        /// The catalogued sets.
        known: String,
        /// The set that was probably meant.
        nearest: Option<String>,
    },

    /// A published test part that is not there.
    #[error(
        "the set {set} has no published test part, and data.pool = false asks for one; set data.pool = true and give \
         data.split its parts for train, validation and test"
    )]
    NoTestPart {
        /// The set.
        set: String,
    },

    /// Nothing to standardise by.
    #[error(
        "cannot scale {set} as data.scaling = \"standard-min-max\" asks: its training images have one grey level, or there are \
         none; accepted: images of two levels or more, or data.scaling = \"unit\""
    )]
    OneGreyLevel {
        /// The set.
        set: String,
    },

    /// A folder without a file that must be there.
    #[error("cannot load {}: neither {name}.gz nor {name} is there, nor any PNG file", folder.display())]
    MissingFile {
        /// The folder.
        folder: PathBuf,
        /// The name of the file, without `.gz`.
        name: String,
    },

    /// A path at which there is nothing, or something that is neither a folder nor a file.
    #[error(
        "cannot load {}: there is no such file or folder; an IDX file of images is accepted, \
         a MATLAB or PNG file, or a folder that holds train-images-idx3-ubyte or PNG files",
        path.display()
    )]
    NoSuchPath {
        /// The path.
        path: PathBuf,
    },

    /// A MATLAB file that cannot be read as images.
    #[error("cannot read {} as a MATLAB file of images: {fault}", path.display())]
    Matlab {
        /// The file.
        path: PathBuf,
        /// Which rule it breaks.
        fault: MatFault,
    },

    /// A picture that cannot be read as an image.
    #[error("cannot read {} as a PNG file of an image: {fault}", path.display())]
    Picture {
        /// The file.
        path: PathBuf,
        /// Which rule it breaks.
        fault: PictureFault,
    },

    /// An NPY file that cannot be read.
    #[error("cannot read {} as an NPY file: {fault}", path.display())]
    Npy {
        /// The file.
        path: PathBuf,
        /// Which rule it breaks.
        fault: NpyFault,
    },

    /// Images that IDX files of bytes cannot hold.
    #[error("cannot write {set} to {}: IDX files hold images of bytes with one channel", path.display())]
    NoGreys {
        /// The data set.
        set: String,
        /// The file.
        path: PathBuf,
    },

    /// The name of an array, for something that has none.
    #[error(
        "cannot look for an array named {variable} in {origin}: only files of MATLAB have named arrays; leave the name out"
    )]
    NoVariables {
        /// The data set or file.
        origin: String,
        /// The name.
        variable: String,
    },

    /// A catalogue that breaks a rule.
    #[error("cannot read the catalogue of data sets: {detail}")]
    Catalog {
        /// The rule and the entry.
        detail: String,
    },

    /// A split that cannot be made.
    #[error("cannot split {n} samples {}:{}:{} into training, validation and test: {rule}", parts[0], parts[1], parts[2])]
    Split {
        /// How many samples.
        n: usize,
        /// The parts asked for.
        parts: [u64; 3],
        /// The rule that is broken.
        rule: String,
    },

    /// A file that no mirror gave.
    #[error("cannot fetch {file}: every mirror failed: {}", attempts.join("; "))]
    FetchFailed {
        /// The file as it is stored.
        file: String,
        /// For each mirror its address and why it failed.
        attempts: Vec<String>,
    },

    /// A file that another process is fetching.
    #[error("cannot fetch to {}: another process is writing that file; wait for it to end", partial.display())]
    FetchBusy {
        /// The unfinished file.
        partial: PathBuf,
    },
}

/// A rule of the IDX format that a file breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdxFault {
    /// The file ends inside its header.
    #[error("its header needs {needed} bytes, but only {found} are there")]
    ShortHeader {
        /// Bytes of the whole header, as far as it is known.
        needed: usize,
        /// Bytes there are.
        found: usize,
    },
    /// The first two bytes are not zero.
    #[error("it starts with the bytes {:#04x} {:#04x}, but an IDX file starts with two zero bytes", found[0], found[1])]
    Magic {
        /// The first two bytes.
        found: [u8; 2],
    },
    /// The elements are not unsigned bytes.
    #[error("its element type is {found:#04x}, but only 0x08 (unsigned bytes) is accepted")]
    ElementType {
        /// The third byte.
        found: u8,
    },
    /// The array has another number of dimensions.
    #[error("it has {found} dimension(s), but a file of {holds} has {expected}")]
    Rank {
        /// The fourth byte.
        found: u8,
        /// The rank that is needed.
        expected: u8,
        /// What such a file holds: "images" or "labels".
        holds: &'static str,
    },
    /// Images without pixels.
    #[error("its images are {height}×{width} pixels, but both sides must be at least 1")]
    EmptyImage {
        /// Rows.
        height: u32,
        /// Columns.
        width: u32,
    },
    /// More values than are accepted.
    #[error("its header promises {} values, more than the {limit} bytes (1 GiB) that are accepted", times(dims))]
    TooLarge {
        /// The dimensions in the header.
        dims: Vec<u32>,
        /// The limit in bytes.
        limit: u64,
    },
    /// Fewer values than promised.
    #[error("its header promises {} = {expected} values, but only {found} bytes follow", times(dims))]
    ShortBody {
        /// The dimensions in the header.
        dims: Vec<u32>,
        /// Their product.
        expected: u64,
        /// Bytes after the header.
        found: u64,
    },
    /// More bytes than promised.
    #[error("its header promises {} = {expected} values, but more bytes follow than that", times(dims))]
    LongBody {
        /// The dimensions in the header.
        dims: Vec<u32>,
        /// Their product.
        expected: u64,
    },
}

fn times(dims: &[u32]) -> String {
    dims.iter().map(u32::to_string).collect::<Vec<_>>().join(" × ")
}

fn meant(nearest: &Option<String>) -> String {
    nearest.as_ref().map(|name| format!("did you mean `{name}`? ")).unwrap_or_default()
}

fn numbered(classes: &[String]) -> String {
    classes.iter().enumerate().map(|(number, name)| format!("{name} ({number})")).collect::<Vec<_>>().join(", ")
}
