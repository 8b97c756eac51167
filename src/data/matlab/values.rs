//! From stored numbers to greys.

use super::element::Order;

/// A type in which numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stored {
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    Single,
    Double,
    I64,
    U64,
}

impl Stored {
    /// The type of this number (mi…, table 1-1), if it is one of numbers.
    pub(super) fn of(kind: u32) -> Option<Stored> {
        Some(match kind {
            1 => Stored::I8,
            2 => Stored::U8,
            3 => Stored::I16,
            4 => Stored::U16,
            5 => Stored::I32,
            6 => Stored::U32,
            7 => Stored::Single,
            9 => Stored::Double,
            12 => Stored::I64,
            13 => Stored::U64,
            _ => return None,
        })
    }

    pub(super) fn bytes(self) -> u64 {
        match self {
            Stored::I8 | Stored::U8 => 1,
            Stored::I16 | Stored::U16 => 2,
            Stored::I32 | Stored::U32 | Stored::Single => 4,
            Stored::Double | Stored::I64 | Stored::U64 => 8,
        }
    }

    pub(super) fn is_integer(self) -> bool {
        !matches!(self, Stored::Single | Stored::Double)
    }
}

/// How numbers become greys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Of an integer class: 0 to 255 as they are.
    Greys,
    /// Of a logical array: false is black, true is white.
    Logical,
    /// Of a floating-point class: see [`greys`].
    Floats,
}

/// The first value that is no grey, and where it stands.
#[derive(Debug, PartialEq)]
pub(super) struct NoGrey {
    pub(super) index: usize,
    pub(super) value: String,
}

/// The greys of `bytes`, which hold whole values. Floats that all lie in [0, 1] are multiplied by 255; other floats must
/// lie in [0, 255]; both are rounded to the nearest grey, halves upwards.
pub(super) fn greys(bytes: Vec<u8>, stored: Stored, order: Order, meaning: Meaning) -> Result<Vec<u8>, NoGrey> {
    if meaning == Meaning::Greys && stored == Stored::U8 {
        return Ok(bytes);
    }
    let read = Reader { bytes: &bytes, stored, order };
    if meaning == Meaning::Floats {
        let mut largest = 0.0f64;
        for (index, value) in read.floats().enumerate() {
            if !(0.0..=255.0).contains(&value) {
                return Err(NoGrey { index, value: value.to_string() });
            }
            largest = largest.max(value);
        }
        let scale = if largest <= 1.0 { 255.0 } else { 1.0 };
        return Ok(read.floats().map(|value| (value * scale).round() as u8).collect());
    }
    let (most, scale) = if meaning == Meaning::Logical { (1, 255) } else { (255, 1) };
    let grey = |(index, value): (usize, i128)| match u8::try_from(value) {
        Ok(grey) if grey <= most => Ok(grey * scale),
        _ => Err(NoGrey { index, value: value.to_string() }),
    };
    read.integers().enumerate().map(grey).collect()
}

struct Reader<'a> {
    bytes: &'a [u8],
    stored: Stored,
    order: Order,
}

impl Reader<'_> {
    /// The values in eight bytes each, least significant first, extended by zeros.
    fn words(&self) -> impl Iterator<Item = [u8; 8]> {
        let order = self.order;
        self.bytes.chunks_exact(self.stored.bytes() as usize).map(move |value| {
            let mut word = [0; 8];
            word[..value.len()].copy_from_slice(value);
            if order == Order::Big {
                word[..value.len()].reverse();
            }
            word
        })
    }

    fn integers(&self) -> impl Iterator<Item = i128> {
        let stored = self.stored;
        self.words().map(move |word| {
            let value = u64::from_le_bytes(word);
            match stored {
                Stored::I8 => i128::from(value as i8),
                Stored::I16 => i128::from(value as i16),
                Stored::I32 => i128::from(value as i32),
                Stored::I64 => i128::from(value as i64),
                _ => i128::from(value),
            }
        })
    }

    fn floats(&self) -> Box<dyn Iterator<Item = f64> + '_> {
        match self.stored {
            Stored::Single => Box::new(self.words().map(|word| {
                let [a, b, c, d, ..] = word;
                f64::from(f32::from_le_bytes([a, b, c, d]))
            })),
            Stored::Double => Box::new(self.words().map(f64::from_le_bytes)),
            // Beyond 2^53 the value is rounded, which only the message shows.
            _ => Box::new(self.integers().map(|value| value as f64)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f64], meaning: Meaning) -> Result<Vec<u8>, NoGrey> {
        let bytes = values.iter().flat_map(|value| value.to_be_bytes()).collect();
        greys(bytes, Stored::Double, Order::Big, meaning)
    }

    #[test]
    fn floats_up_to_one_are_shares_of_white_and_others_are_greys() {
        assert_eq!(of(&[0.0, 1.0, 0.5, 0.001], Meaning::Floats).unwrap(), [0, 255, 128, 0]);
        assert_eq!(of(&[0.0, 1.0, 254.5, 12.4], Meaning::Floats).unwrap(), [0, 1, 255, 12]);
        let exact: Vec<f64> = (0..=255).map(|grey| f64::from(grey) / 255.0).collect();
        assert_eq!(of(&exact, Meaning::Floats).unwrap(), (0..=255).collect::<Vec<u8>>());
    }

    #[test]
    fn what_is_no_grey_is_named_with_its_place() {
        for (value, text) in [(f64::NAN, "NaN"), (-0.5, "-0.5"), (255.5, "255.5"), (f64::INFINITY, "inf")] {
            assert_eq!(of(&[3.0, value], Meaning::Floats), Err(NoGrey { index: 1, value: text.into() }));
        }
        let of = |bytes: &[u8], stored, meaning| greys(bytes.to_vec(), stored, Order::Little, meaning);
        assert_eq!(of(&[7, 0xff], Stored::I8, Meaning::Greys), Err(NoGrey { index: 1, value: "-1".into() }));
        assert_eq!(of(&[0, 1], Stored::U16, Meaning::Greys), Err(NoGrey { index: 0, value: "256".into() }));
        assert_eq!(of(&[0, 1, 2], Stored::U8, Meaning::Logical), Err(NoGrey { index: 2, value: "2".into() }));
        assert_eq!(of(&[0, 1], Stored::U8, Meaning::Logical).unwrap(), [0, 255]);
        let largest = u64::MAX.to_le_bytes();
        assert_eq!(of(&largest, Stored::U64, Meaning::Greys).unwrap_err().value, u64::MAX.to_string(), "not -1");
    }
}
