//! Decoders run backwards: from their own output, and from true images.

use super::{four, published, word};
use crate::figures::number::significant;
use crate::figures::page::{Align, Page};
use crate::invert::{PartFigures, Stop};
use crate::nn::grouped;
use crate::study::{Inverted, Inverting, Study};

/// Writes what the walk gives from outputs that have a code.
pub(super) fn own_output(page: &mut Page, study: &Study, measured: &Inverting) {
    page.section("The decoder inverted on its own output");
    page.paragraph(
        "From y = decoder(z) the walk goes back layer by layer: it undoes the activation, subtracts the bias, and solves for the \
         layer’s input by least squares (a Householder QR factorisation with column pivoting). Every layer has more outputs than inputs \
         and y lies in its range, so in exact arithmetic the walk ends at z, and ‖Z − Ẑ‖_F is zero. What is left is rounding.",
    );
    layers(page, measured);
    let comparable = published::are_comparable(study);
    let mut header = vec!["run", "images", "count", "‖Z‖_F", "f32", "f64"];
    if comparable {
        header.extend(["published, f32", "PyTorch, f32", "PyTorch, f64"]);
    }
    let rows = all_parts(&measured.whole).map(|(inverted, part)| {
        let mut row = vec![
            inverted.name.clone(),
            word(&part.name).to_owned(),
            grouped(part.images),
            four(part.code_norm),
            significant(part.own_f32.error, 3),
            significant(part.own_f64.error, 3),
        ];
        if comparable {
            let at = usize::from(part.name == "test");
            row.extend(
                [published::OWN_OUTPUT, published::TORCH_OWN_F32, published::TORCH_OWN_F64]
                    .map(|pair| format!("{:?}", pair[at])),
            );
        }
        row
    });
    page.table(
        "‖Z − Ẑ‖_F, the codes walked back to against the codes that were decoded.",
        &header,
        &rows.collect::<Vec<_>>(),
        &numbers(&header, 2),
    );
    let header = ["run", "images", "f32", "f64", "worst image, f64", "its number"];
    let rows = all_parts(&measured.whole).map(|(inverted, part)| {
        let worst = part.own_f64.worst;
        vec![
            inverted.name.clone(),
            word(&part.name).to_owned(),
            significant(part.own_f32.relative, 2),
            significant(part.own_f64.relative, 2),
            worst.map_or("–".into(), |(_, error)| significant(error, 2)),
            worst.map_or("–".into(), |(at, _)| grouped(at + 1)),
        ]
    });
    page.table(
        "The same as a share of ‖Z‖_F; and ‖z − ẑ‖ of the image whose code came back worst.",
        &header,
        &rows.collect::<Vec<_>>(),
        &numbers(&header, 2),
    );
    page.paragraph(&rounding(measured));
}

/// Why float32 leaves something: the error follows the unit roundoff.
fn rounding(measured: &Inverting) -> String {
    let mut text = String::from(
        "Why single precision leaves something. A number in f32 carries a relative error of up to 6.0·10⁻⁸, one in f64 of 1.1·10⁻¹⁶. A \
         least-squares solve passes such errors on, multiplied by at most about the condition number κ of the weight matrix; a slope of a \
         leaky ReLU is undone by a division.",
    );
    for inverted in &measured.whole {
        let Some(part) = inverted.parts.first() else { continue };
        let kappa: f64 = inverted.layers.iter().map(|layer| layer.condition).product();
        text += &format!(
            " For {}, the condition numbers multiply to {}: rounding alone may cost up to {} of ‖Z‖_F in f32, and did cost {}. From f32 to \
             f64 the roundoff falls by a factor of 5.4·10⁸, and the error by {:.1}·10⁸.",
            inverted.name,
            significant(kappa, 3),
            significant(kappa * 6.0e-8, 2),
            significant(part.own_f32.relative, 2),
            part.own_f32.error / part.own_f64.error / 1e8,
        );
    }
    text + " An error that follows the roundoff is no property of the model: the published 0.0153 is what float32 leaves, with another \
            model and another solver, of an exact zero."
}

fn layers(page: &mut Page, measured: &Inverting) {
    let header = ["run", "layer", "inputs", "outputs", "activation", "rank, f32", "rank, f64", "condition number κ₂"];
    let mut rows = Vec::new();
    for inverted in &measured.whole {
        for layer in &inverted.layers {
            rows.push(vec![
                inverted.name.clone(),
                layer.name.clone(),
                layer.inputs.to_string(),
                layer.outputs.to_string(),
                layer.activation.clone(),
                layer.rank_f32.to_string(),
                layer.rank_f64.to_string(),
                four(layer.condition),
            ]);
        }
    }
    let align = [
        Align::Text,
        Align::Text,
        Align::Number,
        Align::Number,
        Align::Text,
        Align::Number,
        Align::Number,
        Align::Number,
    ];
    page.table(
        "The decoders’ layers, from code to image. Full rank: each is undone in one way only.",
        &header,
        &rows,
        &align,
    );
}

