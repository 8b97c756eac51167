//! Data sets in memory, their classes, and their division.

use narrows::data::load::save;
use narrows::data::split::split;
use narrows::data::{DRAWN_FACES, DRAWN_SET, Dataset, Published, Samples, Split, Splits};

fn three_classes() -> Dataset {
    shaped([1, 2, 1])
}

/// Five samples of two values.
fn shaped(shape: [usize; 3]) -> Dataset {
    let data = Dataset::from_bytes("toys", shape, (0..10).collect()).unwrap();
    data.with_labels(vec![2, 0, 1, 2, 0], ["Trouser", "Sandal", "Ankle boot"]).unwrap()
}

#[test]
fn parts_that_disagree_make_no_data_set() {
    let make = |bytes: usize, labels: &[u8]| {
        let data = Dataset::from_bytes("x", [2, 2, 1], vec![0; bytes]);
        data.and_then(|data| data.with_labels(labels.to_vec(), ["a", "b"])).unwrap_err().to_string()
    };
    assert!(make(7, &[]).contains("7 values are not a whole number of 2×2 images"));
    assert!(make(8, &[0; 3]).contains("holds 2 images, but x holds 3 labels"));
    let sentence = make(8, &[1, 2]);
    assert!(sentence.contains("label number 1 (counting from 0) is 2; there are 2 classes"), "{sentence}");
    assert!(Dataset::from_bytes("x", [0, 4, 1], vec![]).is_err());
}

#[test]
fn arrays_of_one_to_four_dimensions_are_samples_of_floats() {
    let values = ndarray::Array1::from_iter((0..24).map(|i| i as f32 / 7.0));
    let shaped = |shape: &[usize]| {
        let array = values.to_shape(ndarray::IxDyn(shape)).unwrap();
        Dataset::from_array("x", array.view()).map(|data| (data.len(), data.shape()))
    };
    assert_eq!(shaped(&[24]).unwrap(), (24, [1, 1, 1]));
    assert_eq!(shaped(&[4, 6]).unwrap(), (4, [1, 1, 6]));
    assert_eq!(shaped(&[2, 3, 4]).unwrap(), (2, [3, 4, 1]));
    assert_eq!(shaped(&[2, 2, 2, 3]).unwrap(), (2, [2, 2, 3]));
    assert!(shaped(&[2, 1, 2, 2, 3]).unwrap_err().to_string().contains("shape [2, 1, 2, 2, 3]"));
    assert!(shaped(&[24, 1, 1, 1]).is_ok() && Dataset::from_array("x", ndarray::arr2(&[[0f32; 0]]).view()).is_err());
    // Columns first in memory: the samples are the rows all the same.
    let data = Dataset::from_array("x", values.to_shape([4, 6]).unwrap().t()).unwrap();
    let mut out = [0.0f64; 4];
    data.gather(&[1], &mut out);
    assert_eq!(out, [1, 7, 13, 19].map(|i| f64::from(i as f32 / 7.0)));
    let sentence =
        Dataset::from_array("x", ndarray::arr2(&[[0.0, 1.0], [2.0, f32::NAN]]).view()).unwrap_err().to_string();
    assert!(sentence.contains("value 1 of sample 1 (both counted from 0) is NaN"), "{sentence}");
}

#[test]
fn floats_are_chosen_from_joined_and_told_apart_like_bytes() {
    let array = ndarray::arr2(&[[0.5f32, -1.0], [2.0, 3.0], [4.0, 5.0]]);
    let data = Dataset::from_array("x", array.view()).unwrap().with_labels(vec![0, 1, 0], ["a", "b"]).unwrap();
    let mut out = [0.0f32; 4];
    data.subset(&[0, 2]).gather(&[1, 0], &mut out);
    assert_eq!(out, [4.0, 5.0, 0.5, -1.0]);
    assert_eq!(data.clone().concatenate(data.clone()).unwrap().len(), 6);
    assert_ne!(data.digest(), data.subset(&[1, 0, 2]).digest());
    let bytes =
        Dataset::from_bytes("x", [1, 1, 2], vec![0; 6]).unwrap().with_labels(vec![0, 1, 0], ["a", "b"]).unwrap();
    assert!(data.clone().concatenate(bytes).unwrap_err().to_string().contains("one holds bytes and the other floats"));
    assert!(data.clone().standard_min_max(&[0]).is_err());
}

