//! `report.html`: the facts of a study in words, on one page that needs nothing beside it.
//!
//! The words are in `templates/`; this module gives the templates numbers in a form for readers, charts, and the numbers of
//! figures and tables.

mod charts;
mod curves;
mod words;

use std::path::Path;
use std::sync::{Arc, Mutex};

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Error, UndefinedBehavior, Value, context};
use serde::Serialize;

use super::facts::{Facts, Pictures};
use crate::files::{FileError, write_whole};
use crate::run::{REPORT, RunError};
use charts::Charts;

/// The templates by their names.
const TEMPLATES: [(&str, &str); 30] = [
    ("page", include_str!("../templates/page.html")),
    ("macros", include_str!("../templates/macros.html")),
    ("report", include_str!("../templates/report.html")),
    ("run", include_str!("../templates/run.html")),
    ("look", include_str!("../templates/look.html")),
    ("short", include_str!("../templates/short.html")),
    ("setup", include_str!("../templates/setup.html")),
    ("training", include_str!("../templates/training.html")),
    ("best", include_str!("../templates/best.html")),
    ("made", include_str!("../templates/made.html")),
    ("results", include_str!("../templates/results.html")),
    ("cost", include_str!("../templates/cost.html")),
    ("reconstructions", include_str!("../templates/reconstructions.html")),
    ("endings", include_str!("../templates/endings.html")),
    ("classes", include_str!("../templates/classes.html")),
    ("saturation", include_str!("../templates/saturation.html")),
    ("codes", include_str!("../templates/codes.html")),
    ("maps", include_str!("../templates/maps.html")),
    ("denoising", include_str!("../templates/denoising.html")),
    ("generated", include_str!("../templates/generated.html")),
    ("probe", include_str!("../templates/probe.html")),
    ("schemes", include_str!("../templates/schemes.html")),
    ("inversion", include_str!("../templates/inversion.html")),
    ("files", include_str!("../templates/files.html")),
    ("findings", include_str!("../templates/findings.html")),
    ("search", include_str!("../templates/search.html")),
    ("search_short", include_str!("../templates/search_short.html")),
    ("search_space", include_str!("../templates/search_space.html")),
    ("search_found", include_str!("../templates/search_found.html")),
    ("workflow", include_str!("../templates/workflow.html")),
];

/// Rules of every page, then those for tables of figures and of images.
const STYLE: &str = concat!(include_str!("../templates/page.css"), include_str!("../templates/report.css"));

/// The page of a study. An error is a mistake in a template.
pub(super) fn page(facts: &Facts, pictures: &Pictures) -> Result<String, Error> {
    render("report", facts.study["title"].as_str().unwrap_or_default(), facts, given(facts, pictures))
}

/// What templates are given of a study.
pub(super) fn given(facts: &Facts, pictures: &Pictures) -> Value {
    let charts = Charts::of(facts, pictures);
    context! { facts => Serde(facts), pictures => Serde(pictures), charts => Serde(charts) }
}

/// The page with what a template makes of what it is given, which carries the facts as JSON.
pub(super) fn render(template: &str, title: &str, facts: &impl Serialize, given: Value) -> Result<String, Error> {
    let headings: Arc<Mutex<Headings>> = Arc::default();
    let environment = environment(&headings)?;
    let body = environment.get_template(template)?.render(given)?;
    let json = serde_json::to_string(facts)
        .map_err(|error| Error::new(minijinja::ErrorKind::BadSerialization, error.to_string()))?;
    let headings = headings.lock().expect("no template panics").listed.clone();
    environment.get_template("page")?.render(context! {
        title,
        style => Value::from_safe_string(STYLE.to_owned()),
        body => Value::from_safe_string(body),
        headings => Serde(headings),
        // No tag can end the element early: JSON may write any character as its number.
        facts => Value::from_safe_string(json.replace('<', "\\u003c")),
    })
}

/// Writes a page to `folder`.
pub(super) fn write(page: Result<String, Error>, folder: &Path) -> Result<(), RunError> {
    let file = folder.join(REPORT);
    let page = page.map_err(|error| FileError::on("write", &file)(told(&error)))?;
    Ok(write_whole(&file, page.as_bytes())?)
}

/// What is wrong with a template, with the place in each template that includes it.
pub(super) fn told(error: &Error) -> std::io::Error {
    let sources = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
    std::io::Error::other(sources.map(ToString::to_string).collect::<Vec<_>>().join(": "))
}

