//! Scatter charts: points of some groups in a plane, such as codes coloured by class.

use super::Chart;
use super::axis::{Axis, drawable, extent};
use super::font;
use super::frame::{Entry, Frame, LABEL, Plot};
use super::number::significant;
use super::scene::{Anchor, Ink, Mark, PALETTE, Scene, Shape};

/// Natural height of the plot itself.
const PLOT: f32 = 520.0;
/// Half the width of a point.
const RADIUS: f32 = 2.0;
/// So many points and fewer are larger, and have a shape for each group in the place of names, which would hide them.
const FEW: usize = 200;
/// Half the width of one of few points.
const LARGE: f32 = 3.5;
/// More points than this are thinned: they would lie upon each other, and each takes 12 bytes of an SVG.
const MOST_POINTS: usize = 12_000;
/// More points than this are transparent, so that their density shows where they lie upon each other.
const MOST_OPAQUE: usize = 1_500;
/// About so many points of a group are drawn at once before the next group has its turn, so that no group hides another.
/// Points drawn at once do not add up where they overlap.
const TURN: usize = 25;
/// More groups than this are not named among their points: the names would hide them.
const MOST_NAMED: usize = 30;
/// The height and the greatest width of a group's name among its points, and the width of the border around it.
const NAME: [f32; 3] = [18.0, 110.0, 2.0];

/// Points in a plane, each of a group.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scatter {
    /// Its title; may be empty.
    pub title: String,
    /// What the x axis shows.
    pub x_label: String,
    /// What the whole numbers 0, 1, … of the x axis stand for; empty for an axis of numbers.
    pub x_names: Vec<String>,
    /// What the y axis shows; stands above the axis.
    pub y_label: String,
    /// What the legend calls the groups; no legend where there is none.
    pub groups: Vec<String>,
    /// The points: x, y, and the index of the group. Those that are not finite are left out, and of more than 12,000
    /// every second, third, … is drawn, evenly. More than 1,500 are transparent. The name of each of 2 to 30 groups stands at the
    /// one of its points that is nearest to their median, so that groups can be told without colours; of 200 points and fewer the shape
    /// tells them.
    pub points: Vec<(f64, f64, usize)>,
}

impl Scatter {
    /// Codes along their first two principal components, which have these `shares` of the variance; groups are classes.
    pub fn of_components(
        title: String,
        shares: &[f64],
        classes: Vec<String>,
        points: Vec<(f64, f64, usize)>,
    ) -> Scatter {
        let percent = |component: usize| significant(100.0 * shares.get(component).copied().unwrap_or(0.0), 3);
        let x_label = format!("first principal component ({} % of the variance)", percent(0));
        let y_label = format!("second principal component ({} %)", percent(1));
        Scatter { title, x_label, y_label, groups: classes, points, ..Scatter::default() }
    }
}

impl Chart for Scatter {
    fn scene(&self, total: Option<f32>) -> Scene {
        let finite: Vec<_> = self.points.iter().filter(|(x, y, _)| drawable(*x) && drawable(*y)).copied().collect();
        let every = finite.len().div_ceil(MOST_POINTS).max(1);
        let points: Vec<(f64, f64, usize)> = finite.into_iter().step_by(every).collect();
        let axis = |of: fn(&(f64, f64, usize)) -> f64| {
            let (low, high) = extent(points.iter().map(of));
            Axis::covering(low, high, 8)
        };
        let x = || if self.x_names.is_empty() { axis(|point| point.0) } else { Axis::named(&self.x_names) };
        let is_few = points.len() <= FEW;
        let entry = |(group, label): (usize, &String)| Entry::of_group(group, shape(group, is_few), label);
        let title = if self.title.is_empty() { "Points" } else { &self.title };
        let groups = self.groups.join(", ");
        let coloured = if groups.is_empty() { String::new() } else { format!(", coloured by {groups}") };
        let frame = Frame {
            title: &self.title,
            labels: [&self.x_label, &self.y_label],
            axes: (!points.is_empty()).then(|| [x(), axis(|point| point.1)]),
            lines: [true, true],
            inset: 8.0,
            beyond: 0.0,
            height: PLOT,
            panels: vec![""],
            legend: self.groups.iter().enumerate().map(entry).collect(),
            description: format!("{title}: {} points, {} over {}{coloured}", points.len(), self.y_label, self.x_label),
        };
        let radius = if is_few { LARGE } else { RADIUS };
        let opacity = (MOST_OPAQUE as f32 / points.len().max(1) as f32).sqrt().min(1.0);
        frame.scene(total, |scene, _, plot| {
            let groups = points.iter().map(|point| point.2 + 1).max().unwrap_or(0);
            let turns = points.len().div_ceil(TURN * groups.max(1));
            for (turn, group) in (0..turns).flat_map(|turn| (0..groups).map(move |group| (turn, group))) {
                let own = points.iter().skip(turn).step_by(turns).filter(|point| point.2 == group);
                let at: Vec<(f32, f32)> = own.map(|&(x, y, _)| (plot.x(x), plot.y(y))).collect();
                if !at.is_empty() {
                    let (shape, ink) = (shape(group, is_few), Ink::Series(group));
                    scene.marks.push(Mark::Points { at, shape, radius, ink, hollow: false, opacity });
                }
            }
            if !is_few && (2..=MOST_NAMED).contains(&self.groups.len()) {
                let mut taken = Vec::new();
                for (group, name) in self.groups.iter().enumerate() {
                    let own = points.iter().filter(|point| point.2 == group);
                    if let Some(at) = middle(own.map(|&(x, y, _)| (plot.x(x), plot.y(y))).collect()) {
                        write_name(scene, plot, at, group, name, &mut taken);
                    }
                }
            }
        })
    }
}

