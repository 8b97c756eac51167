//! Text with an embedded font, DejaVu Sans: its widths, its line breaks and its outlines.

use std::sync::LazyLock;

use tiny_skia::PathBuilder;
use ttf_parser::{Face, GlyphId, OutlineBuilder};

static FACE: LazyLock<Face<'static>> =
    LazyLock::new(|| Face::parse(dejavu::sans::regular(), 0).expect("the embedded font is well formed"));

fn glyph(character: char) -> GlyphId {
    FACE.glyph_index(character).unwrap_or_default()
}

fn advance(glyph: GlyphId) -> f32 {
    FACE.glyph_hor_advance(glyph).unwrap_or_default() as f32 / FACE.units_per_em() as f32
}

/// Width of one line of `text` at `size` units to the em. The system fonts that a browser chooses are narrower.
pub fn width(text: &str, size: f32) -> f32 {
    text.chars().map(|character| advance(glyph(character))).sum::<f32>() * size
}

/// `text`, shortened to end in "…" where it is wider than `most`.
pub fn shortened(text: &str, size: f32, most: f32) -> String {
    if width(text, size) <= most {
        return text.into();
    }
    let mut kept = String::new();
    let mut used = width("…", size);
    for character in text.chars() {
        used += advance(glyph(character)) * size;
        if used > most {
            break;
        }
        kept.push(character);
    }
    kept.truncate(kept.trim_end().len());
    kept + "…"
}

/// `text`, names with a comma and a space between them; where it is wider than `most`, as many as fit and how many more there are.
pub fn listed(text: &str, size: f32, most: f32) -> String {
    let names: Vec<&str> = text.split(", ").collect();
    let first = |count: usize| match names.len() - count {
        0 => text.into(),
        left => format!("{} and {left} more", names[..count].join(", ")),
    };
    let fits = |text: &String| width(text, size) <= most;
    (1..=names.len()).rev().map(first).find(fits).unwrap_or_else(|| shortened(text, size, most))
}

/// `text` in lines of at most `most` units, broken at spaces, but not at no-break spaces; a word wider than a line is shortened.
/// No lines for empty text.
pub fn wrapped(text: &str, size: f32, most: f32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split([' ', '\n', '\t']).filter(|word| !word.is_empty()) {
        if let Some(line) = lines.last_mut() {
            let longer = format!("{line} {word}");
            if width(&longer, size) <= most {
                *line = longer;
                continue;
            }
        }
        lines.push(shortened(word, size, most));
    }
    lines
}

/// Adds the outline of one line of `text` whose baseline starts at (`x`, `y`), y downwards.
pub fn outline(path: &mut PathBuilder, text: &str, size: f32, x: f32, y: f32) {
    let scale = size / FACE.units_per_em() as f32;
    let mut pen = Pen { path, scale, x, y };
    for character in text.chars() {
        let glyph = glyph(character);
        FACE.outline_glyph(glyph, &mut pen);
        pen.x += advance(glyph) * size;
    }
}

/// Turns font units, y upwards, into picture units, y downwards.
struct Pen<'a> {
    path: &'a mut PathBuilder,
    scale: f32,
    x: f32,
    y: f32,
}

impl Pen<'_> {
    fn at(&self, x: f32, y: f32) -> (f32, f32) {
        (self.x + x * self.scale, self.y - y * self.scale)
    }
}

impl OutlineBuilder for Pen<'_> {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.path.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.path.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let ((x1, y1), (x, y)) = (self.at(x1, y1), self.at(x, y));
        self.path.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let ((x1, y1), (x2, y2), (x, y)) = (self.at(x1, y1), self.at(x2, y2), self.at(x, y));
        self.path.cubic_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.path.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_that_labels_use_has_a_glyph() {
        for character in
            ('!'..='~').chain("…×·−±αβλσμ∞–—“”éàü\u{a0}\u{202f}⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻₀₁₂₃₄₅₆₇₈₉₊₋ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ".chars())
        {
            assert_ne!(glyph(character), GlyphId(0), "{character}");
        }
    }

    #[test]
    fn shortened_text_fits_and_text_that_fits_is_kept() {
        assert_eq!(shortened("loss", 13.0, 100.0), "loss");
        let short = shortened("a label that will not fit in there", 13.0, 100.0);
        assert!(short.ends_with('…') && short.len() > 8, "{short}");
        assert!(width(&short, 13.0) <= 100.0);
        assert_eq!(shortened("wide", 13.0, 0.0), "…");
    }

    #[test]
    fn a_list_that_does_not_fit_ends_at_a_whole_name() {
        let names = "plain, plain-sigmoid, sparse, sparse-relu";
        let ends = ["plain, plain-sigmoid, sparse and 1 more", "plain, plain-sigmoid and 2 more", "plain and 3 more"];
        for expected in [names].into_iter().chain(ends) {
            assert_eq!(listed(names, 13.0, width(expected, 13.0)), expected);
        }
        assert_eq!(listed(names, 13.0, 60.0), shortened(names, 13.0, 60.0));
        assert_eq!(listed("one title", 13.0, 30.0), shortened("one title", 13.0, 30.0));
    }

    #[test]
    fn wrapped_lines_fit_and_keep_every_word() {
        let text = "Training and validation losses of four sparse autoencoders on Fashion-MNIST";
        let lines = wrapped(text, 16.0, 200.0);
        assert!(lines.len() > 2);
        assert!(lines.iter().all(|line| width(line, 16.0) <= 200.0));
        assert_eq!(lines.join(" "), text);
        assert!(wrapped("", 16.0, 200.0).is_empty());
        assert_eq!(wrapped("took 10\u{202f}s", 16.0, 60.0), ["took", "10\u{202f}s"]);
    }

    #[test]
    fn an_outline_lies_where_its_width_says() {
        let mut path = PathBuilder::new();
        outline(&mut path, "  ", 20.0, 5.0, 50.0);
        assert!(path.is_empty());
        outline(&mut path, "Hx", 20.0, 5.0, 50.0);
        let bounds = path.finish().unwrap().bounds();
        assert!(bounds.left() > 5.0 && bounds.right() < 5.0 + width("Hx", 20.0));
        assert!(bounds.bottom() <= 50.0 && bounds.top() > 30.0);
    }
}