/// Writes what both inversions give from images.
pub(super) fn true_images(page: &mut Page, study: &Study, measured: &Inverting) {
    page.section("The decoder inverted on true images");
    page.paragraph(
        "A true image is not in the decoder’s range: no code decodes to it. The same walk still gives a code, the layer-wise one. The \
         optimal code is searched for: it minimises ‖decoder(z) − x‖² itself, by Levenberg–Marquardt from the encoder’s code on, and is \
         never worse than that.",
    );
    let comparable = published::are_comparable(study);
    let header = [
        "run",
        "images",
        "codes",
        "NRMSE",
        "‖output − image‖_F",
        "‖Z_encoder − Z‖_F",
        "published norms",
        "PyTorch: NRMSE, norms",
    ];
    let mut rows = Vec::new();
    for (inverted, part) in all_parts(&measured.whole) {
        let at = usize::from(part.name == "test");
        let mut add = |codes: &str, nrmse: f64, norm: f64, latent: f64, published: String, torch: String| {
            let mut row = vec![inverted.name.clone(), word(&part.name).to_owned(), codes.to_owned()];
            row.extend([four(nrmse), four(norm), four(latent)]);
            if comparable {
                row.extend([published, torch]);
            }
            rows.push(row);
        };
        add(
            "encoder",
            part.encoder.nrmse,
            part.encoder.norm,
            f64::NAN,
            format!("top layer {}", published::TOP_LAYER[at]),
            format!(
                "{}; {}, ‖Z‖ {}",
                published::TORCH_NRMSE[at],
                published::TORCH_TOP_LAYER[at],
                published::TORCH_CODE[at]
            ),
        );
        add(
            "layer-wise",
            part.walk.nrmse,
            part.walk.norm,
            part.images_f64.error,
            format!("latent {}", published::LATENT[at]),
            format!(
                "{}; {}, latent {}",
                published::TORCH_NRMSE_WALK[at],
                published::TORCH_TOP_LAYER_WALK[at],
                published::TORCH_LATENT[at]
            ),
        );
        add("optimal", part.optimal.decoded.nrmse, part.optimal.decoded.norm, f64::NAN, "–".into(), "–".into());
    }
    let columns = if comparable { header.len() } else { 6 };
    page.table("Codes of true images, decoded.", &header[..columns], &rows, &numbers(&header[..columns], 3));
    for inverted in &measured.whole {
        page.paragraph(&why_layerwise_loses(inverted));
        if !inverted.picture.is_empty() {
            let caption = format!(
                "{}: test images, the autoencoder’s reconstructions, the layer-wise codes decoded, the optimal codes decoded.",
                inverted.name
            );
            page.picture(&caption, &caption, &inverted.picture);
        }
    }
    if comparable {
        page.paragraph(
            "Norms of codes depend on the model as much as on the method: a decoder may spread its codes widely or narrowly and paint the \
             same images, which is why the published latent norm, the one of PyTorch and those here differ while the NRMSE agree. The \
             norm at the top layer is the NRMSE again: NRMSE · √(images · 784). The published 1083.32 belongs to an NRMSE of 0.158, though \
             the same report gives 0.1127 (which would be 773): its two figures are of different models, or of different targets.",
        );
    }
    certificates(page, measured);
}

/// What stands in the way of the walk, with this run's figures.
fn why_layerwise_loses(inverted: &Inverted) -> String {
    let Some(part) = inverted.parts.first() else { return String::new() };
    let residuals: Vec<String> = inverted
        .layers
        .iter()
        .zip(&part.images_f64.layers)
        .rev()
        .map(|(layer, trace)| format!("{} at {}", four(trace.residual), layer.name))
        .collect();
    let (encoder, walk, optimal) = (part.encoder.nrmse, part.walk.nrmse, part.optimal.decoded.nrmse);
    let order = match optimal <= encoder && encoder < walk {
        true => "so the walk loses to the encoder, which was trained on just that error, and the optimum is below both",
        false => "so the walk need not come near the best code",
    };
    format!(
        "{}: each step of the walk makes the error of its own layer as small as it can, before the activation, and hands its solution on. \
         What it cannot fit it drops: on the training images the residuals are {}. But an error before the activation counts differently \
         after it (where a leaky ReLU is negative, less), and a direction that a layer cannot reach is given up before the layers below \
         could have made up for it; {order}. NRMSE: layer-wise {}, encoder {}, optimal {}. What the encoder leaves to be gained, {}, is the \
         amortisation gap: the price of computing codes by one function for all images.",
        inverted.name,
        residuals.join(", then "),
        four(walk),
        four(encoder),
        four(optimal),
        significant(part.optimal.gap, 2),
    )
}

fn certificates(page: &mut Page, measured: &Inverting) {
    let header = [
        "run",
        "images",
        "steps, mean",
        "‖Jᵀr‖, median",
        "‖Jᵀr‖, worst",
        "cosine, median",
        "cosine, worst",
        "ended by",
    ];
    let rows = all_parts(&measured.whole).map(|(inverted, part)| {
        let optimal = &part.optimal;
        let stops = Stop::ALL.iter().zip(optimal.stops).filter(|(_, count)| *count > 0);
        let stops: Vec<String> = stops.map(|(stop, count)| format!("{} {}", grouped(count), stop.name())).collect();
        vec![
            inverted.name.clone(),
            word(&part.name).to_owned(),
            significant(optimal.mean_steps, 3),
            significant(optimal.median_gradient, 2),
            significant(optimal.worst_gradient, 2),
            significant(optimal.median_cosine, 2),
            significant(optimal.worst_cosine, 2),
            stops.join(", "),
        ]
    });
    let mut align = numbers(&header, 2);
    align[7] = Align::Text;
    page.table(
        "Certificates of the optimal codes: the gradient Jᵀr at the end, and the largest cosine between the residual r and a column of the \
         Jacobian J; both are zero at a minimum where the decoder is smooth. “Kink” is a minimum on the edge between two linear pieces; \
         “step” and “limit” are codes that stopped improving without a certificate.",
        &header,
        &rows.collect::<Vec<_>>(),
        &align,
    );
}

fn all_parts(all: &[Inverted]) -> impl Iterator<Item = (&Inverted, &PartFigures)> {
    all.iter().flat_map(|inverted| inverted.parts.iter().map(move |part| (inverted, part)))
}

/// The first columns text, the rest numbers.
fn numbers(header: &[&str], text: usize) -> Vec<Align> {
    (0..header.len()).map(|column| if column < text { Align::Text } else { Align::Number }).collect()
}
