//! `narrows explore`: the page in a browser gives the bits of the program, and answers to pointer and keys.

use std::time::Instant;

use serde_json::json;

use crate::support::Place;
use crate::support::browser::Browser;
use narrows::data::npy::{self, Array};
use ndarray::Array2;

/// The data that the program draws, few of them, and a short training.
const COMMON: &str = "seed = 5\n[data]\nset = \"footwear\"\nper_class = 160\nlimit = 60\n[train]\nloss = \"LOSS\"\nmax_epochs = 2\n\
                      batch_size = 20\n[optimizer]\nname = \"adam\"\nlearning_rate = 1e-3\n";

pub const DENSE: &str = "encoder = [{ dense = 64, activation = \"elu\", alpha = 0.7 }, { dropout = 0.1 }, { dense = 40, activation = \"softplus\" }, \
                     { dense = 2, activation = \"tanh\" }]\ndecoder = [{ dense = 61, activation = \"leaky-relu\", slope = 0.1 }, \
                     { dense = 70, activation = \"tanh\" }, { dense = 50, activation = \"softplus\" }, \
                     { dense = 66, activation = \"elu\", alpha = 1.3 }, { dense = \"input\", activation = \"sigmoid\" }]\n";

pub const VARIATIONAL: &str = "encoder = [{ dense = 64, activation = \"relu\" }, { dense = 6 }]\ndecoder = [{ dense = 64, activation = \"relu\" }, \
                           { dense = \"input\" }]\nvariational = { beta = 0.5 }\n";

/// Every kind of layer, with strides that do not divide, and paddings of all kinds.
pub const CONVOLUTIONAL: &str = "encoder = [{ conv = 5, kernel = 3, stride = 2, activation = \"leaky-relu\" }, { batch-norm = \"keras\" }, \
    { max-pool = 3, stride = 2, padding = \"same\" }, { conv = 7, kernel = 2, padding = 1, activation = \"elu\" }, { average-pool = 2 }, \
    { noise = 0.1 }, { conv = 9, kernel = 3, activation = \"tanh\" }, \"global-average\", { dense = 11, activation = \"relu\" }]\n\
    decoder = [{ dense = 72, activation = \"relu\" }, { reshape = [3, 3, 8] }, { conv-transpose = 7, kernel = 3, stride = 2, \
    activation = \"relu\" }, { batch-norm = \"pytorch\" }, { upsample = 2 }, { conv-transpose = 6, kernel = 4, stride = 3, padding = 2, \
    output_padding = 1, activation = \"elu\" }, { zero-pad = 1 }, { conv = 4, kernel = 5, stride = 1, padding = \"valid\", \
    activation = \"softplus\" }, { average-pool = 3, stride = 1 }, { max-pool = 2, stride = 1 }, { conv = 1, kernel = 3, padding = \"valid\", \
    activation = \"tanh\" }, \"flatten\", { dense = \"input\", activation = \"sigmoid\" }]\n";

pub fn train(place: &Place, name: &str, model: &str, loss: &str) {
    let text = format!("name = \"{name}\"\n{}[model]\n{model}", COMMON.replace("LOSS", loss));
    place.write(&format!("{name}.toml"), text.as_bytes());
    place.narrows(&["train", &format!("{name}.toml"), "--out", name]).done();
}

fn floats(place: &Place, name: &str) -> Vec<f32> {
    match npy::read(&place.path(name)).unwrap() {
        Array::Single(array) => array.into_raw_vec_and_offset().0,
        other => panic!("{name} holds {other:?}"),
    }
}

/// Codes in and far outside of where those of images lie, with zeros, subnormal and huge numbers among them.
fn codes(count: usize, size: usize) -> Array2<f32> {
    let mut state = 11u64;
    Array2::from_shape_simple_fn((count, size), || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let unit = (state >> 40) as f32 / (1 << 23) as f32 - 1.0;
        match state >> 24 & 31 {
            0 => 0.0,
            1 => -0.0,
            2 => unit * 1e-41,
            3 => unit * 1e-20,
            4 => unit * 1e4,
            5 => unit * 1e18,
            _ => unit * 3.0,
        }
    })
}

