//! Grids of small grey images, such as originals above their reconstructions.

use tiny_skia::{FillRule, Mask, Transform};

use super::png::{checked_size, grey_png, to_grey};
use super::{FigureError, font};

/// Between images, and between rows, in pixels of the picture.
const GAP: usize = 2;
/// Between two bands of rows.
const BAND_GAP: usize = 12;
/// Around everything.
const MARGIN: usize = 8;
/// Units to the em of the labels.
const LABEL: f32 = 12.0;
/// The widest that labels may be.
const WIDEST_LABEL: f32 = 200.0;
/// Images beside each other before a grid of pairs goes on below.
const MOST_BESIDE: usize = 15;

/// A row of images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GridRow {
    /// What stands at its left; may be empty.
    pub label: String,
    /// Its images from the left, each [height × width]; no more than the grid has columns.
    pub images: Vec<Vec<u8>>,
}

/// Rows of images of one size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageGrid {
    /// Pixels in a row of an image.
    pub image_width: usize,
    /// Rows of pixels of an image.
    pub image_height: usize,
    /// Images beside each other.
    pub columns: usize,
    /// The rows from the top.
    pub rows: Vec<GridRow>,
    /// Rows that belong together: a wider gap follows every `band` of them. 0 for none.
    pub band: usize,
    /// Side of the square of equal pixels that one pixel becomes.
    pub scale: usize,
}

impl ImageGrid {
    /// The grid as an 8-bit grey PNG on white.
    pub fn to_png(&self) -> Result<Vec<u8>, FigureError> {
        for (number, missing) in
            [(self.rows.len(), "rows"), (self.columns, "columns"), (self.scale, "pixels in a point (the scale)")]
        {
            if number == 0 {
                return Err(FigureError::EmptyGrid { missing });
            }
        }
        checked_size(self.image_width, self.image_height)?;
        for row in &self.rows {
            self.check(row)?;
        }
        let labels: Vec<String> =
            self.rows.iter().map(|row| font::shortened(&row.label, LABEL, WIDEST_LABEL)).collect();
        let widest = labels.iter().map(|label| font::width(label, LABEL).ceil() as usize).max().unwrap_or(0);
        let left = MARGIN + if widest > 0 { widest + 8 } else { 0 };
        let (cell_width, cell_height) =
            (self.image_width.saturating_mul(self.scale), self.image_height.saturating_mul(self.scale));
        let beside = cell_width.saturating_add(GAP).saturating_mul(self.columns) - GAP;
        let width = beside.saturating_add(left + MARGIN);
        let row_height = cell_height.max(LABEL as usize + 4);
        let mut tops = Vec::with_capacity(self.rows.len());
        let mut y = MARGIN;
        for index in 0..self.rows.len() {
            if index > 0 {
                y = y.saturating_add(if self.band > 0 && index % self.band == 0 { BAND_GAP } else { GAP });
            }
            tops.push(y);
            y = y.saturating_add(row_height);
        }
        let height = y.saturating_add(MARGIN);

        let mut picture = vec![255; checked_size(width, height)?];
        for (row, &top) in self.rows.iter().zip(&tops) {
            for (column, image) in row.images.iter().enumerate() {
                let corner = left + column * (cell_width + GAP);
                for (line, pixels) in image.chunks_exact(self.image_width).enumerate() {
                    for repeat in 0..self.scale {
                        let start = (top + line * self.scale + repeat) * width + corner;
                        for (to, &pixel) in picture[start..start + cell_width].chunks_exact_mut(self.scale).zip(pixels)
                        {
                            to.fill(pixel);
                        }
                    }
                }
            }
        }
        for (label, &top) in labels.iter().zip(&tops) {
            let at = (left - 8) as f32 - font::width(label, LABEL);
            stamp(&mut picture, (width, height), label, at, top, row_height);
        }
        grey_png(width, height, &picture)
    }

