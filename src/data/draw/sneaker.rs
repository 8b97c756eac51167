//! Sneakers: a low upper on a thick sole, with laces, stripes, toe cap and heel counter.

use super::canvas::{Canvas, Coverage, Outline, PIXELS, Shade};
use super::frame::{Arch, Dice, Frame};

/// Half the width of a thin seam, about a quarter of a pixel.
const SEAM: f32 = 0.011;

/// The proportions of one sneaker, in shoe lengths.
struct Shape {
    sole: f32,
    arch: Arch,
    toe: f32,
    throat: f32,
    height: f32,
    collar: f32,
    tab: f32,
}

/// Paints one sneaker.
pub(super) fn paint(dice: &mut Dice) -> [u8; PIXELS] {
    let mid_top = dice.chance(0.14);
    let height = if mid_top { dice.between(0.48, 0.58) } else { dice.around(0.33, 0.48) };
    let shape = Shape {
        sole: dice.between(0.06, 0.12),
        arch: Arch { spring: dice.between(0.0, 0.05), heel: dice.between(0.0, 0.03), ball: 0.3, seat: 0.8 },
        toe: dice.between(0.08, 0.14),
        throat: dice.between(0.44, 0.56),
        height,
        collar: height - if mid_top { dice.between(0.03, 0.09) } else { dice.between(0.05, 0.12) },
        tab: height - dice.between(-0.01, 0.05),
    };
    let frame = Frame::fit(dice, height + 0.06);
    let mut canvas = Canvas::new(dice);
    let upper = dice.shade(0.5);
    let trim = dice.shade(0.4);

    let lining = if dice.chance(0.5) { upper.lighter(dice.between(-0.45, -0.15)) } else { trim };
    let far_side =
        [[shape.throat, shape.height], [0.5 * (shape.throat + 0.96), shape.collar + 0.03], [0.95, shape.tab]];
    canvas.paint(&Outline::new(frame).line(&[[shape.throat, 0.2], [0.95, 0.2]]).line(&far_side).fill(), lining);
    let tongue = [[shape.throat - 0.12, shape.height - 0.1], [shape.throat + dice.between(0.0, 0.04), height + 0.03]];
    canvas.paint(&Outline::new(frame).line(&tongue).stroke(0.02, 0.03), trim);

    let body = silhouette(frame, &shape);
    canvas.paint(&body, upper);
    panels(dice, frame, &shape, &mut canvas, &body, (upper, trim));
    marks(dice, frame, &shape, &mut canvas, &body, (upper, trim));
    laces(dice, frame, &shape, &mut canvas, &body, upper);
    sole(dice, frame, &shape, &mut canvas);
    canvas.finish()
}

/// Height of the ridge of the upper, where the laces lie, between toe box (`u` 0.14) and throat.
fn ridge(shape: &Shape, u: f32) -> f32 {
    let t = ((u - 0.14) / (shape.throat - 0.14)).clamp(0.0, 1.0);
    let start = shape.arch.at(0.14) + shape.sole + shape.toe;
    start + (shape.height - start) * (0.75 * t + 0.25 * t * t)
}

fn silhouette(frame: Frame, shape: &Shape) -> Coverage {
    let base = shape.sole + shape.arch.at(0.05);
    let dip = 0.5 * (shape.throat + 0.95);
    let quarter = 0.14 + 0.45 * (shape.throat - 0.14);
    let seat = shape.sole + shape.arch.heel;
    Outline::new(frame)
        .line(&[[0.03, base - 0.03]])
        .curve(&[
            [0.05, base + 0.55 * shape.toe],
            [0.14, ridge(shape, 0.14)],
            [quarter, ridge(shape, quarter)],
            [shape.throat, shape.height],
        ])
        .curve(&[
            [shape.throat + 0.06, shape.height - 0.25 * (shape.height - shape.collar)],
            [dip, shape.collar],
            [0.95, shape.tab],
        ])
        .curve(&[[0.975, 0.5 * (shape.tab + seat)], [0.97, seat - 0.03]])
        .line(&[[0.5, shape.sole - 0.03]])
        .fill()
}

fn panels(
    dice: &mut Dice,
    frame: Frame,
    shape: &Shape,
    canvas: &mut Canvas,
    body: &Coverage,
    (upper, trim): (Shade, Shade),
) {
    if dice.chance(0.45) {
        let back = dice.between(0.14, 0.24);
        let cap = Outline::new(frame)
            .line(&[[0.0, 0.0], [back + 0.08, 0.0]])
            .curve(&[[back + 0.02, shape.sole + 0.06], [back, 0.5]])
            .line(&[[0.0, 0.5]]);
        let shade = if dice.chance(0.5) { trim } else { upper.lighter(dice.between(-0.3, 0.2)) };
        canvas.paint(&cap.fill().within(body), shade);
    }
    if dice.chance(0.55) {
        let front = dice.between(0.76, 0.88);
        let counter = Outline::new(frame)
            .line(&[[1.0, 0.0], [front - 0.08, 0.0]])
            .curve(&[[front, shape.sole + 0.12], [front + dice.between(-0.02, 0.06), 0.6]])
            .line(&[[1.0, 0.6]]);
        let shade = if dice.chance(0.5) { trim } else { upper.lighter(dice.between(-0.3, 0.2)) };
        canvas.paint(&counter.fill().within(body), shade);
    }
    if dice.chance(0.5) {
        let edge = upper.lighter(dice.between(-0.35, 0.25));
        let low = shape.sole + 0.03;
        let seam = Outline::new(frame).line(&[[0.1, low]]).curve(&[[0.3, low + 0.07], [0.45, low + 0.04], [0.8, low]]);
        canvas.paint(&seam.stroke(SEAM, 2.0 * SEAM).within(body), edge);
    }
    if dice.chance(0.5) {
        let edge = Outline::new(frame)
            .line(&[[shape.throat, shape.height - 0.02]])
            .curve(&[[0.5 * (shape.throat + 0.95), shape.collar - 0.02], [0.94, shape.tab - 0.02]]);
        canvas.paint(&edge.stroke(0.025, 0.025).within(body), trim);
    }
}

