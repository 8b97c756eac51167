//! Where the ticks of an axis stand.

use super::number::{count_or_significant, decimal_exponent, typeset};

/// An axis: its ends and its labelled ticks, all within the ends.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// The value at its start.
    pub low: f64,
    /// The value at its end.
    pub high: f64,
    /// Whether equal ratios take equal room.
    pub logarithmic: bool,
    /// Values and labels of its ticks.
    pub ticks: Vec<(f64, String)>,
}

impl Axis {
    /// Where `value` lies: 0 at the start, 1 at the end.
    pub fn fraction(&self, value: f64) -> f32 {
        // The logarithm of the standard library is not the same on every platform.
        let place = |value: f64| if self.logarithmic { libm::log(value) } else { value };
        ((place(value) - place(self.low)) / (place(self.high) - place(self.low))) as f32
    }

    /// A logarithmic axis from the smallest of `values` to the largest, with a tick at each of them: for the few sizes that a
    /// sweep tries. `None` unless they are positive and differ.
    pub fn logarithmic(mut values: Vec<f64>) -> Option<Axis> {
        values.sort_by(f64::total_cmp);
        values.dedup();
        let (low, high) = (*values.first()?, *values.last()?);
        let short = |value: f64| {
            let rounded: f64 = count_or_significant(value).parse().unwrap_or(value);
            typeset(&if rounded.abs() < 1e-2 { format!("{rounded:e}") } else { rounded.to_string() })
        };
        let ticks = values.into_iter().map(|value| (value, short(value))).collect();
        (low > 0.0 && low < high).then_some(Axis { low, high, ticks, logarithmic: true })
    }

    /// A logarithmic axis that covers [`low`, `high`], `low` positive, with at most `about` ticks: at 1, 2 and 5 times powers of ten, or, where
    /// these would be too many, from the power of ten below to that above, an equal number of powers apart. `None` where a power of ten
    /// is no ordinary number.
    pub fn covering_logarithmic(low: f64, high: f64, about: usize) -> Option<Axis> {
        let exponent = |value: f64| decimal_exponent(&format!("{value:e}"));
        (low > 1e-290 && low < high && drawable(high)).then_some(())?;
        let first = exponent(low);
        let above = exponent(high);
        let last = if high > decimal(1, above) { above + 1 } else { above }.max(first + 1);
        let close: Vec<(i64, i32)> = (first..=last).flat_map(|exponent| [1, 2, 5].map(|by| (by, exponent))).collect();
        let below = close.iter().rposition(|&(by, exponent)| decimal(by, exponent) <= low)?;
        let above = close.iter().position(|&(by, exponent)| decimal(by, exponent) >= high)?;
        let places: Vec<(i64, i32)> = match above - below < about {
            true => close[below..=above].to_vec(),
            false => {
                let every = ((last - first) as usize).div_ceil(about.max(2) - 1) as i32;
                (first..last + every).step_by(every as usize).map(|exponent| (1, exponent)).collect()
            }
        };
        // All as powers where one of them needs it: 10⁻⁶, 10⁻³, 1.
        let plain = places.iter().all(|(_, exponent)| (-3..7).contains(exponent));
        let tick = |&(by, exponent): &(i64, i32)| {
            let value = decimal(by, exponent);
            (value, if plain || exponent == 0 { value.to_string() } else { typeset(&format!("{by}e{exponent}")) })
        };
        let ticks: Vec<(f64, String)> = places.iter().map(tick).collect();
        Some(Axis { low: ticks.first()?.0, high: ticks.last()?.0, ticks, logarithmic: true })
    }

