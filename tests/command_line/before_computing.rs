//! What is wrong with a command is said before anything is computed, made or written over, and by the name that it was given.

use crate::support::{Place, TOYS, answer};

/// A folder with `toys`, a run of them in `run`, its codes, and a classifier.
fn trained() -> Place {
    let place = Place::with_toys();
    let split = "data.split={ train = 2, validation = 1, test = 1 }";
    place.narrows(&["train", "toys.toml", "--set", split, "--out", "run"]).done();
    place.narrows(&["encode", "run", "--out", "codes.npy"]).done();
    let classifier =
        ["task=classifier", "model={ encoder = [{ dense = 3 }] }", "train={ batch_size = 4, max_epochs = 1 }"];
    let settings = classifier.iter().flat_map(|setting| ["--set", setting]);
    place.narrows(&["train", "toys.toml", "--out", "judge"].into_iter().chain(settings).collect::<Vec<_>>()).done();
    place
}

#[test]
fn no_file_takes_the_place_of_another_or_of_one_that_is_read() {
    let place = trained();
    for command in [
        &["encode", "run", "--out", "a.npy", "--labels", "./a.npy"][..],
        &["encode", "run", "--images", "codes.npy", "--out", "codes.npy"],
        &["decode", "run", "codes.npy", "--out", "codes.npy"],
        &["sample", "run", "--fitted", "--out", "a.npy", "--codes", "a.npy"],
    ] {
        place.refuses(command, 2, &[".npy is named twice; files that differ are expected"]);
    }
    place.refuses(&["compare", "run", "./run"], 2, &["./run is named twice; runs that differ are expected"]);
    let png = "cannot write run/config.toml: a name that ends in .png is expected";
    place.refuses(&["reconstruct", "run", "--out", "run/config.toml"], 2, &[png]);
    for command in ["invert", "map"] {
        let twice = "--part names test twice; every part at most once is expected";
        place.refuses(&[command, "run", "--part", "test,train,test"], 2, &[twice]);
    }
    // The end of a name in any case.
    place.narrows(&["explore", "run", "--out", "PAGE.HTML"]).done();
    place.narrows(&["compare", "run", "judge", "--out", "BOTH.HTML"]).done();
}

#[test]
fn a_folder_that_cannot_be_made_is_refused_before_anything_is_computed() {
    let place = trained();
    place.write("file", b"mine");
    let (fidelity, map) =
        (["--features", "judge", "--fitted", "--count", "10"], ["--part", "train", "--perplexity", "2"]);
    for (command, more) in [
        ("invert", &[][..]),
        ("probe", &[]),
        ("map", &map),
        ("interpolate", &[]),
        ("export", &["--onnx"]),
        ("fidelity", &fidelity),
    ] {
        let answer = place.narrows(&[&[command, "run", "--out", "file/out"], more].concat());
        answer.refused(2, &["cannot create file/out", "with --out"]);
        assert_eq!((answer.stdout.as_str(), answer.stderr.lines().count()), ("", 1), "{command}: {}", answer.stderr);
    }
}

