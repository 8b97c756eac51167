//! Scenes as SVG text.

use std::fmt::Write;

use super::scene::{Ink, Mark, PALETTE, SQUARE, Scene, Shape, TEXT_COLOUR};

/// What is cut from both sides of a scene, whose own margin of 12 is for pictures: on a page a chart stands flush with
/// the text.
const TRIM: f32 = 10.0;

/// `text` with what HTML and XML read as markup replaced, for element content and quoted attributes alike. Characters
/// that XML forbids become U+FFFD.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(character),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            _ if character.is_control() => out.push('\u{fffd}'),
            _ => out.push(character),
        }
    }
    out
}

/// The scene as one responsive `svg` element: full width, the text colour of the page around it (black on its own).
///
/// Series take their colour as the presentation attribute `color` of class `series-N`, which a style sheet may override,
/// for example on dark pages.
pub fn to_svg(scene: &Scene) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="{} 0 {} {}" width="100%" role="img" aria-label="{}" font-family="system-ui, sans-serif">"#,
        Short(TRIM),
        Short(scene.width - 2.0 * TRIM),
        Short(scene.height),
        escaped(&scene.description)
    );
    for mark in &scene.marks {
        write_mark(&mut out, mark);
    }
    out.push_str("</svg>\n");
    out
}

/// A coordinate with at most two decimals: a hundredth of a pixel is not seen, and its digits are most of a file.
struct Short(f32);

impl std::fmt::Display for Short {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = format!("{:.2}", self.0);
        let text = text.trim_end_matches('0').trim_end_matches('.');
        f.write_str(if text == "-0" { "0" } else { text })
    }
}

/// The class and colour of the series, and its opacity elsewhere.
fn ink_attributes(ink: Ink) -> String {
    match ink {
        Ink::Text => String::new(),
        Ink::Faint => r#" opacity="0.75""#.into(),
        Ink::Axis => r#" opacity="0.5""#.into(),
        Ink::Grid => r#" opacity="0.14""#.into(),
        Ink::Paper => r##" color="#ffffff""##.into(),
        Ink::Print => r##" color="#111111""##.into(),
        Ink::Series(index) if index % PALETTE.len() == TEXT_COLOUR => String::new(),
        Ink::Series(index) => {
            let index = index % PALETTE.len();
            let [r, g, b] = PALETTE[index];
            format!(r##" class="series-{index}" color="#{r:02x}{g:02x}{b:02x}""##)
        }
    }
}

fn coordinates(points: &[(f32, f32)]) -> String {
    points.iter().map(|&(x, y)| format!("{},{}", Short(x), Short(y))).collect::<Vec<_>>().join(" ")
}

fn write_mark(out: &mut String, mark: &Mark) {
    let _ = match mark {
        Mark::Line { points, ink, width, dashed } => {
            let (points, width, ink) = (coordinates(points), Short(*width), ink_attributes(*ink));
            let dash = if *dashed { r#" stroke-dasharray="6 4""# } else { "" };
            let stroke = format!(r#"stroke="currentColor" stroke-width="{width}" stroke-linejoin="round"{dash}{ink}"#);
            writeln!(out, r#"<polyline points="{points}" fill="none" {stroke}/>"#)
        }
        Mark::Area { points, ink, opacity } => {
            let (points, opacity, ink) = (coordinates(points), Short(*opacity), ink_attributes(*ink));
            writeln!(out, r#"<polygon points="{points}" fill="currentColor" fill-opacity="{opacity}"{ink}/>"#)
        }
        Mark::Points { at, shape, radius, ink, hollow, opacity } => {
            let whole = !hollow && *shape != Shape::Triangle;
            let outline = |&(x, y): &(f32, f32)| match shape {
                // A line of no length is its cap.
                _ if whole => format!("M{x:.1} {y:.1}h0"),
                Shape::Circle => {
                    let (r, d) = (Short(*radius), Short(2.0 * radius));
                    format!("M{} {}a{r} {r} 0 1 0 {d} 0a{r} {r} 0 1 0 -{d} 0z", Short(x - radius), Short(y))
                }
                _ => format!("M{}z", coordinates(&shape.corners((x, y), *radius))),
            };
            let paint = match (whole, hollow) {
                (true, _) => {
                    let (cap, share) = if *shape == Shape::Circle { ("round", 1.0) } else { ("square", SQUARE) };
                    let width = Short(2.0 * radius * share);
                    format!(r#"fill="none" stroke="currentColor" stroke-width="{width}" stroke-linecap="{cap}""#)
                }
                (_, true) => r#"fill="none" stroke="currentColor" stroke-width="1.5""#.into(),
                _ => r#"fill="currentColor""#.into(),
            };
            let opacity = if *opacity < 1.0 { format!(r#" opacity="{}""#, Short(*opacity)) } else { String::new() };
            let dots: String = at.iter().map(outline).collect();
            writeln!(out, r#"<path d="{dots}" {paint}{opacity}{}/>"#, ink_attributes(*ink))
        }
        Mark::Text { content, .. } if content.is_empty() => Ok(()),
        Mark::Text { x, y, size, anchor, ink, content } => {
            let ([x, y, size], ink) = ([x, y, size].map(|side| Short(*side)), ink_attributes(*ink));
            let (anchor, content) = (["start", "middle", "end"][*anchor as usize], escaped(content));
            let place = format!(r#"x="{x}" y="{y}" font-size="{size}" text-anchor="{anchor}""#);
            writeln!(out, r#"<text {place} fill="currentColor"{ink}>{content}</text>"#)
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_text_is_escaped_and_forbidden_characters_are_replaced() {
        assert_eq!(escaped("a<b & \"c\" > 'd'\n"), "a&lt;b &amp; &quot;c&quot; &gt; &#39;d&#39;\n");
        assert_eq!(escaped("\u{0}\u{1b}[0m\u{ffff}"), "\u{fffd}\u{fffd}[0m\u{fffd}");
    }

    #[test]
    fn coordinates_are_short() {
        let shorts: Vec<String> = [0.0, -0.001, 10.0, 1.5, 2.0 / 3.0].iter().map(|&x| Short(x).to_string()).collect();
        assert_eq!(shorts, ["0", "0", "10", "1.5", "0.67"]);
    }
}