    /// An axis that covers [`low`, `high`], its ends rounded outwards to ticks 1, 2 or 5 times a power of ten apart,
    /// with about `about` of them. Values must be [`drawable`].
    pub fn covering(low: f64, high: f64, about: usize) -> Axis {
        let (low, high) = widened(low, high);
        let (mantissa, exponent) = step((high - low) / about.max(1) as f64);
        let below = |value: f64| (value / decimal(mantissa, exponent) + 1e-6).floor() as i64;
        let tick = |index: i64| {
            let value = decimal(index * mantissa, exponent);
            let label = if value != 0.0 && (exponent < -5 || value.abs() >= 1e7) {
                format!("{value:e}")
            } else {
                format!("{value:.*}", (-exponent).max(0) as usize)
            };
            (value, if value == 0.0 { "0".into() } else { typeset(&label) })
        };
        let ticks: Vec<(f64, String)> = (below(low)..=-below(-high)).map(tick).collect();
        Axis { low: ticks[0].0, high: ticks[ticks.len() - 1].0, ticks, logarithmic: false }
    }

    /// An axis of the whole numbers from 0, each called by its name, half a step wider at both ends.
    pub fn named(names: &[String]) -> Axis {
        let ticks = names.iter().enumerate().map(|(number, name)| (number as f64, name.clone())).collect();
        Axis { low: -0.5, high: names.len() as f64 - 0.5, ticks, logarithmic: false }
    }

    /// The axis of epochs 1 to `last`: whole ticks, epoch 1 among them, at most about `about`.
    pub fn epochs(last: usize, about: usize) -> Axis {
        let high = last.max(1) as i64;
        // A single epoch stands in the middle.
        let (low, end) = if high == 1 { (0.5, 1.5) } else { (1.0, high as f64) };
        let (mantissa, exponent) = step(((high - 1) as f64 / about.max(1) as f64).max(1.0));
        let step = decimal(mantissa, exponent) as i64;
        // Epoch 1 next to epoch 2 would only crowd it.
        let first = if step == 2 { 1 } else { step };
        let marks = (first..=high).step_by(step as usize);
        let marks = (first > 1).then_some(1).into_iter().chain(marks);
        let ticks = marks.map(|epoch| (epoch as f64, epoch.to_string())).collect();
        Axis { low, high: end, ticks, logarithmic: false }
    }
}

/// Whether a value has a place on an axis: finite, and with room left for the arithmetic of ticks.
pub fn drawable(value: f64) -> bool {
    value.abs() < 1e290
}

/// Least and greatest of some values.
pub fn extent(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
}

/// Ends far enough apart for ticks that differ.
fn widened(low: f64, high: f64) -> (f64, f64) {
    let size = low.abs().max(high.abs());
    if size < 1e-290 {
        (0.0, 1.0)
    } else if high - low <= 1e-9 * size {
        (low - 0.1 * size, high + 0.1 * size)
    } else {
        (low, high)
    }
}

/// The smallest of 1, 2, 5 times a power of ten that is no less than `raw` (positive), within rounding: mantissa and exponent.
fn step(raw: f64) -> (i64, i32) {
    let exponent = decimal_exponent(&format!("{raw:e}"));
    let fits = |mantissa: &i64| raw <= decimal(*mantissa, exponent) * (1.0 + 1e-9);
    [1, 2, 5].into_iter().find(fits).map_or((1, exponent + 1), |mantissa| (mantissa, exponent))
}

