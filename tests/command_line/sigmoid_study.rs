//! The sigmoid study: the chosen settings learn, the dead ones do not, and the report says why.

use crate::support::Place;

#[test]
fn the_quick_sigmoid_study_tells_the_living_from_the_dead() {
    let Some(data) = crate::support::real_data() else { return };
    let place = Place::new();
    let data = data.to_str().unwrap();
    place.narrows(&["study", "sigmoid", "--quick", "--out", "study", "--threads", "1", "--data-dir", data]).done();
    let mse = |run: &str| {
        let metrics = place.json(&format!("study/runs/{run}/metrics.json"));
        metrics["evaluation"]["test"]["mse"].as_f64().unwrap()
    };
    // A constant image scores 0.0675; the quick edition sees an eighth of the images.
    for run in ["mse", "cross-entropy", "convolutional"] {
        assert!(mse(run) < 0.05, "{run}: {}", mse(run));
    }
    for run in ["dead-mse", "dead-cross-entropy"] {
        assert!(mse(run) > 0.065, "{run}: {}", mse(run));
    }
    // The slopes whose product the report prints stand in a file beside it, of the same bits.
    let text = place.text("study/saturation.csv");
    let rows: Vec<Vec<&str>> = text.lines().skip(1).map(|line| line.split(',').collect()).collect();
    let facts = crate::support::facts(&place.text("study/report.html"));
    for course in facts["saturation"].as_array().unwrap() {
        let run = course["run"].as_str().unwrap();
        let passed: f64 = rows
            .iter()
            .filter(|row| (row[0], row[2], row[5]) == (run, "0", "true"))
            .map(|row| row[4].parse::<f64>().unwrap())
            .product();
        assert_eq!(passed, course["passed"][0].as_f64().unwrap(), "{run}");
        assert!(rows.iter().any(|row| row[0] == run && row[6].parse::<f64>().unwrap() > 0.0), "{run}");
    }
    let report = place.text("study/report.html");
    assert_eq!(
        report.matches("is not better than the mean training image by a difference that counts: its test MSE").count(),
        2
    );
    for words in [
        "Share of saturated units in each layer",
        "product of the slopes",
        "moved in the first epoch",
        "after 20 steps",
        "normal distribution of standard deviation 0.1, biases too",
    ] {
        assert!(report.contains(words), "{words}");
    }
}
