//! `report.html`: the comparison of a study's runs, on one self-contained page.

mod axes;
mod codes;
mod commentary;
mod facts;
mod files;
mod inversion;
mod reconstructions;
mod results;
mod saturation;
mod setup;

pub use inversion::inversion_report;

use super::{Codes, Course, Study};
use crate::figures::page::Page;
use crate::run::RunError;
use facts::Facts;

/// The page: what was studied, class distributions, model summaries, loss curves, tables of results, reconstructions, a
/// commentary computed from the figures, and how to make it all again.
///
/// Of an interrupted study it shows the runs that were begun. A study without runs gives a page that says so.
pub fn report(study: &Study, courses: &[Course], codes: &[Codes]) -> Result<String, RunError> {
    let mut page = Page::new(study.config.report.title.as_deref().unwrap_or(&study.config.base_run().name));
    let facts = Facts::of(study);
    if study.runs.is_empty() {
        page.paragraph("No run of this study was begun, so there is nothing to report.");
        return Ok(page.finish());
    }
    page.paragraph(&introduction(&facts));
    setup::what_was_studied(&mut page, study);
    setup::data(&mut page, study);
    setup::models(&mut page, study);
    results::training(&mut page, study);
    results::tables(&mut page, &facts);
    if !courses.is_empty() {
        saturation::write(&mut page, &facts, courses);
    }
    if !codes.is_empty() {
        codes::write(&mut page, study, codes);
    }
    reconstructions::write(&mut page, study, &facts)?;
    commentary::write(&mut page, &facts);
    files::write(&mut page, study);
    Ok(page.finish())
}

fn introduction(facts: &Facts) -> String {
    let count = axes::capitalised(&setup::runs(facts.runs.len()));
    let nouns: Vec<&str> = facts.axes.iter().map(|axis| axis.noun.as_str()).collect();
    match (facts.runs.len(), nouns.is_empty()) {
        (1, _) => "One autoencoder, trained and measured.".into(),
        (_, true) => format!("{count} of autoencoders."),
        (_, false) => format!("{count} of autoencoders that differ in {}, compared.", axes::listed(&nouns)),
    }
}

#[cfg(test)]
mod tests;
