//! Pictures and pages: loss curves, image grids, the self-contained HTML report.
//!
//! A chart is laid out once, as a [`scene`] of lines, bars and text in abstract units; the scene is then written as SVG
//! (which takes its text colour from the page around it) or drawn as PNG with an embedded font. No font, file or
//! setting of the machine is read, so the same figures give the same bytes.

pub mod axis;
pub mod bars;
pub mod curves;
pub mod font;
pub mod grid;
pub mod legend;
pub mod number;
pub mod page;
pub mod png;
mod raster;
pub mod scatter;
pub mod scene;
pub mod svg;

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
    /// A buffer whose length is not that of the picture it should hold.
    #[error(
        "cannot draw {what}: {width} × {height} pixels need {expected} values and {found} were given",
        expected = width.saturating_mul(*height).saturating_mul(*samples)
    )]
    Pixels {
        /// Which picture, in words.
        what: String,
        /// Pixels in a row.
        width: usize,
        /// Rows of pixels.
        height: usize,
        /// Values of one pixel: 1 for grey, 3 for colour.
        samples: usize,
        /// Values given.
        found: usize,
    },
    /// A grid row with more images than the grid has columns.
    #[error("cannot draw the grid row \"{label}\": it holds {found} images and the grid has {columns} columns")]
    Columns {
        /// Label of the row.
        label: String,
        /// Columns of the grid.
        columns: usize,
        /// Images in the row.
        found: usize,
    },
    /// A grid with nothing in it.
    #[error("cannot draw an image grid without {missing}: at least one is needed")]
    EmptyGrid {
        /// What there is none of: "rows", "columns", "pixels in a point (the scale)".
        missing: &'static str,
    },
    /// Fewer images than were asked for.
    #[error(
        "cannot draw {count} {what} of {width} × {height} pixels: {expected} values are needed and {found} were given",
        expected = width.saturating_mul(*height).saturating_mul(*count)
    )]
    TooFewImages {
        /// Which images: "originals" or "reconstructions".
        what: &'static str,
        /// Images asked for.
        count: usize,
        /// Pixels in a row of one image.
        width: usize,
        /// Rows of pixels of one image.
        height: usize,
        /// Values given.
        found: usize,
    },
}
