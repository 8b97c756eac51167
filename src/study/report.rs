//! `report.html`: the comparison of a study's runs, on one self-contained page.

use super::Study;
use crate::figures::page::Page;
use crate::run::RunError;

/// The page.
pub fn report(study: &Study) -> Result<String, RunError> {
    let mut page = Page::new(study.config.report.title.as_deref().unwrap_or(&study.config.base_run().name));
    page.section("Results");
    Ok(page.finish())
}