#[track_caller]
fn same_bits(what: &str, found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let differs = |(a, b): (&f32, &f32)| a.to_bits() != b.to_bits() && !(a.is_nan() && b.is_nan());
    let wrong = found.iter().zip(expected).filter(|&pair| differs(pair)).count();
    let first = found.iter().zip(expected).position(differs);
    assert_eq!(
        wrong,
        0,
        "{what}: of {}, first {first:?}: {:?}",
        found.len(),
        first.map(|at| (found[at], expected[at]))
    );
}

const DECODE: &str = "return letters(await explorer.decode(numbers(given)));";
const POINTS: &str = "const all = []; for (let i = 0; i < explorer.facts.points; i++) all.push(...explorer.codeOf(i)); \
                      return letters(Float32Array.from(all));";
const ENCODE: &str = "return letters(await explorer.encode(numbers(given)));";

/// Opens the page of a run, and compares what it decodes and encodes with what the program does; the milliseconds of a decode.
fn compare(browser: &Browser, place: &Place, name: &str, size: usize, count: usize) -> f64 {
    let said = place.narrows(&["explore", name]).done();
    said.says(&["60 test images on the map", "explore.html", "SHA-256 of the decoder's weights"]);
    browser.open(&place.path(&format!("{name}/explore.html")));
    let codes = codes(count, size);
    npy::write(&place.path("codes.npy"), codes.view()).unwrap();
    place.narrows(&["decode", name, "codes.npy", "--out", "images.npy"]).done();
    let images = browser.numbers(DECODE, codes.as_slice().unwrap());
    same_bits(&format!("{name} decoded"), &images, &floats(place, "images.npy"));
    // Images with values of all kinds between 0 and 1, and the codes of the page's own images.
    let given: Vec<f32> = images
        .iter()
        .take(20 * 784)
        .map(|&value| if value.is_finite() { value.clamp(0.0, 1.0) } else { 0.5 })
        .collect();
    npy::write(&place.path("given.npy"), Array2::from_shape_vec((20, 784), given.clone()).unwrap().view()).unwrap();
    place.narrows(&["encode", name, "--images", "given.npy", "--out", "of_given.npy"]).done();
    same_bits(&format!("{name} encoded"), &browser.numbers(ENCODE, &given), &floats(place, "of_given.npy"));
    place.narrows(&["encode", name, "--out", "of_test.npy"]).done();
    let points = browser.numbers(POINTS, &[]);
    same_bits(&format!("{name}, codes of its points"), &points, &floats(place, "of_test.npy"));
    let hash = browser.run("return document.getElementById('hash').textContent;", json!([]));
    assert!(hash.as_str().unwrap().starts_with("checked"), "{hash}");
    let time = "const times = []; for (let i = 0; i < 41; i++) times.push((await explorer.show(explorer.codeOf(i))).milliseconds); \
                return times.sort((a, b) => a - b)[20];";
    let milliseconds = browser.run(time, json!([])).as_f64().unwrap();
    assert_eq!(browser.console(), [""; 0], "{name}");
    milliseconds
}

