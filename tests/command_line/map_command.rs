//! `narrows map`: maps of codes, what is said of them, and what is refused.

use narrows_kernels::Isa;

#[cfg(unix)]
use crate::support::running::Running;
use crate::support::{Place, TOYS, answer, idx, png_size};

/// 720 pictures of three classes, each around a picture of its own, more than one block of points; and a run trained on them.
fn trained() -> Place {
    let place = Place::new();
    let mut state = 7u64;
    let mut pixel = |i: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (picture, at) = (i / 16, i % 16);
        ((picture % 3 * 5 + at * 3) % 11 * 15 + (state >> 58) as usize) as u8
    };
    let pixels: Vec<u8> = (0..720 * 16).map(&mut pixel).collect();
    place.write("toys/train-images-idx3-ubyte", &idx(&[720, 4, 4], &pixels));
    let labels: Vec<u8> = (0..720).map(|i| (i % 3) as u8).collect();
    place.write("toys/train-labels-idx1-ubyte", &idx(&[720], &labels));
    place.write("toys/class-names.txt", b"Ball\nKite\nTop\n");
    place.write("toys.toml", TOYS.as_bytes());
    place.narrows(&["train", "toys.toml", "--out", "run"]).done();
    place
}

const ALL: [&str; 4] = ["map", "run", "--part", "train,validation,test"];

#[test]
fn a_map_has_one_sha_256_on_all_instruction_sets_and_threads() {
    let place = trained();
    for isa in Isa::available() {
        for threads in ["1", "2", "3"] {
            let out = format!("{}-{threads}", isa.name());
            let more = ["--iterations", "300", "--threads", threads, "--out", &out];
            let said = answer(place.command(&ALL).args(more).env("NARROWS_ISA", isa.name())).done();
            assert!(said.stderr.contains("t-SNE of 720 codes, 300 iterations: about"), "{}", said.stderr);
            said.says(&["t-SNE map", "PCA map", "accuracy of 10 neighbours", "map.csv, pca.csv"]);
            assert_eq!(place.sha256(&format!("{out}/map.csv")), MAP, "{out}");
            for name in ["map.json", "map.svg", "pca.svg", "pca.csv"] {
                assert_eq!(
                    place.text(&format!("{out}/{name}")),
                    place.text(&format!("scalar-1/{name}")),
                    "{out}/{name}"
                );
            }
        }
    }
    let csv = place.text("scalar-1/map.csv");
    let rows: Vec<Vec<f64>> =
        csv.lines().skip(1).map(|row| row.split(',').map(|cell| cell.parse().unwrap()).collect()).collect();
    assert_eq!((csv.lines().next(), rows.len()), (Some("index,label,x,y"), 720));
    assert!(rows.iter().enumerate().all(|(index, row)| row[0] == index as f64 && row[1] < 3.0));
    let facts = place.json("scalar-1/map.json");
    assert_eq!(facts["parts"], serde_json::json!(["train", "validation", "test"]));
    assert_eq!(facts["map_sha256"], MAP);
    assert_eq!(facts["model_sha256"], place.sha256("run/model.safetensors"));
    assert_eq!((&facts["codes"], &facts["iterations"], &facts["finished"]), (&720.into(), &300.into(), &true.into()));
    // Codes of three numbers, of pictures with noise; by chance a third of the labels would be right and half of the ranks.
    let kept = |figure: &str| facts["figures"]["tsne"][figure].as_f64().unwrap();
    assert!((0.75..=1.0).contains(&kept("neighbour_accuracy")), "{facts:#}");
    assert!((0.75..=1.0).contains(&kept("trustworthiness")), "{facts:#}");
    assert!(facts["figures"]["tsne"]["kl_divergence"].as_f64().is_some_and(|divergence| divergence > 0.0));
    for name in ["map", "pca"] {
        assert_eq!(png_size(&place.read(&format!("scalar-1/{name}.png"))), (1200, 1100));
        // In the legend and among the points.
        assert_eq!(place.text(&format!("scalar-1/{name}.svg")).matches(">Kite<").count(), 2);
    }
}

/// SHA-256 of the map of 720 codes.
const MAP: &str = "bb422a009b39ffa675a1cc2c43a59352c3bbee4d29a86dc7a047bcbe5693cce5";

#[test]
fn the_first_codes_are_mapped_where_so_many_are_asked_for() {
    let place = trained();
    let more = ["--count", "30", "--perplexity", "4", "--iterations", "20"];
    place.narrows(&[&ALL[..], &more].concat()).done();
    assert_eq!(place.text("run/map.csv").lines().count(), 31);
    assert_eq!(place.json("run/map.json")["perplexity"], 4.0);
}

#[test]
fn what_cannot_be_mapped_is_refused() {
    let place = Place::with_toys();
    place.narrows(&["train", "toys.toml", "--out", "run"]).done();
    place.refuses(
        &["map", "run"],
        2,
        &["map 3 codes with a perplexity of 30: at least 4 codes", "30 needs at least 91"],
    );
    place.refuses(
        &[&ALL[..], &["--perplexity", "6.8"]].concat(),
        2,
        &["map 21 codes with a perplexity of 6.8: from 1 to 6 is accepted; 6.8 needs at least 22 codes"],
    );
    place.refuses(&[&ALL[..], &["--perplexity", "0.5"]].concat(), 2, &["perplexity of 0.5", "from 1 to 6 is accepted"]);
    place.refuses(&["map", "run", "--perplexity=-3"], 2, &["--perplexity"]);
    place.refuses(&["map", "run", "--perplexity", "many"], 2, &["a number above 0 is expected"]);
    place.refuses(&["map", "run", "--iterations", "0"], 2, &["--iterations"]);
    place.refuses(&["map", "run", "--part", "all"], 2, &["train, validation, test"]);
    place.refuses(&["map", "elsewhere"], 2, &["elsewhere is no run folder"]);
    let narrow = ["train", "toys.toml", "--out", "narrow", "--set", "model.encoder=[{ dense = 1 }]"];
    place.narrows(&narrow).done();
    let command = ["map", "narrow", "--part", "train,validation,test", "--perplexity", "5"];
    place.refuses(&command, 2, &["cannot map codes of 1 value(s): at least 2 are needed"]);
}

#[cfg(unix)]
#[test]
fn an_interrupted_map_is_written_as_far_as_it_came() {
    let place = trained();
    let more = ["--iterations", "10000000", "--out", "map"];
    let mut running = Running::start(&place, &[&ALL[..], &more].concat());
    running.wait_for("t-SNE of 720 codes, 10000000 iterations: about");
    running.signal("-INT");
    let (code, said) = running.end();
    assert_eq!(code, Some(130), "{said}");
    let facts = place.json("map/map.json");
    let done = facts["iterations"].as_u64().unwrap();
    assert!(said.contains(&format!("interrupted after {done} of 10000000 iterations")), "{said}");
    assert!(done >= 1 && facts["finished"] == false && facts["figures"].is_null(), "{facts:#}");
    assert_eq!(place.text("map/map.csv").lines().count(), 721);
    assert_eq!(png_size(&place.read("map/map.png")), (1200, 1100));
}
