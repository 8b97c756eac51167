//! Pairs of images to go between.

use narrows::analysis::choose_pairs;

#[test]
fn pairs_are_of_different_classes_and_use_no_image_twice() {
    let labels: Vec<u8> = (0..100).map(|i| if i < 80 { 1 } else { 2 + (i % 3) as u8 }).collect();
    let indices: Vec<u32> = (0..100).collect();
    let pairs = choose_pairs(Some(&labels), &indices, 20, 4).unwrap();
    let mut used: Vec<u32> = pairs.iter().flat_map(|pair| [pair.first, pair.second]).collect();
    assert!(pairs.iter().all(|pair| labels[pair.first as usize] != labels[pair.second as usize]));
    used.sort();
    used.dedup();
    assert_eq!(used.len(), 40);
    assert_eq!(pairs, choose_pairs(Some(&labels), &indices, 20, 4).unwrap());
    assert_ne!(pairs, choose_pairs(Some(&labels), &indices, 20, 5).unwrap());
    assert_eq!(choose_pairs(None, &indices, 50, 4).unwrap().len(), 50);
    // Four of one class and one of another make one pair, a single class pairs of any two.
    let few = choose_pairs(Some(&[1, 1, 1, 2, 1]), &indices[..5], 20, 4).unwrap();
    assert!(few.len() == 1 && (few[0].first == 3 || few[0].second == 3), "{few:?}");
    assert_eq!(choose_pairs(Some(&[1; 100]), &indices, 60, 4).unwrap().len(), 50);
    assert_eq!(choose_pairs(None, &indices[..3], 2, 4).unwrap().len(), 1);
    let refused = choose_pairs(None, &indices[..1], 2, 4).unwrap_err().to_string();
    assert_eq!(refused, "cannot pair 1 image(s): at least two are needed");
}