#[test]
fn what_a_run_needs_is_looked_for_before_its_folder_is_made() {
    let place = Place::with_toys();
    let train = |more: &[&'static str]| [&["train", "toys.toml"], more].concat();
    place.refuses(&train(&["--events", "no/e.jsonl"]), 2, &["cannot open no/e.jsonl", "is expected for --events"]);
    let begun = ["--set", "init_from=nowhere"];
    place.refuses(&train(&begun), 2, &["cannot take the weights of the run runs/nowhere"]);
    place.refuses(&train(&[&begun[..], &["--out", "out/run"]].concat()), 2, &["of the run out/nowhere"]);
    place.refuses(&train(&["--dry-run", "--events", "e.jsonl"]), 2, &["--dry-run", "--events"]);
    place.write("out/config.toml", b"mine");
    place.refuses(&train(&["--dry-run", "--out", "out"]), 2, &["out already holds results (config.toml)"]);
    place.refuses(&train(&["--events", "e.jsonl", "--out", "out"]), 2, &["out already holds results (config.toml)"]);
}

#[test]
fn data_of_a_later_part_are_looked_for_before_the_first_is_made() {
    let place = Place::with_toys();
    let absent = TOYS.replace("\"toys\"\nmerge", "\"mnist\"\nmerge");
    place.write("absent.toml", absent.as_bytes());
    let space = absent.replace("1e-3", "{ low = 1e-4, high = 1e-1 }").replace("[data]", "[search]\n[data]");
    place.write("space.toml", space.as_bytes());
    for last in ["absent", "space"] {
        let parts = format!("name = \"both\"\n[parts]\nfirst = \"toys.toml\"\nlast = \"{last}.toml\"\n");
        place.write("both.toml", parts.as_bytes());
        place.refuses(&["study", "both.toml"], 1, &["narrows data fetch mnist"]);
    }
    place.refuses(&["data", "fetch", "frey-face", "nope"], 2, &["nope"]);
}

#[test]
fn a_setting_of_a_part_is_named_as_it_was_typed() {
    let place = Place::with_toys();
    place.write("both.toml", b"name = \"both\"\n[parts]\na = \"toys.toml\"\n\"a.b\" = \"toys.toml\"\n");
    let study = |setting: &'static str| ["study", "both.toml", "--set", setting];
    place.refuses(&study("a.train.epochs=5"), 2, &["--set a.train.epochs: unknown key \"train.epochs\""]);
    place.refuses(&study("a.b.train.epochs=5"), 2, &["--set a.b.train.epochs: unknown key \"train.epochs\""]);
    place.refuses(&study("b.seed=5"), 2, &["--set b.seed=5", "(parts: a, a.b)"]);
    let parts = "name = \"both\"\n[parts]\nA = \"toys.toml\"\na = \"toys.toml\"\n";
    place.write("both.toml", parts.as_bytes());
    place.refuses(&study("a.seed=5"), 2, &["two parts are named \"a\"", "differ in more than their case"]);
    place.refuses(
        &["train", "footwear", "--set", "report.title=A"],
        2,
        &["--set report.title", "narrows study footwear"],
    );
}

#[test]
fn refusals_name_the_value_and_advise_what_is_accepted() {
    let place = trained();
    for (command, option) in
        [("sample", "--seed"), ("sample", "--count"), ("traverse", "--range"), ("map", "--perplexity")]
    {
        place.refuses(&[command, "run", option, "-1"], 2, &[&format!("invalid value '-1' for '{option} <")]);
    }
    for command in [
        &["encode", "run", "--images", "nope.npy", "--out", "a.npy"][..],
        &["decode", "run", "nope.npy", "--out", "a.npy"],
    ] {
        place.refuses(command, 2, &["nope.npy: there is no such file; an NPY file is expected"]);
    }
    let both = ["encode", "run", "--images", "toys", "--out", "a.npy", "--labels", "b.npy"];
    place.refuses(&both, 2, &["'--images <PATH>' cannot be used with '--labels <FILE.npy>'"]);
    let wide = ["train", "toys.toml", "--out", "wide", "--set", "model.encoder=[{ dense = 16 }]"];
    place.narrows(&wide).done();
    let fit = "cannot draw 1600 images in one picture: at most 1500 fit; fewer --steps are accepted";
    place.refuses(&["traverse", "wide", "--steps", "100"], 2, &[fit]);
    place.narrows(&["invert", "--help"]).done().says(&["[default: train,test]"]);
    place.narrows(&["study", "--help"]).done().says(&["PART.train.max_epochs=5", "of a workflow runs/NAME"]);
    // What the program would choose is not said of what a setting chose.
    let chosen = place.narrows(&["train", "--set", "data.set=frey-face"]);
    assert_eq!((chosen.code, chosen.stdout.as_str()), (Some(1), ""));
    let foreign = place.narrows(&["eval", "run", "--gemm", "matrixmultiply", "--json"]).done();
    assert!(foreign.stderr.contains("outside the bit contract"), "{}", foreign.stderr);
}

#[cfg(unix)]
#[test]
fn paths_of_other_bytes_than_text_are_written_and_told() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let place = trained();
    let space = TOYS.replace("1e-3", "{ low = 1e-4, high = 1e-1 }").replace("[data]", "[search]\ntrials = 2\n[data]");
    place.write("space.toml", space.as_bytes());
    let told = |arguments: &[&str], path: &[u8]| {
        let answer = answer(place.command(arguments).arg(OsStr::from_bytes(path)).arg("--json")).done();
        serde_json::from_str::<serde_json::Value>(&answer.stdout).unwrap()
    };
    assert_eq!(told(&["explore", "run", "--out"], b"\xff.html")["file"], "\u{fffd}.html");
    assert_eq!(told(&["export", "run", "--onnx", "--out"], b"\xff")["files"][0], "\u{fffd}/encoder.onnx");
    assert_eq!(told(&["search", "space.toml", "--out"], b"s\xff")["folder"], "s\u{fffd}");
    assert_eq!(told(&["search", "--resume"], b"s\xff")["folder"], "s\u{fffd}");
}
