//! Codes from the command line: what is written, what is read back, and what is refused.

use crate::support::{Place, TOYS, png_size};
use narrows::data::npy::{self, Array};
use narrows::figures::png::image_png;
use ndarray::{Array2, Axis};

/// A folder with `toys` and a run of them in `run`.
fn trained() -> Place {
    let place = Place::with_toys();
    place.narrows(&["train", "toys.toml", "--out", "run"]).done();
    place
}

fn floats(place: &Place, name: &str) -> Array2<f32> {
    match npy::read(&place.path(name)).unwrap() {
        Array::Single(array) => array,
        other => panic!("{name} holds {other:?}"),
    }
}

fn write(place: &Place, name: &str, array: &Array2<f32>) {
    npy::write(&place.path(name), array.view()).unwrap();
}

#[test]
fn codes_go_out_and_come_back_as_the_images_that_the_run_reconstructs() {
    let place = trained();
    let encode = |more: &[&str]| place.narrows(&[&["encode", "run", "--out", "codes.npy"], more].concat()).done();
    encode(&["--labels", "labels.npy"]).says(&["3 codes of 3 values: codes.npy", "3 labels: labels.npy"]);
    let codes = floats(&place, "codes.npy");
    assert_eq!(codes.dim(), (3, 3));
    assert_eq!(place.read("labels.npy").len(), 128 + 3);
    place.narrows(&["decode", "run", "codes.npy", "--out", "images.npy"]).done().says(&["3 images of 16 pixels"]);
    let images = floats(&place, "images.npy");
    assert_eq!(images.dim(), (3, 16));
    assert!(images.iter().all(|value| (0.0..=1.0).contains(value)));

    // The same images from files: floats, bytes, and other sets of the same size.
    let all = place.narrows(&["encode", "run", "--images", "toys/train-images-idx3-ubyte", "--out", "all.npy"]);
    all.done().says(&["21 codes"]);
    encode(&["--part", "train", "--threads", "2"]);
    let (all, train) = (floats(&place, "all.npy"), floats(&place, "codes.npy"));
    assert_eq!(train.nrows(), 15);
    assert!(train.rows().into_iter().all(|row| all.rows().into_iter().any(|other| other == row)));
    let pixels: Vec<f32> = (0..21 * 16).map(|i| (i * 37 % 251) as f32 / 255.0).collect();
    write(&place, "given.npy", &Array2::from_shape_vec((21, 16), pixels).unwrap());
    encode(&["--images", "given.npy"]);
    assert_eq!(floats(&place, "codes.npy"), all);

    // f64 codes are read too, and a picture of them is drawn.
    let header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {:?}, }}", all.dim());
    let values = all.iter().flat_map(|&value| f64::from(value).to_le_bytes());
    let wide = b"\x93NUMPY\x01\x00".iter().copied().chain((header.len() as u16).to_le_bytes());
    place.write("wide.npy", &wide.chain(header.bytes()).chain(values).collect::<Vec<u8>>());
    place.narrows(&["decode", "run", "wide.npy", "--out", "images.png"]).done();
    let (width, height) = png_size(&place.read("images.png"));
    // 15 and 6 images of 4×4 pixels, each 14 times as large, 2 apart, with a margin of 8.
    assert_eq!((width, height), (15 * 58 - 2 + 16, 2 * 58 - 2 + 16));
}

