//! Reports: one HTML file that needs nothing beside it, neither network nor scripts.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::png::png_size;
use super::svg::escaped;

/// Sections from which on a page begins with a table of contents.
const SECTIONS_FOR_CONTENTS: usize = 4;
/// Pictures wider than this, in pixels, scroll on a phone instead of shrinking beyond recognition.
const WIDE: u32 = 576;

/// How the cells of a column are set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Align {
    /// From the left. In the first column the cells head their rows.
    #[default]
    Text,
    /// To the right, digits of equal width.
    Number,
}

/// A page that grows from the top. All text is escaped; figures and tables are numbered in order.
#[derive(Debug, Clone)]
pub struct Page {
    title: String,
    body: String,
    headings: Vec<String>,
    figures: usize,
    tables: usize,
}

impl Page {
    /// An empty page.
    pub fn new(title: &str) -> Page {
        Page { title: escaped(title), body: String::new(), headings: Vec::new(), figures: 0, tables: 0 }
    }

    fn push(&mut self, markup: std::fmt::Arguments) -> &mut Page {
        let _ = self.body.write_fmt(markup);
        self.body.push('\n');
        self
    }

    /// Begins a section; the one before ends.
    pub fn section(&mut self, heading: &str) -> &mut Page {
        if !self.headings.is_empty() {
            self.body.push_str("</section>\n");
        }
        self.headings.push(escaped(heading));
        let number = self.headings.len();
        self.push(format_args!("<section id=\"section-{number}\">\n<h2>{}</h2>", escaped(heading)))
    }

    /// A heading within a section.
    pub fn subsection(&mut self, heading: &str) -> &mut Page {
        self.push(format_args!("<h3>{}</h3>", escaped(heading)))
    }

    /// A paragraph.
    pub fn paragraph(&mut self, text: &str) -> &mut Page {
        self.push(format_args!("<p>{}</p>", escaped(text)))
    }

    /// A bulleted list.
    pub fn list<T: AsRef<str>>(&mut self, items: &[T]) -> &mut Page {
        if items.is_empty() {
            return self;
        }
        let items: String = items.iter().map(|item| format!("<li>{}</li>\n", escaped(item.as_ref()))).collect();
        self.push(format_args!("<ul>\n{items}</ul>"))
    }

    /// A chart. `svg` is put in as it is: give what [`LineChart::to_svg`](super::curves::LineChart::to_svg) and its
    /// like return, nothing that a stranger wrote.
    pub fn svg(&mut self, caption: &str, svg: &str) -> &mut Page {
        self.figures += 1;
        let (number, caption) = (self.figures, escaped(caption));
        self.push(format_args!(
            "<figure>\n<div class=\"scroll chart\" tabindex=\"0\" role=\"group\" aria-label=\"Figure {number}\">\n{svg}</div>\n\
             <figcaption><b>Figure {number}.</b> {caption}</figcaption>\n</figure>"
        ))
    }

    /// A picture, held in the page; `alt` tells what it shows to who cannot see it.
    pub fn picture(&mut self, caption: &str, alt: &str, png_bytes: &[u8]) -> &mut Page {
        self.figures += 1;
        let (number, caption, alt) = (self.figures, escaped(caption), escaped(alt));
        let size = match png_size(png_bytes) {
            Some((width, height)) => {
                let class = if width > WIDE { " class=\"wide\"" } else { "" };
                format!(" width=\"{width}\" height=\"{height}\"{class}")
            }
            None => String::new(),
        };
        let data = STANDARD.encode(png_bytes);
        self.push(format_args!(
            "<figure>\n<div class=\"scroll picture\" tabindex=\"0\" role=\"group\" aria-label=\"Figure {number}\">\n\
             <img{size} alt=\"{alt}\" src=\"data:image/png;base64,{data}\">\n</div>\n\
             <figcaption><b>Figure {number}.</b> {caption}</figcaption>\n</figure>"
        ))
    }

