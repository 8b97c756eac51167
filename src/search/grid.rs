//! Every combination of a few values of each parameter, in an order drawn once from the seed, so that the first trials of a
//! grid that is too large for its budget lie all over it.

use super::space::{Domain, Point, Space, shuffled};
use crate::rng::{Purpose, stream_of};
use crate::settings::Fault;

/// More points than this are never tried.
const MOST_POINTS: usize = 1 << 20;
/// Marks the stream of the order.
const PART: [u8; 2] = [2, 0];

/// The points of the grid with `levels` values of each range, its ends included, and every choice; in the order in which they
/// are tried.
pub(super) fn points(space: &Space, levels: usize, seed: u64) -> Result<Vec<Point>, Fault> {
    let mut points: Vec<Point> = vec![vec![None; space.len()]];
    for &number in space.order() {
        let parameter = &space.parameters()[number];
        let values = values(parameter.domain, levels);
        let mut longer = Vec::new();
        for point in points {
            if !space.has_meaning(number, &point) {
                longer.push(point);
                continue;
            }
            longer.extend(values.iter().map(|value| {
                let mut point = point.clone();
                point[number] = Some(*value);
                point
            }));
            if longer.len() > MOST_POINTS {
                let found = format!("{levels} while the grid has more than {MOST_POINTS} points");
                return Err(Fault::new("levels", found, "fewer levels or parameters, or another sampler"));
            }
        }
        points = longer;
    }
    let order = shuffled(points.len(), &mut stream_of(seed, Purpose::Search, 0, PART));
    Ok(order.into_iter().map(|at| points[at as usize].clone()).collect())
}

fn values(domain: Domain, levels: usize) -> Vec<f64> {
    if let Domain::Choices(count) = domain {
        return (0..count).map(|choice| choice as f64).collect();
    }
    let ends = domain.ends();
    let [low, high] = ends.map(|end| domain.transform(end));
    let level = |at: usize| match at {
        0 => ends[0],
        at if at + 1 == levels => ends[1],
        at => domain.inverse_transform(low + (high - low) * at as f64 / (levels - 1) as f64),
    };
    let mut values: Vec<f64> = match levels {
        1 => vec![domain.inverse_transform(0.5 * (low + high))],
        _ => (0..levels).map(level).collect(),
    };
    // Few integers have fewer values than levels.
    values.dedup();
    values
}
