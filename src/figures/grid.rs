//! Grids of small images, such as originals above their reconstructions.

use tiny_skia::{FillRule, Mask, PathBuilder, Transform};

use super::number::glued;
use super::png::{checked_size, image_png, shown_channels, to_pixels};
use super::{FigureError, font};

/// Between images, and between rows, in pixels of the picture.
const GAP: usize = 2;
/// Between two bands of rows.
const BAND_GAP: usize = 12;
/// Around everything.
const MARGIN: usize = 8;
/// Pixels to the em of the labels.
const LABEL: f32 = 12.0;
/// Lines of the label of a column, at most.
const LINES: usize = 2;
/// From one line of a label to the next.
const LINE: usize = 15;
/// Pixels to the em of the title.
const TITLE: f32 = 15.0;
/// The widest that labels of rows may be.
const WIDEST_LABEL: f32 = 200.0;
/// Small images are enlarged to about so many pixels.
const SIDE: usize = 56;
/// Images beside each other before a grid of pairs goes on below.
const MOST_BESIDE: usize = 15;

/// A row of images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GridRow {
    /// What stands at its left; may be empty.
    pub label: String,
    /// Its images from the left, each [height × width × channels], as [`to_pixels`] gives them.
    pub images: Vec<Vec<u8>>,
}

/// Rows of images of one size, each pixel a square of equal pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageGrid {
    /// What stands above the whole; may be empty.
    pub title: String,
    /// Pixels in a row of an image.
    pub image_width: usize,
    /// Rows of pixels of an image.
    pub image_height: usize,
    /// Values of a pixel: 1 for grey, 3 for red, green and blue.
    pub channels: usize,
    /// What stands above the columns from the left; may be fewer than there are columns, or none.
    pub columns: Vec<String>,
    /// The rows from the top.
    pub rows: Vec<GridRow>,
    /// Rows that belong together: a wider gap follows every `band` of them. 0 for none.
    pub band: usize,
}

/// One line of text in a picture.
struct Line {
    text: String,
    size: f32,
    left: usize,
    middle: usize,
}

impl ImageGrid {
    /// Rows of images of one shape, [height, width, channels], as [`to_pixels`] gives them, without title or labels of columns.
    pub fn new([image_height, image_width, channels]: [usize; 3], rows: Vec<GridRow>) -> ImageGrid {
        let channels = shown_channels(channels);
        ImageGrid { title: String::new(), image_width, image_height, channels, columns: Vec::new(), rows, band: 0 }
    }

