//! Ankle boots: a shaft over a foot, on a heel from flat to high, closed by laces, zip, buckle or elastic.

use super::canvas::{Canvas, Coverage, Outline, PIXELS, Shade};
use super::frame::{Arch, Dice, Frame};

/// Half the width of a thin seam, about a quarter of a pixel.
const SEAM: f32 = 0.011;

/// The proportions of one ankle boot, in shoe lengths.
struct Shape {
    sole: f32,
    arch: Arch,
    toe: f32,
    /// Where the shaft leaves the instep.
    bend: [f32; 2],
    /// Upper ends of the shaft, front and back.
    front: [f32; 2],
    back: [f32; 2],
}

/// Paints one ankle boot.
pub(super) fn paint(dice: &mut Dice) -> [u8; PIXELS] {
    let heel = match dice.between(0.0, 1.0) {
        kind if kind < 0.5 => dice.between(0.02, 0.06),
        kind if kind < 0.75 => dice.between(0.1, 0.2),
        _ => dice.between(0.24, 0.38),
    };
    let rugged = heel < 0.08 && dice.chance(0.5);
    let sole = if rugged { dice.between(0.07, 0.1) } else { dice.between(0.035, 0.06) };
    let top = heel + dice.between(0.52, 0.74);
    let bend_u = dice.between(0.42, 0.5);
    let slope = dice.between(-0.05, 0.05);
    let spread = dice.between(-0.05, 0.05);
    let shape = Shape {
        sole,
        arch: Arch { spring: dice.between(0.0, 0.04), heel, ball: dice.between(0.26, 0.34), seat: 0.8 },
        toe: if rugged { dice.between(0.13, 0.17) } else { dice.between(0.08, 0.14) },
        bend: [bend_u, 0.55 * heel + dice.between(0.3, 0.36)],
        front: [bend_u + 0.05 - spread, top + slope],
        back: [0.95 + 0.5 * spread.min(0.0), top - slope],
    };
    let frame = Frame::fit(dice, shape.front[1].max(shape.back[1]) + 0.08);
    let mut canvas = Canvas::new(dice);
    let leather = dice.shade(0.6);
    let trim = dice.shade(0.45);

    if dice.chance(0.35) {
        let tab = Outline::new(frame)
            .line(&[[shape.back[0] - 0.01, shape.back[1] - 0.03], [shape.back[0] + 0.005, shape.back[1] + 0.05]]);
        canvas.paint(&tab.stroke(0.018, 0.018), trim);
    }
    if dice.chance(0.4) {
        // The far rim of the opening.
        let rim = Outline::new(frame).line(&[shape.front, shape.back]).stroke(0.03, 0.03);
        canvas.paint(&rim, leather.lighter(dice.between(-0.5, -0.2)));
    }
    let body = silhouette(frame, &shape);
    canvas.paint(&body, leather);
    foot(dice, frame, &shape, &mut canvas, &body, (leather, trim));
    match dice.between(0.0, 1.0) {
        kind if kind < 0.28 => elastic(dice, frame, &shape, &mut canvas, &body, trim),
        kind if kind < 0.58 => laces(dice, frame, &shape, &mut canvas, &body, leather),
        kind if kind < 0.74 => zip(dice, frame, &shape, &mut canvas, &body, leather),
        kind if kind < 0.86 => buckles(dice, frame, &shape, &mut canvas, &body, leather),
        _ => {}
    }
    if dice.chance(0.3) {
        let depth = dice.between(0.04, 0.1);
        let cuff = Outline::new(frame).line(&[
            [shape.front[0] - 0.05, shape.front[1] - 0.6 * depth],
            [shape.back[0] + 0.05, shape.back[1] - 0.6 * depth],
        ]);
        let shade = if dice.chance(0.5) { trim } else { leather.lighter(dice.between(-0.3, 0.25)) };
        canvas.paint(&cuff.stroke(depth, depth).within(&body), shade);
    }
    stand(dice, frame, &shape, &mut canvas, leather, rugged);
    canvas.finish()
}

/// The front edge of the boot from the bend (0) to the top (1).
fn edge(shape: &Shape, t: f32) -> [f32; 2] {
    [0, 1].map(|d| shape.bend[d] + t * (shape.front[d] - shape.bend[d]))
}

