//! The inversion study, made small by `--quick`: its figures keep their order, its report explains them, and a second call makes
//! what is missing.

use crate::support::Place;

fn nrmse(place: &Place, run: &str, part: &str, codes: &str) -> f64 {
    let json = place.json(&format!("study/runs/{run}/inversion.json"));
    json["parts"][part]["decoded"][codes]["nrmse"].as_f64().unwrap()
}

#[test]
fn the_quick_study_of_inversion_keeps_its_promises() {
    let Some(data) = crate::support::real_data() else { return };
    let place = Place::new();
    let data = data.to_str().unwrap();
    let call = ["study", "inversion", "--quick", "--out", "study", "--threads", "1", "--data-dir", data];
    let answer = place.narrows(&call).done();
    assert!(answer.stderr.contains("of training left"), "{}", answer.stderr);
    for run in ["full-batch", "thorough"] {
        let json = place.json(&format!("study/runs/{run}/inversion.json"));
        for part in ["train", "test"] {
            let own = &json["parts"][part]["own_output"];
            // Rounding in f32 costs some 1e-6 of the codes' norm, in f64 some 1e-15.
            assert!(own["f32"]["relative_error"].as_f64().unwrap() < 1e-4, "{own}");
            assert!(own["f64"]["relative_error"].as_f64().unwrap() < 1e-12, "{own}");
            let [optimal, encoder, walk] = ["optimal", "encoder", "walk"].map(|codes| nrmse(&place, run, part, codes));
            assert!(optimal <= encoder && encoder < walk, "{run}, {part}: {optimal}, {encoder}, {walk}");
        }
    }
    let errors = ["latent-2", "thorough", "latent-32"].map(|run| nrmse(&place, run, "test", "encoder"));
    assert!(errors[0] > errors[1] && errors[1] > errors[2], "a larger code leaves a smaller error: {errors:?}");
    let report = place.text("study/report.html");
    for words in [
        "Optimizer: Adam has the lowest test NRMSE of 5 choices",
        "Choosing the width",
        "every activation an inverse",
        "amortisation gap",
        "principal components",
        "is therefore a logit",
        "without that scaling it is",
        "without certificate",
    ] {
        assert!(report.contains(words), "{words}");
    }
    let test_nrmse = |run: &str| {
        let figure = &place.json(&format!("study/runs/{run}/metrics.json"))["evaluation"]["test"]["nrmse"];
        figure.as_f64().unwrap()
    };
    for other in ["rmsprop", "adagrad", "adadelta", "sgd"] {
        assert!(test_nrmse("full-batch") < test_nrmse(other), "Adam leads, before {other}");
        assert!(test_nrmse(other) <= test_nrmse("sgd"), "SGD is last, after {other}");
    }
    // What is there stays, what is missing is made, to the same bits.
    let before = place.sha256("study/runs/thorough/model.safetensors");
    std::fs::remove_dir_all(place.path("study/runs/thorough")).unwrap();
    let answer = place.narrows(&call).done();
    assert_eq!(answer.stderr.matches("finished before, kept").count(), 16, "{}", answer.stderr);
    assert_eq!(place.sha256("study/runs/thorough/model.safetensors"), before);
    place.refuses(
        &[&call[..], &["--seed", "7"]].concat(),
        2,
        &["seed of its run", "was 1 when it was begun, and is 7 now", "--out"],
    );
}