    /// The grid as an 8-bit PNG on white, grey or in colour as its images are.
    pub fn to_png(&self) -> Result<Vec<u8>, FigureError> {
        let channels = shown_channels(self.channels);
        let size = checked_size(self.image_width, self.image_height)? * channels;
        let columns = self.rows.iter().map(|row| row.images.len()).max().unwrap_or(0);
        if columns == 0 {
            return Err(FigureError::EmptyGrid);
        }
        for row in &self.rows {
            if let Some((index, image)) = row.images.iter().enumerate().find(|(_, image)| image.len() != size) {
                let what = format!("image {} of the grid row \"{}\"", index + 1, row.label);
                let (width, height, found) = (self.image_width, self.image_height, image.len());
                return Err(FigureError::Values { what, width, height, each: channels, found });
            }
        }
        let scale = (SIDE / self.image_width.max(self.image_height)).max(1);
        let (cell_width, cell_height) = (self.image_width * scale, self.image_height * scale);
        let mut lines = Vec::new();

        let row_labels: Vec<String> =
            self.rows.iter().map(|row| font::shortened(&glued(&row.label), LABEL, WIDEST_LABEL)).collect();
        let widest = row_labels.iter().map(|label| width_of(label, LABEL)).max().unwrap_or(0);
        let left = MARGIN + if widest > 0 { widest + 8 } else { 0 };
        let title = glued(&self.title);
        let beside = left + columns * (cell_width + GAP) - GAP;
        let width = beside.max(MARGIN + width_of(&title, TITLE)) + MARGIN;
        let mut y = MARGIN;
        if !title.is_empty() {
            lines.push(Line { text: title, size: TITLE, left: MARGIN, middle: y + 8 });
            y += 26;
        }
        if self.columns.iter().any(|label| !label.is_empty()) {
            let most = cell_width as f32;
            let label = |label: &String| {
                let mut lines = font::wrapped(&glued(label), LABEL, most);
                if lines.len() > LINES {
                    lines.truncate(LINES);
                    lines[LINES - 1] = font::shortened(&format!("{}…", lines[LINES - 1]), LABEL, most);
                }
                lines
            };
            let labels: Vec<Vec<String>> = self.columns.iter().take(columns).map(label).collect();
            let highest = labels.iter().map(Vec::len).max().unwrap_or(1);
            for (column, label) in labels.into_iter().enumerate() {
                let first = highest - label.len();
                for (number, line) in (first..).zip(label) {
                    let room = cell_width - width_of(&line, LABEL).min(cell_width);
                    let left = left + column * (cell_width + GAP) + room / 2;
                    lines.push(Line { text: line, size: LABEL, left, middle: y + number * LINE + 7 });
                }
            }
            y += (highest - 1) * LINE + 18;
        }
        let row_height = cell_height.max(LABEL as usize + 4);
        let mut tops = Vec::with_capacity(self.rows.len());
        for (index, text) in row_labels.into_iter().enumerate() {
            if index > 0 {
                y += if self.band > 0 && index % self.band == 0 { BAND_GAP } else { GAP };
            }
            let start = left - 8 - width_of(&text, LABEL).min(left - 8);
            lines.push(Line { text, size: LABEL, left: start, middle: y + row_height / 2 });
            tops.push(y);
            y += row_height;
        }

        let mut picture = vec![255; checked_size(width, y + MARGIN)? * channels];
        for (row, &top) in self.rows.iter().zip(&tops) {
            for (column, image) in row.images.iter().enumerate() {
                let corner = left + column * (cell_width + GAP);
                for (line, pixels) in image.chunks_exact(self.image_width * channels).enumerate() {
                    for repeat in 0..scale {
                        let start = ((top + line * scale + repeat) * width + corner) * channels;
                        let wide = picture[start..start + cell_width * channels].chunks_exact_mut(scale * channels);
                        for (square, pixel) in wide.zip(pixels.chunks_exact(channels)) {
                            square.chunks_exact_mut(channels).for_each(|place| place.copy_from_slice(pixel));
                        }
                    }
                }
            }
        }
        lines.iter().for_each(|line| line.stamp(&mut picture, width, channels));
        image_png([y + MARGIN, width, channels], &picture)
    }
}

/// Pixels that a line of text takes up.
fn width_of(text: &str, size: f32) -> usize {
    font::width(text, size).ceil() as usize
}

impl Line {
    /// Writes it in black into a picture of rows of `width` pixels of so many channels.
    fn stamp(&self, picture: &mut [u8], width: usize, channels: usize) {
        // It is drawn in a mask of its own: the picture may have many million pixels.
        let (reach, high) = (width_of(&self.text, self.size) + 2, self.size as usize + 6);
        let mut path = PathBuilder::new();
        font::outline(&mut path, &self.text, self.size, 0.0, self.size + 1.0);
        let (Some(path), Some(mut mask)) = (path.finish(), Mask::new(reach as u32, high as u32)) else { return };
        mask.fill_path(&path, FillRule::Winding, true, Transform::identity());
        let first = (self.middle).saturating_sub(high / 2);
        let rows = picture.chunks_exact_mut(width * channels).skip(first);
        for (row, covered) in rows.zip(mask.data().chunks_exact(reach)) {
            for (pixel, by) in row.chunks_exact_mut(channels).skip(self.left).zip(covered) {
                pixel.iter_mut().for_each(|value| *value = value.saturating_sub(*by));
            }
        }
    }
}

