//! Every refusal is a sentence with the right exit code, and leaves every file and folder as it was.
//!
//! Exit codes: 1 the run failed (damaged data among that), 2 the command line or the configuration is wrong.

use std::fs;

use crate::support::{Place, TOYS, gzip, idx};

/// Writes `toys.toml` with `from` replaced by `to`, and returns the line it stands on.
fn change(place: &Place, from: &str, to: &str) -> String {
    assert!(TOYS.contains(from), "{from} is not in the configuration");
    let text = TOYS.replace(from, to);
    let line = TOYS.lines().position(|line| line.contains(from)).unwrap() + 1;
    place.write("toys.toml", text.as_bytes());
    format!("toys.toml:{line}:")
}

const IMAGES: &str = "toys/train-images-idx3-ubyte";
const LABELS: &str = "toys/train-labels-idx1-ubyte";
const TRAIN: [&str; 4] = ["train", "toys.toml", "--out", "out"];
const STUDY: [&str; 4] = ["study", "toys.toml", "--out", "out"];

/// Asserts that both `train` and `study` refuse the configuration `toys.toml`.
#[track_caller]
fn both_refuse(place: &Place, code: i32, words: &[&str]) {
    place.refuses(&TRAIN, code, words);
    place.refuses(&STUDY, code, words);
}

#[test]
fn the_configuration_that_the_refusals_start_from_is_accepted() {
    let place = Place::with_toys();
    place.narrows(&TRAIN).done();
    assert!(place.path("out/model.safetensors").is_file());
}

#[test]
fn what_a_newcomer_mistakes_is_answered_with_what_to_do() {
    let place = Place::with_toys();
    place.narrows(&TRAIN).done();
    place.refuses(&["train", "out"], 2, &["cannot read out: it is a folder", "narrows train --resume out"]);
    for command in [&["train", "toys.toml"][..], &["eval", "out"], &["data", "list"], &["study", "toys.toml"]] {
        place.refuses(&[command, &["--data-dir", "absent"]].concat(), 2, &["--data-dir absent is no folder"]);
    }
    std::fs::rename(place.path("out"), place.path("my out")).unwrap();
    place.refuses(&["train", "my out"], 2, &["`narrows train --resume 'my out'` goes on"]);
    let wide = "model.encoder=[{ dense = 1048576 }, { dense = 1048576 }]";
    for command in [TRAIN, STUDY] {
        let words = ["\"model\" is a network of 1,099,5", "which take 17", " GB of memory that are free"];
        place.refuses(&[&[command[0], command[1], "--out", "wide", "--set", wide][..]].concat(), 2, &words);
    }
}

#[test]
fn a_configuration_that_is_not_there_is_named() {
    let place = Place::new();
    for command in ["train", "study"] {
        place.refuses(&[command, "absent.toml"], 2, &["cannot read", "absent.toml", "preset", "footwear"]);
        place.refuses(&[command, "folder/absent"], 2, &["cannot read", "folder/absent"]);
    }
    place.write("folder.toml/file", b"");
    place.refuses(&["train", "folder.toml"], 2, &["cannot read", "folder.toml"]);
    place.write("bytes.toml", &[0xff, 0xfe]);
    place.refuses(&["train", "bytes.toml"], 2, &["bytes.toml", "UTF-8"]);
    place.write("text.toml", b"name = \n");
    place.refuses(&["train", "text.toml"], 2, &["text.toml:1", "not TOML"]);
}

#[test]
fn a_preset_that_does_not_exist_names_the_nearest() {
    let place = Place::new();
    for command in [&["train", "footwaer"][..], &["study", "footwaer"], &["config", "show", "footwaer"]] {
        place.refuses(command, 2, &["no preset \"footwaer\"", "did you mean \"footwear\"?"]);
    }
}