#[test]
fn a_page_decodes_to_the_bits_of_the_program_and_answers_to_pointer_and_keys() {
    let Some(browser) = Browser::start() else { return };
    let place = Place::new();
    train(&place, "dense", DENSE, "bce");
    train(&place, "variational", VARIATIONAL, "bce-logits");
    train(&place, "convolutional", CONVOLUTIONAL, "mse");
    for (name, size, count) in [("variational", 6, 1000), ("convolutional", 11, 400), ("dense", 2, 1000)] {
        let began = Instant::now();
        let milliseconds = compare(&browser, &place, name, size, count);
        println!("{name}: {milliseconds:.2} ms a code, {:.1} s in all", began.elapsed().as_secs_f64());
    }

    // The page of the dense run, whose map is its code.
    let code = || browser.numbers("return letters(explorer.code());", &[]);
    let image = || browser.run("return document.getElementById('image').toDataURL();", json!([]));
    let settle = "await new Promise((done) => setTimeout(done, 150));";
    let mut seen = vec![(code(), image())];
    let mut moves = |what: &str, act: &dyn Fn()| {
        act();
        browser.run(settle, json!([]));
        let now = (code(), image());
        let last = seen.last().unwrap();
        assert!(now.0 != last.0 && now.1 != last.1, "{what} changes nothing");
        seen.push(now);
    };
    moves("a click", &|| browser.drag("#map", &[[0.8, 0.7]]));
    moves("a drag", &|| browser.drag("#map", &[[0.8, 0.7], [0.5, 0.5], [0.2, 0.3]]));
    moves("an arrow on the map", &|| browser.press("#map", "\u{e014}"));
    moves("enter on the map", &|| browser.press("#map", "\u{e007}"));
    moves("an arrow on a slider", &|| browser.press("#sliders label:nth-child(2) input", "\u{e014}\u{e014}\u{e014}"));
    moves("a place on the strip", &|| browser.drag("#strip li:nth-child(5) button", &[[0.5, 0.5]]));
    moves("a drawing", &|| browser.drag("#sheet", &[[0.3, 0.2], [0.7, 0.2], [0.5, 0.8]]));
    moves("the pen moved by keys", &|| browser.press("#sheet", "\u{e015}\u{e015}\u{e014}   "));
    moves("clearing the sheet", &|| browser.drag("#clear", &[[0.5, 0.5]]));
    let points = browser.numbers(POINTS, &[]);
    assert!(points.chunks(2).any(|point| point == seen[4].0), "enter takes the code of an image, not {:?}", seen[4].0);
    let classes = "const boxes = [...document.querySelectorAll('#classes input')], map = document.getElementById('map'); \
                   const before = map.toDataURL(); boxes[0].click(); return boxes.length === 3 && map.toDataURL() !== before;";
    assert_eq!(browser.run(classes, json!([])), true, "a class is taken off the map");
    // What begins elsewhere is no stroke and no way over the map.
    let before = code();
    browser.drag("#sheet", &[[0.5, -0.1], [0.5, 0.3], [0.6, 0.7]]);
    browser.drag("#map", &[[0.9, -0.02], [0.5, 0.5]]);
    browser.run(settle, json!([]));
    assert_eq!(code(), before);
    let touches =
        "return ['map', 'sheet', 'image'].map((id) => getComputedStyle(document.getElementById(id)).touchAction);";
    assert_eq!(browser.run(touches, json!([])), json!(["none", "none", "auto"]));
    browser.run("await new Promise((done) => setTimeout(done, 700));", json!([]));
    let said = browser.run("return document.getElementById('said').textContent;", json!([]));
    assert!(said.as_str().unwrap().starts_with("Decoded the code z"), "{said}");
    assert_eq!(browser.console(), [""; 0]);
    if let Some(folder) = std::env::var_os("NARROWS_PICTURES") {
        for (name, width, scheme) in [("light", 1280, "light"), ("dark", 1280, "dark"), ("phone", 390, "light")] {
            let picture = browser.picture(width, scheme);
            std::fs::write(std::path::Path::new(&folder).join(format!("{name}.png")), picture).unwrap();
        }
    }
}