#[test]
fn pictures_are_images_too() {
    let place = trained();
    let encode = |images: &str| place.narrows(&["encode", "run", "--images", images, "--out", "codes.npy"]);
    encode("toys/train-images-idx3-ubyte").done();
    let all = floats(&place, "codes.npy");
    let idx = place.read("toys/train-images-idx3-ubyte");
    for (number, pixels) in idx[16..].chunks_exact(16).enumerate() {
        place.write(&format!("drawn/{number:02}.png"), &image_png([4, 4, 1], pixels).unwrap());
    }
    // Colours become greys for a run of grey images.
    let grey = &idx[16 + 7 * 16..][..16];
    place.write("colour.png", &image_png([4, 4, 3], &grey.iter().flat_map(|&v| [v; 3]).collect::<Vec<u8>>()).unwrap());
    encode("colour.png").done();
    assert_eq!(floats(&place, "codes.npy").row(0), all.row(7));
    place.write("drawn/notes.txt", b"by name, and nothing but pictures");
    encode("drawn").done().says(&["21 codes"]);
    assert_eq!(floats(&place, "codes.npy"), all);
    encode("drawn/07.png").done().says(&["1 code of 3 values"]);
    assert_eq!(floats(&place, "codes.npy").row(0), all.row(7));
    place.narrows(&["reconstruct", "run", "--images", "drawn"]).done().says(&["15 images of drawn"]);
    // The pixels of the set train the same model.
    let [of_idx, of_pictures] = ["toys", "./drawn"].map(|set| {
        let set = format!("data.set={set}");
        let split = "data.split={ train = 5, validation = 1, test = 1, stratified = false }";
        place.narrows(&["train", "toys.toml", "--set", split, "--set", &set, "--out", "other"]).done();
        let weights = place.sha256("other/model.safetensors");
        std::fs::remove_dir_all(place.path("other")).unwrap();
        weights
    });
    assert_eq!(of_idx, of_pictures);

    let refused = |images: &'static str, code: i32, words: &[&str]| {
        place.refuses(&["encode", "run", "--images", images, "--out", "codes.npy"], code, words);
    };
    place.write("wide.png", &image_png([2, 8, 1], &[0; 16]).unwrap());
    refused("wide.png", 2, &["cannot encode wide.png: its images are 2×8 pixels, but run was trained on 4×4"]);
    place.write("drawn/99.png", &image_png([2, 8, 1], &[0; 16]).unwrap());
    refused(
        "drawn",
        1,
        &[
            "drawn/99.png: it is 2×8 pixels (height × width), grey, 1 channel, while drawn/00.png is 4×4 pixels",
            "must have one size, all grey or all in colour",
        ],
    );
    place.write("cut.png", &image_png([4, 4, 1], &[0; 16]).unwrap()[..40]);
    refused("cut.png", 1, &["cannot read cut.png as a PNG file of an image: "]);
}

#[test]
fn arrays_that_are_no_codes_or_images_of_the_run_are_refused() {
    let place = trained();
    write(&place, "wide.npy", &Array2::zeros((2, 17)));
    write(&place, "bright.npy", &Array2::from_elem((2, 16), 200.0));
    write(&place, "nan.npy", &Array2::from_elem((2, 3), f32::NAN));
    place.write("text.npy", b"1, 2, 3");
    place.write("toys.mat", b"MATLAB 5.0 MAT-file and no more");
    let encode = |images: &'static str| ["encode", "run", "--images", images, "--out", "codes.npy"];
    place.refuses(&encode("wide.npy"), 2, &["cannot encode wide.npy: its images have 17 pixels", "images of 16"]);
    place.refuses(&encode("bright.npy"), 2, &["pixel 0 of image 0 (both from 0) is 200", "bytes (numpy.uint8)"]);
    place.refuses(&encode("text.npy"), 1, &["cannot read text.npy as an NPY file", "does not begin with"]);
    place.refuses(&encode("toys.mat"), 1, &["cannot read toys.mat as a MATLAB file", "only 31 are there"]);
    place.refuses(&encode("absent.npy"), 2, &["cannot encode absent.npy: there is no such file"]);
    let variable = ["encode", "run", "--images", "wide.npy", "--variable", "X", "--out", "codes.npy"];
    place.refuses(&variable, 2, &["wide.npy has no named arrays"]);
    place.refuses(&["encode", "run", "--out", "codes.csv"], 2, &["cannot write codes.csv", "ends in .npy"]);
    place.refuses(&["encode", "run", "--part", "train", "--images", "wide.npy", "--out", "a.npy"], 2, &["--images"]);
    place.refuses(&["encode", "toys", "--out", "codes.npy"], 2, &["toys is no run folder"]);
    place.narrows(&["train", "toys.toml", "--set", "data.split={train=1}", "--out", "all"]).done();
    place.refuses(&["encode", "all", "--out", "codes.npy"], 2, &["all has no test images"]);

    let decode = |codes: &'static str| ["decode", "run", codes, "--out", "images.png"];
    place.refuses(
        &decode("wide.npy"),
        2,
        &["cannot decode wide.npy: its codes have 17 values, but those of run have 3"],
    );
    place.refuses(&decode("run"), 2, &["cannot decode run: it is a folder; an NPY file is expected"]);
    place.refuses(&decode("nan.npy"), 2, &["value 0 of code 0 (both from 0) is NaN"]);
    place.refuses(&["decode", "run", "nan.npy", "--out", "images.gif"], 2, &["images.gif", "ends in .npy or .png"]);
    write(&place, "many.npy", &Array2::zeros((1501, 3)));
    place.refuses(&decode("many.npy"), 2, &["cannot draw 1501 images in one picture", "at most 1500", ".npy"]);
}