    /// A list of links: address and text of each. Give addresses beside the page, such as "runs/a/": it is meant to be
    /// read without a network.
    pub fn links(&mut self, links: &[(String, String)]) -> &mut Page {
        let item =
            |(to, text): &(String, String)| format!("<li><a href=\"{}\">{}</a></li>\n", escaped(to), escaped(text));
        let items: String = links.iter().map(item).collect();
        if items.is_empty() { self } else { self.push(format_args!("<ul>\n{items}</ul>")) }
    }

    /// A table. Rows may be shorter than the header; columns without an alignment are text.
    pub fn table(&mut self, caption: &str, header: &[&str], rows: &[Vec<String>], align: &[Align]) -> &mut Page {
        self.table_with_best(caption, header, rows, align, &[])
    }

    /// A table of which some cells (row, column) hold the best value of their column: bold, and said to who hears it.
    pub fn table_with_best(
        &mut self,
        caption: &str,
        header: &[&str],
        rows: &[Vec<String>],
        align: &[Align],
        best: &[(usize, usize)],
    ) -> &mut Page {
        self.tables += 1;
        let (number, caption) = (self.tables, escaped(caption));
        let columns = rows.iter().map(Vec::len).chain([header.len()]).max().unwrap_or(0);
        let class = |column: usize| match align.get(column) {
            Some(Align::Number) => " class=\"number\"",
            _ => "",
        };
        let mut table = String::from("<thead>\n<tr>");
        for column in 0..columns {
            let text = escaped(header.get(column).copied().unwrap_or_default());
            let _ = write!(table, "<th scope=\"col\"{}>{text}</th>", class(column));
        }
        table.push_str("</tr>\n</thead>\n<tbody>\n");
        for (number, row) in rows.iter().enumerate() {
            table.push_str("<tr>");
            for column in 0..columns {
                let mut text = escaped(row.get(column).map_or("", String::as_str));
                if best.contains(&(number, column)) {
                    text = format!("<strong>{text}<span class=\"heard\"> (best)</span></strong>");
                }
                let class = class(column);
                let _ = match column == 0 && class.is_empty() {
                    true => write!(table, "<th scope=\"row\">{text}</th>"),
                    false => write!(table, "<td{class}>{text}</td>"),
                };
            }
            table.push_str("</tr>\n");
        }
        table.push_str("</tbody>\n");
        self.push(format_args!(
            "<figure class=\"table\">\n<figcaption id=\"table-{number}\"><b>Table {number}.</b> {caption}</figcaption>\n\
             <div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-labelledby=\"table-{number}\">\n\
             <table aria-labelledby=\"table-{number}\">\n{table}</table>\n</div>\n</figure>"
        ))
    }

    /// Text in a fixed-width face, its lines and spaces kept.
    pub fn preformatted(&mut self, text: &str) -> &mut Page {
        // The newline after the tag is dropped by the parser, and keeps one that the text begins with.
        self.push(format_args!("<pre tabindex=\"0\">\n{}</pre>", escaped(text)))
    }