#[test]
fn colours_become_greys_by_their_luma() {
    // As Pillow's convert("L"): 76, 150, 29.
    let colours = vec![255, 0, 0, 0, 255, 0, 0, 0, 255, 7, 7, 7, 255, 255, 255, 0, 0, 0];
    let grey = Dataset::from_bytes("x", [1, 2, 3], colours).unwrap().to_grey();
    assert_eq!((grey.shape(), grey.bytes().unwrap()), ([1, 2, 1], &[76, 150, 29, 7, 255, 0][..]));
    assert_eq!(grey.clone().to_grey(), grey);
}

#[test]
fn scaled_bytes_go_from_zero_to_one() {
    let mut data = Dataset::from_bytes("x", [1, 2, 1], vec![10, 20, 40, 30, 0, 255]).unwrap();
    data.standard_min_max(&[0, 1]).unwrap();
    let table = data.byte_values::<f64>();
    assert_eq!((table[10], table[40]), (0.0, 1.0));
    // (20 − 10) / (40 − 10), through roundings of a few units of the last place.
    assert!((table[20] - 1.0 / 3.0).abs() < 8.0 * f64::EPSILON, "{}", table[20]);
    let other = Dataset::from_bytes("y", [1, 2, 1], vec![40, 10]).unwrap().with_byte_values_of(&data);
    let mut out = [f32::NAN; 2];
    other.gather(&[0], &mut out);
    assert_eq!(out, [1.0, 0.0]);
    let refused = data.standard_min_max(&[]).unwrap_err().to_string();
    assert!(refused.contains("one grey level"), "{refused}");
}

#[test]
fn concatenation_appends_and_refuses_other_shapes_classes_and_missing_labels() {
    let both = three_classes().concatenate(three_classes()).unwrap();
    assert_eq!(both.len(), 10);
    assert_eq!(both.bytes().unwrap()[10..], three_classes().bytes().unwrap()[..]);
    assert_eq!(both.labels.as_ref().unwrap()[5..], three_classes().labels.unwrap()[..]);
    let refused = |other: Dataset| three_classes().concatenate(other).unwrap_err().to_string();
    assert!(refused(shaped([2, 1, 1])).contains("1×2 and 2×1"));
    let mut scaled = three_classes();
    scaled.standard_min_max(&[0, 1]).unwrap();
    assert_eq!(scaled.clone().concatenate(scaled.clone()).unwrap().len(), 10);
    assert!(refused(scaled).contains("their bytes stand for different values"));
    let mut nameless = three_classes();
    nameless.class_names.clear();
    assert!(refused(nameless).contains("classes differ"));
    assert!(refused(Dataset::from_bytes("x", [1, 2, 1], vec![0; 10]).unwrap()).contains("only one of them has labels"));
}

#[test]
fn samples_of_each_class_are_the_first_as_many_of_each() {
    let splits = |data| Splits {
        data,
        split: Split { train: vec![0, 1, 2, 3, 4], validation: Vec::new(), test: Vec::new() },
        origin: String::new(),
    };
    let labelled = splits(three_classes());
    assert_eq!(labelled.train().of_each_class(3).unwrap(), [0, 1, 2]);
    for count in [4, 6] {
        assert!(labelled.train().of_each_class(count).unwrap_err().contains("a multiple of 3"), "{count}");
    }
    let unlabelled = splits(Dataset::from_bytes("bare", [1, 2, 1], vec![0; 10]).unwrap());
    assert_eq!(unlabelled.train().of_each_class(3).unwrap_err(), "bare has no labels");
}

#[test]
fn the_digest_sees_pixels_labels_and_shape_but_no_names() {
    let base = three_classes();
    let [mut renamed, mut label, mut unlabelled] = [base.clone(), base.clone(), base.clone()];
    renamed.name = "other".into();
    assert_eq!(base.digest(), renamed.digest());
    label.labels.as_mut().unwrap()[0] = 1;
    unlabelled.labels = None;
    let pixel = Dataset::from_bytes("toys", [1, 2, 1], (1..11).collect()).unwrap();
    let pixel = pixel.with_labels(vec![2, 0, 1, 2, 0], ["Trouser", "Sandal", "Ankle boot"]).unwrap();
    for other in [pixel, label, shaped([2, 1, 1]), shaped([1, 1, 2]), unlabelled] {
        assert_ne!(base.digest(), other.digest());
    }
}

