//! PNG files as images.

use narrows::data::picture::image_of;
use png::{BitDepth, ColorType, Encoder};
use proptest::prelude::*;

/// A picture of three pixels in a row.
fn encoded(color: ColorType, depth: BitDepth, palette: Option<&[u8]>, samples: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, 3, 1);
    encoder.set_color(color);
    encoder.set_depth(depth);
    if let Some(palette) = palette {
        encoder.set_palette(palette.to_vec());
    }
    encoder.write_header().unwrap().write_image_data(samples).unwrap();
    bytes
}

/// The pixels of a picture of so many channels.
fn pixels(channels: usize, bytes: &[u8]) -> Vec<u8> {
    let image = image_of(bytes).unwrap();
    assert_eq!((image.count, image.shape()), (1, [1, 3, channels]));
    image.pixels
}

#[test]
fn every_kind_of_picture_is_read_in_grey_or_in_colour() {
    use ColorType::*;
    let (eight, sixteen) = (BitDepth::Eight, BitDepth::Sixteen);
    assert_eq!(pixels(1, &encoded(Grayscale, eight, None, &[0, 7, 255])), [0, 7, 255]);
    assert_eq!(pixels(1, &encoded(Grayscale, BitDepth::One, None, &[0b1010_0000])), [255, 0, 255]);
    assert_eq!(pixels(1, &encoded(Grayscale, sixteen, None, &[0, 255, 7, 0, 255, 255])), [0, 7, 255]);
    assert_eq!(pixels(1, &encoded(GrayscaleAlpha, eight, None, &[1, 255, 2, 255, 3, 255])), [1, 2, 3]);
    let colours = [255, 0, 0, 0, 255, 0, 0, 0, 255];
    assert_eq!(pixels(3, &encoded(Rgb, eight, None, &colours)), colours);
    assert_eq!(pixels(3, &encoded(Indexed, eight, Some(&colours), &[2, 1, 0])), [0, 0, 255, 0, 255, 0, 255, 0, 0]);
    let opaque: Vec<u8> = (0..3).flat_map(|at| [at, at + 10, at + 20, 255]).collect();
    assert_eq!(pixels(3, &encoded(Rgba, eight, None, &opaque)), [0, 10, 20, 1, 11, 21, 2, 12, 22]);
    let wide: Vec<u8> = colours.iter().flat_map(|&value| [value, 99]).collect();
    assert_eq!(pixels(3, &encoded(Rgb, sixteen, None, &wide)), colours);
}

#[test]
fn pictures_that_cannot_be_images_get_a_sentence() {
    let said = |bytes: &[u8]| image_of(bytes).unwrap_err().to_string();
    let clear = encoded(ColorType::GrayscaleAlpha, BitDepth::Eight, None, &[1, 255, 2, 254, 3, 255]);
    assert!(said(&clear).contains("row 0, column 1 (both from 0) is transparent"), "{}", said(&clear));
    let clear = encoded(ColorType::Rgba, BitDepth::Eight, None, &[1, 2, 3, 255, 1, 2, 3, 255, 1, 2, 3, 0]);
    assert!(said(&clear).contains("row 0, column 2 (both from 0) is transparent"), "{}", said(&clear));
    let whole = encoded(ColorType::Grayscale, BitDepth::Eight, None, &[0, 7, 255]);
    for length in 0..whole.len() - 12 {
        assert!(image_of(&whole[..length]).is_err(), "{length}");
    }
    // Sides of 2³¹ − 1 pixels, with the checksum that they need.
    let mut vast = whole;
    vast[16..24].copy_from_slice(&[0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff]);
    let mut crc = flate2::Crc::new();
    crc.update(&vast[12..29]);
    vast[29..33].copy_from_slice(&crc.sum().to_be_bytes());
    assert!(said(&vast).contains("2147483647×2147483647 pixels"), "{}", said(&vast));
    // A fuzzer found that the decoder panics on these.
    let torn = encoded(ColorType::Indexed, BitDepth::Eight, Some(&[1, 2, 3, 4, 5]), &[0, 1, 0]);
    assert!(said(&torn).contains("palette has 5 bytes; 3 for each"), "{}", said(&torn));
}

proptest! {
    #[test]
    fn any_bytes_get_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(image_of(&bytes).is_err());
        let _ = image_of(&[b"\x89PNG\r\n\x1a\n", &bytes[..]].concat());
    }
}
