//! How values are written and read.

use narrows::config::{RunConfig, Source, preset};

fn run(setting: &str) -> Result<RunConfig, String> {
    let source = preset("footwear").unwrap().source().and_then(|source| source.set(setting));
    source.and_then(Source::into_base_run).map_err(|error| error.to_string())
}

#[test]
fn numbers_are_read_in_every_notation() {
    for (text, seed) in [("1_000", 1000), ("0x10", 16), ("+7", 7)] {
        assert_eq!(run(&format!("seed={text}")).unwrap().seed, seed);
    }
    for (text, l1) in [("1e-6", 1e-6), ("1_0.5", 10.5), ("3", 3.0)] {
        assert_eq!(
            run(&format!("model.code_penalty.l1={text}")).unwrap().task.autoencoder().unwrap().code_penalty.l1,
            l1
        );
    }
    assert!(run("seed=99999999999999999999").unwrap_err().contains("is the integer 99999999999999999999;"));
    assert!(run("model.code_penalty.l1=-inf").unwrap_err().contains("is -inf;"));
}

#[test]
fn floats_are_short_and_read_back_as_the_same_number() {
    for text in ["0.0", "1e-4", "1e-6", "0.01", "0.2", "1.0", "1e300", "0.001234"] {
        let run = run(&format!("model.code_penalty.l1={text}")).unwrap();
        assert_eq!(run.task.autoencoder().unwrap().code_penalty.l1.to_bits(), text.parse::<f64>().unwrap().to_bits());
        assert!(run.to_toml().contains(&format!("{{ l1 = {text}, ")), "{}", run.to_toml());
    }
}

#[test]
fn a_setting_is_toml_or_else_a_string() {
    for (text, set) in
        [("fashion-mnist", "fashion-mnist"), ("\"64\"", "64"), ("a/b c = d", "a/b c = d"), ("1 2", "1 2")]
    {
        assert_eq!(run(&format!("data.set={text}")).unwrap().data.set, set);
    }
    for (text, found) in [("64", "the integer 64"), ("true", "the boolean true"), ("[1, 2]", "an array")] {
        assert!(run(&format!("data.set={text}")).unwrap_err().contains(&format!("is {found};")), "{text}");
    }
    assert!(run("data.set=").unwrap_err().contains("is the string \"\";"));
    assert!(run("data.set=[1, 2").unwrap_err().starts_with("--set data.set: this is not TOML: "));
}

#[test]
fn long_strings_are_shortened_in_messages() {
    assert!(run(&format!("seed={}", "x".repeat(10_000))).unwrap_err().len() < 200);
}
