//! Pictures and pages: loss curves, image grids, the self-contained HTML report.
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
pub mod number;
pub mod page;
pub mod png;
mod raster;
pub mod scatter;
mod scene;
mod svg;
#[cfg(test)]
mod tests;

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
