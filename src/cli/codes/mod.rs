//! `narrows encode`, `decode`, `sample`, `fidelity`, `traverse`, `interpolate`, `probe` and `map`: a run's codes, in and out.

mod draws;
mod exchange;
mod fidelity;
mod generate;
mod interpolate;
mod map;
mod probe;

use std::path::Path;

use ndarray::{Array2, ArrayView2};

use super::CliError;
use super::args::Part;
use super::images::load_like;
use super::paths::ends_in;
use narrows::data::Samples;
use narrows::data::npy::{self, Array};
use narrows::figures::grid::{GridRow, ImageGrid};
use narrows::figures::png::to_pixels;
use narrows::files::write_whole;
use narrows::run::OpenRun;
use narrows_kernels::Context;

pub use exchange::{decode, encode};
pub use fidelity::fidelity;
pub use generate::{sample, traverse};
pub use interpolate::interpolate;
pub use map::map;
pub use probe::probe;

/// Images beside each other in a picture of many.
const BESIDE: usize = 15;

/// The most images that one picture shows.
const MOST_SHOWN: usize = 1500;

/// A part of the run's images; refuses one that has none.
pub fn part_of(run: &OpenRun, part: Part) -> Result<Samples<'_>, CliError> {
    match part.of(&run.prepared.loaded) {
        (name, images) if images.is_empty() => {
            Err(CliError::Usage(format!("{} has no {name} images", run.path.display())))
        }
        (_, images) => Ok(images),
    }
}

/// Images of the run [n, pixels], in [0, 1].
fn images_at(run: &OpenRun, indices: &[u32]) -> Array2<f32> {
    Samples { data: &run.prepared.loaded.data, indices }.to_array()
}

/// The images of a file or folder [n, pixels], in [0, 1]: NPY, or what [`load_like`] reads. Refused: another number of pixels
/// than the run's, values outside [0, 1].
fn images_in(
    run: &OpenRun,
    path: &Path,
    variable: Option<&str>,
    action: &'static str,
) -> Result<Array2<f32>, CliError> {
    let (pixels, scale) = (run.prepared.loaded.data.features(), run.prepared.loaded.data.byte_values::<f32>());
    if !ends_in(path, "npy") {
        return Ok(load_like(run, path, variable, action)?.test().to_array());
    }
    if variable.is_some() {
        return Err(CliError::Usage(format!("{} has no named arrays; leave --variable out", path.display())));
    }
    let refuse = |why: String| Err(CliError::Usage(format!("cannot {action} {}: {why}", path.display())));
    let array = array_in(path, action)?;
    if array.dim().1 != pixels {
        return refuse(format!(
            "its images have {} pixels, but {} was trained on images of {pixels}",
            array.dim().1,
            run.path.display(),
        ));
    }
    if let Array::Bytes(greys) = array {
        return Ok(greys.mapv(|grey| scale[usize::from(grey)]));
    }
    let images = array.into_f32();
    match images.indexed_iter().find(|(_, value)| !(0.0..=1.0).contains(*value)) {
        Some(((image, pixel), value)) => refuse(format!(
            "pixel {pixel} of image {image} (both from 0) is {value}, but images are floats from 0 to 1, or bytes \
             (numpy.uint8) from 0 to 255"
        )),
        None => Ok(images),
    }
}

/// The codes of a file [n, code]. Refused: other sizes than the run's, values that are not finite.
fn codes_in(run: &OpenRun, context: Context, path: &Path) -> Result<Array2<f32>, CliError> {
    let refuse = |why: String| Err(CliError::Usage(format!("cannot decode {}: {why}", path.display())));
    let size = run.trained(context)?.model.code_size();
    let array = array_in(path, "decode")?;
    if matches!(array, Array::Bytes(_)) {
        return refuse("its values are bytes, but codes are floats".into());
    }
    let codes = array.into_f32();
    if codes.ncols() != size {
        return refuse(format!(
            "its codes have {} values, but those of {} have {size}",
            codes.ncols(),
            run.path.display()
        ));
    }
    match codes.indexed_iter().find(|(_, value)| !value.is_finite()) {
        Some(((row, col), value)) => {
            refuse(format!("value {col} of code {row} (both from 0) is {value}, and all must be finite"))
        }
        None => Ok(codes),
    }
}

/// The array of an NPY file that the user named.
fn array_in(path: &Path, action: &'static str) -> Result<Array, CliError> {
    if !path.exists() || path.is_dir() {
        let (what, path) = (if path.exists() { "it is a folder" } else { "there is no such file" }, path.display());
        return Err(CliError::Usage(format!("cannot {action} {path}: {what}; an NPY file is expected")));
    }
    Ok(npy::read(path)?)
}

/// Refuses more images than one picture shows; `instead` says what else there is.
fn must_fit(count: usize, instead: &str) -> Result<(), CliError> {
    if count <= MOST_SHOWN {
        return Ok(());
    }
    Err(CliError::Usage(format!("cannot draw {count} images in one picture: at most {MOST_SHOWN} fit; {instead}")))
}

/// Refuses more images than the file takes.
fn must_hold(out: &Path, count: usize) -> Result<(), CliError> {
    if ends_in(out, "npy") { Ok(()) } else { must_fit(count, "a name that ends in .npy takes any number") }
}

/// Writes images [n, pixels] as an array or as a picture, whichever the name says; a picture has the title.
fn write_images(run: &OpenRun, title: &str, images: ArrayView2<'_, f32>, out: &Path) -> Result<(), CliError> {
    if ends_in(out, "npy") {
        return Ok(npy::write(out, images)?);
    }
    let row = |images: ArrayView2<'_, f32>| GridRow { label: String::new(), images: pixels(run, images) };
    let rows = images.axis_chunks_iter(ndarray::Axis(0), BESIDE).map(row).collect();
    write_grid(run, title, Vec::new(), rows, out)
}

/// What is drawn of images of the run [n, values].
fn pixels(run: &OpenRun, images: ArrayView2<'_, f32>) -> Vec<Vec<u8>> {
    let [_, _, channels] = run.prepared.loaded.shape();
    images.rows().into_iter().map(|image| to_pixels(image.iter().copied(), channels)).collect()
}

/// Draws rows of images below a title and the labels of their columns; both may be empty.
fn write_grid(
    run: &OpenRun,
    title: &str,
    columns: Vec<String>,
    rows: Vec<GridRow>,
    out: &Path,
) -> Result<(), CliError> {
    let grid = ImageGrid { title: title.into(), columns, ..ImageGrid::new(run.prepared.loaded.shape(), rows) };
    Ok(write_whole(out, &grid.to_png()?)?)
}
