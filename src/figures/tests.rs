//! What all charts keep, and what each kind does.

use super::Chart;
use super::axis::Axis;
use super::bars::BarChart;
use super::curves::{Curve, LineChart};
use super::font;
use super::frame::Frame;
use super::matrix::MatrixChart;
use super::png::decode;
use super::scatter::Scatter;
use super::scene::{Ink, Mark, PALETTE, Scene, Shape};

/// Refuses a scene of which a mark, or the extent of its text, lies outside, or of which two texts lie on each other.
fn assert_nothing_is_cut(scene: &Scene) {
    let mut texts: Vec<[f32; 4]> = Vec::new();
    for mark in &scene.marks {
        let (corners, by) = match mark {
            Mark::Line { points, width, .. } => (points.clone(), *width / 2.0),
            Mark::Area { points, .. } => (points.clone(), 0.0),
            Mark::Points { at, radius, .. } => (at.clone(), *radius),
            Mark::Text { x, y, size, anchor, content, .. } => {
                let width = font::width(content, *size);
                let start = x - width * [0.0, 0.5, 1.0][*anchor as usize];
                let new = [start, start + width, y - 0.75 * size, *y];
                let meets = |old: &[f32; 4]| new[0] < old[1] && old[0] < new[1] && new[2] < old[3] && old[2] < new[3];
                assert!(width == 0.0 || !texts.iter().any(meets), "{content} covers another text: {scene:?}");
                texts.push(new);
                (vec![(start, y - size), (start + width, y + 0.25 * size)], 0.0)
            }
        };
        for (x, y) in corners {
            let inside = x - by >= 0.0 && x + by <= scene.width && y - by >= 0.0 && y + by <= scene.height;
            assert!(inside, "({x}, {y}) of {scene:?}");
        }
    }
}

fn losses(curves: Vec<Curve>) -> LineChart {
    LineChart::losses("Losses", "binary cross-entropy (nats per pixel)", curves)
}

fn decay(epochs: usize, end: f64) -> Vec<f64> {
    (1..=epochs).map(|epoch| end + 0.4 / epoch as f64).collect()
}

fn bars(groups: Vec<(String, Vec<f64>)>) -> BarChart {
    let series = vec!["training".into(), "test".into()];
    BarChart { title: "Classes".into(), value_label: "images".into(), series, groups }
}

fn scatter(count: usize, groups: usize) -> Scatter {
    Scatter {
        title: "Codes".into(),
        x_label: "first component".into(),
        y_label: "second component".into(),
        groups: (0..groups).map(|group| group.to_string()).collect(),
        points: (0..count).map(|i| ((i * 37 % 101) as f64, (i * 53 % 97) as f64 - 50.0, i % groups)).collect(),
        ..Scatter::default()
    }
}

#[test]
fn runs_of_three_seeds_are_their_mean_in_a_band() {
    let runs = vec![vec![4.0, 2.0, 1.0], vec![5.0, 4.0], vec![6.0, 3.0, 2.0, 1.0]];
    let curves = Curve::of_runs("run", runs.clone(), false, 0);
    assert_eq!(curves.len(), 1);
    assert_eq!((&curves[0].values, &curves[0].band), (&vec![5.0, 3.0], &vec![[4.0, 6.0], [2.0, 4.0]]));
    let scene = losses(curves).scene(None);
    assert_nothing_is_cut(&scene);
    let areas = scene.marks.iter().filter(|mark| matches!(mark, Mark::Area { points, .. } if points.len() == 4));
    assert_eq!(areas.count(), 1);
    // The ends of the band are on the axis: from 2 to 6.
    assert!(losses(Curve::of_runs("run", runs, false, 0)).to_svg().contains("<polygon"));
    assert_eq!(Curve::of_runs("run", vec![vec![1.0], vec![2.0]], true, 3).len(), 2);
}

/// How often each of some texts stands in a chart.
fn counts<const N: usize>(svg: &str, texts: [&str; N]) -> [usize; N] {
    texts.map(|text| svg.matches(text).count())
}