    fn check(&self, row: &GridRow) -> Result<(), FigureError> {
        if row.images.len() > self.columns {
            let (label, columns, found) = (row.label.clone(), self.columns, row.images.len());
            return Err(FigureError::Columns { label, columns, found });
        }
        for (index, image) in row.images.iter().enumerate() {
            if image.len() != self.image_width * self.image_height {
                return Err(FigureError::Pixels {
                    what: format!("image {} of the grid row \"{}\"", index + 1, row.label),
                    width: self.image_width,
                    height: self.image_height,
                    samples: 1,
                    found: image.len(),
                });
            }
        }
        Ok(())
    }
}

/// Writes `label` in black into the strip of the picture from `top`, `strip` high, centred in height.
fn stamp(picture: &mut [u8], (width, height): (usize, usize), label: &str, x: f32, top: usize, strip: usize) {
    // A line of text is drawn in a mask of its own height: the picture may have many million pixels.
    let line = LABEL as usize + 6;
    let reach = WIDEST_LABEL as usize + 2 * MARGIN + 8;
    let Some(path) = font::outline(label, LABEL, x, LABEL + 1.0) else { return };
    let Some(mut mask) = Mask::new(reach as u32, line as u32) else { return };
    mask.fill_path(&path, FillRule::Winding, true, Transform::identity());
    let first = (top + strip / 2).saturating_sub(line / 2);
    for (y, covered) in mask.data().chunks_exact(reach).enumerate() {
        if first + y >= height {
            break;
        }
        let row = &mut picture[(first + y) * width..(first + y + 1) * width];
        for (pixel, &coverage) in row.iter_mut().zip(covered).filter(|(_, coverage)| **coverage > 0) {
            *pixel = pixel.saturating_sub(coverage);
        }
    }
}

/// The first `count` of `originals` [n × height × width] above the same of `reconstructions`, clipped to [0, 1], not a
/// number black. More than 15 go on in bands of equal length below. Small images are enlarged to about 56 pixels.
pub fn reconstruction_grid(
    width: usize,
    height: usize,
    originals: &[f32],
    reconstructions: &[f32],
    count: usize,
) -> Result<Vec<u8>, FigureError> {
    let size = checked_size(width, height)?;
    let cut = |what: &'static str, values: &[f32]| -> Result<Vec<Vec<u8>>, FigureError> {
        if values.len() / size < count {
            return Err(FigureError::TooFewImages { what, count, width, height, found: values.len() });
        }
        let grey = |image: &[f32]| image.iter().copied().map(to_grey).collect();
        Ok(values.chunks_exact(size).take(count).map(grey).collect())
    };
    let (originals, reconstructions) = (cut("originals", originals)?, cut("reconstructions", reconstructions)?);
    let bands = count.div_ceil(MOST_BESIDE).max(1);
    let columns = count.div_ceil(bands);
    let mut rows = Vec::with_capacity(2 * bands);
    for (above, below) in originals.chunks(columns.max(1)).zip(reconstructions.chunks(columns.max(1))) {
        rows.push(GridRow { label: "original".into(), images: above.to_vec() });
        rows.push(GridRow { label: "reconstruction".into(), images: below.to_vec() });
    }
    let scale = (56 / width.max(height)).max(1);
    ImageGrid { image_width: width, image_height: height, columns, rows, band: 2, scale }.to_png()
}

#[cfg(test)]
mod tests {
    use super::super::png::decode;
    use super::*;

    fn grid() -> ImageGrid {
        let row = |label: &str, greys: &[u8]| GridRow {
            label: label.into(),
            images: greys.iter().map(|&grey| (0..6).map(|pixel| grey + pixel).collect()).collect(),
        };
        ImageGrid {
            image_width: 3,
            image_height: 2,
            columns: 2,
            rows: vec![row("", &[10, 20]), row("", &[30])],
            band: 1,
            scale: 9,
        }
    }