#[test]
fn a_key_that_is_not_known_names_its_line_and_the_nearest() {
    let place = Place::with_toys();
    let at = change(&place, "batch_size = 4", "batchsize = 4");
    both_refuse(&place, 2, &[&at, "unknown key \"train.batchsize\"", "did you mean \"train.batch_size\"?"]);
    place.refuses(
        &["train", "mnist", "--set", "train.epochs=3"],
        2,
        &["--set train.epochs", "unknown key \"train.epochs\"", "max_epochs"],
    );
}

#[test]
fn values_of_the_wrong_type_or_out_of_range_name_what_is_accepted() {
    for (from, to, words) in [
        (
            "batch_size = 4",
            "batch_size = \"four\"",
            ["\"train.batch_size\" is the string \"four\"", "an integer from 1"],
        ),
        ("batch_size = 4", "batch_size = 0", ["\"train.batch_size\" is the integer 0", "an integer from 1"]),
        ("= 1e-3", "= nan", ["\"optimizer.learning_rate\" is nan", "a finite number above 0"]),
        ("= 1e-3", "= -1.0", ["\"optimizer.learning_rate\" is the float -1.0", "a finite number above 0"]),
        ("merge = true", "merge = \"yes\"", ["\"data.merge\" is the string \"yes\"", "true or false"]),
        ("\"bce\"", "\"bec\"", ["\"train.loss\" is the string \"bec\"", "did you mean \"bce\"?"]),
    ] {
        let place = Place::with_toys();
        let at = change(&place, from, to);
        both_refuse(&place, 2, &[&at, words[0], words[1]]);
    }
}

#[test]
fn arguments_that_mean_nothing_are_refused() {
    let place = Place::with_toys();
    let with = |more: &[&'static str]| [&TRAIN[..], more].concat();
    place.refuses(&with(&["--threads", "0"]), 2, &["--threads", "a whole number from 1 to 1024 is expected"]);
    place.refuses(&with(&["--set", "train.batch_size"]), 2, &["\"train.batch_size\" is not a setting", "KEY=VALUE"]);
    place.refuses(&with(&["--set", "=4"]), 2, &["\"=4\" is not a setting", "KEY=VALUE"]);
    place.refuses(&with(&["--seed", "-1"]), 2, &["'-1' for '--seed", "a whole number from 0 to 9223372036854775807"]);
    place.refuses(
        &["probe", "out", "--labels", "a"],
        2,
        &["'a' for '--labels", "a whole number from 2 on is expected"],
    );
    place.refuses(&with(&["--gemm", "blas"]), 2, &["--gemm", "narrows", "matrixmultiply"]);
    place.refuses(&with(&["--epochs", "3"]), 2, &["--epochs"]);
    place.refuses(&with(&["--set", "optimizer.learning_rate=nan"]), 2, &["--set optimizer.learning_rate", "is nan"]);
    place.refuses_command(
        place.command(&TRAIN).env("NARROWS_ISA", "nonsense"),
        2,
        &["NARROWS_ISA=\"nonsense\" names no instruction set", "scalar, neon, avx2, avx512"],
    );
    let lacking = if cfg!(target_arch = "aarch64") { "avx2" } else { "neon" };
    place.refuses_command(
        place.command(&TRAIN).env("NARROWS_ISA", lacking),
        2,
        &[&format!("NARROWS_ISA={lacking} cannot be used: this CPU lacks it; it has scalar")],
    );
    place.refuses(&["trian"], 2, &["trian", "train"]);
}

#[test]
fn a_grid_is_not_trained_as_one_run() {
    let place = Place::with_toys();
    place.write("toys.toml", format!("{TOYS}\n[grid]\n\"train.batch_size\" = [2, 4]\n").as_bytes());
    place.refuses(&TRAIN, 2, &["[grid] makes this a study", "narrows study toys.toml"]);
}

#[test]
fn data_that_are_not_there_are_named_with_what_would_be_accepted() {
    let place = Place::with_toys();
    change(&place, "set = \"toys\"", "set = \"no/such/folder\"");
    both_refuse(&place, 2, &["\"no/such/folder\"", "neither a catalogued set (fashion-mnist", "\"footwear\""]);
    change(&place, "set = \"toys\"", "set = \"fashion_mnist\"");
    both_refuse(&place, 2, &["\"fashion_mnist\"", "did you mean \"fashion-mnist\"?"]);
    change(&place, "set = \"toys\"", "set = \"fashion-mnist\"");
    let hint = "`--set data.set=footwear`";
    both_refuse(&place, 1, &["data/fashion-mnist", "`narrows data fetch fashion-mnist`", hint]);
    place.refuses(&["data", "fetch", "fashion_mnist"], 2, &["did you mean `fashion-mnist`?"]);
    place.refuses(&["data", "verify", "fashion_mnist"], 2, &["did you mean `fashion-mnist`?"]);
    // Nobody listens at that port, and no folder is left.
    let mut fetch = place.command(&["data", "fetch", "fashion-mnist"]);
    fetch.env_remove("NO_PROXY").env_remove("no_proxy");
    for proxy in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
        fetch.env(proxy, "http://127.0.0.1:9");
    }
    place.refuses_command(&mut fetch, 1, &["cannot fetch train-images-idx3-ubyte.gz", "every mirror failed"]);
}