#[test]
fn panels_share_their_scale_and_do_not_overlap() {
    for count in 1..9 {
        let mut plots: Vec<[f32; 4]> = Vec::new();
        let frame = Frame {
            title: "",
            labels: ["x", "time (s)"],
            axes: Some([Axis::epochs(20, 10), Axis::covering_logarithmic(1e-7, 1e3, 7).unwrap()]),
            lines: [false, true],
            inset: 8.0,
            beyond: 0.0,
            height: 300.0,
            panels: vec!["a panel with a title that is far too long for its width, however wide it may be"; count],
            legend: Vec::new(),
            description: String::new(),
        };
        let draw = |_: &mut Scene, number, plot: &super::frame::Plot| {
            assert_eq!(number, plots.len());
            plots.push([plot.left, plot.right, plot.top, plot.bottom]);
        };
        assert_nothing_is_cut(&frame.scene(None, draw));
        assert_eq!(plots.len(), count);
        for (index, a) in plots.iter().enumerate() {
            assert!((a[1] - a[0] - plots[0][1] + plots[0][0]).abs() < 1e-2 && a[3] - a[2] == 300.0, "{plots:?}");
            assert!(plots[..index].iter().all(|b| b[1] < a[0] || b[3] < a[2]), "{plots:?}");
        }
    }
}

#[test]
fn nothing_is_cut_whatever_the_size_and_the_labels() {
    let long = "a run with a name far longer than anybody would give it ".repeat(4);
    let label = |i: usize| format!("run {i}{}", if i == 3 { &long } else { "" });
    let many: Vec<Curve> = (0..40).map(|i| Curve::per_epoch(label(i), decay(i, 0.1), i % 2 == 0, i)).collect();
    let wide = Curve::per_epoch("e", vec![1e289, -1e289, 3.0], false, 0);
    for chart in [LineChart { title: long.clone(), ..losses(many) }, losses(vec![wide]), losses(Vec::new())] {
        for (total, least) in [(None, 0.0), (Some(1.0), 140.0), (Some(2000.0), 2000.0)] {
            let scene = chart.scene(total);
            assert_nothing_is_cut(&scene);
            assert!(scene.height >= least && (total != Some(2000.0) || scene.height == 2000.0), "{}", scene.height);
        }
    }
    assert_nothing_is_cut(&bars(vec![(long, vec![-4.5, 6e9]), ("b".into(), vec![f64::NAN])]).scene(None));
    assert_nothing_is_cut(&scatter(1100, 11).scene(None));
}

#[test]
fn names_and_counts_of_a_matrix_stand_where_they_fit() {
    // Names above narrow columns take two lines.
    for (classes, counts, names) in [(3, 9, 6), (10, 100, 20), (40, 0, 60), (100, 0, 102), (256, 0, 111)] {
        let chart = MatrixChart {
            title: "Classes".into(),
            classes: (0..classes).map(|class| format!("class {class}")).collect(),
            counts: vec![vec![1234; classes]; classes],
        };
        let scene = chart.scene(None);
        assert_nothing_is_cut(&scene);
        let texts = |is: fn(&str) -> bool| {
            let texts = scene.marks.iter().filter(|mark| matches!(mark, Mark::Text { content, .. } if is(content)));
            texts.count()
        };
        assert_eq!(texts(|text| text == "1234"), counts, "{classes} classes");
        // Beside the names: the title, and what rows and columns are.
        assert_eq!(texts(|text| text != "1234"), names + 3, "{classes} classes");
    }
}