/// The point nearest to the medians of x and y, the first of equally near ones.
fn middle(points: Vec<(f32, f32)>) -> Option<(f32, f32)> {
    let median = |of: fn(&(f32, f32)) -> f32| {
        let mut all: Vec<f32> = points.iter().map(of).collect();
        all.sort_by(f32::total_cmp);
        all.get(all.len() / 2).copied().unwrap_or(0.0)
    };
    let (x, y) = (median(|point| point.0), median(|point| point.1));
    let far = |point: &(f32, f32)| (point.0 - x) * (point.0 - x) + (point.1 - y) * (point.1 - y);
    points.into_iter().min_by(|a, b| far(a).total_cmp(&far(b)))
}

/// Writes a group's name around a point, or where there is room below or above it, in a frame of its colour. `taken` are the left,
/// right, upper and lower ends of those that are written.
fn write_name(
    scene: &mut Scene,
    plot: &Plot<'_>,
    (x, y): (f32, f32),
    group: usize,
    name: &str,
    taken: &mut Vec<[f32; 4]>,
) {
    let [height, most, border] = NAME;
    let name = font::shortened(name, LABEL, most);
    let half = (font::width(&name, LABEL) / 2.0 + 4.0).max(height / 2.0);
    let x = x.max(plot.left + half + border).min(plot.right - half - border);
    let row = height + 2.0 * border + 1.0;
    let frame = |y: f32| [x - half - border, x + half + border, y - row / 2.0, y + row / 2.0];
    let free = |y: &f32| {
        let own = frame(*y);
        let inside = own[2] >= plot.top && own[3] <= plot.bottom;
        inside
            && !taken
                .iter()
                .any(|other| own[0] < other[1] && other[0] < own[1] && own[2] < other[3] && other[2] < own[3])
    };
    // 0, 1 below, 1 above, 2 below, …
    let offset = |step: i32| (step + 1) / 2 * if step % 2 == 1 { 1 } else { -1 };
    let clamped = y.max(plot.top + row / 2.0).min(plot.bottom - row / 2.0);
    let Some(y) = (0..80).map(|step| clamped + 0.5 * row * offset(step) as f32).find(free) else { return };
    taken.push(frame(y));
    for (ink, by) in [(Ink::Series(group), border), (Ink::Paper, 0.0)] {
        let points = vec![(x - half - by, y), (x + half + by, y)];
        scene.marks.push(Mark::Line { points, ink, width: height + 2.0 * by, dashed: false });
    }
    scene.text((x, y + 4.5), LABEL, Anchor::Middle, Ink::Print, &name);
}

/// Groups beyond the palette's length are told apart by their shape; those of few points all are.
fn shape(group: usize, is_few: bool) -> Shape {
    let number = if is_few { group } else { group / PALETTE.len() % 2 };
    [Shape::Circle, Shape::Square, Shape::Triangle][number % 3]
}