#[test]
fn samples_follow_the_training_codes_where_the_run_is_not_variational() {
    let place = trained();
    place.refuses(&["sample", "run"], 2, &["cannot sample from run: it is not variational", "--fitted"]);
    let sample = |more: &[&str]| place.narrows(&[&["sample", "run", "--fitted"], more].concat()).done();
    sample(&[]).says(&["15 images", "the distribution of the training codes, seed 1: run/samples.png"]);
    // A row below its title.
    assert_eq!(png_size(&place.read("run/samples.png")).1, 56 + 16 + 26);
    sample(&["--count", "4", "--out", "a.npy", "--codes", "codes.npy", "--threads", "1"]);
    sample(&["--count", "7", "--out", "b.npy", "--threads", "2"]);
    sample(&["--count", "4", "--seed", "2", "--out", "c.npy"]);
    let [a, b, c] = ["a.npy", "b.npy", "c.npy"].map(|name| floats(&place, name));
    assert_eq!((a.dim(), b.dim()), ((4, 16), (7, 16)));
    assert_eq!(a, b.view().split_at(Axis(0), 4).0, "fewer are the first of more");
    assert_ne!(a, c);
    place.narrows(&["decode", "run", "codes.npy", "--out", "d.npy"]).done();
    assert_eq!(place.read("a.npy"), place.read("d.npy"));
}

#[test]
fn a_variational_run_is_sampled_from_the_standard_normal_distribution() {
    let place = Place::with_toys();
    let code = "model.encoder=[{ dense = 3 }]";
    let settings = ["--set", "model.variational={ beta = 1.0 }", "--set", code, "--set", "train.max_epochs=2"];
    place.narrows(&[&["train", "toys.toml", "--out", "run"], &settings[..]].concat()).done();
    place.narrows(&["sample", "run", "--count", "2000", "--out", "a.npy", "--codes", "codes.npy"]).done();
    let codes = floats(&place, "codes.npy");
    assert_eq!(codes.dim(), (2000, 3));
    for column in codes.columns() {
        let mean = column.mean().unwrap();
        let variance = column.iter().map(|z| (z - mean).powi(2)).sum::<f32>() / 2000.0;
        // Of 2,000 draws the mean is normal with deviation 0.022, the variance with 0.032: five of these.
        assert!(mean.abs() < 0.112 && (variance - 1.0).abs() < 0.16, "{mean}, {variance}");
    }
    let header = place.text("run/history.csv");
    assert!(
        header.starts_with("epoch,")
            && header.lines().next().unwrap().ends_with(",beta,kl,active_dimensions,kl_0,kl_1,kl_2")
    );
    place.narrows(&["encode", "run", "--out", "means.npy"]).done();
    assert_eq!(floats(&place, "means.npy").ncols(), 3);
}

/// The height of a picture of so many rows of 4×4 pixels below a title and the labels of the columns.
fn rows_high(rows: u32) -> u32 {
    rows * 58 - 2 + 16 + 26 + 18
}

#[test]
fn traversals_have_a_row_for_each_value_that_says_something() {
    let place = Place::with_toys();
    place.narrows(&["train", "toys.toml", "--seed", "4", "--out", "run"]).done();
    place.narrows(&["encode", "run", "--part", "train", "--out", "codes.npy"]).done();
    // One number of the code is always zero.
    let on = floats(&place, "codes.npy").columns().into_iter().filter(|unit| unit.iter().any(|&z| z != 0.0)).count();
    assert_eq!(on, 2);
    let traverse = |more: &[&str]| place.narrows(&[&["traverse", "run"], more].concat());
    let expected = "2 of 3 dimensions, each from −2 to 2 standard deviations around the mean of the training codes";
    traverse(&[]).done().says(&[expected, "in 9 steps, largest effect first"]);
    assert_eq!(png_size(&place.read("run/traversal.png")).1, rows_high(2));
    traverse(&["--range", "0.5", "--out", "near.png"]).done().says(&["each from −0.5 to 0.5 standard"]);
    traverse(&["--image", "2", "--steps", "5", "--out", "t.png"])
        .done()
        .says(&["the code of image 2 of the test part"]);
    for other in ["near.png", "t.png"] {
        assert_ne!(place.read(other), place.read("run/traversal.png"));
    }
    place.refuses(&["traverse", "run", "--image", "3"], 2, &["there is no image 3: there are 3, counted from 0"]);
    place.refuses(&["traverse", "run", "--steps", "1"], 2, &["--steps"]);
    place.refuses(&["traverse", "run", "--range", "0"], 2, &["--range", "a number above 0"]);
    place.refuses(&["traverse", "run", "--out", "t.npy"], 2, &["cannot write t.npy", ".png"]);
}