#[test]
fn gathered_values_are_the_exact_quotients() {
    let set = three_classes();
    let (narrow, wide) = (set.byte_values::<f32>(), set.byte_values::<f64>());
    for v in 0..=255u8 {
        assert_eq!(narrow[usize::from(v)], f32::from(v) / 255.0);
        assert_eq!(wide[usize::from(v)], f64::from(v) / 255.0);
    }
    let mut out = [f32::NAN; 4];
    set.gather(&[4, 0], &mut out);
    assert_eq!(out, [8.0 / 255.0, 9.0 / 255.0, 0.0, 1.0 / 255.0]);
}

/// Some classes of a set, which is written to a folder `toys` and opened.
fn chosen(data: Dataset, selectors: &[&str]) -> Result<Dataset, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("toys");
    save(&path, &data, None).unwrap();
    let path = path.to_str().unwrap();
    let chosen = Published::open(path, &[], None, 1).unwrap().classes(selectors);
    let (mut chosen, _) = chosen.map_err(|error| error.to_string().replace(path, "toys"))?.parts();
    chosen.name = "toys".into();
    Ok(chosen)
}

fn select(selectors: &[&str]) -> Result<Dataset, String> {
    chosen(three_classes(), selectors)
}

#[test]
fn classes_are_selected_by_name_in_any_case_or_by_number_and_renumbered() {
    let boots = select(&["ANKLE BOOT", "trouser"]).unwrap();
    assert_eq!(boots.bytes().unwrap(), [0, 1, 2, 3, 6, 7, 8, 9]);
    assert_eq!(boots.labels.as_deref(), Some(&[1, 0, 1, 0][..]));
    assert_eq!(boots.class_names, ["Trouser", "Ankle boot"]);
    assert_eq!(select(&["0", "2", "Trouser"]).unwrap(), boots);
}

#[test]
fn a_name_made_of_digits_comes_before_the_number() {
    let set = Dataset::from_bytes("swapped", [1, 1, 1], vec![7, 8]).unwrap();
    let set = set.with_labels(vec![0, 1], ["1", "0"]).unwrap();
    assert_eq!(chosen(set, &["1"]).unwrap().bytes().unwrap(), [7]);
}

#[test]
fn selections_that_cannot_be_made_say_why() {
    assert_eq!(
        select(&["Sandle"]).unwrap_err(),
        "cannot select the class `Sandle` of toys: there is none of that name; did you mean `Sandal`? \
         its classes are Trouser (0), Sandal (1), Ankle boot (2)"
    );
    assert!(select(&["3"]).unwrap_err().contains("`3`"));
    assert!(select(&[]).unwrap_err().contains("the list is empty"));
    let mut unlabelled = three_classes();
    unlabelled.labels = None;
    assert!(chosen(unlabelled, &["0"]).unwrap_err().contains("has no labels"));
}

fn splits(labels: Vec<u8>) -> Splits {
    let n = labels.len();
    let bytes = (0..n).map(|i| i as u8).collect();
    let data = Dataset::from_bytes("toys", [1, 1, 1], bytes).unwrap().with_labels(labels, ["a", "b", "c"]).unwrap();
    let split = Split { train: (0..n as u32).collect(), validation: vec![1, 0], test: Vec::new() };
    Splits { data, split, origin: "made up".into() }
}

#[test]
fn a_limit_keeps_the_classes_of_a_set_that_is_ordered_by_class() {
    let ordered = splits([[0; 40], [1; 40], [2; 40]].concat()).limit(10);
    // 10 × 40 / 120 each, and the one left over to the first class.
    assert_eq!(ordered.split.train, [0, 1, 2, 3, 40, 41, 42, 80, 81, 82]);
    assert_eq!(ordered.split.validation, [1, 0]);
    let uneven = splits([vec![0; 90], vec![2; 30]].concat()).limit(4);
    assert_eq!(uneven.split.train, [0, 1, 2, 90]);
}