#[test]
fn a_part_of_a_public_set_says_what_it_lacks() {
    let place = Place::new();
    place.write("data/fashion-mnist/train-images-idx3-ubyte.gz", b"");
    place.refuses(&["train", "footwear"], 1, &["lacks train-labels-idx1-ubyte.gz", "narrows data fetch fashion-mnist"]);
}

#[test]
fn classes_and_parts_that_the_data_do_not_have_are_refused() {
    let place = Place::with_toys();
    change(&place, "merge = true", "merge = true\nclasses = [\"Kiet\"]");
    both_refuse(&place, 2, &["`Kiet`", "did you mean `Kite`?", "Ball (0), Kite (1), Top (2)"]);
    change(&place, "merge = true", "merge = false");
    both_refuse(&place, 2, &["no published test part", "data.merge = true"]);
    change(&place, "merge = true", "merge = true\nsplit = { train = 1000, validation = 1, test = 1 }");
    both_refuse(&place, 2, &["cannot split 21 samples 1000:1:1", "the validation set would get no sample"]);
    change(&place, "merge = true", "merge = true\nclasses = [0]");
    fs::remove_file(place.path(LABELS)).unwrap();
    both_refuse(&place, 2, &["no labels", "leave `classes` out"]);
}

#[test]
fn damaged_files_are_refused_by_name_and_rule() {
    let pixels = [7; 21 * 16];
    let whole = gzip(&idx(&[21, 4, 4], &pixels));
    let mut damaged = whole.clone();
    let checksum = damaged.len() - 6;
    damaged[checksum] ^= 1;
    let cases: [(&str, &str, Vec<u8>, &[&str]); 12] = [
        (IMAGES, ".gz", whole[..whole.len() - 9].to_vec(), &["gzip stream is truncated"]),
        (IMAGES, ".gz", damaged, &["gzip stream is damaged"]),
        (IMAGES, "", b"PNG and so on".to_vec(), &["as IDX", "starts with two zero bytes"]),
        (IMAGES, "", idx(&[21, 4], &[7; 84]), &["2 dimension(s)", "a file of images has 3"]),
        (IMAGES, "", idx(&[22, 4, 4], &pixels), &["22 × 4 × 4 = 352 values", "only 336 bytes follow"]),
        (IMAGES, "", idx(&[20, 4, 4], &pixels), &["20 × 4 × 4 = 320 values", "more bytes follow"]),
        (IMAGES, "", idx(&[1 << 20, 64, 64], &pixels), &["promises 1048576 × 64 × 64 = 4294967296 values", "1 GiB"]),
        (
            IMAGES,
            ".gz",
            gzip(&idx(&[1 << 20, 64, 64], &pixels)),
            &["promises 1048576 × 64 × 64 = 4294967296 values", "1 GiB"],
        ),
        (IMAGES, "", idx(&[21, 0, 4], &[]), &["0×4 pixels", "at least 1"]),
        (IMAGES, "", Vec::new(), &["header needs", "only 0 are there"]),
        (LABELS, "", idx(&[20], &[0; 20]), &["holds 21 images", "holds 20 labels", "must be equal"]),
        (LABELS, "", idx(&[21], &[3; 21]), &["label number 0", "is 3", "3 classes", "from 0 to 2"]),
    ];
    for (file, suffix, bytes, words) in cases {
        let place = Place::with_toys();
        let name = format!("{file}{suffix}");
        place.write(&name, &bytes);
        both_refuse(&place, 1, &[&[name.as_str()][..], words].concat());
    }
    let place = Place::with_toys();
    fs::remove_file(place.path(IMAGES)).unwrap();
    both_refuse(&place, 1, &["toys", "neither train-images-idx3-ubyte.gz nor train-images-idx3-ubyte is there"]);
}

