//! Sandals: straps with the background between them, on a flat sole, a wedge or a high heel.

use super::canvas::{Canvas, Coverage, Outline, PIXELS, Shade};
use super::frame::{Arch, Dice, Frame};

/// What a sandal stands on.
#[derive(Clone, Copy, PartialEq)]
enum Stand {
    Flat,
    Wedge,
    Heel,
}

/// The foot bed of one sandal, in shoe lengths.
#[derive(Clone, Copy)]
struct Bed {
    frame: Frame,
    arch: Arch,
    sole: f32,
    /// Height of the instep relative to the average foot.
    instep: f32,
}

impl Bed {
    /// The upper side of the sole.
    fn at(&self, u: f32) -> [f32; 2] {
        [u, self.arch.at(u) + self.sole]
    }

    /// The contour of a foot that stands in the sandal, from the toes (0.04) to the front of the ankle (0.66).
    fn over(&self, u: f32) -> [f32; 2] {
        let t = ((u - 0.04) / 0.62).clamp(0.0, 1.0);
        [u, self.at(u)[1] + self.instep * (0.08 + 0.13 * t + 0.16 * t * t)]
    }

    /// A strap from the edge of the sole at `from` over the foot at `to`, a little bent around it.
    fn strap(&self, from: f32, to: f32, radius: f32) -> Coverage {
        let ([u, edge], high) = (self.at(from), self.over(to));
        // The round end of a broad strap must not show below a thin sole.
        let low = [u, edge + (radius - 0.8 * self.sole).max(0.0)];
        let middle = [0.5 * (low[0] + high[0]) + 0.1 * (low[1] - high[1]), 0.5 * (low[1] + high[1]) + 0.012];
        Outline::new(self.frame).line(&[low]).curve(&[middle, high]).stroke(radius, radius)
    }
}

/// Paints one sandal.
pub(super) fn paint(dice: &mut Dice) -> [u8; PIXELS] {
    let stand = match dice.between(0.0, 1.0) {
        kind if kind < 0.44 => Stand::Flat,
        kind if kind < 0.64 => Stand::Wedge,
        _ => Stand::Heel,
    };
    let (heel, sole) = match stand {
        Stand::Flat => (dice.between(0.0, 0.05), dice.between(0.035, 0.09)),
        Stand::Wedge => (dice.between(0.08, 0.26), dice.between(0.06, 0.16)),
        Stand::Heel => (dice.between(0.2, 0.48), dice.between(0.03, 0.07)),
    };
    let ankle = dice.chance(match stand {
        Stand::Flat => 0.6,
        Stand::Wedge => 0.7,
        Stand::Heel => 0.85,
    });
    let collar = if ankle { dice.between(0.26, 0.48) } else { dice.between(0.05, 0.12) };
    let instep = dice.between(0.85, 1.3);
    let height = (heel + sole + collar).max(0.8 * heel + sole + 0.37 * instep) + 0.08;
    let arch = Arch { spring: dice.between(0.0, 0.03), heel, ball: dice.between(0.24, 0.34), seat: 0.82 };
    let bed = Bed { frame: Frame::fit(dice, height), arch, sole, instep };
    let mut canvas = Canvas::new(dice);
    let leather = dice.shade(0.6);
    let ground = if dice.chance(0.4) { leather } else { dice.shade(0.35) };

    if ankle {
        fasten(dice, bed, collar, &mut canvas, leather);
    }
    vamp(dice, bed, stand, &mut canvas, leather);
    base(dice, bed, stand, &mut canvas, ground);
    canvas.finish()
}