#[test]
fn a_limit_keeps_the_first_of_a_set_in_any_other_order() {
    let in_turn = (0..120).map(|i| i % 3).collect();
    assert_eq!(splits(in_turn).limit(4).split.train, [0, 1, 2, 3]);
    // As chance has it: 1, 0, 0, 0, 1, … of a linear congruence.
    let shuffled: Vec<u8> =
        (0..120u32).map(|i| (i.wrapping_mul(1_103_515_245).wrapping_add(9) >> 16) as u8 % 3).collect();
    assert_eq!(splits(shuffled).limit(5).split.train, [0, 1, 2, 3, 4]);
    let of_one_class = vec![1; 30];
    assert_eq!(splits(of_one_class).limit(2).split.train, [0, 1]);
}

#[test]
fn samples_know_their_values_and_classes() {
    let splits = splits(vec![2, 0, 1]);
    let train = splits.train();
    assert_eq!((train.len(), train.features(), train.data.shape()), (3, 1, [1, 1, 1]));
    assert_eq!(splits.validation().to_array::<f64>().into_raw_vec_and_offset().0, [1.0 / 255.0, 0.0]);
    assert_eq!(Samples { indices: &[2, 0], ..train }.labels().unwrap().collect::<Vec<_>>(), [1, 2]);
    assert_eq!(train.first(2).indices, [0, 1]);
    assert_eq!(train.first(9).len(), 3);
    assert_eq!(train.chunks(2).map(|samples| samples.len()).collect::<Vec<_>>(), [2, 1]);
}

fn drawn() -> Published {
    Published::open(DRAWN_SET, &[], None, 14).unwrap()
}

#[test]
fn the_published_test_part_of_drawn_footwear_is_the_last_sixth_of_each_class() {
    let splits = drawn().split_training([5, 1], 1).unwrap();
    assert_eq!(splits.split.test, [36, 37, 38, 39, 40, 41]);
    let counts = [("train", 10), ("validation", 2), ("test", 2)];
    for ((part, found), (name, each)) in splits.class_distributions().into_iter().zip(counts) {
        assert_eq!((part, found.iter().map(|(_, count)| *count).collect::<Vec<_>>()), (name, vec![each; 3]));
    }
    let mut all = [&splits.split.train[..], &splits.split.validation, &splits.split.test].concat();
    all.sort_unstable();
    assert_eq!(all, (0..42).collect::<Vec<_>>());
    let boots = drawn().classes(["ankle boot"]).unwrap().split_training([5, 1], 1).unwrap();
    assert_eq!((boots.test().len(), boots.data.class_names.as_slice()), (2, &["Ankle boot".to_owned()][..]));
    assert_eq!(boots.test().classes(), [0, 0]);
    assert_eq!(boots.data.subset(&boots.split.test).bytes(), splits.data.subset(&[38, 41]).bytes());
    let faces = Dataset::open(DRAWN_FACES).unwrap().split_training([1, 0], 1).unwrap();
    assert_eq!((faces.split.test[0], faces.test().len()), (1667, 333));
}

#[test]
fn joined_parts_are_divided_as_the_whole_set() {
    let splits = drawn().split([5, 1, 1], 9).unwrap();
    let labels = splits.data.labels.as_deref();
    assert_eq!(splits.split, split(labels, 42, [5, 1, 1], 1, 9).unwrap());
    let by_chance = drawn().stratified(false).split([5, 1, 1], 9).unwrap();
    assert_eq!(by_chance.split, split(None, 42, [5, 1, 1], 1, 9).unwrap());
}

#[test]
fn a_set_without_a_test_part_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let data = Dataset::from_bytes("own", [1, 2, 1], vec![0; 20]).unwrap();
    save(folder.path(), &data, None).unwrap();
    let open = || Published::open(folder.path().to_str().unwrap(), &[], None, 1).unwrap();
    let sentence = open().split_training([5, 1], 1).unwrap_err().to_string();
    assert!(sentence.contains("has no published test part"), "{sentence}");
    assert!(sentence.contains("set data.merge = true"), "{sentence}");
    assert_eq!(open().split([3, 1, 1], 1).unwrap().train().len(), 6);
}

#[test]
fn an_unknown_name_says_what_there_is() {
    let sentence = Dataset::open("fotwear").unwrap_err().to_string();
    assert!(sentence.contains("catalogued set (fashion-mnist, mnist, frey-face)"), "{sentence}");
    assert!(sentence.ends_with("did you mean \"footwear\"?"), "{sentence}");
}