/// Images [n × height × width × channels] above their reconstructions, values clipped to [0, 1], not a number black; 3 channels
/// are colours, of other numbers the first is shown. More than 15 images go on in bands of equal length below. Refused: values that do not
/// fill whole images, and more or fewer reconstructions than originals.
pub fn reconstruction_grid(
    [height, width, channels]: [usize; 3],
    originals: &[f32],
    reconstructions: &[f32],
) -> Result<Vec<u8>, FigureError> {
    let channels = channels.max(1);
    let size = checked_size(width, height)? * channels;
    let count = originals.len().div_ceil(size);
    for (what, values) in [("the originals", originals), ("the reconstructions", reconstructions)] {
        if values.len() != count * size {
            let (what, each, found) = (what.to_owned(), count * channels, values.len());
            return Err(FigureError::Values { what, width, height, each, found });
        }
    }
    let images = |values: &[f32]| -> Vec<Vec<u8>> {
        values.chunks(size).map(|image| to_pixels(image.iter().copied(), channels)).collect()
    };
    let (originals, reconstructions) = (images(originals), images(reconstructions));
    let bands = originals.len().div_ceil(MOST_BESIDE).max(1);
    let columns = originals.len().div_ceil(bands).max(1);
    let row = |label: &str, images: &[Vec<u8>]| GridRow { label: label.into(), images: images.to_vec() };
    let pairs = originals.chunks(columns).zip(reconstructions.chunks(columns));
    let rows = pairs.flat_map(|(above, below)| [row("original", above), row("reconstruction", below)]).collect();
    ImageGrid { band: 2, ..ImageGrid::new([height, width, channels], rows) }.to_png()
}

#[cfg(test)]
mod tests {
    use super::super::png::decode;
    use super::*;

    /// Images of 3 × 2 pixels, which become squares of 18.
    fn grid() -> ImageGrid {
        let image = |grey: u8| (grey..grey + 6).collect::<Vec<u8>>();
        let rows = vec![vec![image(10), image(20)], vec![image(30)]];
        let rows = rows.into_iter().map(|images| GridRow { label: String::new(), images }).collect();
        ImageGrid { band: 1, ..ImageGrid::new([2, 3, 1], rows) }
    }

    /// Pixels darker than half grey in the rows `y` of a picture.
    fn ink(picture: &(usize, usize, Vec<u8>), x: std::ops::Range<usize>, y: std::ops::Range<usize>) -> usize {
        let row = |y: usize| picture.2[y * picture.0..][x.clone()].iter().filter(|&&grey| grey < 128).count();
        y.map(row).sum()
    }

    #[test]
    fn every_pixel_becomes_a_square_in_its_place() {
        let (width, height, pixels) = decode(&grid().to_png().unwrap());
        assert_eq!((width, height), (2 * MARGIN + 2 * 54 + GAP, 2 * MARGIN + 2 * 36 + BAND_GAP));
        let at = |x: usize, y: usize| pixels[(MARGIN + y) * width + MARGIN + x];
        for y in 0..36 {
            for x in 0..54 {
                let pixel = (x / 18 + 3 * (y / 18)) as u8;
                assert_eq!([at(x, y), at(x + 54 + GAP, y)], [10 + pixel, 20 + pixel]);
                assert_eq!([at(x, y + 36 + BAND_GAP), at(x + 54 + GAP, y + 36 + BAND_GAP)], [30 + pixel, 255]);
            }
        }
        assert_eq!(at(54, 0), 255, "gap");
        assert_eq!(grid().to_png(), grid().to_png());
    }

    #[test]
    fn labels_and_titles_leave_ink_beside_the_images_and_move_them() {
        let bare = decode(&grid().to_png().unwrap());
        let mut grid = grid();
        grid.rows[0].label = "original".into();
        let wide = decode(&grid.to_png().unwrap());
        let by = width_of("original", LABEL) + 8;
        assert_eq!((wide.0, wide.1), (bare.0 + by, bare.1));
        assert!(ink(&wide, 0..by, MARGIN..MARGIN + 36) > 30);
        assert_eq!(ink(&wide, 0..by, MARGIN + 36 + BAND_GAP..wide.1), 0);

        grid.columns = vec!["α = 0".into(), "a label far wider than its image".into()];
        let labelled = decode(&grid.to_png().unwrap());
        assert_eq!((labelled.0, labelled.1), (wide.0, wide.1 + 18 + LINE));
        let second = MARGIN + by + 54 + GAP;
        let [above, below] = [0..MARGIN + LINE, MARGIN + LINE..MARGIN + LINE + 18];
        assert_eq!(ink(&labelled, MARGIN + by..second - GAP, above.clone()), 0);
        assert!(ink(&labelled, MARGIN + by..second - GAP, below.clone()) > 10);
        for line in [above, below] {
            assert!(ink(&labelled, second..second + 54, line.clone()) > 10);
            assert_eq!(ink(&labelled, second + 54..labelled.0, line), 0);
        }

        grid.title = "A title that is wider than the whole picture".into();
        let titled = decode(&grid.to_png().unwrap());
        assert_eq!((titled.0, titled.1), (2 * MARGIN + width_of(&grid.title, TITLE), labelled.1 + 26));
        assert!(ink(&titled, MARGIN..titled.0, 0..MARGIN + 20) > 100);
    }