#[test]
fn an_output_folder_that_cannot_be_made_is_refused_before_training() {
    let place = Place::with_toys();
    place.write("file", b"mine");
    for command in ["train", "study"] {
        for out in ["file/out", "file", "/proc/out"] {
            place.refuses(&[command, "toys.toml", "--out", out], 2, &["cannot", out, "--out"]);
        }
    }
    place.refuses(
        &["data", "make", "--per-class", "1", "--out", "file/out"],
        2,
        &["cannot create", "file/out", "--out"],
    );
}

#[test]
fn an_output_folder_that_is_in_use_is_left_as_it_is() {
    let place = Place::with_toys();
    place.narrows(&TRAIN).done();
    both_refuse(&place, 2, &["out already holds results", "nothing was changed", "--out"]);
    fs::remove_dir_all(place.path("out")).unwrap();
    place.narrows(&STUDY).done();
    place.refuses(&TRAIN, 2, &["out already holds results", "nothing was changed", "--out"]);
    let other = [&STUDY[..], &["--seed", "12"]].concat();
    let words =
        ["the study in out: seed of its run toys was 3 when it was begun, and is 12 now", "nothing was changed"];
    place.refuses(&other, 2, &words);
    let varied = format!("{TOYS}\n[report]\ncodes = [\"toys\"]\n");
    place.write("varied.toml", varied.as_bytes());
    let words = ["out/study.toml is of another study", "line ", "nothing was changed", "--out"];
    place.refuses(&["study", "varied.toml", "--out", "out"], 2, &words);
    // A finished run of it that has lost its weights is made again on request alone.
    let model = "out/runs/toys/model.safetensors";
    let weights = place.sha256(model);
    fs::remove_file(place.path(model)).unwrap();
    let remedy = "remove metrics.json there, and `narrows train --resume out/runs/toys` makes it again";
    place.refuses(&STUDY, 1, &["the run in out/runs/toys is finished, but its model.safetensors is not there", remedy]);
    fs::remove_file(place.path("out/runs/toys/metrics.json")).unwrap();
    place.narrows(&["train", "--resume", "out/runs/toys"]).done();
    assert_eq!(place.sha256(model), weights);
    // What would be written over counts too, whoever wrote it.
    for (command, name) in [
        ("train", "environment.json"),
        ("train", "loss.png"),
        ("train", "reconstructions.png"),
        ("study", "report.html"),
        ("study", "summary.csv"),
        ("study", "codes.csv"),
        ("study", "saturation.csv"),
        ("study", "maps.csv"),
        ("study", "generated.csv"),
        ("study", "probe.csv"),
    ] {
        let place = Place::with_toys();
        place.write(&format!("out/{name}"), b"mine");
        place.refuses(&[command, "toys.toml", "--out", "out"], 2, &["out already holds", name, "--out"]);
    }
    // An empty folder, or one with other files, is taken.
    let place = Place::with_toys();
    place.write("out/notes.txt", b"mine");
    place.narrows(&TRAIN).done();
    assert_eq!(place.read("out/notes.txt"), b"mine");
}

