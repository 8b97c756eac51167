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

/// The middle one of `values`, of an even number the mean of the two in the middle; `None` for none. Not-a-number is larger than any
/// number.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(|a, b| a.is_nan().cmp(&b.is_nan()).then(a.total_cmp(b)));
    let (upper, lower) = (sorted.len() / 2, sorted.len().checked_sub(1)? / 2);
    Some(if upper == lower { sorted[upper] } else { 0.5 * (sorted[lower] + sorted[upper]) })
}

/// "1 epoch", "2 epochs", "2 batches".
pub fn counted(count: usize, noun: &str) -> String {
    let plural = if noun.ends_with("ch") && noun != "epoch" { "es" } else { "s" };
    format!("{count} {noun}{}", if count == 1 { "" } else { plural })
}

/// A number that was written as plain text as print has it: "-1.2e-5" is "−1.2·10⁻⁵", "1e-6" is "10⁻⁶", "-3" is "−3".
pub fn typeset(number: &str) -> String {
    let (sign, size) = number.strip_prefix('-').map_or(("", number), |size| ("−", size));
    match size.split_once('e') {
        Some((mantissa, exponent)) if exponent.parse::<i32>().is_ok() => {
            let times = if mantissa == "1" { String::new() } else { format!("{mantissa}·") };
            format!("{sign}{times}10{}", superscript(exponent))
        }
        _ => format!("{sign}{size}"),
    }
}

/// Digits and signs raised: "-5" is "⁻⁵". All else stays.
pub fn superscript(text: &str) -> String {
    mapped(text, "0123456789+-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻")
}

/// Digits, signs and the letters that Unicode has lowered: "12" is "₁₂", "j" is "ⱼ". All else stays.
pub fn subscript(text: &str) -> String {
    mapped(text, "0123456789+-aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ")
}

fn mapped(text: &str, from: &str, to: &str) -> String {
    let map = |c: char| from.chars().zip(to.chars()).find(|(plain, _)| *plain == c).map_or(c, |(_, mapped)| mapped);
    text.chars().map(map).collect()
}

/// Units that stay with the number before them.
const UNITS: [&str; 17] =
    ["%", "s", "ms", "µs", "min", "h", "nat", "nats", "bit", "bits", "dB", "px", "kB", "MB", "GB", "MiB", "GiB"];

/// `text` with a narrow no-break space between a number and the unit behind it: no line ends there.
pub fn glued(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (index, word) in text.split(' ').enumerate() {
        if index > 0 {
            let unit = word.trim_end_matches([',', '.', ';', ':', ')', ']']);
            let is_number = out.ends_with(|c: char| c.is_ascii_digit() || "⁰¹²³⁴⁵⁶⁷⁸⁹".contains(c));
            out.push(if is_number && UNITS.contains(&unit) { '\u{202f}' } else { ' ' });
        }
        out.push_str(word);
    }
    out
}

/// The exponent of a number written by `{:e}`.
pub(super) fn decimal_exponent(scientific: &str) -> i32 {
    let (_, exponent) = scientific.split_once('e').expect("`{:e}` writes an exponent");
    exponent.parse().expect("`{:e}` writes a whole exponent")
}
