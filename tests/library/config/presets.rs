//! The configurations that are compiled in, for a person to run, copy and edit.

use narrows::config::*;

#[test]
fn every_preset_is_what_it_says() {
    for preset in presets() {
        let source = preset.source().unwrap();
        if preset.name == "search" {
            let search = source.clone().into_search().unwrap();
            assert_eq!(search.middle_run().unwrap().name, preset.name);
            for error in [source.clone().into_base_run().unwrap_err(), source.into_study().unwrap_err()] {
                assert!(error.to_string().contains("narrows search"), "{error}");
            }
            continue;
        }
        if source.is_workflow() {
            let workflow = source.clone().into_workflow().unwrap();
            assert_eq!(workflow.name, preset.name);
            assert!(workflow.parts.iter().all(|(_, part)| self::preset(part).is_ok()));
            assert_eq!(Source::parse(&workflow.to_toml(), "again").unwrap().into_workflow().unwrap(), workflow);
            for error in [source.clone().into_base_run().unwrap_err(), source.into_study().unwrap_err()] {
                assert!(error.to_string().contains("[parts] makes this"), "{error}");
            }
            continue;
        }
        assert_eq!(
            source.clone().into_run().is_err(),
            !["classifier", "conv", "gan", "mnist", "simclr", "variational-conv"].contains(&preset.name),
            "{}",
            preset.name
        );
        assert_eq!(source.clone().into_base_run().unwrap().name, preset.name);
        assert_eq!(*source.into_study().unwrap().base_run(), preset.source().unwrap().into_base_run().unwrap());
    }
}

#[test]
fn an_unknown_preset_names_the_nearest_and_all() {
    let said = |name: &str| preset(name).unwrap_err().to_string();
    let all = presets().iter().map(|preset| preset.name).collect::<Vec<_>>().join(", ");
    let near = "there is no preset \"footwaer\" (did you mean \"footwear\"?); the presets are ";
    assert_eq!(said("footwaer"), format!("{near}{all}"));
    assert_eq!(said("zebra"), format!("there is no preset \"zebra\"; the presets are {all}"));
}

#[test]
fn a_setting_of_the_report_has_no_meaning_for_a_single_run() {
    let source = preset("footwear").unwrap().source().unwrap().set("report.title=A").unwrap();
    let error = source.into_base_run().unwrap_err().to_string();
    let expected = "--set report.title: this is a single run, which has no [report]; accepted: keys of a run, or the study with \
                    \"narrows study footwear\"";
    assert_eq!(error, expected);
}
