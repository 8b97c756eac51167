//! Folders and files of one's own, and where catalogued sets are looked for.

use std::fs;
use std::path::Path;

use narrows::data::load::{data_dirs, load, load_path, locate, save};
use narrows::data::{Catalog, DataError, Dataset, idx};

fn toys(name: &str, classes: &[&str]) -> Dataset {
    let data = Dataset::from_bytes(name, [2, 2, 1], (0..12).collect()).unwrap();
    data.with_labels(vec![1, 0, 1], classes.iter().copied()).unwrap()
}

fn sentence<T: std::fmt::Debug>(result: Result<T, DataError>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn a_saved_folder_is_read_back() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("toys");
    let set = toys("toys", &["Sandal", "Ankle boot"]);
    save(&folder, &set, Some(&set)).unwrap();
    assert_eq!(load_path(&folder, None).unwrap(), (set.clone(), Some(set.clone())));
    let (single, none) = load_path(&folder.join("train-images-idx3-ubyte"), None).unwrap();
    assert_eq!((single.labels, none), (set.labels, None));
    assert_eq!(single.class_names, ["0", "1"]);
}

#[test]
fn a_folder_with_training_images_alone_is_enough() {
    let folder = tempfile::tempdir().unwrap();
    assert!(sentence(load_path(folder.path(), None)).contains("neither train-images-idx3-ubyte.gz nor"));
    idx::write_images(&folder.path().join("train-images-idx3-ubyte"), 2, 3, &[1; 12]).unwrap();
    let (train, test) = load_path(folder.path(), None).unwrap();
    assert_eq!((train.len(), train.labels, test), (2, None, None));
    assert!(sentence(load_path(&folder.path().join("nothing"), None)).contains("there is no such file or folder"));
}

#[test]
fn classes_of_the_test_part_alone_count() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name| folder.path().join(name);
    idx::write_images(&path("train-images-idx3-ubyte"), 1, 1, &[5, 6]).unwrap();
    idx::write_labels(&path("train-labels-idx1-ubyte"), &[0, 1]).unwrap();
    idx::write_images(&path("t10k-images-idx3-ubyte"), 1, 1, &[7]).unwrap();
    idx::write_labels(&path("t10k-labels-idx1-ubyte"), &[2]).unwrap();
    let (train, test) = load_path(folder.path(), None).unwrap();
    assert_eq!(train.concatenate(test.unwrap()).unwrap().class_names, ["0", "1", "2"]);
}

#[test]
fn counts_and_labels_that_do_not_fit_name_both_files() {
    let folder = tempfile::tempdir().unwrap();
    save(folder.path(), &toys("toys", &["a", "b"]), None).unwrap();
    let labels = folder.path().join("train-labels-idx1-ubyte");
    idx::write_labels(&labels, &[0, 1]).unwrap();
    let found = sentence(load_path(folder.path(), None));
    assert!(found.contains(&format!("{} holds 2 labels", labels.display())), "{found}");
    assert!(
        found.contains(&format!("{} holds 3 images", folder.path().join("train-images-idx3-ubyte").display())),
        "{found}"
    );
    idx::write_labels(&labels, &[0, 1, 2]).unwrap();
    let found = sentence(load_path(folder.path(), None));
    assert!(found.contains("label number 2 (counting from 0) is 2; there are 2 classes"), "{found}");
    assert!(found.contains(labels.to_str().unwrap()), "{found}");
}

#[test]
fn an_absent_set_says_where_it_was_sought_what_lacks_and_how_to_get_it() {
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let paths = dirs.each_ref().map(|dir| dir.path().to_path_buf());
    let catalog = Catalog::builtin();
    let mnist = catalog.find("mnist").unwrap();
    fs::create_dir(paths[1].join("mnist")).unwrap();
    for name in ["train-images-idx3-ubyte", "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte"] {
        fs::write(paths[1].join("mnist").join(name), b"").unwrap();
    }
    let found = sentence(locate(&paths, mnist));
    assert!(found.contains(&paths[0].join("mnist").display().to_string()), "{found}");
    assert!(found.contains("(lacks t10k-labels-idx1-ubyte.gz)"), "{found}");
    assert!(found.contains("`narrows data fetch mnist` downloads it"), "{found}");
    assert!(found.ends_with("footwear that the program draws with `--set data.set=footwear`"), "{found}");
    fs::write(paths[1].join("mnist").join("t10k-labels-idx1-ubyte"), b"").unwrap();
    assert_eq!(locate(&paths, mnist).unwrap(), paths[1].join("mnist"));
}

#[test]
fn a_catalogued_file_of_another_size_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    save(folder.path(), &toys("toys", &["a", "b"]), None).unwrap();
    let catalog = Catalog::builtin();
    let found = sentence(load(folder.path(), catalog.find("mnist").unwrap()));
    assert!(found.contains("payload is 28 bytes, but the catalogue gives 47040016"), "{found}");
}

#[test]
fn the_data_directory_of_the_command_line_comes_first_and_data_last() {
    let dirs = data_dirs(Some(Path::new("given")));
    assert_eq!(dirs.first().unwrap(), Path::new("given"));
    assert_eq!(dirs.last().unwrap(), Path::new("data"));
}

/// One record of CIFAR-10: a label, then planes of red, green and blue.
fn cifar_record(label: u8, number: usize) -> Vec<u8> {
    let value = |at: usize| ((at / 1024 * 80 + at % 1024 / 32 * 3 + number * 11) % 256) as u8;
    std::iter::once(label).chain((0..3072).map(value)).collect()
}

#[test]
fn cifar_files_are_read_as_colour_images_and_refused_with_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let records =
        |labels: &[u8]| labels.iter().enumerate().flat_map(|(i, &label)| cifar_record(label, i)).collect::<Vec<u8>>();
    fs::write(path("data_batch_1.bin"), records(&[3, 9])).unwrap();
    fs::write(path("data_batch_2.bin"), records(&[0])).unwrap();
    fs::write(path("test_batch.bin"), records(&[7])).unwrap();
    let (train, test) = load_path(folder.path(), None).unwrap();
    assert_eq!((train.shape(), train.labels.as_deref()), ([32, 32, 3], Some(&[3, 9, 0][..])));
    assert_eq!(train.class_names[9], "truck");
    assert_eq!(test.unwrap().labels, Some(vec![7]));
    // Pixel (2, 5) of the second picture: red, green, blue.
    let at = 3072 + (2 * 32 + 5) * 3;
    assert_eq!(train.bytes().unwrap()[at..at + 3], [17, 97, 177]);
    let (single, none) = load_path(&path("data_batch_1.bin"), None).unwrap();
    assert_eq!((single.len(), none), (2, None));

    fs::write(path("short.bin"), &records(&[1])[1..]).unwrap();
    let said = sentence(load_path(&path("short.bin"), None));
    assert!(said.contains("it has 3072 bytes") && said.contains("records of 3073 bytes"), "{said}");
    fs::write(path("label.bin"), records(&[1, 10])).unwrap();
    let said = sentence(load_path(&path("label.bin"), None));
    assert!(
        said.contains("its record 1 (counting from 0) has the label 10") && said.contains("labels are 0 to 9"),
        "{said}"
    );
    fs::write(path("empty.bin"), b"").unwrap();
    assert!(sentence(load_path(&path("empty.bin"), None)).contains("it has 0 bytes"));
}
