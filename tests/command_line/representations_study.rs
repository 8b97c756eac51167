//! The study of representations: every kind of autoencoder does what it is for, and the report shows it.

use std::collections::BTreeMap;

use crate::support::Place;

/// The rows of a CSV file by their first column, each value by its column.
fn table(text: &str) -> BTreeMap<String, BTreeMap<String, f64>> {
    let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = lines.next().unwrap();
    let row = |fields: Vec<&str>| {
        assert_eq!(fields.len(), header.len());
        let values = header.iter().zip(&fields).skip(1).map(|(column, field)| {
            let value = if field.is_empty() { f64::NAN } else { field.parse().unwrap() };
            (column.to_string(), value)
        });
        (fields[0].to_owned(), values.collect())
    };
    lines.map(row).collect()
}

#[test]
fn the_quick_study_of_representations_shows_what_each_kind_is_for() {
    let Some(data) = crate::support::real_data() else { return };
    let place = Place::new();
    let data = data.to_str().unwrap();
    place
        .narrows(&["study", "representations", "--quick", "--out", "study", "--threads", "1", "--data-dir", data])
        .done()
        .says(&["codes.csv"]);
    let codes = table(&place.text("study/codes.csv"));
    let test = |run: &str| place.json(&format!("study/runs/{run}/metrics.json"))["evaluation"]["test"].clone();

    // A contractive code moves less than that of the same model without the penalty, and the less the larger its weight.
    let jacobians = |runs: &[&str]| runs.iter().map(|run| codes[*run]["mean_jacobian_norm"]).collect::<Vec<f64>>();
    for runs in [
        &["plain-sigmoid", "contractive"][..],
        &["plain", "contractive-relu-5", "contractive-relu", "contractive-relu-3", "contractive-relu-2"],
    ] {
        let found = jacobians(runs);
        assert!(found.windows(2).all(|pair| pair[1] < pair[0]), "{runs:?}: {found:?}");
    }
    // A sparse code is drawn to small values.
    for (with, without) in [("sparse", "plain-sigmoid"), ("sparse-relu", "plain")] {
        let [with, without] = [with, without].map(|run| test(run)["code_l1"].as_f64().unwrap());
        assert!(with < without, "{with} against {without}");
    }
    // The more noise is learnt, the more of it is undone.
    let gains = ["denoising-1", "denoising-3", "denoising-5"].map(|run| {
        let figures = test(run)["denoising"].clone();
        figures["psnr"].as_f64().unwrap() - figures["noisy_psnr"].as_f64().unwrap()
    });
    assert!(gains[1] > 0.0 && gains[2] > gains[1] && gains[1] > gains[0], "{gains:?}");
    // Ten classes can be read from every code; the ends of an interpolation are what they are by definition, nothing else is.
    // In a few hundred steps the convolutional code that is contracted from the start learns nothing.
    let is_alive = |run: &str| !["collapsed", "conv-contractive"].contains(&run);
    for (run, row) in codes.iter().filter(|(run, _)| is_alive(run) && !run.starts_with("vae")) {
        assert!(row["test_accuracy"] > 0.7, "{run}: {row:?}");
    }
    for (run, row) in codes.iter().filter(|(run, _)| is_alive(run)) {
        for (alpha, is_end) in
            [("0", true), ("0.2", false), ("0.4", false), ("0.6", false), ("0.8", false), ("1", true)]
        {
            assert_eq!(row[&format!("psnr_{alpha}")] == f64::INFINITY, is_end, "{run} at {alpha}");
            assert_eq!(row[&format!("distance_{alpha}")] == 0.0, is_end, "{run} at {alpha}");
        }
    }
    // A decoder that ignores its code shows the published pattern: equal images, codes that differ, an error above the mean image's.
    let collapsed = &codes["collapsed"];
    for alpha in ["0.2", "0.4", "0.6", "0.8"] {
        for psnr in ["image_psnr", "psnr"] {
            assert_eq!(collapsed[&format!("{psnr}_{alpha}")], f64::INFINITY, "{psnr}, {alpha}");
        }
        assert!(collapsed[&format!("code_distance_{alpha}")] > 1.0, "{alpha}");
    }
    // The convolutional code of the sparse model is smaller too, that of the contractive one moves less.
    let [with, without] = ["conv-sparse", "conv-plain-sigmoid"].map(|run| test(run)["code_l1"].as_f64().unwrap());
    assert!(with < without, "{with} against {without}");
    let found = jacobians(&["conv-plain", "conv-contractive-relu"]);
    assert!(found[1] < found[0], "{found:?}");
    // Maps keep neighbours: those of t-SNE better than principal components.
    let maps = place.text("study/maps.csv");
    let trust = |run: &str, map: &str| {
        let row = maps.lines().find(|line| line.starts_with(&format!("{run},{map},"))).unwrap();
        row.split(',').nth(4).unwrap().parse::<f64>().unwrap()
    };
    for run in ["sparse", "contractive-relu", "conv-sparse", "conv-contractive-relu"] {
        assert!(trust(run, "t-sne,1000") > trust(run, "pca"), "{run}");
    }
    // Held-out faces cost more than the entropy of their pixels, 336.9 nats, and less than a mean face.
    let elbo = test("vae")["elbo"]["negative_elbo"].as_f64().unwrap();
    assert!(elbo > 336.9 && elbo < 360.0, "{elbo}");

    let report = place.text("study/report.html");
    for words in [
        "What the contractive penalty changes",
        "drawn from N(0, I)",
        "α = 0.2",
        " nats, inactive)",
        "principal component",
        "denoising-1 makes its images worse",
        "Training loss after some epochs",
        "collapsed has a decoder that ignores its code",
        "plain, given the same",
        "t-SNE of 3,000 test codes, 1,000 iterations",
        "Variational runs. β",
        "Does the divergence keep vae from overfitting?",
        "vae-random holds out samples one by one, vae blocks of 25",
        "The weight λ of the contractive penalty on plain",
        "frey-face, divided in blocks of 25",
    ] {
        assert!(report.contains(words), "{words}");
    }
    // Every run has its reconstructions, and the inputs of those that undo noise stand above theirs.
    for run in codes.keys() {
        assert!(report.contains(&format!("<th scope=\"row\">{run}</th><td><img")), "{run}");
    }
    assert!(report.contains("noisy, for denoising-5"));
    // 3,000 images are no comparison for figures of 60,000.
    assert!(!report.contains("published, convolutional") && !report.contains("PyTorch 2.15"));
}