    #[test]
    fn shapes_that_do_not_fit_are_refused() {
        let mut short = grid();
        short.rows[1].images[0].pop();
        let error = short.to_png().unwrap_err().to_string();
        assert_eq!(
            error,
            "cannot draw image 1 of the grid row \"\" of 3 × 2 pixels: 6 values are needed and 5 were given"
        );
        assert_eq!(ImageGrid::new([2, 3, 1], Vec::new()).to_png(), Err(FigureError::EmptyGrid));
        assert!(matches!(ImageGrid::new([2, 0, 1], grid().rows).to_png(), Err(FigureError::Size { .. })));
        let many = GridRow { label: String::new(), images: vec![vec![0; 1]; 1500] };
        let tall = ImageGrid::new([1, 1, 1], vec![many; 100]);
        assert!(matches!(tall.to_png(), Err(FigureError::Size { .. })));
    }

    #[test]
    fn reconstructions_are_clipped_and_stand_below_their_originals_in_equal_bands() {
        let originals = [vec![0.0; 784], vec![1.0; 784]].concat();
        let reconstructions = [vec![-3.0; 784], vec![f32::NAN; 784]].concat();
        let (width, height, pixels) = decode(&reconstruction_grid([28, 28, 1], &originals, &reconstructions).unwrap());
        assert_eq!(height, 2 * MARGIN + 2 * 56 + GAP);
        let at = |x: usize, y: usize| pixels[y * width + x];
        let (first, second) = (width - MARGIN - 56 - GAP - 56, width - MARGIN - 56);
        assert_eq!([at(first, MARGIN), at(second, MARGIN)], [0, 255]);
        assert_eq!([at(first, height - MARGIN - 1), at(second, height - MARGIN - 1)], [0, 0]);

        let images = vec![0.5; 40 * 4];
        let (_, height, _) = decode(&reconstruction_grid([2, 2, 1], &images, &images).unwrap());
        assert_eq!(height, 2 * MARGIN + 6 * 56 + 3 * GAP + 2 * BAND_GAP);
        let refused = |originals: &[f32], reconstructions: &[f32]| {
            reconstruction_grid([2, 2, 1], originals, reconstructions).unwrap_err().to_string()
        };
        let expected = "draw the reconstructions of 2 × 2 pixels: 160 values are needed and 156 were given";
        assert!(refused(&images, &images[4..]).contains(expected), "{}", refused(&images, &images[4..]));
        assert!(refused(&images[1..], &images).contains("draw the originals of 2 × 2 pixels: 160 values are needed"));
        assert_eq!(reconstruction_grid([2, 2, 0], &images, &images), reconstruction_grid([2, 2, 1], &images, &images));
        assert!(reconstruction_grid([0, 2, 1], &images, &images).is_err());
        assert!(reconstruction_grid([2, 2, 1], &[], &[]).is_err());
        // Two images of one pixel each, red and blue, beside each other.
        let colours = [1.0, 0.0, 0.0, 0.0, 0.0, 1.0];
        let (width, _, pixels) = decode(&reconstruction_grid([1, 1, 3], &colours, &colours).unwrap());
        let red = ((MARGIN + 1) * width + width - MARGIN - 57 - GAP) * 3;
        assert_eq!(pixels[red..red + 3], [255, 0, 0]);
    }
}
