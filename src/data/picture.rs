//! PNG files as images, one each.
//!
//! Greys are taken as they are, colours by their luma, 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601), rounded to the nearest grey,
//! halves upwards. Of 16 bits the upper 8 count. Any bytes get an answer, in memory bounded by [`MOST_PIXELS`].

use std::io::Cursor;
use std::path::Path;

use png::{ColorType, Decoder, DecodingError, Transformations};

use super::error::{DataError, Fault};
use super::idx::Images;
use super::payload::Payload;

/// The most pixels of a picture: 4,096 × 4,096.
pub const MOST_PIXELS: usize = 1 << 24;

/// The most bytes of a file: a picture of so many pixels with four 16-bit samples each, hardly compressed.
const MOST_BYTES: u64 = 8 * MOST_PIXELS as u64 + (1 << 20);

const MAGIC: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Whether a file is to be read as PNG, by its name or its first eight bytes.
pub(super) fn is_png(path: &Path, start: &[u8]) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("png")) || start.starts_with(MAGIC)
}

/// Reads the picture in a file as one image. Refused: what is no PNG file or a damaged one, more than [`MOST_PIXELS`] pixels,
/// transparent pixels.
pub fn read_image(path: &Path) -> Result<Images, DataError> {
    let format = "a PNG file of an image";
    let mut payload = Payload::open(path, format)?;
    let mut bytes = Vec::new();
    if payload.read_up_to(MOST_BYTES + 1, &mut bytes)? as u64 > MOST_BYTES {
        return Err(payload.refuse(format!("it has more than {MOST_BYTES} bytes"), "at most that many are read"));
    }
    Ok(image_of(&bytes).map_err(|fault| fault.reading(path, format))?)
}

/// The picture in the bytes of a PNG file; see [`read_image`].
pub fn image_of(bytes: &[u8]) -> Result<Images, Fault> {
    let damaged = |error: DecodingError| Fault::new(error.to_string(), "");
    let mut decoder = Decoder::new(Cursor::new(bytes));
    decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let (width, height) = decoder.read_header_info().map_err(damaged)?.size();
    let (width, height) = (width as usize, height as usize);
    if width.checked_mul(height).is_none_or(|pixels| pixels > MOST_PIXELS) {
        let found = format!("it has {height}×{width} pixels (height × width)");
        return Err(Fault::new(found, format!("at most {MOST_PIXELS} are read")));
    }
    let mut reader = decoder.read_info().map_err(damaged)?;
    // The decoder takes it for granted that a palette is one.
    let palette = reader.info().palette.as_ref().map_or(0, |palette| palette.len());
    if palette % 3 != 0 || palette > 768 {
        let found = format!("its palette has {palette} bytes");
        return Err(Fault::new(found, "3 for each of up to 256 colours are expected"));
    }
    let mut samples = vec![0; reader.output_buffer_size().unwrap_or(0)];
    let info = reader.next_frame(&mut samples).map_err(damaged)?;
    samples.truncate(info.buffer_size());
    let luma =
        |r: u8, g: u8, b: u8| ((299 * u32::from(r) + 587 * u32::from(g) + 114 * u32::from(b) + 500) / 1000) as u8;
    let (pixels, alpha): (Vec<u8>, Vec<u8>) = match info.color_type {
        ColorType::Grayscale | ColorType::Indexed => (samples, Vec::new()),
        ColorType::GrayscaleAlpha => samples.as_chunks().0.iter().map(|&[grey, alpha]| (grey, alpha)).unzip(),
        ColorType::Rgb => (samples.as_chunks().0.iter().map(|&[r, g, b]| luma(r, g, b)).collect(), Vec::new()),
        ColorType::Rgba => samples.as_chunks().0.iter().map(|&[r, g, b, alpha]| (luma(r, g, b), alpha)).unzip(),
    };
    if let Some(at) = alpha.iter().position(|&alpha| alpha < u8::MAX) {
        let found = format!("its pixel in row {}, column {} (both from 0) is transparent", at / width, at % width);
        return Err(Fault::new(found, "an opaque picture is expected"));
    }
    Ok(Images { count: 1, height, width, pixels })
}