#[test]
fn cells_of_a_matrix_have_one_size_in_both_formats_and_do_not_overlap() {
    let classes = (0..10).map(|class| class.to_string()).collect();
    let chart = MatrixChart { title: String::new(), classes, counts: vec![vec![5; 10]; 10] };
    let scene = chart.scene(None);
    assert!(scene.description.starts_with("Confusion matrix; 50 of 500"), "{}", scene.description);
    let squares = scene.marks.iter().filter_map(|mark| match mark {
        Mark::Points { at, shape, radius, .. } => Some(shape.corners(at[0], *radius)),
        _ => None,
    });
    let squares: Vec<Vec<(f32, f32)>> = squares.collect();
    let (side, gap) = (squares[0][1].0 - squares[0][0].0, squares[1][0].0 - squares[0][1].0);
    assert!((gap - 2.0).abs() < 0.01, "{gap}");
    let svg = chart.to_svg();
    let widths: Vec<f32> =
        svg.split("stroke-width=\"").skip(1).map(|rest| rest.split('"').next().unwrap().parse().unwrap()).collect();
    assert_eq!((squares.len(), widths.len()), (100, 100));
    assert!(widths.iter().all(|width| (width - side).abs() < 0.01), "{side}, not {widths:?}");
}

#[test]
fn pictures_have_the_size_asked_for_and_the_colours_of_their_marks() {
    let curve = |dashed, group| Curve::per_epoch("run", decay(14, 0.2), dashed, group);
    let chart = losses(vec![curve(false, 0), curve(true, 1)]);
    let bytes = chart.to_png(900, 560).unwrap();
    let (width, height, pixels) = decode(&bytes);
    assert_eq!((width, height), (900, 560));
    let count = |colour: &[u8; 3]| pixels.chunks_exact(3).filter(|pixel| pixel == colour).count();
    assert!(count(&PALETTE[0]) > 100 && count(&PALETTE[1]) > 100 && count(&[255; 3]) > 900 * 560 / 2);
    assert_eq!((bytes, chart.to_svg()), (chart.to_png(900, 560).unwrap(), chart.to_svg()));
    for (width, height) in [(1, 1), (3000, 7), (5, 2000)] {
        assert_eq!(decode(&chart.to_png(width, height).unwrap()).0, width);
    }
    assert!(
        chart.to_png(0, 10).is_err() && bars(Vec::new()).to_png(10, 10).is_ok() && scatter(0, 1).to_png(10, 10).is_ok()
    );
}

#[test]
fn bars_are_as_long_as_their_values_and_values_are_printed() {
    let lengths = |chart: &BarChart| -> Vec<f32> {
        let length = |mark: &Mark| match mark {
            Mark::Line { points, ink: Ink::Series(_), .. } => Some(points[1].0 - points[0].0),
            _ => None,
        };
        chart.scene(None).marks.iter().filter_map(length).collect()
    };
    let chart = bars(vec![("T-shirt".into(), vec![6000.0, 1000.0]), ("Bag".into(), vec![3000.0, 500.0])]);
    let found = lengths(&chart);
    assert_eq!(found.len(), 4);
    for (length, ratio) in found.iter().zip([1.0, 6.0, 2.0, 12.0]) {
        assert!((found[0] / length - ratio).abs() < 1e-3, "{found:?}");
    }
    let texts = [">1000<", ">500<", ">training<", ">test<", ">images<", ">T-shirt<"];
    assert_eq!(counts(&chart.to_svg(), texts), [1; 6]);

    assert!(bars(Vec::new()).to_svg().contains("Classes"));
    let odd = bars(vec![
        ("a <b> & \"c\"".into(), vec![f64::NAN, -4.5, 2.0]),
        (String::new(), vec![]),
        ("infinite".into(), vec![f64::INFINITY]),
    ]);
    let texts = [">a &lt;b&gt; &amp; &quot;c&quot;<", ">not a number<", "NaN", ">−4.500<"];
    assert_eq!(counts(&odd.to_svg(), texts), [1, 1, 0, 1]);
    assert_eq!(lengths(&odd).iter().filter(|&&length| length == 0.0).count(), 2);
}