#[test]
fn the_files_of_a_run_or_a_study_are_no_place_for_other_results() {
    let place = Place::with_toys();
    place.narrows(&TRAIN).done();
    place.narrows(&["study", "toys.toml", "--out", "study"]).done();
    for command in [
        &["explore", "out", "--out", "out/report.html"][..],
        &["reconstruct", "out", "--out", "out/loss.png"],
        &["sample", "out", "--fitted", "--out", "study/runs/toys/reconstructions.png"],
        &["compare", "out", "study/runs/toys", "--out", "study/report.html"],
    ] {
        let target = command.last().unwrap();
        place.refuses(command, 2, &[&format!("cannot write {target}: it is a file of the results"), "another name"]);
    }
    // Its own name is the command's, and elsewhere any name is the user's.
    place.narrows(&["sample", "out", "--fitted", "--out", "out/samples.png"]).done();
    for _ in 0..2 {
        place.narrows(&["reconstruct", "out", "--out", "loss.png"]).done();
    }
}

#[test]
fn pictures_are_not_drawn_over_others() {
    let place = Place::with_toys();
    let make = ["data", "make", "--per-class", "1", "--out", "toys"];
    place.refuses(&make, 2, &["toys already holds images", "nothing was changed", "--out"]);
    fs::remove_file(place.path(IMAGES)).unwrap();
    // Labels, and images in a form that would be read before the new ones.
    place.refuses(&make, 2, &["toys already holds images", "nothing was changed", "--out"]);
    fs::remove_file(place.path(LABELS)).unwrap();
    place.write(&format!("{IMAGES}.gz"), &gzip(&idx(&[1, 1, 1], &[0])));
    place.refuses(&make, 2, &["toys already holds images", "nothing was changed", "--out"]);
    fs::remove_file(place.path(&format!("{IMAGES}.gz"))).unwrap();
    place.refuses(&make, 2, &["toys already holds", "(class-names.txt)", "nothing was changed", "--out"]);
}

#[test]
fn a_folder_that_is_no_run_is_not_evaluated() {
    let place = Place::with_toys();
    for command in ["eval", "reconstruct"] {
        for folder in ["toys", "absent", "toys.toml"] {
            place.refuses(&[command, folder], 2, &[folder, "is no run folder", "config.toml", "narrows train"]);
        }
    }
}

#[test]
fn a_run_whose_files_are_not_what_was_written_is_not_evaluated() {
    let place = Place::with_toys();
    place.narrows(&TRAIN).done();
    place.narrows(&["train", "toys.toml", "--out", "other", "--set", "model.encoder=[{ dense = 5 }]"]).done();
    place.narrows(&["train", "toys.toml", "--out", "seed", "--seed", "4"]).done();
    place.narrows(&["eval", "out"]).done();
    let model = "out/model.safetensors";
    let (good, config) = (place.read(model), place.read("out/config.toml"));
    let last = good.len() - 1;
    let mut flipped = good.clone();
    flipped[last] ^= 1;
    let refused = |words: &[&str]| {
        for command in ["eval", "reconstruct"] {
            place.refuses(&[command, "out"], 1, &[&[model], words].concat());
        }
    };
    for (bytes, words) in [
        (good[..last].to_vec(), &["cannot read weights", "a whole safetensors file is expected"][..]),
        (b"{}".to_vec(), &["cannot read weights", "a whole safetensors file is expected"]),
        (place.read("other/model.safetensors"), &["encoder.0.weight is F32 [16, 5]", "the model needs F32 [16, 3]"]),
        (flipped, &["SHA-256", "metrics.json"]),
        (place.read("seed/model.safetensors"), &["SHA-256", "metrics.json"]),
    ] {
        place.write(model, &bytes);
        refused(words);
    }
    fs::remove_file(place.path(model)).unwrap();
    place.refuses(&["eval", "out"], 2, &["out is no run folder", "model.safetensors"]);
    place.write(model, &good);
    place.write("out/config.toml", b"name = 3\n");
    place.refuses(&["eval", "out"], 2, &["out/config.toml:1:", "\"name\" is the integer 3"]);
    place.write("out/config.toml", &config);
    place.narrows(&["eval", "out"]).done();
}

