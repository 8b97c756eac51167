//! Configurations of runs, studies, searches and workflows; one that is accepted reads back as itself, and its model fits images or says why not.
#![no_main]

use libfuzzer_sys::fuzz_target;
use narrows::config::Source;

const SHAPES: [[usize; 3]; 3] = [[28, 28, 1], [32, 32, 3], [1, 1, 5]];

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let Ok(source) = Source::parse(&text, "fuzz.toml") else { return };
    if let Ok(run) = source.clone().into_base_run() {
        let again = Source::parse(&run.to_toml(), "again.toml").and_then(Source::into_run);
        assert_eq!(again.as_ref(), Ok(&run), "{}", run.to_toml());
        for (model, image) in run.task.autoencoder().iter().flat_map(|model| SHAPES.map(|image| (model, image))) {
            let _ = model.lay_out(model.input(image)).map_err(|error| error.to_string());
        }
    }
    let _ = source.clone().quick().and_then(Source::into_study);
    let _ = source.clone().into_search();
    if let Ok(workflow) = source.clone().into_workflow() {
        let again = Source::parse(&workflow.to_toml(), "again.toml").and_then(Source::into_workflow);
        assert_eq!(again.as_ref(), Ok(&workflow), "{}", workflow.to_toml());
    }
    if let Ok(study) = source.into_study() {
        let again = Source::parse(&study.to_toml(), "again.toml").and_then(Source::into_study);
        assert_eq!(again.map(|again| again.runs()), Ok(study.runs()), "{}", study.to_toml());
    }
});