/// Stripes, a swoosh, perforations or nothing on the side.
fn marks(
    dice: &mut Dice,
    frame: Frame,
    shape: &Shape,
    canvas: &mut Canvas,
    body: &Coverage,
    (upper, trim): (Shade, Shade),
) {
    let away = if upper.level > 0.55 { dice.between(-0.7, -0.35) } else { dice.between(0.35, 0.6) };
    let shade = if dice.chance(0.3) { trim } else { upper.lighter(away) };
    let low = shape.sole + 0.02;
    let style = dice.between(0.0, 1.0);
    if style < 0.35 {
        let stripes = dice.count(1, 3);
        let (first, gap) = (dice.between(0.48, 0.6), dice.between(0.07, 0.1));
        let (slant, radius) = (dice.between(-0.16, 0.02), dice.between(0.013, 0.024));
        for k in 0..stripes {
            let u = first + gap * k as f32;
            let stripe = Outline::new(frame).line(&[[u, low], [u + slant, ridge(shape, u) - 0.03]]);
            canvas.paint(&stripe.stroke(radius, radius).within(body), shade);
        }
    } else if style < 0.6 {
        let (start, rise) = (dice.between(0.3, 0.45), dice.between(0.04, 0.12));
        let swoosh = Outline::new(frame).line(&[[start, low + rise + 0.05]]).curve(&[
            [start + 0.1, low + 0.04],
            [start + 0.25, low + rise],
            [0.92, shape.collar - 0.03],
        ]);
        canvas.paint(&swoosh.stroke(dice.between(0.02, 0.04), 0.008).within(body), shade);
    } else if style < 0.72 {
        for k in 0..6 {
            let (u, v) = (0.24 + 0.11 * k as f32, low + 0.05 + 0.06 * (k % 2) as f32);
            canvas.paint(&Outline::new(frame).line(&[[u, v], [u, v]]).stroke(0.015, 0.015).within(body), shade);
        }
    }
}

fn laces(dice: &mut Dice, frame: Frame, shape: &Shape, canvas: &mut Canvas, body: &Coverage, upper: Shade) {
    if dice.chance(0.12) {
        // A slip-on.
        return;
    }
    let depth = dice.between(0.06, 0.1);
    let front = dice.between(0.24, 0.3);
    if dice.chance(0.6) {
        let stay: [[f32; 2]; 5] = std::array::from_fn(|k| {
            let u = front + (shape.throat - 0.02 - front) * k as f32 / 4.0;
            [u, ridge(shape, u) - 0.35 * depth]
        });
        let shade = upper.lighter(dice.between(-0.35, 0.1));
        canvas.paint(&Outline::new(frame).line(&stay).stroke(0.35 * depth, 0.5 * depth).within(body), shade);
    }
    let lace = Shade::flat(if upper.level > 0.6 && dice.chance(0.6) { 0.25 } else { 0.95 });
    let rows = dice.count(3, 5);
    for k in 0..rows {
        let u = front + (shape.throat - front) * (k as f32 + 0.5) / rows as f32;
        let row = Outline::new(frame).line(&[[u + 0.035, ridge(shape, u) - depth], [u, ridge(shape, u) + 0.005]]);
        canvas.paint(&row.stroke(0.013, 0.013), lace);
    }
}

fn sole(dice: &mut Dice, frame: Frame, shape: &Shape, canvas: &mut Canvas) {
    let level = match dice.between(0.0, 1.0) {
        kind if kind < 0.6 => dice.between(0.75, 1.0),
        kind if kind < 0.8 => dice.between(0.35, 0.6),
        _ => dice.between(0.12, 0.25),
    };
    let shade = Shade { level, across: dice.around(-0.1, 0.1), down: 0.0, grain: dice.between(0.02, 0.08) };
    let bevel = dice.between(0.0, 0.03);
    let lift = |u: f32, v: f32| [u, v + shape.arch.at(u.min(shape.arch.ball))];
    let flat = Outline::new(frame)
        .line(&[lift(0.035, 0.02), lift(0.12, 0.0), [0.3, 0.0], [0.96 - bevel, 0.0], [0.985, 0.04]])
        .line(&[[0.98, shape.sole + shape.arch.heel]])
        .line(&shape.arch.points(0.9, 0.02, shape.sole))
        .fill();
    canvas.paint(&flat, shade);
    if dice.chance(0.6) {
        let out = Shade::flat(if level > 0.5 { dice.between(0.15, 0.45) } else { dice.between(0.5, 0.9) });
        let tread = Outline::new(frame).line(&[lift(0.05, 0.01), lift(0.14, 0.008), [0.3, 0.01], [0.95, 0.01]]);
        canvas.paint(&tread.stroke(0.014, 0.018).within(&flat), out);
    }
    let joint = Outline::new(frame).line(&shape.arch.points(0.05, 0.97, shape.sole));
    canvas.paint(&joint.stroke(SEAM, SEAM), Shade::flat(dice.between(0.1, 0.5)));
}
