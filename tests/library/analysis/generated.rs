//! Distances of distributions, precision and recall, nearest images.

use narrows::analysis::{Coverage, FeatureMoments, nearest};
use narrows_kernels::Context;
use ndarray::{Array2, array};
use serde_json::Value;

#[test]
fn frechet_distances_are_those_of_scipy() {
    let golden: Value = serde_json::from_str(include_str!("../../golden/frechet_scipy.json")).unwrap();
    let cases = golden["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 3);
    for case in cases {
        let d = case["d"].as_u64().unwrap() as usize;
        let features = |key: &str| {
            let values = case[key].as_array().unwrap().iter();
            let values: Vec<f32> = values.map(|value| value.as_f64().unwrap() as f32).collect();
            Array2::from_shape_vec((values.len() / d, d), values).unwrap()
        };
        let moments = |key: &str| FeatureMoments::of(Context::detect(), features(key).view()).unwrap();
        let (a, b, expected) = (moments("a"), moments("b"), case["distance"].as_f64().unwrap());
        for found in [a.distance(Context::detect(), &b), b.distance(Context::detect(), &a)] {
            // scipy takes the root of a product whose condition is the square of ours: √ε of its eigenvalues.
            assert!((found - expected).abs() <= 1e-7 * expected, "{d} values: {found} {expected}");
        }
        let own = a.distance(Context::detect(), &a);
        assert!((0.0..1e-10 * expected).contains(&own), "{own}");
    }
}

#[test]
fn features_that_do_not_vary_have_a_distance_too() {
    let constant = Array2::from_elem((5, 3), 2.0f32);
    let other = Array2::from_shape_fn((4, 3), |(i, j)| if j == 0 { i as f32 } else { 0.0 });
    let [a, b] = [&constant, &other].map(|x| FeatureMoments::of(Context::detect(), x.view()).unwrap());
    // Means (2, 2, 2) and (1.5, 0, 0), variances 0 and 5/3.
    let found = a.distance(Context::detect(), &b);
    assert!((found - (0.25 + 4.0 + 4.0 + 5.0 / 3.0)).abs() < 1e-12, "{found}");
    assert!(FeatureMoments::of(Context::detect(), constant.row(0).insert_axis(ndarray::Axis(0))).is_err());
}

#[test]
fn precision_and_recall_tell_images_that_are_bad_from_images_that_are_few() {
    // Real points on a line at 0, 1, …, 9; the ball of a point in the middle reaches to its second neighbour at distance 1.
    let real = Array2::from_shape_fn((10, 1), |(i, _)| i as f32);
    let coverage = |generated: Array2<f32>| Coverage::of(Context::detect(), real.view(), generated.view(), 2).unwrap();
    assert_eq!(coverage(real.clone()), Coverage { precision: 1.0, recall: 1.0 });
    // A few places of the line: each is among real ones, but their own balls reach no others.
    let few = coverage(Array2::from_shape_fn((10, 1), |(i, _)| 4.0 + 0.01 * i as f32));
    assert_eq!(few, Coverage { precision: 1.0, recall: 0.1 });
    let far = coverage(Array2::from_shape_fn((10, 1), |(i, _)| 100.0 + i as f32));
    assert_eq!(far, Coverage { precision: 0.0, recall: 0.0 });
    let half = coverage(Array2::from_shape_fn((10, 1), |(i, _)| if i < 5 { i as f32 } else { 50.0 * i as f32 }));
    assert_eq!(half.precision, 0.5);
    let refused = Coverage::of(Context::detect(), real.view(), real.view(), 10).unwrap_err().to_string();
    assert!(refused.starts_with("cannot compare 10 neighbours of each of 10 points"), "{refused}");
    assert!(Coverage::of(Context::detect(), real.view(), Array2::zeros((10, 2)).view(), 2).is_err());
}

#[test]
fn the_nearest_image_is_found_and_of_equally_near_ones_the_first() {
    let others = array![[0.0, 0.0], [1.0, 0.0], [0.0, 2.0], [1.0, 0.0]];
    let images = array![[1.0, 0.25], [0.0, 1.0], [-3.0, 0.0]];
    let found = nearest(Context::detect(), images.view(), others.view()).unwrap();
    assert_eq!(found, [(1, 0.0625), (0, 1.0), (0, 9.0)]);
    assert!(nearest(Context::detect(), images.view(), Array2::zeros((0, 2)).view()).is_err());
    // More than are compared at a time.
    let mut many = Array2::from_elem((1500, 2), 9.0);
    many.row_mut(1400).fill(1.0);
    assert_eq!(nearest(Context::detect(), array![[1.0, 1.0]].view(), many.view()).unwrap(), [(1400, 0.0)]);
    many[[1450, 1]] = f32::NAN;
    let refused = nearest(Context::detect(), array![[1.0, 1.0]].view(), many.view()).unwrap_err().to_string();
    assert!(refused.contains("1450"), "{refused}");
}