fn silhouette(frame: Frame, shape: &Shape) -> Coverage {
    let base = shape.sole + shape.arch.at(0.05);
    let vamp = 0.16 + 0.4 * (shape.bend[0] - 0.16);
    let toe = shape.sole + shape.arch.at(0.16) + shape.toe;
    let seat = shape.sole + shape.arch.heel;
    Outline::new(frame)
        .line(&[[0.03, base - 0.02]])
        .curve(&[[0.045, base + 0.5 * shape.toe], [0.16, toe], [vamp, toe + 0.3 * (shape.bend[1] - toe)]])
        .curve(&[shape.bend, edge(shape, 0.5), shape.front])
        .line(&[shape.back])
        .curve(&[[0.945, seat + 0.3], [0.98, seat + 0.1], [0.965, seat - 0.01]])
        .line(&shape.arch.points(0.95, 0.05, shape.sole - 0.02))
        .fill()
}

/// Toe cap, heel counter and the seam between foot and shaft.
fn foot(
    dice: &mut Dice,
    frame: Frame,
    shape: &Shape,
    canvas: &mut Canvas,
    body: &Coverage,
    (leather, trim): (Shade, Shade),
) {
    if dice.chance(0.25) {
        let back = dice.between(0.14, 0.22);
        let cap = Outline::new(frame).line(&[[0.0, 0.0], [back + 0.04, 0.0], [back, 0.6], [0.0, 0.6]]);
        canvas.paint(&cap.fill().within(body), if dice.chance(0.5) { trim } else { leather.lighter(-0.2) });
    }
    if dice.chance(0.3) {
        let (seat, front) = (shape.arch.heel, dice.between(0.72, 0.82));
        let counter = Outline::new(frame)
            .line(&[[1.0, seat - 0.1], [front - 0.06, seat - 0.1]])
            .curve(&[[front, seat + 0.18], [1.0, seat + 0.3]]);
        canvas.paint(&counter.fill().within(body), leather.lighter(dice.between(-0.3, 0.2)));
    }
    if dice.chance(0.5) {
        let dark = Shade::flat(leather.lighter(dice.between(-0.4, -0.2)).level);
        let seam = Outline::new(frame).line(&[shape.bend]).curve(&[
            [shape.bend[0] + 0.1, shape.bend[1] - 0.14],
            [shape.bend[0] + 0.04, shape.arch.at(0.5) + shape.sole],
        ]);
        canvas.paint(&seam.stroke(SEAM, SEAM).within(body), dark);
    }
}

/// The elastic side panel of a Chelsea boot.
fn elastic(dice: &mut Dice, frame: Frame, shape: &Shape, canvas: &mut Canvas, body: &Coverage, trim: Shade) {
    let middle = 0.5 * (shape.front[0] + shape.back[0]) + dice.between(-0.04, 0.04);
    let (wide, narrow) = (dice.between(0.08, 0.13), dice.between(0.05, 0.09));
    let low = shape.arch.heel + dice.between(0.2, 0.28);
    let panel = Outline::new(frame)
        .line(&[[middle - wide, 1.2]])
        .line(&[[middle - wide, shape.front[1] - 0.01]])
        .curve(&[[middle - narrow, low + 0.05], [middle, low], [middle + narrow, low + 0.05]])
        .curve(&[[middle + wide, shape.back[1]]])
        .line(&[[middle + wide, 1.2]]);
    let shade = if dice.chance(0.65) { Shade { level: dice.between(0.1, 0.35), ..trim } } else { trim };
    canvas.paint(&panel.fill().within(body), shade);
}

fn laces(dice: &mut Dice, frame: Frame, shape: &Shape, canvas: &mut Canvas, body: &Coverage, leather: Shade) {
    if dice.chance(0.6) {
        let facing = Outline::new(frame).line(&[[shape.bend[0] - 0.08, shape.bend[1] - 0.06], shape.bend, shape.front]);
        canvas.paint(&facing.stroke(0.06, 0.07).within(body), leather.lighter(dice.between(-0.3, 0.15)));
    }
    let shade = Shade::flat(if leather.level > 0.6 { dice.between(0.1, 0.35) } else { dice.between(0.8, 1.0) });
    let rows = dice.count(3, 6);
    let reach = dice.between(0.07, 0.12);
    for k in 0..rows {
        let [u, v] = edge(shape, k as f32 / rows as f32);
        let row = Outline::new(frame).line(&[[u - 0.01, v + 0.01], [u + reach, v - 0.03]]);
        canvas.paint(&row.stroke(0.014, 0.014), shade);
    }
}

