//! Where everything is, and how to make it again.

use crate::figures::page::Page;
use crate::study::{Study, StudyRun};

/// Writes the last section.
pub(super) fn write(page: &mut Page, study: &Study) {
    page.section("Files, and how to repeat this");
    page.paragraph(
        "Beside this page. A run folder holds the configuration, the history of epochs, the weights, the figures, and \
         pictures.",
    );
    let mut links = vec![
        ("summary.csv".to_owned(), "summary.csv: a row for each run".to_owned()),
        ("study.toml".to_owned(), "study.toml: the configuration of the study".to_owned()),
    ];
    if !study.config.report.codes.is_empty() && !study.interrupted {
        links.insert(1, ("codes.csv".to_owned(), "codes.csv: what the codes of each run are worth".to_owned()));
    }
    links.extend(study.runs.iter().map(|run| {
        let folder = relative(run);
        (folder.clone(), folder)
    }));
    page.links(&links);
    let first = &study.runs[0];
    let folder = relative(first);
    page.paragraph("In the folder of this page, these commands make the study again, one run of it again, and look at that run again.");
    page.preformatted(&format!(
        "narrows study study.toml --out again\nnarrows train {folder}config.toml --out again-{name}\nnarrows eval {folder}\n\
         narrows reconstruct {folder} --count {count}",
        name = first.name,
        count = study.config.report.reconstructions,
    ));
    page.paragraph(
        "Where the images are looked for: --data-dir, then $NARROWS_DATA_DIR, then data/. The configuration, complete:",
    );
    page.preformatted(study.config.to_toml().trim_end());
}

/// The folder of a run, seen from that of the study.
fn relative(run: &StudyRun) -> String {
    format!("runs/{}/", run.name)
}