#[test]
fn a_code_of_two_numbers_is_decoded_on_a_grid_and_inactive_numbers_are_left_out() {
    let place = Place::with_toys();
    let code = ["--set", "model.encoder=[{ dense = 2 }]"];
    place.narrows(&[&["train", "toys.toml", "--out", "plain"], &code[..]].concat()).done();
    place.narrows(&["traverse", "plain"]).done().says(&[
        "2 of 2 dimensions",
        "15 × 15 codes, from the 5th to the 95th percentile of the training codes: plain/traversal-grid.png",
    ]);
    assert_eq!(png_size(&place.read("plain/traversal-grid.png")).1, rows_high(15));
    // A divergence that weighs so much that the code says nothing.
    let variational = ["--set", "model.variational={ beta = 1e4 }", "--set", "train.max_epochs=200"];
    place.narrows(&[&["train", "toys.toml", "--out", "run"], &code[..], &variational].concat()).done();
    let words = ["inactive left out: mean divergence of at most 0.01 nat on the test images"];
    place.narrows(&["traverse", "run"]).done().says(&words);
}

#[test]
fn interpolations_are_finite_but_at_the_ends() {
    let place = Place::with_toys();
    // Units that are silent for both images would give them one code.
    place.write("toys.toml", TOYS.replace("\"relu\"", "\"tanh\"").as_bytes());
    place.narrows(&["train", "toys.toml", "--out", "run"]).done();
    let command = ["interpolate", "run", "--part", "train", "--pairs", "5"];
    place.narrows(&command).done().says(&["5 pairs of images of different classes", "infinite", "interpolation.png"]);
    let table = place.text("run/interpolation.csv");
    let mut rows: Vec<Vec<&str>> = table.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(rows.remove(0), ["pair", "first", "second", "alpha", "psnr_db", "l2", "image_psnr_db", "code_distance"]);
    assert_eq!(rows.len(), 6 * 6);
    for row in &rows {
        let [alpha, psnr, distance, image, code]: [f64; 5] = std::array::from_fn(|k| row[3 + k].parse().unwrap());
        if alpha == 0.0 || alpha == 1.0 {
            assert_eq!((psnr, distance), (f64::INFINITY, 0.0), "{row:?}");
            assert_eq!((image, code), (f64::INFINITY, 0.0), "{row:?}");
        } else {
            assert!(psnr.is_finite() && distance > 0.0, "{row:?}");
            assert!(image.is_finite() && code > 0.0, "{row:?}");
            // Of one pair the two say the same; means of logarithms are not logarithms of means.
            assert!(row[0] == "mean" || (psnr + 20.0 * distance.log10()).abs() < 1e-9, "{row:?}");
        }
        assert!(
            row[0] == "mean" || row[1].parse::<u32>().unwrap() % 3 != row[2].parse::<u32>().unwrap() % 3,
            "{row:?}"
        );
    }
    assert_eq!(rows[30][0], "mean");
    let (_, height) = png_size(&place.read("run/interpolation.png"));
    assert_eq!(height, 5 * 58 - 2 + 16 + 26 + 18);
    let other = place.narrows(&[&command[..], &["--threads", "2", "--out", "other"]].concat());
    other.done();
    assert_eq!(place.read("run/interpolation.csv"), place.read("other/interpolation.csv"));
    assert_eq!(place.read("run/interpolation.png"), place.read("other/interpolation.png"));
    let fewer = "1 pair of images of different classes (20 were asked for; 3 images make no more)";
    place.narrows(&["interpolate", "run"]).done().says(&[fewer]);
}