/// Straps over toes and instep.
fn vamp(dice: &mut Dice, bed: Bed, stand: Stand, canvas: &mut Canvas, leather: Shade) {
    let radius = dice.between(0.018, 0.052);
    let style = dice.between(0.0, 1.0);
    if style < 0.16 && stand != Stand::Heel {
        // A thong: two thin straps that meet between the toes.
        let toe = dice.between(0.14, 0.2);
        let back = dice.between(0.52, 0.66);
        let top = bed.over(0.36);
        let strap = Outline::new(bed.frame).line(&[bed.at(toe)]).curve(&[bed.over(toe + 0.06), top, bed.at(back)]);
        canvas.paint(&strap.stroke(0.7 * radius, 1.3 * radius), leather);
    } else if style < 0.45 {
        // One broad band.
        let (front, back) = (dice.between(0.05, 0.12), dice.between(0.32, 0.52));
        let (rise, fall) = (dice.between(0.01, 0.05), dice.between(-0.02, 0.08));
        let band = Outline::new(bed.frame)
            .line(&[bed.at(front)])
            .curve(&[bed.over(front + rise), bed.over(0.5 * (front + back)), bed.over(back - fall)])
            .line(&[bed.at(back)])
            .fill();
        canvas.paint(&band, leather);
        if dice.chance(0.5) {
            let gap = Outline::new(bed.frame).line(&[bed.at(back - 0.12), bed.over(back - 0.1)]).stroke(0.014, 0.02);
            canvas.paint(&gap.within(&band), Shade::flat(dice.between(0.0, 0.3)));
        }
        if dice.chance(0.35) {
            canvas.paint(&bed.strap(0.56, 0.46, radius), leather.lighter(dice.between(-0.2, 0.2)));
        }
    } else {
        // Several straps, upright or slanted, some of them crossed.
        let straps = dice.count(2, 4);
        let (first, last) = (dice.between(0.08, 0.14), dice.between(0.44, 0.6));
        let slant = dice.between(-0.1, 0.16);
        let crossed = dice.chance(0.4);
        if dice.chance(0.3) {
            // A closed vamp behind an open toe.
            let back = dice.between(0.26, 0.36);
            let closed = Outline::new(bed.frame)
                .line(&[bed.at(0.06)])
                .curve(&[bed.over(0.1), bed.over(0.2), bed.over(back)])
                .line(&[bed.at(back + dice.between(-0.06, 0.12))]);
            canvas.paint(&closed.fill(), leather.lighter(dice.between(-0.15, 0.1)));
        }
        for k in 0..straps {
            let u = first + (last - first) * k as f32 / (straps - 1) as f32;
            let tone = leather.lighter(dice.around(-0.15, 0.15));
            canvas.paint(&bed.strap(u, (u + 0.05 + slant).clamp(0.08, 0.66), radius), tone);
            if crossed {
                canvas.paint(&bed.strap(u + 0.05, (u - 0.06).max(0.08), radius), tone);
            }
        }
        if dice.chance(0.5) {
            // A strap along the instep joins the others.
            let knots = [bed.over(first + 0.05), bed.over(0.32), bed.over(last.min(0.6))];
            canvas.paint(&Outline::new(bed.frame).curve(&knots).stroke(radius, radius), leather);
        }
    }
}

