//! PNG files as images, one each.
//!
//! What the header of the file says decides: grey pictures have one channel, those in colour and those with a palette have three,
//! red, green and blue. Of 16 bits the upper 8 count. An alpha channel is dropped where every pixel is opaque, and refused otherwise.
//! Any bytes get an answer, in memory bounded by [`MOST_PIXELS`].

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
    let (channels, has_alpha) = match info.color_type {
        ColorType::Grayscale | ColorType::Indexed => (1, false),
        ColorType::GrayscaleAlpha => (1, true),
        ColorType::Rgb => (3, false),
        ColorType::Rgba => (3, true),
    };
    if has_alpha {
        let mut pixels = samples.chunks_exact(channels + 1);
        if let Some(at) = pixels.position(|pixel| pixel[channels] < u8::MAX) {
            let found = format!("its pixel in row {}, column {} (both from 0) is transparent", at / width, at % width);
            return Err(Fault::new(found, "an opaque picture is expected"));
        }
        samples = samples.chunks_exact(channels + 1).flat_map(|pixel| &pixel[..channels]).copied().collect();
    }
    Ok(Images { count: 1, height, width, channels, pixels: samples })
}