#[test]
fn a_probe_measures_and_draws_the_codes() {
    let place = trained();
    place.narrows(&["probe", "run"]).done().says(&[
        "Logistic regression on 15 codes converged",
        "accuracy",
        "codes.svg",
    ]);
    let figures = place.json("run/probe.json");
    assert_eq!(figures["converged"], true);
    assert!((0.0..=1.0).contains(&figures["test_accuracy"].as_f64().unwrap()));
    assert_eq!(figures["variance_shares"].as_array().unwrap().len(), 2);
    assert_eq!(png_size(&place.read("run/codes.png")), (1200, 1100));
    let svg = place.text("run/codes.svg");
    assert!(svg.contains("Ball") && svg.contains("first principal component"), "{svg}");
    place.narrows(&["probe", "run", "--threads", "2", "--out", "other"]).done();
    for name in ["probe.json", "codes.svg"] {
        assert_eq!(place.text(&format!("run/{name}")), place.text(&format!("other/{name}")));
    }
}

#[test]
fn a_run_without_labels_trains_and_says_what_it_cannot_do() {
    let place = Place::new();
    let faces = TOYS.replace("set = \"toys\"", "set = \"drawn-faces\"\nlimit = 40\nsplit = { train = 9, test = 1 }");
    place.write("faces.toml", faces.as_bytes());
    place
        .narrows(&["train", "faces.toml", "--out", "run"])
        .done()
        .says(&["80 of 2000 images of 28×20 pixels", "drawn by the program"]);
    place.refuses(&["probe", "run"], 2, &["cannot probe run: drawn-faces has no labels"]);
    place.refuses(&["map", "run"], 2, &["cannot map run: drawn-faces has no labels"]);
    place.refuses(&["encode", "run", "--out", "a.npy", "--labels", "b.npy"], 2, &["drawn-faces has no labels"]);
    place.narrows(&["interpolate", "run"]).done().says(&["20 pairs of images, means"]);
    let variable = ["train", "faces.toml", "--set", "data.variable=ff", "--out", "other"];
    place.refuses(&variable, 2, &["an array named ff in drawn-faces", "leave the name out"]);
    let classes = ["train", "faces.toml", "--set", "data.classes=[1]", "--out", "other"];
    place.refuses(&classes, 2, &["it has no labels"]);
    place.refuses(&["train", "faces.toml", "--set", "data.set=frey-face"], 1, &["`--set data.set=drawn-faces`"]);
}

#[test]
fn a_matlab_file_is_trained_on_by_its_path_and_its_array_is_named() {
    let place = Place::new();
    let golden = |name: &str| std::fs::read(format!("{}/tests/golden/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    place.write("plain.mat", &golden("plain.mat"));
    place.write("strange.mat", &golden("strange.mat"));
    let config = TOYS.replace("set = \"toys\"", "set = \"plain.mat\"\nsplit = { train = 2, validation = 1, test = 1 }");
    place.write("faces.toml", config.as_bytes());
    place
        .narrows(&["train", "faces.toml", "--out", "run"])
        .done()
        .says(&["plain.mat: 4 images of 3×3 pixels, from plain.mat"]);
    place.narrows(&["encode", "run", "--images", "plain.mat", "--variable", "X", "--out", "codes.npy"]).done();
    place.narrows(&["reconstruct", "run", "--images", "plain.mat", "--variable", "X"]).done();
    let strange = |variable: &'static str| {
        ["train", "faces.toml", "--set", "data.set=strange.mat", "--set", variable, "--out", "other"]
    };
    place.refuses(&strange("data.variable=stack"), 1, &["the array stack is int16", "class uint8 or double"]);
    place.refuses(&strange("data.variable=mesh"), 2, &["no array named mesh", "stack (int16, 2×3×4)"]);
    place.refuses(&strange("data.variable=wave"), 1, &["the array wave is complex"]);
    place.refuses(&strange("data.variable=3"), 2, &["\"data.variable\" is the integer 3", "the name of an array"]);
    place.refuses(&["reconstruct", "run", "--variable", "X"], 2, &["--images"]);
    let idx = ["train", "faces.toml", "--set", "data.set=faces", "--set", "data.variable=X", "--out", "other"];
    place.narrows(&["data", "make", "drawn-faces", "--out", "faces"]).done().says(&["2000 pictures of 28×20 pixels"]);
    place.refuses(&idx, 2, &["cannot look for an array named X in faces"]);
    place.refuses(
        &["data", "make", "drawn-faces", "--per-class", "3", "--out", "more"],
        2,
        &["--per-class is for footwear"],
    );
}