#[test]
fn points_are_drawn_once_in_the_colour_of_their_group_and_transparent_where_they_are_many() {
    for (count, groups, share) in [(1100, 11, 1.0), (6000, 3, 0.5), (50_000, 10, 0.38729835)] {
        let scene = scatter(count, groups).scene(None);
        let mut drawn = vec![0; groups];
        for mark in &scene.marks {
            if let Mark::Points { at, shape, radius: 2.0, ink: Ink::Series(group), opacity, .. } = mark {
                drawn[*group] += at.len();
                assert_eq!(*shape, if *group < PALETTE.len() { Shape::Circle } else { Shape::Square });
                assert_eq!(*opacity, share);
            }
        }
        // More than 12,000 are thinned.
        assert_eq!(drawn.iter().sum::<usize>(), count.min(10_000));
        assert!(scatter(count, groups).to_svg().len() < 200_000);
    }
    // Points that lie upon each other are darker than one alone: levels of blue's red channel, 0 and half of 255.
    let mut chart = scatter(6000, 1);
    chart.points.iter_mut().for_each(|point| point.0 = if point.0 < 50.0 { 0.0 } else { point.0 });
    let shades = |chart: &Scatter, red: std::ops::Range<u8>| {
        let (_, _, pixels) = decode(&chart.to_png(760, 600).unwrap());
        pixels.chunks_exact(3).filter(|pixel| red.contains(&pixel[0]) && pixel[2] > 170).count()
    };
    assert!(shades(&chart, 0..6) > 50 && shades(&chart, 125..131) > 50);
    chart.groups.clear();
    chart.points = vec![(0.5, 0.5, 0), (f64::NAN, 1.0, 0), (1.0, f64::INFINITY, 0)];
    // A disc of radius 3.5, its soft edge left out.
    assert!((22..39).contains(&shades(&chart, 0..6)));
    chart.points.clear();
    assert!(chart.to_svg().contains("no finite values to draw"));
}

#[test]
fn groups_are_named_at_one_of_their_points_unless_they_are_too_many() {
    for (groups, times) in [(1, 1), (2, 2), (30, 2), (31, 1)] {
        let mut chart = scatter(2000, groups);
        chart.groups.iter_mut().for_each(|name| name.insert_str(0, "group "));
        let scene = chart.scene(None);
        assert_nothing_is_cut(&scene);
        // In the legend, and among the points.
        let named = |name: &String| {
            scene.marks.iter().filter(|mark| matches!(mark, Mark::Text { content, .. } if content == name)).count()
        };
        assert!(chart.groups.iter().all(|name| named(name) == times), "{groups} groups");
    }
    // Two points of a group, the third far away: the name is where the two are, on paper of its own.
    let mut chart = scatter(0, 2);
    chart.points = [(0.0, 0.0, 0), (1.0, 1.0, 1), (0.9, 1.0, 1), (1.0, 0.0, 1)].repeat(51);
    let scene = chart.scene(None);
    let places = |ink: Ink| {
        scene.marks.iter().filter_map(move |mark| match mark {
            Mark::Text { x, y, ink: found, .. } if *found == ink => Some((*x, *y)),
            _ => None,
        })
    };
    let points: Vec<(f32, f32)> = scene
        .marks
        .iter()
        .filter_map(|mark| match mark {
            Mark::Points { at, ink: Ink::Series(1), radius: 2.0, .. } => Some(at[0]),
            _ => None,
        })
        .collect();
    let (x, y) = places(Ink::Print).nth(1).unwrap();
    let far = |point: &(f32, f32)| (point.0 - x).abs().max((point.1 - y).abs());
    assert!(points.iter().map(far).fold(f32::INFINITY, f32::min) <= 25.0, "({x}, {y}) among {points:?}");
    // Names would hide few points: they have shapes.
    chart.points.truncate(200);
    let scene = chart.scene(None);
    let shapes = scene.marks.iter().filter_map(|mark| match mark {
        Mark::Points { shape, radius: 3.5, ink: Ink::Series(group), .. } => Some((*group, *shape)),
        _ => None,
    });
    let mut shapes: Vec<_> = shapes.collect();
    shapes.dedup();
    assert!(shapes.contains(&(0, Shape::Circle)) && shapes.contains(&(1, Shape::Square)), "{shapes:?}");
    assert!(
        !scene
            .marks
            .iter()
            .any(|mark| matches!(mark, Mark::Text { ink: Ink::Print, content, .. } if *content == chart.groups[1]))
    );
}
