//! When two figures differ, and how that is said.

use crate::figures::number::significant;

/// How a figure stands to another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Verdict {
    /// By more than the floor.
    Lower,
    /// By more than the floor.
    Higher,
    /// By no more than the floor.
    Same,
    /// One of them is not finite.
    Unknown,
}

/// How `value` stands to `reference`, when a difference counts from the share `floor` of the reference on.
pub(crate) fn verdict(value: f64, reference: f64, floor: f64) -> Verdict {
    if !value.is_finite() || !reference.is_finite() {
        Verdict::Unknown
    } else if (value - reference).abs() <= floor * reference.abs() {
        Verdict::Same
    } else if value < reference {
        Verdict::Lower
    } else {
        Verdict::Higher
    }
}

/// The distance of `value` from `reference`: "1.2 %", or "a factor of 2.3"; `None` from zero.
pub(crate) fn distance(value: f64, reference: f64) -> Option<String> {
    let share = (value - reference).abs() / reference.abs();
    match share.is_finite() {
        true if value / reference >= 2.0 => Some(format!("a factor of {}", significant(value / reference, 2))),
        true => Some(percent(share)),
        false => None,
    }
}

/// A share in percent, with as many digits as a reader can use.
pub(crate) fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    match percent.abs() {
        0.0 => "0 %".into(),
        size if size < 0.01 => "less than 0.01 %".into(),
        size if size < 1.0 => format!("{percent:.2} %"),
        size if size < 10.0 => format!("{percent:.1} %"),
        _ => format!("{percent:.0} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_turn_with_the_order_and_know_ties_and_what_is_no_number() {
        assert_eq!(verdict(1.0, 2.0, 0.005), Verdict::Lower);
        assert_eq!(verdict(2.0, 1.0, 0.005), Verdict::Higher);
        assert_eq!(verdict(1.0, 1.0, 0.0), Verdict::Same);
        assert_eq!(verdict(1.004, 1.0, 0.005), Verdict::Same);
        assert_eq!(verdict(1.006, 1.0, 0.005), Verdict::Higher);
        assert_eq!(verdict(0.0, 0.0, 0.0), Verdict::Same);
        assert_eq!(verdict(-2.0, -1.0, 0.005), Verdict::Lower);
        for (value, reference) in [(f64::NAN, 1.0), (1.0, f64::NAN), (f64::INFINITY, f64::INFINITY)] {
            assert_eq!(verdict(value, reference, 0.005), Verdict::Unknown);
        }
    }

    #[test]
    fn distances_are_percent_up_to_double_and_factors_beyond() {
        assert_eq!(distance(0.99, 1.0).unwrap(), "1.0 %");
        assert_eq!(distance(1.5, 1.0).unwrap(), "50 %");
        assert_eq!(distance(2.3, 1.0).unwrap(), "a factor of 2.3");
        assert_eq!(distance(1.00001, 1.0).unwrap(), "less than 0.01 %");
        assert_eq!(distance(1.0, 0.0), None);
        assert_eq!(percent(0.00456), "0.46 %");
    }
}
