//! Numbers as a reader wants them.

/// `value` rounded to `digits` significant decimal digits (1 to 17, clipped), trailing zeros kept: 0.2182, 12.40, 97.00.
///
/// Whole parts are never cut: 60000 with four digits is "60000". From 10¹⁰ on and below 10⁻⁴ the figure is written as
/// "1.234e-5". Zero is "0"; the others are "not a number", "infinite" and "-infinite".
pub fn significant(value: f64, digits: usize) -> String {
    if value.is_nan() {
        return "not a number".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "infinite" } else { "-infinite" }.into();
    }
    if value == 0.0 {
        return "0".into();
    }
    let digits = digits.clamp(1, 17);
    // The exponent is read after rounding, so that 9.9996 counts as 10.00.
    let scientific = format!("{:.*e}", digits - 1, value);
    let exponent = decimal_exponent(&scientific);
    if !(-4..10).contains(&exponent) {
        return scientific;
    }
    let decimals = (digits as i32 - 1 - exponent).max(0) as usize;
    format!("{value:.decimals$}")
}

/// `value` as a count where it is whole ("5923"), otherwise with four significant digits.
pub fn count_or_significant(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e10 { format!("{}", value as i64) } else { significant(value, 4) }
}

/// The exponent of a number written by `{:e}`.
pub(super) fn decimal_exponent(scientific: &str) -> i32 {
    let (_, exponent) = scientific.split_once('e').expect("`{:e}` writes an exponent");
    exponent.parse().expect("`{:e}` writes a whole exponent")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn significant_digits_keep_their_trailing_zeros() {
        let cases = [
            (0.21816, "0.2182"),
            (0.2, "0.2000"),
            (12.4, "12.40"),
            (9.9996, "10.00"),
            (0.99996, "1.000"),
            (60000.0, "60000"),
            (1234.5, "1234"),
            (-0.0123456, "-0.01235"),
            (0.0001, "0.0001000"),
            (0.00001234, "1.234e-5"),
            (2.5e12, "2.500e12"),
            (0.0, "0"),
            (-0.0, "0"),
            (f64::NAN, "not a number"),
            (f64::INFINITY, "infinite"),
            (f64::NEG_INFINITY, "-infinite"),
        ];
        for (value, expected) in cases {
            assert_eq!(significant(value, 4), expected, "{value:?}");
        }
        assert_eq!(significant(0.26, 0), "0.3");
        assert_eq!(significant(0.1, 99), "0.10000000000000001");
    }

    #[test]
    fn whole_numbers_are_counts() {
        assert_eq!(count_or_significant(5923.0), "5923");
        assert_eq!(count_or_significant(-0.0), "0");
        assert_eq!(count_or_significant(0.1042), "0.1042");
        assert_eq!(count_or_significant(f64::NAN), "not a number");
    }
}
