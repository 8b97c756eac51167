//! Pixels to PNG files, in memory.

use super::FigureError;

/// The most pixels a picture may have: 2²⁶, a 64 MiB grey buffer.
pub const MOST_PIXELS: usize = 1 << 26;

/// The byte of `value`: 0 is black, 1 is white, values outside [0, 1] are clipped, and not-a-number is black.
pub fn to_byte(value: f32) -> u8 {
    // `clamp` passes NaN through and `as` turns it into 0.
    (value.clamp(0.0, 1.0) * 255.0).round() as u8
}

/// The values of a pixel that are drawn of images with so many channels: red, green and blue of three, otherwise the first as
/// grey.
pub fn shown_channels(channels: usize) -> usize {
    if channels == 3 { 3 } else { 1 }
}

/// The bytes [pixels × shown] that are drawn of an image [pixels × channels], each by [`to_byte`].
pub fn to_pixels(image: impl IntoIterator<Item = f32>, channels: usize) -> Vec<u8> {
    let (shown, channels) = (shown_channels(channels), channels.max(1));
    let values = image.into_iter().enumerate().filter(|(at, _)| at % channels < shown);
    values.map(|(_, value)| to_byte(value)).collect()
}

/// Refuses a picture size that is zero or beyond [`MOST_PIXELS`]; returns the number of pixels.
pub(super) fn checked_size(width: usize, height: usize) -> Result<usize, FigureError> {
    match width.checked_mul(height) {
        Some(pixels) if (1..=MOST_PIXELS).contains(&pixels) => Ok(pixels),
        _ => Err(FigureError::Size { width, height }),
    }
}

/// An image of this shape, [height, width, channels], as an 8-bit PNG, in colour where there are three channels and grey otherwise;
/// `pixels` are its rows from the top, as [`to_pixels`] gives them.
pub fn image_png([height, width, channels]: [usize; 3], pixels: &[u8]) -> Result<Vec<u8>, FigureError> {
    let color = if shown_channels(channels) == 3 { png::ColorType::Rgb } else { png::ColorType::Grayscale };
    encode(width, height, color, pixels)
}

/// An 8-bit PNG of `pixels` [height × width × samples], row by row from the top.
pub(super) fn encode(
    width: usize,
    height: usize,
    color: png::ColorType,
    pixels: &[u8],
) -> Result<Vec<u8>, FigureError> {
    let samples = color.samples();
    if pixels.len() != checked_size(width, height)? * samples {
        let what = if samples == 1 { "a grey picture" } else { "a colour picture" }.to_owned();
        return Err(FigureError::Values { what, width, height, each: samples, found: pixels.len() });
    }
    let mut bytes = Vec::new();
    // Both sides are at most MOST_PIXELS and so fit.
    let mut encoder = png::Encoder::new(&mut bytes, width as u32, height as u32);
    encoder.set_color(color);
    encoder.set_depth(png::BitDepth::Eight);
    encoder
        .write_header()
        .and_then(|mut writer| writer.write_image_data(pixels).and_then(|()| writer.finish()))
        .expect("a checked picture is written to memory");
    Ok(bytes)
}

/// Decodes an 8-bit PNG, for tests of whatever draws one: width, height and the samples.
#[cfg(test)]
pub(super) fn decode(bytes: &[u8]) -> (usize, usize, Vec<u8>) {
    let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    pixels.truncate(info.buffer_size());
    (info.width as usize, info.height as usize, pixels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grey_picture_decodes_to_its_own_size_and_pixels() {
        let pixels: Vec<u8> = (0..7 * 5).map(|i| (i * 37 % 256) as u8).collect();
        let bytes = image_png([5, 7, 1], &pixels).unwrap();
        assert_eq!(decode(&bytes), (7, 5, pixels.clone()));
        assert_eq!(bytes, image_png([5, 7, 1], &pixels).unwrap());
    }

    #[test]
    fn a_buffer_of_another_length_is_refused_with_both_lengths() {
        let error = image_png([5, 7, 1], &[0; 34]).unwrap_err();
        assert!(
            error.to_string().contains("grey picture of 7 × 5 pixels: 35 values are needed and 34 were given"),
            "{error}"
        );
        let error = image_png([1, 2, 3], &[0; 2]).unwrap_err();
        assert!(error.to_string().contains("2 × 1 pixels: 6 values are needed and 2 were given"), "{error}");
        assert!(matches!(image_png([5, 0, 1], &[]), Err(FigureError::Size { .. })));
        assert!(matches!(image_png([2, usize::MAX, 1], &[]), Err(FigureError::Size { .. })));
        assert!(matches!(image_png([2, MOST_PIXELS, 1], &[]), Err(FigureError::Size { .. })));
    }

    #[test]
    fn grey_clips_to_the_unit_interval_and_paints_nan_black() {
        let greys = [f32::NEG_INFINITY, -0.1, 0.0, 0.5, 1.0, 1.1, f32::INFINITY, f32::NAN].map(to_byte);
        assert_eq!(greys, [0, 0, 0, 128, 255, 255, 255, 0]);
    }

    #[test]
    fn three_channels_are_colours_and_of_others_the_first_is_shown() {
        let image = [0.0, 1.0, 2.0, 1.0, 0.0, -1.0];
        let colours = to_pixels(image, 3);
        assert_eq!(colours, [0, 255, 255, 255, 0, 0]);
        assert_eq!(decode(&image_png([1, 2, 3], &colours).unwrap()), (2, 1, colours));
        assert_eq!(to_pixels(image, 1), [0, 255, 255, 255, 0, 0]);
        let first = to_pixels(image, 2);
        assert_eq!(first, [0, 255, 0]);
        assert_eq!(decode(&image_png([3, 1, 2], &first).unwrap()), (1, 3, first));
    }
}
