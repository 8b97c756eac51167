//! `report.html`: the facts of a study in words, on one page that needs nothing beside it.
//!
//! The words are in `templates/`; this module gives the templates numbers in a form for readers, charts, and the numbers of
//! figures and tables.

mod charts;
mod words;

use std::sync::{Arc, Mutex};

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Error, UndefinedBehavior, Value, context};
use serde::Serialize;

use super::facts::{Facts, Pictures};
use charts::Charts;

/// The templates by their names.
const TEMPLATES: [(&str, &str); 22] = [
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
    ("reconstructions", include_str!("../templates/reconstructions.html")),
    ("endings", include_str!("../templates/endings.html")),
    ("classes", include_str!("../templates/classes.html")),
    ("saturation", include_str!("../templates/saturation.html")),
    ("codes", include_str!("../templates/codes.html")),
    ("maps", include_str!("../templates/maps.html")),
    ("denoising", include_str!("../templates/denoising.html")),
    ("schemes", include_str!("../templates/schemes.html")),
    ("inversion", include_str!("../templates/inversion.html")),
    ("files", include_str!("../templates/files.html")),
    ("search", include_str!("../templates/search.html")),
];

/// Rules of every page, then those for tables of figures and of images.
const STYLE: &str = concat!(include_str!("../templates/page.css"), include_str!("../templates/report.css"));

/// The page of a study. An error is a mistake in a template.
pub(super) fn page(facts: &Facts, pictures: &Pictures) -> Result<String, Error> {
    let charts = Charts::of(facts, pictures);
    let given = context! { facts => Serde(facts), pictures => Serde(pictures), charts => Serde(charts) };
    render("report", facts.study["title"].as_str().unwrap_or_default(), facts, given)
}

/// The page with what a template makes of what it is given, which carries the facts as JSON.
pub(super) fn render(template: &str, title: &str, facts: &impl Serialize, given: Value) -> Result<String, Error> {
    let headings: Arc<Mutex<Vec<String>>> = Arc::default();
    let environment = environment(&headings)?;
    let body = environment.get_template(template)?.render(given)?;
    let json = serde_json::to_string(facts)
        .map_err(|error| Error::new(minijinja::ErrorKind::BadSerialization, error.to_string()))?;
    let headings = headings.lock().expect("no template panics").clone();
    environment.get_template("page")?.render(context! {
        title,
        style => Value::from_safe_string(STYLE.to_owned()),
        body => Value::from_safe_string(body),
        headings,
        // No tag can end the element early: JSON may write any character as its number.
        facts => Value::from_safe_string(json.replace('<', "\\u003c")),
    })
}

fn environment(headings: &Arc<Mutex<Vec<String>>>) -> Result<Environment<'static>, Error> {
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
    environment.add_filter("fixed", words::fixed);
    environment.add_filter("count", words::count);
    environment.add_filter("percent", words::percent);
    environment.add_filter("change", words::change);
    environment.add_filter("setting", words::setting);
    environment.add_filter("term", words::term);
    environment.add_filter("sentence", words::sentence);
    environment.add_filter("listed", words::listed);
    let numbers = [Mutex::new(0usize), Mutex::new(0usize)];
    environment.add_function("number", move |kind: &str| {
        let mut number = numbers[usize::from(kind == "Table")].lock().expect("no template panics");
        *number += 1;
        *number
    });
    let headings = Arc::clone(headings);
    environment.add_function("section", move |heading: &str| {
        let mut headings = headings.lock().expect("no template panics");
        headings.push(heading.to_owned());
        let end = if headings.len() > 1 { "</section>\n" } else { "" };
        let heading = heading.replace('&', "&amp;").replace('<', "&lt;");
        Value::from_safe_string(format!("{end}<section id=\"section-{}\">\n<h2>{heading}</h2>", headings.len()))
    });
    Ok(environment)
}
