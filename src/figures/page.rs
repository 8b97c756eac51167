//! Reports: one HTML file that needs nothing beside it, neither network nor scripts.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::number::glued;
use super::svg;

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

/// Text that cannot end the element it stands in, its units on the line of their numbers.
fn escaped(text: &str) -> String {
    svg::escaped(&glued(text))
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

/// Width and height in pixels that the header of a PNG file states; nothing for bytes that are not one.
fn png_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let rest = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n")?;
    let side = |at: usize| Some(u32::from_be_bytes(rest.get(at..at + 4)?.try_into().ok()?));
    (rest.get(4..8)? == b"IHDR").then_some(())?;
    Some((side(8)?, side(12)?))
}

#[cfg(test)]
mod tests {
    use super::super::png::grey_png;
    use super::*;

    fn filled(text: &str) -> String {
        let mut page = Page::new(text);
        page.paragraph(text).section(text).subsection(text).list(&[text]).list::<&str>(&[]).preformatted(text);
        page.svg(text, "<svg></svg>").picture(text, text, &grey_png(2, 2, &[0; 4]).unwrap()).picture("", "", b"no png");
        page.table_with_best(text, &[text, "y"], &[vec![text.into()], vec!["b".into(), "1".into()]], &[], &[(1, 1)]);
        page.links(&[("runs/a/".into(), text.into())]).links(&[]);
        page.section("b").section("c").section("d");
        page.finish()
    }

    #[test]
    fn all_text_is_escaped_and_every_tag_that_opens_is_closed_in_order() {
        let html = filled("<b> & \"quoted\" 'text'");
        assert!(!html.contains("<b> &") && !html.contains("\"quoted\"") && !html.contains("'text'"), "{html}");
        // Title twice, heading twice (contents), and each of the eleven other places once.
        assert_eq!(html.matches("&lt;b&gt; &amp; &quot;quoted&quot; &#39;text&#39;").count(), 15);
        let mut open: Vec<&str> = Vec::new();
        for (at, _) in html.match_indices('<') {
            let tag = &html[at + 1..at + html[at..].find('>').unwrap()];
            let name = tag.split([' ', '\n']).next().unwrap();
            if let Some(name) = name.strip_prefix('/') {
                assert_eq!(open.pop(), Some(name));
            } else if !["!DOCTYPE", "meta", "img"].contains(&name) {
                open.push(name);
            }
        }
        assert!(open.is_empty(), "{open:?}");
    }

    #[test]
    fn the_page_refers_to_nothing_outside_itself_and_numbers_what_it_holds() {
        let html = filled("took 3 s");
        for reference in ["http://", "https://", "<script", "<link", "@import", "url("] {
            assert!(!html.contains(reference), "{reference}");
        }
        for text in [
            "<b>Table 1.</b> took 3\u{202f}s",
            "<b>Figure 1.</b> took",
            "<b>Figure 3.</b>",
            "<strong>1<span class=\"heard\"> (best)</span></strong>",
            "<tr><th scope=\"row\">took 3\u{202f}s</th><td></td></tr>",
            "<li><a href=\"#section-4\">d</a></li>",
            "<section id=\"section-4\">",
        ] {
            assert_eq!(html.matches(text).count(), 1, "{text}: {html}");
        }
        assert!(!Page::new("t").section("a").section("b").section("c").finish().contains("<nav"));
    }
}