#[test]
fn images_that_do_not_fit_a_run_are_not_reconstructed() {
    let place = Place::with_toys();
    place.narrows(&TRAIN).done();
    place.write("wide-images-idx3-ubyte", &idx(&[2, 4, 5], &[1; 40]));
    let run = ["reconstruct", "out", "--images"];
    place.refuses(&[&run[..], &["wide-images-idx3-ubyte"]].concat(), 2, &["4×5 pixels", "trained on 4×4"]);
    place.refuses(&[&run[..], &["absent"]].concat(), 2, &["cannot load absent", "no such file or folder"]);
    place.write("j.jpg", b"\xff\xd8\xff\xe0");
    place.refuses(
        &[&run[..], &["j.jpg"]].concat(),
        2,
        &["cannot load j.jpg: it is of no kind", "MATLAB, PNG or CIFAR-10"],
    );
    place.refuses(
        &["reconstruct", "out", "--count", "0"],
        2,
        &["--count", "a whole number from 1 to 1000 is expected"],
    );
    place.refuses(&["reconstruct", "out", "--out", "toys.toml/a.png"], 1, &["cannot write toys.toml/a.png"]);
}

#[test]
fn a_loss_that_is_not_finite_stops_the_run_and_says_where_it_came_from() {
    let place = Place::with_toys();
    let settings = [
        "train.loss=mse",
        "optimizer={ name = \"sgd\", learning_rate = 1e30 }",
        "model.decoder=[{ dense = \"input\", activation = \"linear\" }]",
    ];
    let arguments: Vec<&str> =
        TRAIN.into_iter().chain(settings.iter().flat_map(|setting| ["--set", setting])).collect();
    let answer = place.narrows(&arguments);
    answer.refused(1, &["training stopped in epoch 1 at step ", "the loss is ", "learning rate", "clip_norm"]);
    let layer = ["encoder.0", "decoder.0", "the loss"].iter().any(|layer| answer.stderr.contains(layer));
    let origin = ["the operation \"", "the parameter "].iter().any(|origin| answer.stderr.contains(origin));
    assert!(layer && origin, "{}", answer.stderr);
    // Nothing passes for a result.
    assert!(!place.path("out/model.safetensors").exists() && !place.path("out/metrics.json").exists());
}

#[test]
fn a_run_of_a_study_that_fails_is_named_and_what_was_finished_stays() {
    let place = Place::with_toys();
    let text = TOYS.replace("name = \"adam\"", "name = \"sgd\"").replace("\"sigmoid\"", "\"linear\"");
    let grid = "\n[grid]\n\"optimizer.learning_rate\" = { slow = 1e-3, fast = 1e30 }\n";
    place.write("toys.toml", format!("{}{grid}", text.replace("\"bce\"", "\"mse\"")).as_bytes());
    let answer = place.narrows(&[&STUDY[..], &["--jobs", "1"]].concat());
    answer.refused(1, &["in the run fast: training stopped in epoch 1 at step "]);
    assert!(place.path("out/runs/slow/metrics.json").exists());
    assert!(!place.path("out/runs/fast/metrics.json").exists() && !place.path("out/summary.csv").exists());
}

#[test]
fn a_last_update_that_breaks_the_weights_is_no_finished_run() {
    let place = Place::new();
    // One step in all: no later step could notice.
    let settings = ["data.set=footwear", "data.per_class=21", "train.max_epochs=1", "train.batch_size=1000"];
    let settings =
        settings.into_iter().chain(["optimizer.name=sgd", "optimizer.learning_rate=1e300", "train.loss=bce"]);
    let settings = settings.flat_map(|setting| ["--set", setting]);
    let arguments: Vec<&str> = ["train", "--out", "run"].into_iter().chain(settings).collect();
    let words = "training stopped in epoch 1 at step 1: the update left the parameter encoder.0.weight";
    place.narrows(&arguments).refused(1, &[words]);
    assert!(!place.path("run/model.safetensors").exists());
}
