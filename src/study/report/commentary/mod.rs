//! Sentences about a study, each made from its figures by a rule that holds for any figures.

mod compare;
mod course;
pub(super) mod metric;
mod overall;
mod verdict;

use super::axes::capitalised;
use super::facts::{Facts, RunFacts};
use crate::figures::page::Page;

pub(super) use overall::{lowest, ranking};
pub(super) use verdict::percent;

/// Runs whose course is told one by one; of more, how many went which way.
const MOST_TOLD: usize = 12;

/// Writes the section.
pub(super) fn write(page: &mut Page, facts: &Facts) {
    page.section("Commentary");
    page.paragraph(&format!(
        "Every sentence here is computed from the figures of this study by fixed rules. {}",
        metric::rule(facts)
    ));
    page.subsection("In short");
    let mut short = vec![overall::best(facts)];
    short.extend(overall::fastest(facts));
    short.extend(overall::against_the_mean_image(facts));
    short.extend(overall::penalties(facts));
    list(page, &short);

    let metrics = metric::metrics(facts);
    for (number, words) in facts.axes.iter().enumerate() {
        page.subsection(&format!("{}: {}", capitalised(&words.noun), words.labels.join(" against ")));
        list(page, &compare::along(facts, number, &metrics));
    }
    if facts.runs.len() == 1 {
        page.paragraph("There is one run, so nothing is compared.");
    }

    page.subsection("How training ended");
    page.paragraph(&course::rule());
    let finished: Vec<&RunFacts> = facts.finished().collect();
    if facts.runs.len() <= MOST_TOLD {
        list(page, &facts.runs.iter().map(course::ending).collect::<Vec<_>>());
    } else {
        let cut: Vec<String> = facts.runs.iter().filter(|run| run.is_interrupted()).map(course::ending).collect();
        page.paragraph(&course::endings(&finished));
        list(page, &cut);
    }
    let fits: Vec<String> = finished.iter().filter_map(|run| course::fit(run)).collect();
    page.subsection("Training images against others");
    page.paragraph(
        "Losses are those of the weights that were kept. A run overfits when its loss is higher on images that it was not \
         trained on, and has risen there since its lowest epoch, both by a difference that counts.",
    );
    if fits.is_empty() {
        page.paragraph("There are no other images, or no finished run, to compare with: overfitting cannot be judged.");
    } else if fits.len() <= MOST_TOLD {
        list(page, &fits);
    } else {
        let over = finished.iter().filter(|run| course::overfits(run)).count();
        page.paragraph(&format!("Of {} finished runs, {over} overfit.", fits.len()));
    }
}

fn list(page: &mut Page, items: &[String]) {
    page.list(&items.iter().map(|item| bound(item)).collect::<Vec<_>>());
}

/// With numbers bound to the units that follow them, so that no line ends between the two.
fn bound(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, character) in text.char_indices() {
        let after_digit = text[..at].ends_with(|c: char| c.is_ascii_digit());
        let unit = ["%", "s "].iter().any(|unit| text[at + character.len_utf8()..].starts_with(unit));
        out.push(if character == ' ' && after_digit && unit { '\u{a0}' } else { character });
    }
    out
}
