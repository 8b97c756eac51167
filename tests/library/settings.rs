//! What values are held to, as data and as words.

use narrows::config::{ReportConfig, RunConfig, Source, preset};
use narrows::data::Corruption;
use narrows::nn::{Activation, dense};
use narrows::search::SearchSettings;
use narrows::settings::*;

#[test]
fn ranges_accept_their_closed_ends_and_no_others() {
    let (above, below) = (f64::MIN_POSITIVE, 1.0 - f64::EPSILON / 2.0);
    for (range, accepted, refused) in [
        (Range::FINITE, [f64::MIN, f64::MAX], [f64::NEG_INFINITY, f64::INFINITY]),
        (Range::ABOVE_ZERO, [above, f64::MAX], [0.0, f64::INFINITY]),
        (Range::NOT_NEGATIVE, [0.0, f64::MAX], [-above, f64::INFINITY]),
        (Range::BELOW_ONE, [0.0, below], [-above, 1.0]),
        (Range::INSIDE, [above, below], [0.0, 1.0]),
        (Range::PROBABILITY, [0.0, 1.0], [-above, 1.0 + f64::EPSILON]),
    ] {
        assert!(accepted.into_iter().all(|value| range.accepts(value)), "{range:?}");
        assert!(refused.into_iter().all(|value| !range.accepts(value)), "{range:?}");
        assert!(!range.accepts(f64::NAN), "{range:?}");
    }
    assert!(at_least(1).accepts(1) && !at_least(1).accepts(0) && !at_least(1).accepts(1 << 32));
}

#[test]
fn a_value_out_of_its_range_is_named_wherever_it_stands() {
    let run = preset("footwear").unwrap().source().and_then(Source::into_base_run).unwrap();
    assert_eq!(check(&mut run.clone()), Ok(()));
    for (change, expected) in [
        (
            (|run| run.seed = u64::MAX) as fn(&mut RunConfig),
            "\"seed\" is 18446744073709551615; accepted: an integer from 0 to ",
        ),
        (|run| run.train.batch_size = 0, "\"train.batch_size\" is 0; accepted: an integer from 1 to 4294967295"),
        (
            |run| run.task.autoencoder_mut().unwrap().code_penalty.l1 = f64::NAN,
            "\"model.code_penalty.l1\" is NaN; accepted: a finite number",
        ),
        (|run| run.task.autoencoder_mut().unwrap().encoder.clear(), "\"model.encoder\" is a list of 0; accepted: "),
        (
            |run| run.task.autoencoder_mut().unwrap().encoder.push(dense(1 << 21, Activation::Relu)),
            "\"model.encoder.2.dense\" is 2097152; accepted: a number of units from 1 to",
        ),
        (
            |run| run.task.autoencoder_mut().unwrap().corruption = Some(Corruption::Masking { rate: 2.0 }),
            "\"model.corruption.masking\" is 2; accepted: ",
        ),
        (|run| run.data.variable = Some(String::new()), "\"data.variable\" is \"\"; accepted: the name of an array"),
        (|run| run.data.merge = false, "\"data.split.test\" is the integer 1 while data.merge is false; accepted: "),
    ] {
        let mut run = run.clone();
        change(&mut run);
        let said = check(&mut run).expect_err(expected).to_string();
        assert!(said.starts_with(expected), "{said}\ndoes not begin\n{expected}");
    }
    let mut report = ReportConfig { best: vec![("a".to_owned(), vec![String::new()])], ..ReportConfig::default() };
    let said = check(&mut report).unwrap_err().to_string();
    assert_eq!(said, "\"best.0.0\" is \"\"; accepted: the name of a run, as a string");
    // Behind a list of words.
    let said = check(&mut SearchSettings { window: 0, ..SearchSettings::default() }).unwrap_err().to_string();
    assert_eq!(said, "\"window\" is 0; accepted: an integer from 1 to 1024");
}

#[test]
fn alternatives_have_names_and_become_each_other() {
    let mut corruption = Corruption::default();
    assert_eq!((Corruption::NAMES, corruption.words()), (&["gaussian", "masking", "salt-and-pepper"][..], 0));
    corruption.choose(1);
    assert_eq!((corruption.name(), corruption.chosen(), corruption), ("masking", 1, Corruption::Masking { rate: 0.3 }));
}
