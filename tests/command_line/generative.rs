//! Runs that make images or learn from pairs of them, and what they are measured by.

use crate::output::printed;
use crate::support::Place;

const DATA: &str = r#"
[data]
set = "footwear"
merge = true
per_class = 60
split = { train = 4, validation = 1, test = 1 }
[optimizer]
name = "adam"
"#;

const GAN: &str = r#"
[model]
latent = 6
generator = [{ dense = 98, activation = "relu" }, { reshape = [7, 7, 2] }, { conv-transpose = 1, kernel = 4, stride = 4, activation = "sigmoid" }]
discriminator = [{ conv = 5, kernel = 4, stride = 4, activation = "leaky-relu", slope = 0.2 }, { dense = 1 }]
"#;

const PAIRS: &str = r#"
[model]
encoder = [{ conv = 6, stride = 3, activation = "relu" }, { dense = 8, activation = "relu" }]
head = [{ dense = 5 }]
augmentation = { shift = 2, flip = true }
"#;

const CLASSIFIER: &str = "[model]\nencoder = [{ dense = 12, activation = \"relu\" }]\n";

const VARIATIONAL: &str = r#"
[model]
encoder = [{ dense = 20, activation = "relu" }, { dense = 4 }]
decoder = [{ dense = "input", activation = "sigmoid" }]
variational = {}
"#;

/// A folder with a run of each of these tasks, under the task's name.
fn place(runs: &[(&str, &str)]) -> Place {
    let place = Place::new();
    for (task, model) in runs {
        let loss = if *task == "autoencoder" { "loss = \"bce\"" } else { "" };
        let train = format!("[train]\n{loss}\nbatch_size = 20\nmax_epochs = 3\n");
        let text = format!("name = \"{task}\"\ntask = \"{task}\"\nseed = 4\n{DATA}{train}{model}");
        place.write("run.toml", text.as_bytes());
        place.narrows(&["train", "run.toml", "--out", task]).done();
    }
    place
}

#[test]
fn gans_leave_pictures_of_their_epochs_and_are_measured_beside_training_images() {
    let place = place(&[("gan", GAN), ("classifier", CLASSIFIER), ("autoencoder", VARIATIONAL), ("simclr", PAIRS)]);
    let history = place.text("gan/history.csv");
    let header = history.lines().next().unwrap();
    assert!(header.ends_with("generator_loss,d_real,d_fake,diversity"), "{header}");
    for picture in ["samples.png", "epochs.png", "loss.png"] {
        assert!(place.read(&format!("gan/{picture}")).starts_with(b"\x89PNG"), "{picture}");
    }
    let snapshot = |epoch: usize| place.sha256(&format!("gan/epochs/000{epoch}.npy"));
    assert!(snapshot(1) != snapshot(2) && snapshot(2) != snapshot(3));
    let test = &place.json("gan/metrics.json")["evaluation"]["test"];
    let figure = |key: &str| test[key].as_f64().unwrap();
    assert!(
        ["d_real", "d_fake"].iter().all(|key| (0.0..=1.0).contains(&figure(key))) && figure("diversity") > 0.0,
        "{test}"
    );

    let said = place.narrows(&["sample", "gan", "--count", "20", "--out", "made.npy", "--codes", "noise.npy"]).done();
    assert!(said.stdout.contains("20 images of codes drawn from N(0, I), seed 1"), "{}", said.stdout);
    for run in ["gan", "autoencoder"] {
        let printed = printed(&place, "fidelity", &["fidelity", run, "--features", "classifier", "--count", "30"]);
        let found = place.json(&format!("{run}/fidelity.json"));
        assert_eq!(printed, found);
        assert_eq!(found["features"]["model_sha256"], place.sha256("classifier/model.safetensors").as_str());
        let [made, floor] = ["made", "training_images"].map(|of| found[of]["frechet"].as_f64().unwrap());
        assert!(made > floor && floor > 0.0, "{found}");
        let floor = found["training_images"]["precision"].as_f64().unwrap();
        assert!(floor > 0.3, "training images lie among test images: {found}");
        assert!(place.read(&format!("{run}/nearest.png")).starts_with(b"\x89PNG"));
    }
    place.narrows(&["sample", "autoencoder", "--by-class", "--out", "classes.png"]).done();
    // The same images from a file have the same figures; beside whichever run of the data they are measured.
    place.narrows(&["sample", "gan", "--count", "30", "--out", "thirty.npy"]).done();
    let file = ["fidelity", "classifier", "--features", "classifier", "--images", "thirty.npy", "--out", "file"];
    place.narrows(&[&file[..], &["--count", "30"]].concat()).done().says(&["30 images of thirty.npy"]);
    let (given, drawn) = (place.json("file/fidelity.json"), place.json("gan/fidelity.json"));
    assert_eq!(given["made"], drawn["made"]);
    assert_eq!((&given["file"], &given["drawn_from"]), (&"thirty.npy".into(), &serde_json::Value::Null));
    place.refuses(&[&file[..], &["--fitted"]].concat(), 2, &["cannot be used with"]);
    place.refuses(&["fidelity", "gan", "--features", "classifier", "--images", "absent.npy"], 2, &["absent.npy"]);
    place.narrows(&["sample", "gan", "--count", "3", "--out", "three.npy"]).done();
    place.refuses(
        &["fidelity", "gan", "--features", "classifier", "--images", "three.npy"],
        2,
        &["cannot compare 3 images: more than 3 are needed"],
    );
    place.refuses(
        &["fidelity", "gan", "--features", "autoencoder"],
        2,
        &["the run of a classifier of images of 784 values is expected"],
    );
    place.refuses(&["sample", "simclr"], 2, &["the task \"simclr\", which has no decoder"]);
    place.refuses(&["sample", "gan", "--fitted"], 2, &["which has no decoder"]);

    assert!(place.read("simclr/views.png").starts_with(b"\x89PNG"));
    place.narrows(&["probe", "simclr", "--beside", "--labels", "30,60"]).done();
    let probe = place.json("simclr/probe.json");
    let others: Vec<(String, u64)> = probe["others"]
        .as_array()
        .unwrap()
        .iter()
        .map(|other| {
            assert!(other["test_accuracy"].as_f64().unwrap() > 0.4, "three classes of footwear: {other}");
            (other["features"].as_str().unwrap().to_owned(), other["labels"].as_u64().unwrap())
        })
        .collect();
    let untrained = "the encoder with random weights";
    let expected = [
        ("codes", 30),
        ("codes", 60),
        (untrained, 30),
        (untrained, 60),
        (untrained, 120),
        ("pixels", 30),
        ("pixels", 60),
        ("pixels", 120),
    ];
    assert_eq!(others, expected.map(|(features, labels)| (features.to_owned(), labels)));
    place.refuses(&["probe", "simclr", "--labels", "31"], 2, &["a multiple of 3"]);
}