    #[test]
    fn every_pixel_becomes_a_square_in_its_place() {
        let (width, height, pixels) = decode(&grid().to_png().unwrap());
        assert_eq!((width, height), (2 * MARGIN + 2 * 27 + GAP, 2 * MARGIN + 2 * 18 + BAND_GAP));
        let at = |x: usize, y: usize| pixels[y * width + x];
        for y in 0..18 {
            for x in 0..27 {
                let pixel = (x / 9 + 3 * (y / 9)) as u8;
                assert_eq!(at(MARGIN + x, MARGIN + y), 10 + pixel);
                assert_eq!(at(MARGIN + 27 + GAP + x, MARGIN + y), 20 + pixel);
                assert_eq!(at(MARGIN + x, MARGIN + 18 + BAND_GAP + y), 30 + pixel);
                assert_eq!(at(MARGIN + 27 + GAP + x, MARGIN + 18 + BAND_GAP + y), 255, "no image");
            }
        }
        assert_eq!(at(MARGIN + 27, MARGIN), 255, "gap");
        assert_eq!(grid().to_png(), grid().to_png());
    }

    #[test]
    fn labels_leave_ink_at_the_left_and_move_the_images() {
        let mut labelled = grid();
        labelled.rows[0].label = "original".into();
        let (bare, _, _) = decode(&grid().to_png().unwrap());
        let (width, _, pixels) = decode(&labelled.to_png().unwrap());
        assert_eq!(width, bare + font::width("original", LABEL).ceil() as usize + 8);
        let ink = |y: usize| pixels[y * width..y * width + width - bare].iter().filter(|&&grey| grey < 128).count();
        assert!((MARGIN..MARGIN + 18).map(ink).sum::<usize>() > 30);
        assert_eq!((MARGIN + 18 + BAND_GAP..MARGIN + 36 + BAND_GAP).map(ink).sum::<usize>(), 0);
    }

    #[test]
    fn shapes_that_do_not_fit_are_refused() {
        let mut short = grid();
        short.rows[1].images[0].pop();
        let error = short.to_png().unwrap_err();
        assert!(error.to_string().contains("3 × 2 pixels need 6 values and 5 were given"), "{error}");
        let mut wide = grid();
        wide.columns = 1;
        assert!(matches!(wide.to_png(), Err(FigureError::Columns { columns: 1, found: 2, .. })));
        for (rows, columns, scale) in [(false, 2, 9), (true, 0, 9), (true, 2, 0)] {
            let mut empty = ImageGrid { columns, scale, ..grid() };
            if !rows {
                empty.rows.clear();
            }
            assert!(matches!(empty.to_png(), Err(FigureError::EmptyGrid { .. })));
        }
        assert!(matches!(ImageGrid { scale: usize::MAX, ..grid() }.to_png(), Err(FigureError::Size { .. })));
        assert!(matches!(ImageGrid { columns: usize::MAX, ..grid() }.to_png(), Err(FigureError::Size { .. })));
    }

    #[test]
    fn reconstructions_are_clipped_and_stand_below_their_originals() {
        let originals = [vec![0.0; 784], vec![1.0; 784]].concat();
        let reconstructions = [vec![-3.0; 784], vec![f32::NAN; 784]].concat();
        let (width, height, pixels) = decode(&reconstruction_grid(28, 28, &originals, &reconstructions, 2).unwrap());
        assert_eq!(height, 2 * MARGIN + 2 * 56 + GAP);
        let at = |x: usize, y: usize| pixels[y * width + x];
        let (first, second) = (width - MARGIN - 56 - GAP - 56, width - MARGIN - 56);
        assert_eq!([at(first, MARGIN), at(second, MARGIN)], [0, 255]);
        assert_eq!([at(first, height - MARGIN - 1), at(second, height - MARGIN - 1)], [0, 0]);
    }

    #[test]
    fn many_reconstructions_go_on_in_equal_bands() {
        let images = vec![0.5; 40 * 4];
        let (_, height, _) = decode(&reconstruction_grid(2, 2, &images, &images, 40).unwrap());
        assert_eq!(height, 2 * MARGIN + 6 * 56 + 3 * GAP + 2 * BAND_GAP);
        let error = reconstruction_grid(2, 2, &images, &images[1..], 40).unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot draw 40 reconstructions of 2 × 2 pixels: 160 values are needed and 159 were given"
        );
        assert!(reconstruction_grid(2, 2, &images, &images, 0).is_err());
        assert!(reconstruction_grid(0, 2, &images, &images, 1).is_err());
        assert!(reconstruction_grid(2, 2, &images, &images, usize::MAX).is_err());
    }
}