/// Heel counter, ankle strap and what holds it up.
fn fasten(dice: &mut Dice, bed: Bed, collar: f32, canvas: &mut Canvas, leather: Shade) {
    let radius = dice.between(0.016, 0.03);
    let heel = bed.at(0.95)[1];
    let top = heel + collar;
    let shade = leather.lighter(dice.around(-0.15, 0.15));
    let front_v = top + dice.between(-0.14, 0.02);
    let front = [dice.between(0.56, 0.66), front_v.max(bed.over(0.62)[1] - 0.08)];
    let back = [0.955, top - dice.between(0.0, 0.1)];
    let sag = dice.between(-0.05, 0.02);
    let around = Outline::new(bed.frame).line(&[back]).curve(&[[0.8, 0.5 * (front[1] + back[1]) + sag], front]);
    match dice.between(0.0, 1.0) {
        // A closed heel under the ankle strap.
        kind if kind < 0.5 => {
            let counter = Outline::new(bed.frame)
                .line(&[[0.97, heel - 0.02]])
                .curve(&[[0.965, heel + 0.1], back])
                .curve(&[[0.88, heel + 0.6 * collar], [dice.between(0.66, 0.82), heel - 0.02]]);
            canvas.paint(&counter.fill(), shade);
        }
        // A slingback: from the side of the sole around the heel, and nothing else.
        kind if kind < 0.75 => {
            let from = bed.at(dice.between(0.42, 0.62));
            let high = heel + dice.between(0.5, 0.8) * collar;
            let sling = Outline::new(bed.frame).line(&[from]).curve(&[[0.8, heel + 0.35 * collar], [0.955, high]]);
            canvas.paint(&sling.stroke(1.2 * radius, radius), shade);
            if dice.chance(0.5) {
                canvas.paint(&around.stroke(radius, radius), shade);
            }
            return;
        }
        _ => {
            canvas.paint(&Outline::new(bed.frame).line(&[bed.at(0.955), back]).stroke(radius, radius), shade);
        }
    }
    canvas.paint(&around.stroke(radius, radius), shade);
    match dice.between(0.0, 1.0) {
        // From the ankle to the arch of the sole.
        kind if kind < 0.35 => {
            let brace = Outline::new(bed.frame).line(&[bed.at(dice.between(0.6, 0.75)), front]);
            canvas.paint(&brace.stroke(radius, radius), shade);
        }
        // From the ankle down the instep to the toes: a T-bar.
        kind if kind < 0.6 => {
            let bar = Outline::new(bed.frame).curve(&[front, bed.over(0.46), bed.over(0.2)]);
            canvas.paint(&bar.stroke(radius, radius), shade);
        }
        // From the ankle forward to the ball.
        kind if kind < 0.8 => {
            let bar = Outline::new(bed.frame).line(&[front, bed.at(dice.between(0.36, 0.5))]);
            canvas.paint(&bar.stroke(radius, radius), shade);
        }
        _ => {}
    }
    if dice.chance(0.4) {
        let at = [0.7, 0.6 * front[1] + 0.4 * back[1]];
        canvas.paint(&Outline::new(bed.frame).line(&[at, at]).stroke(1.3 * radius, 1.3 * radius), shade.lighter(0.3));
    }
}

/// Sole, and wedge or heel.
fn base(dice: &mut Dice, bed: Bed, stand: Stand, canvas: &mut Canvas, ground: Shade) {
    let Bed { frame, arch, sole, .. } = bed;
    match stand {
        Stand::Flat => {
            let low = Arch { heel: 0.0, ..arch };
            let slab = Outline::new(frame).line(&low.points(0.03, 0.96, 0.0)).line(&arch.points(0.98, 0.01, sole));
            canvas.paint(&slab.fill(), ground);
        }
        Stand::Wedge => {
            let low = Arch { heel: 0.0, ..arch };
            let (front, back) = (dice.between(0.02, 0.06), dice.between(0.9, 0.97));
            let slab =
                Outline::new(frame).line(&low.points(front, back, 0.0)).line(&arch.points(0.98, 0.01, sole)).fill();
            canvas.paint(&slab, ground);
            if dice.chance(0.5) {
                // Layers of cork or rope.
                for k in 1..=dice.count(1, 3) {
                    let rope = Outline::new(frame).line(&[[0.0, 0.06 * k as f32], [1.0, 0.06 * k as f32]]);
                    canvas.paint(&rope.stroke(0.012, 0.012).within(&slab), ground.lighter(-0.25));
                }
            }
        }
        Stand::Heel => {
            canvas.paint(&arch.layer(frame, 0.02, 0.975, 0.0, sole).fill(), ground);
            let slim = dice.between(0.0, 1.0);
            let (wide, foot) = (0.1 + 0.14 * slim, 0.035 + 0.15 * slim);
            let lean = dice.between(-0.01, 0.05);
            let heel = Outline::new(frame)
                .line(&[[0.975, arch.heel + 0.02]])
                .curve(&[[0.965 - lean, 0.55 * arch.heel], [0.97 - lean, 0.0]])
                .line(&[[0.97 - lean - foot, 0.0]])
                .curve(&[
                    [0.95 - lean - foot - 0.2 * (wide - foot), 0.5 * arch.heel],
                    [0.97 - wide, arch.at(0.97 - wide) + 0.02],
                ]);
            canvas.paint(&heel.fill(), ground.lighter(dice.around(-0.15, 0.15)));
        }
    }
    if dice.chance(0.7) {
        // The insole shows as a line along the upper edge.
        let insole = Outline::new(frame).line(&arch.points(0.04, 0.96, sole - 0.012));
        canvas.paint(&insole.stroke(0.012, 0.012), ground.lighter(dice.between(-0.3, 0.3)));
    }
}
