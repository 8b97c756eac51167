//! The catalogue, and files held against it.

use std::fs;

use narrows::data::catalog::Format;
use narrows::data::{Catalog, CatalogSet, FileStatus, verify};
use narrows::files::sha256;

use crate::support::gzip;

#[test]
fn the_built_in_catalogue_lists_the_public_sets() {
    let catalog = Catalog::builtin();
    let names: Vec<&str> = catalog.sets.iter().map(|set| set.name.as_str()).collect();
    assert_eq!(names, ["fashion-mnist", "mnist", "frey-face"]);
    let fashion = catalog.find("fashion-mnist").unwrap();
    assert_eq!([5, 7, 9].map(|class: usize| fashion.classes[class].as_str()), ["Sandal", "Sneaker", "Ankle boot"]);
    for set in catalog.sets.iter().filter(|set| set.format == Format::Idx) {
        let pixels = set.height * set.width;
        for [images, labels] in set.files.as_chunks().0 {
            let (image_bytes, label_bytes) = (images.bytes - 16, labels.bytes - 8);
            assert_eq!(image_bytes, label_bytes * pixels as u64, "{}: sizes of images and labels", set.name);
        }
        assert!(!set.mirrors.is_empty());
    }
}

#[test]
fn an_unknown_set_is_refused_with_the_nearest() {
    let sentence = Catalog::builtin().find("fashion_mnist").unwrap_err().to_string();
    assert_eq!(
        sentence,
        "cannot find a data set named `fashion_mnist`: the catalogue does not list it; \
         did you mean `fashion-mnist`? it lists fashion-mnist, mnist, frey-face"
    );
}

#[test]
fn catalogues_that_break_a_rule_are_refused() {
    let text = include_str!("../../../data/catalog.toml");
    for (from, to, because) in [
        ("title =", "titel =", "titel"),
        ("t10k-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "in this order"),
        ("\"freyface.mat\"", "\"../freyface.mat\"", "must be a plain name"),
        ("sha256 = \"c5", "sha256 = \"C5", "64 lower-case hexadecimal digits"),
        ("bytes = 60008", "bytes = 9999999999", "at most 1073741824 bytes"),
        ("mnist/\"", "mnist\"", "end with /"),
        ("https://", "file://", "must start with http:// or https://"),
    ] {
        assert!(text.contains(from), "{from} is not in the catalogue");
        let sentence = Catalog::parse(&text.replace(from, to)).unwrap_err().to_string();
        assert!(sentence.contains(because), "{because:?} is not in {sentence:?}");
    }
}

fn one_file(payload: &[u8]) -> CatalogSet {
    let mut set = Catalog::builtin().find("frey-face").unwrap().clone();
    set.files[0].bytes = payload.len() as u64;
    set.files[0].sha256 = sha256(payload);
    set
}

#[test]
fn each_way_to_be_wrong_has_its_status() {
    let folder = tempfile::tempdir().unwrap();
    let set = one_file(b"payload");
    let path = folder.path().join("freyface.mat");
    let status = |set: &CatalogSet| verify(set, folder.path()).remove(0).status;
    assert_eq!(status(&set), FileStatus::Missing);
    fs::write(&path, b"payload").unwrap();
    assert_eq!(status(&set), FileStatus::Ok);
    fs::write(&path, b"payloaD").unwrap();
    assert!(status(&set).to_string().starts_with("wrong content: the payload's SHA-256 is "), "{}", status(&set));
    fs::write(&path, b"payloa").unwrap();
    assert_eq!(status(&set).to_string(), "wrong size: the payload is 6 bytes, published are 7");
    fs::write(&path, vec![b'p'; 300_000]).unwrap();
    assert_eq!(status(&set).to_string(), "wrong size: the payload is more than the published 7 bytes");

    let zipped = gzip(b"payload");
    fs::write(folder.path().join("freyface.mat.gz"), &zipped).unwrap();
    assert_eq!(status(&set), FileStatus::Ok);
    fs::write(folder.path().join("freyface.mat.gz"), &zipped[..zipped.len() - 2]).unwrap();
    let sentence = status(&set).to_string();
    assert!(sentence.starts_with("unreadable: ") && sentence.contains("truncated"), "{sentence}");
}