fn environment(headings: &Arc<Mutex<Headings>>) -> Result<Environment<'static>, Error> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    // A key that no fact has is a mistake that tests must find; a person gets the page without it.
    let strict = if cfg!(debug_assertions) { UndefinedBehavior::SemiStrict } else { UndefinedBehavior::Chainable };
    environment.set_undefined_behavior(strict);
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    for (name, text) in TEMPLATES {
        environment.add_template(name, text)?;
    }
    environment.add_filter("show", words::show);
    environment.add_filter("root", f64::sqrt);
    // The division of a template refuses 0 / 0; that of this one is NaN, which is shown as an absent figure.
    environment.add_filter("over", |a: f64, b: f64| a / b);
    // The root mean squared difference of images from 0 to 1 that have this PSNR in decibels.
    environment.add_filter("amplitude", |psnr: f64| libm::exp10(-psnr / 20.0));
    environment.add_filter("against", words::against);
    environment.add_filter("fixed", words::fixed);
    environment.add_filter("count", words::count);
    environment.add_filter("percent", words::percent);
    environment.add_filter("change", words::change);
    environment.add_filter("setting", words::setting);
    environment.add_filter("term", words::term);
    environment.add_filter("sentence", words::sentence);
    environment.add_filter("listed", words::listed);
    environment.add_filter("named", words::named);
    let numbers = [Mutex::new(0usize), Mutex::new(0usize)];
    environment.add_function("number", move |kind: &str| {
        let mut number = numbers[usize::from(kind == "Table")].lock().expect("no template panics");
        *number += 1;
        *number
    });
    for (name, kind) in
        [("chapter", Kind::Chapter), ("part", Kind::Part), ("section", Kind::Section), ("subheading", Kind::Subheading)]
    {
        let headings = Arc::clone(headings);
        environment.add_function(name, move |heading: &str| {
            Value::from_safe_string(headings.lock().expect("no template panics").begin(kind, heading))
        });
    }
    Ok(environment)
}

/// The headings of a page so far. A page about several parts has chapters, in them parts, and in these the sections that are all that
/// another page has.
#[derive(Default)]
struct Headings {
    /// Those of the table of contents, each with the number of its section.
    listed: Vec<Listed>,
    /// Sections so far.
    sections: usize,
    /// The level of a section below the page's heading.
    depth: usize,
}

/// An entry of the table of contents.
#[derive(Clone, Debug, Serialize)]
struct Listed {
    text: String,
    section: usize,
    /// The parts of a chapter.
    parts: Vec<Listed>,
}

#[derive(Clone, Copy)]
enum Kind {
    Chapter,
    Part,
    Section,
    Subheading,
}

impl Headings {
    /// The elements that begin what has this heading.
    fn begin(&mut self, kind: Kind, heading: &str) -> String {
        let level = match kind {
            Kind::Chapter => 2,
            Kind::Part => 3,
            Kind::Section => 2 + self.depth,
            Kind::Subheading => 3 + self.depth,
        };
        let text = heading.replace('&', "&amp;").replace('<', "&lt;");
        if matches!(kind, Kind::Subheading) {
            return format!("<h{level}>{text}</h{level}>");
        }
        let end = if self.sections > 0 { "</section>\n" } else { "" };
        self.sections += 1;
        let entry = Listed { text: heading.to_owned(), section: self.sections, parts: Vec::new() };
        match (kind, self.listed.last_mut()) {
            (Kind::Part, Some(chapter)) => chapter.parts.push(entry),
            _ if level == 2 => self.listed.push(entry),
            _ => {}
        }
        self.depth = match kind {
            Kind::Chapter => 1,
            Kind::Part => 2,
            _ => self.depth,
        };
        format!("{end}<section id=\"section-{}\">\n<h{level}>{text}</h{level}>", self.sections)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn decoders_stand_beside_the_published_figures_that_have_norms() {
        let numbers = json!({ "nrmse": 0.1129, "own_f32": 0.0153, "walk_norm": 1083.3 });
        let figures = json!({ "layers": [], "parts": {}, "rim": { "images": 1e-6 } });
        let facts = json!({
            "inversion": { "whole": [{ "run": "full-batch", "figures": figures }], "sizes": [] },
            "study": { "seeds": 1 },
            "published": [
                { "run": "sgd", "who": "published", "source": "a report", "first_loss": 0.2, "last_loss": 0.19 },
                { "run": "bce", "who": "published", "source": "a report", "train": { "nrmse": 12.9 } },
                { "run": "full-batch", "who": "PyTorch", "source": "measured", "train": numbers, "test": numbers },
            ],
        });
        let pictures = json!({ "inverted": {} });
        let page = render("inversion", "", &facts, context! { facts => Serde(&facts), pictures => Serde(&pictures) });
        assert!(page.unwrap().contains("Compared with other implementations. PyTorch: measured."));
    }

    #[test]
    fn published_verdicts_stand_with_their_figures_and_what_became_of_them() {
        let one = |run: &str, nrmse: f64| json!({ "run": run, "nrmse": { "mean": nrmse } });
        let verdict = |is_order: bool, holds: &str| {
            let groups = json!([[one("adam", 0.129)], [one("sgd", 0.3), one("adagrad", 0.2)]]);
            json!({ "says": "Adam leads.", "part": "train", "is_order": is_order, "groups": groups, "holds": holds })
        };
        let facts = json!({
            "inversion": { "schemes": [] },
            "runs": [],
            "study": { "seeds": 1, "fewest_seeds": 1, "few_seeds": "one seed" },
            "rules": { "floors": { "loss": 0.034, "error": 0.12, "code": 0.1 } },
            "verdicts": [verdict(true, "yes"), verdict(false, "no"), verdict(true, "open")],
        });
        let page = render("schemes", "", &facts, context! { facts => Serde(&facts) }).unwrap();
        for words in [
            "<td class=\"text\">adam 0.1290; lower than sgd 0.3000, adagrad 0.2000</td><td class=\"text\">training</td>",
            "<td class=\"text\">adam 0.1290, sgd 0.3000, adagrad 0.2000</td>",
            ">holds</td>",
            ">does not hold</td>",
            ">not decided: ",
            "6.0\u{a0}% of an NRMSE",
        ] {
            assert!(page.contains(words), "{words} in {page}");
        }
    }
}