fn zip(dice: &mut Dice, frame: Frame, shape: &Shape, canvas: &mut Canvas, body: &Coverage, leather: Shade) {
    let u = shape.front[0] + dice.between(0.15, 0.3);
    let low = shape.arch.heel + dice.between(0.14, 0.24);
    let away = if leather.level > 0.5 { dice.between(-0.6, -0.35) } else { dice.between(0.3, 0.5) };
    let line = Outline::new(frame).line(&[[u + dice.between(-0.05, 0.05), 1.2], [u, low]]);
    canvas.paint(&line.stroke(0.016, 0.016).within(body), Shade::flat(leather.lighter(away).level));
}

fn buckles(dice: &mut Dice, frame: Frame, shape: &Shape, canvas: &mut Canvas, body: &Coverage, leather: Shade) {
    let away = if leather.level > 0.5 { dice.between(-0.5, -0.25) } else { dice.between(0.25, 0.45) };
    for k in 0..dice.count(1, 3) {
        let [u, v] = edge(shape, 0.15 + 0.28 * k as f32);
        let fall = dice.between(0.0, 0.12);
        let strap = Outline::new(frame).line(&[[u - 0.03, v], [1.0, v - fall]]);
        canvas.paint(&strap.stroke(0.026, 0.026).within(body), leather.lighter(away));
        let at = [0.72, v - 0.6 * fall];
        canvas.paint(&Outline::new(frame).line(&[at, at]).stroke(0.036, 0.036), Shade::flat(0.95));
    }
}

/// Sole and heel.
fn stand(dice: &mut Dice, frame: Frame, shape: &Shape, canvas: &mut Canvas, leather: Shade, rugged: bool) {
    let level = if dice.chance(0.5) { leather.level * dice.between(0.75, 1.05) } else { dice.between(0.15, 0.95) };
    let shade = Shade { level, across: 0.0, down: dice.around(-0.15, 0.15), grain: dice.between(0.02, 0.06) };
    let (heel, ball) = (shape.arch.heel, shape.arch.ball);
    if rugged {
        let lug = Outline::new(frame).line(&[[0.05, shape.arch.at(0.05) + 0.02], [0.2, 0.0], [0.97, 0.0]]);
        canvas.paint(&lug.line(&[[0.985, shape.sole]]).line(&[[0.03, 0.05 + shape.arch.spring]]).fill(), shade);
    }
    let low = if heel > 0.2 { shape.arch } else { Arch { heel: 0.6 * heel, ..shape.arch } };
    let outer = Outline::new(frame)
        .line(&low.points(0.05, 0.97, 0.0))
        .line(&[[0.98, shape.sole + heel]])
        .line(&shape.arch.points(0.95, 0.02, shape.sole));
    canvas.paint(&outer.fill(), shade);
    let slim = if heel > 0.2 { dice.between(0.0, 1.0) } else { 1.0 };
    let (wide, foot) = (0.13 + 0.14 * slim, 0.04 + 0.17 * slim);
    let lean = if slim < 0.5 { 0.02 } else { dice.between(-0.01, 0.04) };
    let block = Outline::new(frame)
        .line(&[[0.975, heel + 0.02]])
        .curve(&[[0.955 - lean, 0.5 * heel], [0.96 - lean, 0.0]])
        .line(&[[0.96 - lean - foot, 0.0]])
        .curve(&[
            [0.95 - lean - foot - 0.3 * (wide - foot), 0.5 * heel],
            [0.97 - wide, shape.arch.at(0.97 - wide) + 0.02],
        ]);
    canvas.paint(&block.fill(), shade);
    if rugged {
        for k in 0..dice.count(5, 7) {
            let u = 0.16 + 0.13 * k as f32;
            let notch = Outline::new(frame).line(&[[u, -0.02], [u, 0.02]]).stroke(0.02, 0.02);
            canvas.paint(&notch, Shade::flat(0.0));
        }
    }
    let joint = Outline::new(frame).line(&shape.arch.points(ball * 0.2, 0.97, shape.sole));
    canvas.paint(&joint.stroke(SEAM, SEAM), Shade::flat((leather.level - dice.between(0.15, 0.5)).max(0.05)));
}