    /// The page as a whole document.
    pub fn finish(&self) -> String {
        let mut contents = String::new();
        if self.headings.len() >= SECTIONS_FOR_CONTENTS {
            contents.push_str("<nav aria-label=\"Contents\">\n<ol>\n");
            for (index, heading) in self.headings.iter().enumerate() {
                let _ = writeln!(contents, "<li><a href=\"#section-{}\">{heading}</a></li>", index + 1);
            }
            contents.push_str("</ol>\n</nav>\n");
        }
        // What stands before the first section introduces the page and comes before its contents.
        let first = self.body.find("<section id=\"section-1\">").unwrap_or(self.body.len());
        let (introduction, sections) = self.body.split_at(first);
        let end = if self.headings.is_empty() { "" } else { "</section>\n" };
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
             <style>\n{css}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n{introduction}{contents}{sections}{end}\
             </main>\n</body>\n</html>\n",
            title = self.title,
            css = include_str!("page.css"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::bars::BarChart;
    use super::super::curves::{Curve, LineChart};
    use super::super::grid::reconstruction_grid;
    use super::super::number::significant;
    use super::super::png::grey_png;
    use super::*;

    /// A report of four runs, with every kind of content.
    fn sample() -> String {
        let mut page = Page::new("Four autoencoders & their losses");
        page.paragraph(
            "Four autoencoders were trained on the same images with the same seed, with and without a penalty on the \
             code, in batches of 128 and of 1024. Each stopped after five epochs without a better validation loss.",
        );
        page.section("What was trained");
        page.list(&["784 → 128 → 32 → 128 → 784, ReLU", "Adam, learning rate 0.001", "60,000 images, 10,000 for test"]);
        page.preformatted("[train]\nepochs = 50\nbatch = 128\n\n[model]\nencoder = [\n  { units = 128, activation = \"relu\" }, { units = 64, activation = \"relu\" }, { units = 32, activation = \"relu\", l1 = 1e-4 },\n]");
        page.section("Losses");
        let names = ["regular, batch 128", "regular, batch 1024", "sparse, batch 128", "sparse, batch 1024"];
        let mut curves = Vec::new();
        for (group, name) in names.iter().enumerate() {
            let epochs = [14, 20, 17, 20][group];
            let loss = |shift: f64| -> Vec<f64> {
                let wobble = |e: usize| ((e * 7919 + group * 104729) % 13) as f64 / 13.0 - 0.5;
                (1..=epochs)
                    .map(|e| {
                        0.262 + 0.012 * group as f64 + shift + 0.16 / (e as f64).sqrt().powi(3) + 0.003 * wobble(e)
                    })
                    .collect()
            };
            curves.push(Curve::per_epoch(*name, loss(0.0), false, group));
            curves.push(Curve::per_epoch(*name, loss(0.004), true, group));
        }
        let chart = LineChart::losses("Losses of the four runs", "binary cross-entropy (nats per pixel)", curves);
        page.svg("Losses over epochs. Lower is better; the axis does not begin at zero.", &chart.to_svg());
        let rows: Vec<Vec<String>> = names
            .iter()
            .zip([
                (14, 0.28157, 0.28391, 31.2),
                (20, 0.2921, 0.2949, 12.4),
                (17, 0.31, 0.3123, 33.0),
                (20, 0.33, f64::NAN, 9.0),
            ])
            .map(|(name, (epochs, loss, val, seconds))| {
                vec![
                    name.to_string(),
                    epochs.to_string(),
                    significant(loss, 4),
                    significant(val, 4),
                    significant(seconds, 3),
                ]
            })
            .collect();
        let align = [Align::Text, Align::Number, Align::Number, Align::Number, Align::Number];
        let header =
            ["run", "epochs", "training loss (nats per pixel)", "validation loss (nats per pixel)", "time (s)"];
        page.table("Where the runs ended.", &header, &rows, &align);
        let size = LineChart {
            x_label: "code size (units)".into(),
            logarithmic: true,
            curves: [("training", 0), ("test", 1)]
                .map(|(label, group)| Curve {
                    label: label.into(),
                    values: vec![0.104, 0.071, 0.049, 0.033, 0.0251 + 0.002 * group as f64, f64::NAN, 0.02],
                    at: Some(vec![2.0, 4.0, 8.0, 16.0, 32.0, 48.0, 64.0]),
                    dashed: false,
                    group,
                })
                .into(),
            solid: String::new(),
            ..LineChart::losses("", "root mean square error", Vec::new())
        };
        page.svg("Error over the size of the code.", &size.to_svg());
        let one = LineChart::losses(
            "One epoch of nine runs",
            "mean squared error",
            (0..18)
                .map(|i| Curve::per_epoch(format!("run {}", i / 2), vec![0.1 + 0.01 * i as f64], i % 2 == 1, i / 2))
                .collect(),
        );
        page.svg("Runs of a single epoch.", &one.to_svg());
        page.svg("Nothing.", &LineChart::losses("No run finished an epoch", "loss", Vec::new()).to_svg());
        page.section("Reconstructions");
        let images = |blur: f32| -> Vec<f32> {
            (0..40 * 784)
                .map(|i| {
                    let (image, x, y) = (i / 784, (i % 28) as f32 - 13.5, (i / 28 % 28) as f32 - 13.5);
                    let radius = 4.0 + (image % 7) as f32;
                    1.0 - ((x * x + (1.0 + image as f32 / 9.0) * y * y).sqrt() - radius) / blur
                })
                .collect()
        };
        for count in [15, 40, 3] {
            let grid = reconstruction_grid(28, 28, &images(1.5), &images(6.0), count).unwrap();
            page.picture("Test images above their reconstructions.", "blobs and blurred blobs", &grid);
        }
        page.section("Classes");
        let classes =
            ["T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"];
        let groups = classes
            .iter()
            .enumerate()
            .map(|(i, name)| (name.to_string(), vec![5400.0 + (i * 37 % 90) as f64, 600.0 - i as f64, 1000.0]));
        let bars = BarChart {
            title: "Images of each class".into(),
            value_label: "images".into(),
            series: vec!["training".into(), "validation".into(), "test".into()],
            groups: groups.collect(),
        };
        page.svg("Classes of the three splits.", &bars.to_svg());
        page.finish()
    }

    #[test]
    #[ignore = "writes the sample report and charts to the folder NARROWS_SAMPLE or a temporary one, to be looked at"]
    fn write_the_sample_report() {
        let folder: std::path::PathBuf = std::env::var_os("NARROWS_SAMPLE").map_or_else(std::env::temp_dir, Into::into);
        std::fs::write(folder.join("page.html"), sample()).unwrap();
        let curve = |group: usize, end: f64, dashed| {
            Curve::per_epoch(
                format!("run {group}"),
                (1..=16).map(|e| if e == 9 && group == 1 { f64::NAN } else { end + 0.3 / e as f64 }).collect(),
                dashed,
                group,
            )
        };
        let curves: Vec<Curve> = (0..8).map(|i| curve(i / 2 * 3, 0.2 + 0.02 * i as f64, i % 2 == 1)).collect();
        let chart = LineChart::losses("Losses", "binary cross-entropy (nats per pixel)", curves);
        std::fs::write(folder.join("loss.png"), chart.to_png(1200, 750).unwrap()).unwrap();
        std::fs::write(folder.join("loss.svg"), chart.to_svg()).unwrap();
        let groups = vec![("0".into(), vec![5923.0]), ("1".into(), vec![6742.0]), ("2".into(), vec![f64::NAN])];
        let bars = BarChart { title: "Digits".into(), value_label: "images".into(), series: vec![], groups };
        std::fs::write(folder.join("bars.png"), bars.to_png(800, 300).unwrap()).unwrap();
    }

    #[test]
    fn the_page_refers_to_nothing_outside_itself() {
        let page = sample().replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
        for reference in ["http://", "https://", "<script", "<link", "@import", "url("] {
            assert!(!page.contains(reference), "{reference}");
        }
        for attribute in ["src=\"", "href=\""] {
            for (at, _) in page.match_indices(attribute) {
                let target = &page[at + attribute.len()..];
                assert!(target.starts_with("data:image/png;base64,") || target.starts_with("#section-"));
            }
        }
    }

    #[test]
    fn the_same_content_gives_the_same_page() {
        assert_eq!(sample(), sample());
    }

    #[test]
    fn all_text_is_escaped() {
        let nasty = "<b> & \"quoted\" 'text'";
        let png = grey_png(2, 2, &[0; 4]).unwrap();
        let mut page = Page::new(nasty);
        page.section(nasty)
            .subsection(nasty)
            .paragraph(nasty)
            .list(&[nasty])
            .preformatted(nasty)
            .svg(nasty, "<svg></svg>");
        page.picture(nasty, nasty, &png).table(nasty, &[nasty], &[vec![nasty.into(), nasty.into()]], &[]);
        page.section("b").section("c").section("d");
        let html = page.finish();
        assert!(!html.contains("<b> &") && !html.contains("\"quoted\"") && !html.contains("'text'"), "{html}");
        // Title twice, heading twice (contents), and each of the eleven other places once.
        assert_eq!(html.matches("&lt;b&gt; &amp; &quot;quoted&quot; &#39;text&#39;").count(), 15);
    }

    #[test]
    fn every_tag_that_opens_is_closed_in_order() {
        let html = sample();
        let mut open: Vec<&str> = Vec::new();
        for (at, _) in html.match_indices('<') {
            let tag = &html[at + 1..at + html[at..].find('>').unwrap()];
            let name = tag.split([' ', '\n']).next().unwrap();
            if let Some(name) = name.strip_prefix('/') {
                assert_eq!(open.pop(), Some(name));
            } else if !tag.ends_with('/') && !["!DOCTYPE", "meta", "img"].contains(&name) {
                open.push(name);
            }
        }
        assert!(open.is_empty(), "{open:?}");
    }

    #[test]
    fn contents_come_with_the_fourth_section_and_point_at_each() {
        let mut page = Page::new("t");
        page.paragraph("introduction").section("a").section("b").section("c");
        assert!(!page.finish().contains("<nav"));
        page.section("d");
        let html = page.finish();
        assert!(html.find("introduction").unwrap() < html.find("<nav").unwrap());
        for number in 1..=4 {
            assert_eq!(html.matches(&format!("href=\"#section-{number}\"")).count(), 1);
            assert_eq!(html.matches(&format!("id=\"section-{number}\"")).count(), 1);
        }
    }

    #[test]
    fn the_best_cells_are_bold_and_heard_and_links_stay_beside_the_page() {
        let mut page = Page::new("t");
        let rows = [vec!["a".into(), "<1".into()], vec!["b".into(), "2".into()]];
        page.table_with_best("c", &["x", "y"], &rows, &[Align::Text, Align::Number], &[(0, 1)]);
        page.links(&[("runs/a+\"/".into(), "a & b".into())]).links(&[]);
        let html = page.finish();
        let cell = "<td class=\"number\"><strong>&lt;1<span class=\"heard\"> (best)</span></strong></td>";
        assert!(html.contains(cell) && html.contains("<td class=\"number\">2</td>"), "{html}");
        assert!(html.contains("<li><a href=\"runs/a+&quot;/\">a &amp; b</a></li>"), "{html}");
        assert_eq!(html.matches("<ul>").count(), 1);
    }

    #[test]
    fn figures_and_tables_are_numbered_apart_and_ragged_rows_are_filled() {
        let mut page = Page::new("t");
        let rows = [vec!["a".into()], vec!["b".into(), "1".into(), "2".into()]];
        page.table("one", &["x", "y"], &rows, &[Align::Text, Align::Number]);
        page.svg("two", "<svg></svg>").picture("three", "", b"no png").table("four", &[], &[], &[Align::Number]);
        let html = page.finish();
        for text in ["<b>Table 1.</b> one", "<b>Figure 1.</b> two", "<b>Figure 2.</b> three", "<b>Table 2.</b> four"] {
            assert!(html.contains(text), "{text}");
        }
        assert!(html.contains("<tr><th scope=\"row\">a</th><td class=\"number\"></td><td></td></tr>"), "{html}");
        assert!(
            html.contains("<th scope=\"col\">x</th><th scope=\"col\" class=\"number\">y</th><th scope=\"col\"></th>")
        );
    }
}
