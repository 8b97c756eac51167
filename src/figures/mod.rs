//! Pictures: charts, and grids of images.
//!
//! A chart is its values in a frame of title, axes and legend. It is laid out once, as a scene of lines, bars and text in
//! abstract units; the scene is then written as SVG (which takes its text colour from the page around it) or drawn as PNG with an
//! embedded font. No font, file or setting of the machine is read, and no function of the C library: the same figures give
//! the same bytes.

mod axis;
pub mod bars;
pub mod curves;
mod font;
mod frame;
pub mod grid;
pub mod matrix;
pub mod number;
pub mod parallel;
pub mod png;
mod raster;
pub mod scatter;
mod scene;
mod svg;
#[cfg(test)]
mod tests;

pub use scene::{PALETTE, TEXT_COLOUR};

/// What lays itself out as a scene, to be written as SVG or drawn as PNG.
pub trait Chart {
    /// The chart with what is around its values; with plots of their natural height, or as they fit into the height `total`.
    #[doc(hidden)]
    fn scene(&self, total: Option<f32>) -> scene::Scene;

    /// The chart as an `svg` element for a page or a file of its own.
    fn to_svg(&self) -> String {
        svg::to_svg(&self.scene(None))
    }

    /// The chart as a PNG of `width` × `height` pixels on white. What is around the values keeps its proportion to the width; a
    /// picture too low for it is filled in height instead. At least 600 pixels of width read well.
    fn to_png(&self, width: usize, height: usize) -> Result<Vec<u8>, FigureError> {
        raster::to_png(&self.scene(Some(frame::WIDTH * height as f32 / width.max(1) as f32)), width, height)
    }
}

/// A figure that cannot be drawn from what was given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FigureError {
    /// A picture without pixels, or one too large to hold in memory.
    #[error(
        "cannot draw a picture of {width} × {height} pixels: both sides must be at least 1 and the product at most {}",
        png::MOST_PIXELS
    )]
    Size {
        /// Pixels in a row.
        width: usize,
        /// Rows of pixels.
        height: usize,
    },
    /// A buffer whose length is not that of the pictures it should hold.
    #[error(
        "cannot draw {what} of {width} × {height} pixels: {expected} values are needed and {found} were given",
        expected = width.saturating_mul(*height).saturating_mul(*each)
    )]
    Values {
        /// Which pictures, in words.
        what: String,
        /// Pixels in a row.
        width: usize,
        /// Rows of pixels.
        height: usize,
        /// Values for each pixel: 1 for grey, 3 for colour, n for n grey images.
        each: usize,
        /// Values given.
        found: usize,
    },
    /// A grid with nothing in it.
    #[error("cannot draw a grid without images: at least one is needed")]
    EmptyGrid,
}