#[test]
fn pages_of_training_images_of_a_t_sne_map_and_of_a_worker_that_does_not_start_say_what_they_are() {
    let Some(browser) = Browser::start() else { return };
    let place = Place::new();
    train(&place, "run", VARIATIONAL, "bce-logits");
    place.narrows(&["map", "run", "--part", "train", "--perplexity", "4", "--iterations", "20"]).done();
    place.narrows(&["explore", "run", "--part", "train"]).done().says(&["60 train images on the map (tsne, pca)"]);
    browser.open(&place.path("run/explore.html"));
    let near = "return document.getElementById('near').textContent;";
    assert!(browser.run(near, json!([])).as_str().unwrap().contains("0."), "training images beside the decoded one");
    // With every class hidden no point is near a place, whose code is then the one before.
    let code = || browser.numbers("return letters(explorer.code());", &[]);
    let before = code();
    browser.run("document.querySelectorAll('#classes input').forEach((box) => box.click());", json!([]));
    browser.drag("#map", &[[0.8, 0.7]]);
    browser.run("await explorer.show(explorer.code());", json!([]));
    assert_eq!(code(), before);
    assert_eq!(browser.console(), [""; 0]);

    let page = place.text("run/explore.html").replace("const CALLS =", "const CALLS ==");
    place.write("broken.html", page.as_bytes());
    browser.visit(&place.path("broken.html"));
    let failed = "await explorer.ready; return document.getElementById('failed').textContent;";
    let said = browser.run(failed, json!([])).to_string();
    assert!(said.contains("This page could not be opened: Uncaught SyntaxError"), "{said}");
}

#[test]
fn what_cannot_be_explored_is_refused() {
    let place = Place::with_toys();
    place.narrows(&["train", "toys.toml", "--out", "run"]).done();
    place.refuses(&["explore", "nowhere"], 2, &["nowhere is no run folder", "config.toml"]);
    place.refuses(&["explore", "run", "--out", "page.txt"], 2, &["page.txt", ".html"]);
    place.refuses(&["explore", "run", "--count", "1"], 2, &["a whole number from 2 to 10000 is expected"]);
    place.refuses(&["export", "run"], 2, &["--onnx"]);
}

#[test]
fn a_page_has_the_maps_of_its_images_and_the_same_bytes_every_time() {
    let place = Place::with_toys();
    place.narrows(&["train", "toys.toml", "--out", "run"]).done();
    // A t-SNE map is shown with the images and the weights that it is of, and with no others.
    place.narrows(&["map", "run", "--part", "train", "--perplexity", "4", "--iterations", "20"]).done();
    place
        .narrows(&["explore", "run", "--part", "train", "--json"])
        .done()
        .says(&["\"tsne\",\n    \"pca\"", "\"points\": 15"]);
    let page = place.text("run/explore.html");
    assert!(page.contains("\"name\":\"tsne\",\"length\":30"), "x and y of 15 codes");
    place.narrows(&["explore", "run", "--part", "test"]).done().says(&["3 test images on the map (pca)"]);
    let facts = place.text("run/map.json");
    let hash = place.sha256("run/model.safetensors");
    place.write("run/map.json", facts.replace(&hash, &place.sha256("run/map.csv")).as_bytes());
    place.narrows(&["explore", "run", "--part", "train"]).done().says(&["15 train images on the map (pca)"]);
    place.write("run/map.json", facts.as_bytes());
    // A map of another part, whose `map.json` was not yet written, is not of these images.
    let map = place.text("run/map.csv");
    place.write("run/map.csv", map.replacen("\n0,", "\n0,1", 1).as_bytes());
    place.narrows(&["explore", "run", "--part", "train"]).done().says(&["15 train images on the map (pca)"]);
    place.write("run/map.csv", map.as_bytes());
    // The colour of the text is no class's own.
    assert!(page.contains(".series-5 {") && !page.contains(".series-6 {"));
    // Twice the same bytes, and nothing of another place or of the network in them.
    place.narrows(&["explore", "run", "--part", "train", "--out", "one.html"]).done().says(&["15 train images"]);
    place.narrows(&["explore", "run", "--part", "train", "--out", "two.html", "--threads", "2"]).done();
    let page = place.text("one.html");
    assert_eq!(page, place.text("two.html"));
    for word in ["http:", "https:", "//cdn", "import ", "src="] {
        assert!(!page.contains(word), "{word}");
    }
}
