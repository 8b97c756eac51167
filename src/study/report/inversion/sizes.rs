//! What the size of the code does.

use super::{four, word};
use crate::figures::curves::{Curve, LineChart};
use crate::figures::number::{count_or_significant, significant};
use crate::figures::page::{Align, Page};
use crate::invert::PartFigures;
use crate::nn::grouped;
use crate::study::{Inverted, Inverting};

type Figure = fn(&PartFigures) -> f64;

/// NRMSE of the codes of a part, by kind.
const KINDS: [(&str, Figure); 3] = [
    ("autoencoder", |part| part.encoder.nrmse),
    ("layer-wise codes", |part| part.walk.nrmse),
    ("optimal codes", |part| part.optimal.decoded.nrmse),
];
const FLOOR: &str = "principal components (floor of linear codes)";

/// Writes the section: four figures, one table.
pub(super) fn write(page: &mut Page, measured: &Inverting) {
    let sizes = &measured.sizes;
    page.section("The size of the code");
    let counts: Vec<String> =
        sizes[0].parts.iter().map(|part| format!("{} {}", grouped(part.images), word(&part.name))).collect();
    page.paragraph(&format!(
        "One network for each size of the code, trained alike, inverted on {} images (the first of each part). The compression ratio is \
         the number of pixels over the size of the code. The dashed line is what no linear code can beat on the training images: \
         the projection on as many principal components as the code has numbers, computed from all training images.",
        counts.join(" and ")
    ));
    for (at, part) in ["train", "test"].into_iter().enumerate() {
        for ratio in [false, true] {
            let chart = chart(measured, at, part, ratio);
            let x = if ratio { "compression ratio" } else { "latent size" };
            page.svg(&format!("NRMSE on the {} images against the {x} (logarithmic).", word(part)), &chart.to_svg());
        }
    }
    table(page, measured);
    page.paragraph(&remarks(measured));
}

fn chart(measured: &Inverting, at: usize, part: &str, ratio: bool) -> LineChart {
    let sizes = &measured.sizes;
    let x: Vec<f64> =
        sizes.iter().map(|one| if ratio { one.compression_ratio } else { one.code_size as f64 }).collect();
    let curve = |group: usize, label: &str, values: Vec<f64>, dashed: bool| Curve {
        label: label.into(),
        values,
        at: Some(x.clone()),
        dashed,
        group,
    };
    let mut curves: Vec<Curve> = KINDS
        .iter()
        .enumerate()
        .map(|(group, (label, figure))| {
            let values = sizes.iter().map(|one| one.part(part).map_or(f64::NAN, figure)).collect();
            curve(group, label, values, false)
        })
        .collect();
    curves.push(curve(3, FLOOR, measured.floor[at].clone(), true));
    LineChart {
        title: String::new(),
        x_label: if ratio {
            "compression ratio (pixels per number in the code)"
        } else {
            "latent size (numbers in the code)"
        }
        .into(),
        y_label: format!("NRMSE, {} images", word(part)),
        solid: String::new(),
        dashed: String::new(),
        logarithmic: true,
        curves,
    }
}

fn table(page: &mut Page, measured: &Inverting) {
    let header = [
        "latent size",
        "ratio",
        "images",
        "autoencoder",
        "layer-wise",
        "optimal",
        "principal components",
        "amortisation gap",
    ];
    let mut rows = Vec::new();
    for (number, one) in measured.sizes.iter().enumerate() {
        for part in &one.parts {
            let floor = measured.floor[usize::from(part.name == "test")].get(number).copied().unwrap_or(f64::NAN);
            let mut row = vec![
                one.code_size.to_string(),
                count_or_significant(one.compression_ratio),
                word(&part.name).to_owned(),
            ];
            row.extend(KINDS.iter().map(|(_, figure)| four(figure(part))));
            row.extend([four(floor), significant(part.optimal.gap, 2)]);
            rows.push(row);
        }
    }
    let mut align = vec![Align::Number; header.len()];
    align[2] = Align::Text;
    page.table("NRMSE by size of the code.", &header, &rows, &align);
}

fn remarks(measured: &Inverting) -> String {
    let figures = |figure: Figure| -> Vec<f64> {
        measured.sizes.iter().filter_map(|one: &Inverted| one.parts.last()).map(figure).collect()
    };
    let encoder = figures(KINDS[0].1);
    let falls = encoder.windows(2).all(|pair| pair[1] < pair[0]);
    let mut text = String::from(match falls {
        true => "The larger the code, the smaller the error of the autoencoder, at every step.",
        false => {
            "The error of the autoencoder does not fall at every step: some of these networks are not trained out."
        }
    });
    let (walk, optimal) = (figures(KINDS[1].1), figures(KINDS[2].1));
    if walk.iter().zip(&encoder).all(|(walk, encoder)| walk > encoder) {
        text += " The layer-wise code is worse than the encoder’s at every size; the optimal code is where the curve of the decoder itself lies.";
    }
    let below = |curve: &[f64]| {
        let pairs = measured.sizes.iter().zip(curve.iter().zip(measured.floor.last().into_iter().flatten()));
        pairs.filter(|(_, (error, floor))| error < floor).map(|(one, _)| one.code_size.to_string()).collect::<Vec<_>>()
    };
    let (under, over) = (below(&encoder), encoder.len());
    text += &match under.len() {
        0 => " At no size is the autoencoder below the principal components on these images: its layers bend little, and linear codes are hard to beat.".to_owned(),
        count if count == over => " At every size the autoencoder is below the principal components: what it has learnt is not linear.".to_owned(),
        _ => format!(" The autoencoder is below the principal components at {} numbers, and above them at the other sizes.", under.join(", ")),
    };
    let gain = |at: usize| {
        encoder.get(at).zip(optimal.get(at)).map(|(encoder, optimal)| 100.0 * (encoder - optimal) / encoder)
    };
    if let (Some(first), Some(last)) = (gain(0), gain(encoder.len().saturating_sub(1))) {
        text += &format!(
            " Searching for the optimal code takes {} % off the encoder’s error with the smallest code and {} % with the largest.",
            significant(first, 2),
            significant(last, 2)
        );
    }
    text
}
