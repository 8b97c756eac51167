//! Pictures in colour, from a folder of PNG files to every picture that the program draws.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use narrows::figures::png::image_png;

use crate::support::Place;

const CONFIG: &str = r#"name = "colours"
data = { set = "./drawn", merge = true, split = { train = 4, validation = 1, test = 1, stratified = false } }
[model]
encoder = [{ conv = 4, stride = 2, activation = "relu" }, { batch-norm = "keras" }, { dense = 3 }]
decoder = [{ dense = 64, activation = "relu" }, { reshape = [4, 4, 4] }, { upsample = 2 }, { conv = 3, activation = "sigmoid" }]
variational = { beta = 0.1 }
[train]
loss = "bce"
batch_size = 8
max_epochs = 40
[optimizer]
name = "adam"
learning_rate = 0.02
"#;

/// The upper and the lower colour of a picture.
fn colours(number: usize) -> [[u8; 3]; 2] {
    let of = |at: usize| [[230, 30, 40], [30, 200, 60], [40, 60, 240], [240, 220, 30]][at % 4];
    [of(number), of(number / 4 + number + 1)]
}

/// 48 pictures of 8×8 pixels in two colours each, and the configuration of a run on them.
fn place() -> Place {
    let place = Place::new();
    for number in 0..48 {
        let rows = (0..64).flat_map(|at| colours(number)[usize::from(at >= 24 + 8 * (number % 3))]);
        place.write(&format!("drawn/{number:02}.png"), &image_png([8, 8, 3], &rows.collect::<Vec<u8>>()).unwrap());
    }
    place.write("colours.toml", CONFIG.as_bytes());
    place
}

/// The width and the pixels of a PNG file in colour.
#[track_caller]
fn in_colour(bytes: &[u8]) -> (usize, Vec<[u8; 3]>) {
    let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
    let mut samples = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut samples).unwrap();
    assert_eq!(info.color_type, png::ColorType::Rgb);
    let pixels = samples.as_chunks().0.to_vec();
    let strong = pixels.iter().filter(|[r, g, b]| r.abs_diff(*g).max(g.abs_diff(*b)) > 60).count();
    assert!(10 * strong > pixels.len(), "{strong} of {} pixels have a colour", pixels.len());
    (info.width as usize, pixels)
}

#[test]
fn a_folder_of_colour_pictures_trains_and_everything_drawn_of_it_is_in_colour() {
    let place = place();
    let run = |arguments: &[&str]| place.narrows(arguments).done();
    let answer = run(&["train", "colours.toml", "--out", "run"]);
    answer.says(&["48 images of 8×8 pixels in colour", "(batch, 4, 4, 4)", "(batch, 8, 8, 3)", "Trained 40 epochs"]);
    let (width, pixels) = in_colour(&place.read("run/reconstructions.png"));
    // The first original, of 7 times 8 pixels, is at the right of its label, 8 below the edge: red, green and blue in order.
    let known: Vec<[u8; 3]> = (0..48).flat_map(colours).collect();
    let images = |x: usize| known.contains(&pixels[9 * width + x]) && known.contains(&pixels[60 * width + x]);
    assert!((0..width).filter(|&x| images(x)).count() >= 8 * 56, "the originals have other colours than their files");

    run(&["sample", "run"]);
    run(&["traverse", "run"]);
    run(&["interpolate", "run", "--pairs", "2"]);
    run(&["encode", "run", "--images", "drawn", "--out", "codes.npy"]).says(&["48 codes of 3 values"]);
    run(&["decode", "run", "codes.npy", "--out", "decoded.png"]);
    run(&["reconstruct", "run", "--images", "drawn/07.png", "--out", "one.png"]);
    for picture in ["run/samples.png", "run/traversal.png", "run/interpolation.png", "decoded.png", "one.png"] {
        in_colour(&place.read(picture));
    }

    // A report has every image by itself: originals, reconstructions, strips, samples, traversals.
    place.write("study.toml", format!("{CONFIG}[report]\nreconstructions = 3\ncodes = [\"colours\"]\n").as_bytes());
    run(&["study", "study.toml", "--out", "study"]);
    let report = place.text("study/report.html");
    for part in ["Reconstructions", "of 8×8 pixels in colour", "α = 0.2</th>", "scope=\"row\">number "] {
        assert!(report.contains(part), "{part}");
    }
    let images: Vec<&str> = report.split("data:image/png;base64,").skip(1).collect();
    assert!(images.len() > 40, "{} images", images.len());
    for image in images {
        let bytes = STANDARD.decode(image.split('"').next().unwrap()).unwrap();
        // Byte 25 of the header is the colour type, 2 for red, green and blue (PNG specification, section 11.2.2).
        assert_eq!(bytes[25], 2);
    }

    // A dense decoder run backwards.
    let dense = [
        "--set",
        "model.encoder=[{ dense = 3 }]",
        "--set",
        r#"model.decoder=[{ dense = "input", activation = "sigmoid" }]"#,
    ];
    run(&[&["train", "colours.toml", "--out", "dense"], &dense[..]].concat());
    run(&["invert", "dense", "--count", "4"]);
    in_colour(&place.read("dense/inversion.png"));

    // CIFAR-10's files train as they are: records of a label and 32×32 pixels.
    let records = (0..24 * 3073).map(|at| if at % 3073 == 0 { 7 } else { (at * 37 % 251) as u8 });
    place.write("cifar/data_batch_1.bin", &records.collect::<Vec<_>>());
    let cifar = ["--set", "data.set=./cifar", "--set", "train.max_epochs=1"];
    let train = ["train", "colours.toml", "--out", "cifar-run"];
    run(&[&train[..], &dense, &cifar].concat()).says(&["24 images of 32×32 pixels in colour", "Trained 1 epoch"]);
}

#[test]
fn folders_that_mix_sizes_or_colours_name_the_first_two_that_differ() {
    let place = place();
    place.narrows(&["train", "colours.toml", "--set", "train.max_epochs=1", "--out", "run"]).done();
    place.write("grey.png", &image_png([8, 8, 1], &[9; 64]).unwrap());
    let encode = ["encode", "run", "--images", "grey.png", "--out", "codes.npy"];
    place.refuses(&encode, 2, &["cannot encode grey.png: its images are 8×8 pixels, but run was trained on 8×8×3"]);

    let train = ["train", "colours.toml", "--out", "other"];
    let rule = "the pictures of a folder must have one size, all grey or all in colour";
    place.write("drawn/05.png", &image_png([8, 8, 1], &[9; 64]).unwrap());
    let colour = "drawn/00.png is 8×8 pixels (height × width), in colour, 3 channels";
    place.refuses(
        &train,
        1,
        &["drawn/05.png: it is 8×8 pixels (height × width), grey, 1 channel, while", colour, rule],
    );
    place.write("drawn/03.png", &image_png([8, 9, 3], &[9; 216]).unwrap());
    place.refuses(
        &train,
        1,
        &["drawn/03.png: it is 8×9 pixels (height × width), in colour, 3 channels, while", colour],
    );
}
