//! The report on training schemes, decoders run backwards, and the size of the code.

mod backwards;
mod published;
mod schemes;
mod sizes;

use super::{files, setup};
use crate::config::InversionReport;
use crate::figures::number::significant;
use crate::figures::page::Page;
use crate::run::RunError;
use crate::study::{Inverting, Study, StudyRun};

/// The page.
pub fn inversion_report(study: &Study, wanted: &InversionReport, measured: &Inverting) -> Result<String, RunError> {
    let mut page = Page::new(study.config.report.title.as_deref().unwrap_or(&study.config.base_run().name));
    page.paragraph(
        "An autoencoder squeezes an image through a few numbers, its code, and paints it again from them. This page compares ways \
         of training one, then takes trained decoders apart: it runs them backwards, layer by layer, from their own output and \
         from true images, searches for the codes that the decoder would have liked best, and tries codes of other sizes.",
    );
    page.list(&summary(study, wanted, measured));
    setup::what_was_studied(&mut page, study);
    if published::are_comparable(study) {
        page.paragraph(
            "Beside the figures measured here stand those of the report that this study repeats (“published”), which does not say \
             how large its batches were, and those of PyTorch 2.15 in the setting full-batch.",
        );
    }
    setup::data(&mut page, study);
    setup::one_model(&mut page, study);
    for (what, names) in &wanted.schemes {
        schemes::write(&mut page, study, measured, what, names)?;
    }
    if !measured.whole.is_empty() {
        backwards::own_output(&mut page, study, measured);
        backwards::true_images(&mut page, study, measured);
    }
    if !measured.sizes.is_empty() {
        sizes::write(&mut page, measured);
    }
    files::write(&mut page, study);
    Ok(page.finish())
}

/// What was found, in a few lines.
fn summary(study: &Study, wanted: &InversionReport, measured: &Inverting) -> Vec<String> {
    let mut items = Vec::new();
    for (what, names) in &wanted.schemes {
        let ranked = schemes::ranking(study, names);
        if let (Some((best, lowest)), Some((worst, highest))) = (ranked.first(), ranked.last()) {
            items.push(format!(
                "Of {} choices of {what}, {best} has the lowest test NRMSE, {}, and {worst} the highest, {}.",
                ranked.len(),
                significant(*lowest, 4),
                significant(*highest, 4)
            ));
        }
    }
    for inverted in &measured.whole {
        let Some(part) = inverted.parts.last() else { continue };
        items.push(format!(
            "The decoder of {}, walked back from its own output, gives the codes to {} of their norm in f32 and to {} in f64. From true \
             {} images the walk decodes to an NRMSE of {}, the encoder’s codes to {}, the optimal codes to {}.",
            inverted.name,
            significant(part.own_f32.relative, 2),
            significant(part.own_f64.relative, 2),
            word(&part.name),
            significant(part.walk.nrmse, 4),
            significant(part.encoder.nrmse, 4),
            significant(part.optimal.decoded.nrmse, 4),
        ));
    }
    if let (Some(small), Some(large)) = (measured.sizes.first(), measured.sizes.last()) {
        let nrmse = |inverted: &crate::study::Inverted| {
            inverted.parts.last().map_or("-".into(), |part| significant(part.encoder.nrmse, 4))
        };
        items.push(format!(
            "From {} numbers in the code to {} the autoencoder’s NRMSE goes from {} to {}.",
            small.code_size,
            large.code_size,
            nrmse(small),
            nrmse(large)
        ));
    }
    items
}

/// The run of this name, if it was made.
fn find<'a>(study: &'a Study, name: &str) -> Option<&'a StudyRun> {
    study.runs.iter().find(|run| run.name == name)
}

/// A part as a person says it.
fn word(part: &str) -> &str {
    if part == "train" { "training" } else { part }
}

/// A figure of four digits, or a dash.
fn four(value: f64) -> String {
    if value.is_finite() { significant(value, 4) } else { "–".to_owned() }
}
