//! `[report]`: what the report of a study shows.

use super::document::Node;
use super::error::ConfigError;
use super::read::{Field, Reader};
use super::write;

/// What the report of a study shows.
#[derive(Clone, Debug, PartialEq)]
pub struct ReportConfig {
    /// The heading; the name of the study where absent.
    pub title: Option<String>,
    /// How many images are drawn with their reconstructions, 1 to 1000; 15 where absent.
    pub reconstructions: usize,
    /// Runs of which the report shows how their layers saturate from epoch to epoch.
    pub saturation: Vec<String>,
    /// Runs whose codes are measured: by a classifier, between images, by their Jacobian.
    pub codes: Vec<String>,
    /// What the runs are looked at for.
    pub kind: ReportKind,
}

/// What the runs of a study are looked at for.
#[derive(Clone, Debug, PartialEq)]
pub enum ReportKind {
    /// How their losses compare.
    Comparison,
    /// How training schemes compare, what their decoders give run backwards, and what the size of the code does.
    Inversion(InversionReport),
}

/// `[report.inversion]`. Runs are named as they are named in the study.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InversionReport {
    /// Runs that are compared, each group under the heading of what differs between them.
    pub schemes: Vec<(String, Vec<String>)>,
    /// Runs whose decoder is run backwards on all images.
    pub invert: Vec<String>,
    /// Runs that differ in the size of their code.
    pub compression: Vec<String>,
    /// How many training images (the first of them) the runs of `compression` are inverted on; all where absent.
    pub compression_images: Option<usize>,
}

impl ReportConfig {
    /// Every run that is named, with the key that names it; some more than once.
    pub(super) fn named(&self) -> Vec<(String, &String)> {
        let mut named: Vec<(String, &String)> =
            self.saturation.iter().map(|run| ("saturation".to_string(), run)).collect();
        named.extend(self.codes.iter().map(|run| ("codes".to_string(), run)));
        if let ReportKind::Inversion(inversion) = &self.kind {
            for (what, runs) in &inversion.schemes {
                named.extend(runs.iter().map(|run| (format!("inversion.schemes.{what}"), run)));
            }
            named.extend(inversion.invert.iter().map(|run| ("inversion.invert".to_string(), run)));
            named.extend(inversion.compression.iter().map(|run| ("inversion.compression".to_string(), run)));
        }
        named
    }
}

const KEYS: &[&str] = &["title", "reconstructions", "saturation", "codes", "inversion"];
const INVERSION_KEYS: &[&str] = &["schemes", "invert", "compression", "compression_images"];

/// As many as a study has runs.
const MOST_NAMES: usize = 1000;

pub(super) fn read(node: Option<&Node>) -> Result<ReportConfig, ConfigError> {
    let Some(node) = node else {
        let (saturation, codes) = (Vec::new(), Vec::new());
        return Ok(ReportConfig { title: None, reconstructions: 15, saturation, codes, kind: ReportKind::Comparison });
    };
    let field = Field { node, path: "report".to_string() };
    let table = field.table(KEYS, "a table [report]")?;
    let title = table.get("title").map(|field| field.string("a heading, as a string")).transpose()?;
    let count = |field: Field<'_>| field.integer(1, 1000).map(|count| count as usize);
    let reconstructions = table.get("reconstructions").map_or(Ok(15), count)?;
    let kind = match table.get("inversion") {
        None => ReportKind::Comparison,
        Some(field) => {
            ReportKind::Inversion(read_inversion(&field.table(INVERSION_KEYS, "a table [report.inversion]")?)?)
        }
    };
    let saturation = table.get("saturation").map_or(Ok(Vec::new()), |field| read_names(&field))?;
    let codes = table.get("codes").map_or(Ok(Vec::new()), |field| read_names(&field))?;
    Ok(ReportConfig { title: title.map(str::to_string), reconstructions, saturation, codes, kind })
}

fn read_inversion(table: &Reader<'_>) -> Result<InversionReport, ConfigError> {
    let mut schemes = Vec::new();
    if let Some(field) = table.get("schemes") {
        let accepted = "a table of lists of runs, such as { optimizer = [\"adam\", \"sgd\"] }";
        let groups = field.as_table().ok_or_else(|| field.refuse(accepted))?;
        for entry in &groups.entries {
            let field = Field { node: &entry.node, path: format!("{}.{}", field.path, entry.key) };
            schemes.push((entry.key.clone(), read_names(&field)?));
        }
    }
    let names = |key: &str| table.get(key).map_or(Ok(Vec::new()), |field| read_names(&field));
    Ok(InversionReport {
        schemes,
        invert: names("invert")?,
        compression: names("compression")?,
        compression_images: table.get("compression_images").map(|field| field.count(1)).transpose()?,
    })
}

fn read_names(field: &Field<'_>) -> Result<Vec<String>, ConfigError> {
    let accepted = "a list of names of runs";
    let items = field.items(accepted, MOST_NAMES)?;
    items.iter().map(|item| item.string("the name of a run, as a string").map(str::to_string)).collect()
}

/// `[report]` as TOML.
pub(super) fn write(report: &ReportConfig, lines: &mut Vec<String>) {
    lines.push("\n[report]".to_string());
    lines.extend(report.title.iter().map(|title| format!("title = {}", write::string(title))));
    lines.push(format!("reconstructions = {}", report.reconstructions));
    let names = |names: &[String]| {
        let names: Vec<String> = names.iter().map(|name| write::string(name)).collect();
        format!("[{}]", names.join(", "))
    };
    if !report.saturation.is_empty() {
        lines.push(format!("saturation = {}", names(&report.saturation)));
    }
    if !report.codes.is_empty() {
        lines.push(format!("codes = {}", names(&report.codes)));
    }
    let ReportKind::Inversion(inversion) = &report.kind else { return };
    lines.push("\n[report.inversion]".to_string());
    lines.push(format!("invert = {}", names(&inversion.invert)));
    lines.push(format!("compression = {}", names(&inversion.compression)));
    lines.extend(inversion.compression_images.map(|count| format!("compression_images = {count}")));
    if !inversion.schemes.is_empty() {
        lines.push("\n[report.inversion.schemes]".to_string());
    }
    lines.extend(inversion.schemes.iter().map(|(what, runs)| format!("{} = {}", write::key(what), names(runs))));
}