/// The double nearest to `mantissa` × 10^`exponent`, by reading it: `powi` is not the same on every platform.
fn decimal(mantissa: i64, exponent: i32) -> f64 {
    format!("{mantissa}e{exponent}").parse().expect("a whole number and an exponent are a number")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|(_, label)| label.as_str()).collect()
    }

    #[test]
    fn names_stand_at_the_whole_numbers_within_the_axis() {
        let axis = Axis::named(&["relu".into(), "tanh".into()]);
        assert_eq!(labels(&axis), ["relu", "tanh"]);
        assert_eq!([0.0, 1.0].map(|value| axis.fraction(value)), [0.25, 0.75]);
    }

    #[test]
    fn ticks_are_round_and_cover_the_values() {
        let axis = Axis::covering(0.2182, 0.4711, 5);
        assert_eq!(labels(&axis), ["0.2", "0.3", "0.4", "0.5"]);
        assert_eq!((axis.low, axis.high), (0.2, 0.5));
        assert_eq!(labels(&Axis::covering(0.0, 6742.0, 5)), ["0", "2000", "4000", "6000", "8000"]);
        let around = Axis::covering(-1.5e-7, 2e-7, 4);
        assert_eq!(labels(&around), ["−2·10⁻⁷", "−10⁻⁷", "0", "10⁻⁷", "2·10⁻⁷"]);
    }

    #[test]
    fn any_drawable_values_get_a_few_ticks_that_ascend() {
        let values =
            [0.0, 1.0, -1.0, 1e-300, -1e-310, 5e-324, 1e289, -9e289, 0.1, 0.1 + 1e-16, 1e15, 1e15 + 1.0, 1e-280];
        for low in values {
            for high in values.into_iter().filter(|&high| high >= low) {
                let axis = Axis::covering(low, high, 5);
                assert!((2..=9).contains(&axis.ticks.len()), "{low:e} {high:e}: {axis:?}");
                assert!(axis.ticks.windows(2).all(|pair| pair[0].0 < pair[1].0), "{low:e} {high:e}: {axis:?}");
                for value in [low, high] {
                    assert!((-1e-5..=1.0 + 1e-5).contains(&axis.fraction(value)), "{low:e} {high:e}: {axis:?}");
                }
            }
        }
        assert!(!drawable(f64::NAN) && !drawable(f64::INFINITY) && !drawable(-1e300) && drawable(-1e289));
    }

    #[test]
    fn logarithmic_ticks_cover_the_values() {
        let axis = Axis::covering_logarithmic(0.0229, 175.0, 7).unwrap();
        assert_eq!(labels(&axis), ["0.01", "0.1", "1", "10", "100", "1000"]);
        assert_eq!([0.01, 1000.0].map(|end| axis.fraction(end)), [0.0, 1.0]);
        assert!((axis.fraction(1.0) - 0.4).abs() < 1e-6);
        assert_eq!(labels(&Axis::covering_logarithmic(1.0, 1000.0, 7).unwrap()), ["1", "10", "100", "1000"]);
        assert_eq!(labels(&Axis::covering_logarithmic(2e-9, 0.7, 5).unwrap()), ["10⁻⁹", "10⁻⁶", "10⁻³", "1"]);
        assert_eq!(
            labels(&Axis::covering_logarithmic(0.0044, 0.131, 7).unwrap()),
            ["0.002", "0.005", "0.01", "0.02", "0.05", "0.1", "0.2"]
        );
        assert_eq!(labels(&Axis::covering_logarithmic(3e-6, 1e-5, 7).unwrap()), ["2·10⁻⁶", "5·10⁻⁶", "10⁻⁵"]);
        for (low, high) in [(1e-289, 9e289), (3.0, 3.1), (1e-7, 1e6)] {
            let axis = Axis::covering_logarithmic(low, high, 7).unwrap();
            assert!((2..=7).contains(&axis.ticks.len()) && axis.low <= low && high <= axis.high, "{axis:?}");
        }
        for (low, high) in [(0.0, 1.0), (-1.0, 1.0), (1.0, 1.0), (1e-300, 1.0), (1.0, f64::INFINITY)] {
            assert_eq!(Axis::covering_logarithmic(low, high, 7), None);
        }
    }

    #[test]
    fn epochs_are_whole_and_begin_with_one() {
        assert_eq!(labels(&Axis::epochs(1, 10)), ["1"]);
        assert_eq!(Axis::epochs(1, 10).fraction(1.0), 0.5);
        assert_eq!(labels(&Axis::epochs(4, 10)), ["1", "2", "3", "4"]);
        assert_eq!(labels(&Axis::epochs(14, 10)), ["1", "3", "5", "7", "9", "11", "13"]);
        assert_eq!(labels(&Axis::epochs(33, 10)), ["1", "5", "10", "15", "20", "25", "30"]);
        assert_eq!(
            labels(&Axis::epochs(1000, 10)),
            ["1", "100", "200", "300", "400", "500", "600", "700", "800", "900", "1000"]
        );
        assert_eq!(labels(&Axis::epochs(0, 0)), ["1"]);
    }
}
