//! Data sets and their files: every format, what is refused of it, and the real public sets, where `NARROWS_DATA_DIR` says they
//! are.

mod catalog;
mod dataset;
mod division;
mod drawn;
mod folders;
mod idx;
mod npy;
mod picture;

use std::fs;
use std::path::Path;

use narrows::config::{Source, presets};
use narrows::data::{Catalog, Dataset, FileStatus, class_distribution, data_dirs, load, load_path, locate, verify};
use narrows::run::load_data;

use crate::support::real_data;

fn real(name: &str) -> Option<(Dataset, Option<Dataset>)> {
    let dirs = [real_data()?];
    let catalog = Catalog::builtin();
    let set = catalog.find(name).unwrap();
    Some(load(&locate(&dirs, set).unwrap(), set).unwrap())
}

#[test]
fn every_catalogued_set_is_the_published_one() {
    let Some(folder) = real_data() else { return };
    for set in &Catalog::builtin().sets {
        let reports = verify(set, &set.folder_in(&folder));
        assert_eq!(reports.len(), set.files.len());
        for report in reports {
            assert_eq!(report.status, FileStatus::Ok, "{}: {}", set.name, report.file);
        }
    }
}

#[test]
fn the_data_directory_variable_is_searched() {
    let Some(folder) = real_data() else { return };
    assert_eq!(data_dirs(None), [folder.clone(), "data".into()]);
    assert_eq!(data_dirs(Some(Path::new("mine"))), ["mine".into(), folder, "data".into()]);
}

#[test]
fn the_public_sets_have_their_published_sizes() {
    for name in ["fashion-mnist", "mnist"] {
        let Some((train, Some(test))) = real(name) else { return };
        assert_eq!((train.len(), test.len(), train.features()), (60_000, 10_000, 784));
        let labels = train.labels.as_ref().unwrap();
        let all: Vec<u32> = (0..60_000).collect();
        let counts = class_distribution(labels, &all, &train.class_names);
        // Fashion-MNIST has 6,000 of each class; MNIST's counts are those its authors' file has.
        let mnist = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949];
        let expected = if name == "mnist" { mnist } else { [6_000; 10] };
        assert_eq!(counts.iter().map(|(_, count)| *count).collect::<Vec<_>>(), expected);
        assert_eq!(load_path(&real_data().unwrap().join(name), None).unwrap().0.digest(), train.digest());
    }
}

#[test]
fn a_real_file_cut_short_or_exchanged_is_refused() {
    let Some(folder) = real_data() else { return };
    let copy = tempfile::tempdir().unwrap();
    let catalog = Catalog::builtin();
    let set = catalog.find("mnist").unwrap();
    for file in &set.files {
        let name = format!("{}.gz", file.name);
        fs::copy(folder.join("mnist").join(&name), copy.path().join(&name)).unwrap();
    }
    let path = |name: &str| copy.path().join(name);
    let refused = |because: &str| {
        let sentence = load(copy.path(), set).unwrap_err().to_string();
        assert!(sentence.contains(because), "{because:?} is not in {sentence:?}");
    };

    let labels = fs::read(folder.join("mnist").join("t10k-labels-idx1-ubyte.gz")).unwrap();
    fs::remove_file(path("t10k-labels-idx1-ubyte.gz")).unwrap();
    refused("neither t10k-labels-idx1-ubyte.gz nor t10k-labels-idx1-ubyte is there");
    // 4,000 compressed bytes of labels hold more than a header, and less than all of them.
    fs::write(path("t10k-labels-idx1-ubyte.gz"), &labels[..4_000]).unwrap();
    refused("gzip stream is truncated");
    fs::copy(folder.join("mnist").join("train-labels-idx1-ubyte.gz"), path("t10k-labels-idx1-ubyte.gz")).unwrap();
    refused("its payload is 60008 bytes, but the catalogue gives 10008");
    fs::copy(folder.join("mnist").join("t10k-images-idx3-ubyte.gz"), path("t10k-labels-idx1-ubyte.gz")).unwrap();
    refused("it has 3 dimension(s); a file of labels has 1");
}

#[test]
fn every_preset_loads_the_drawn_set_that_stands_in_for_an_absent_one() {
    // A workflow has no data of its own.
    for preset in presets().iter().filter(|preset| !preset.source().unwrap().is_workflow()) {
        let run = |source: Source| match source.clone().into_search() {
            Ok(search) => search.middle_run().unwrap(),
            Err(_) => source.into_base_run().unwrap(),
        };
        let config = run(preset.source().unwrap());
        let nowhere = tempfile::tempdir().unwrap();
        let sentence = load_data(&config, &[nowhere.path().into()]).unwrap_err().to_string();
        let remedy = sentence.rsplit('`').nth(1).unwrap().strip_prefix("--set ").unwrap();
        let source = preset.source().unwrap().set(remedy).unwrap().set("data.per_class=70").unwrap();
        let splits = load_data(&run(source), &[nowhere.path().into()]).unwrap();
        assert!(!splits.train().is_empty() && !splits.test().is_empty(), "{}: {remedy}", preset.name);
    }
}
