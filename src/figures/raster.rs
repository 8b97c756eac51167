//! Scenes as PNG pictures on white.

use tiny_skia::{Color, FillRule, Paint, Path, PathBuilder, Pixmap, Rect, Stroke, StrokeDash, Transform};

use super::scene::{Anchor, Ink, Mark, PALETTE, Scene, Shape, corners};
use super::{FigureError, font, png};

/// The scene scaled to fit `width` × `height` pixels and centred.
pub(super) fn to_png(scene: &Scene, width: usize, height: usize) -> Result<Vec<u8>, FigureError> {
    png::checked_size(width, height)?;
    // A side that tiny-skia cannot address is refused like one that memory cannot hold.
    let mut pixmap = Pixmap::new(width as u32, height as u32).ok_or(FigureError::Size { width, height })?;
    pixmap.fill(Color::WHITE);
    let scale = (width as f32 / scene.width).min(height as f32 / scene.height);
    let left = (width as f32 - scene.width * scale) / 2.0;
    let top = (height as f32 - scene.height * scale) / 2.0;
    let transform = Transform::from_row(scale, 0.0, 0.0, scale, left, top);
    for mark in &scene.marks {
        draw(&mut pixmap, transform, mark);
    }
    // Everything is drawn on opaque white, so that the colours are not premultiplied by anything but one.
    let rgb: Vec<u8> = pixmap.data().chunks_exact(4).flat_map(|rgba| [rgba[0], rgba[1], rgba[2]]).collect();
    png::rgb_png(width, height, &rgb)
}

fn paint(ink: Ink) -> Paint<'static> {
    let [r, g, b] = match ink {
        Ink::Text => [0x22; 3],
        Ink::Faint => [0x55; 3],
        Ink::Axis => [0x88; 3],
        Ink::Grid => [0xE2; 3],
        Ink::Series(index) => PALETTE[index % PALETTE.len()],
    };
    let mut paint = Paint::default();
    paint.set_color_rgba8(r, g, b, 255);
    paint
}

fn polyline(points: &[(f32, f32)], closed: bool) -> Option<Path> {
    let (&(x, y), rest) = points.split_first()?;
    let mut path = PathBuilder::new();
    path.move_to(x, y);
    for &(x, y) in rest {
        path.line_to(x, y);
    }
    if closed {
        path.close();
    }
    path.finish()
}

fn draw(pixmap: &mut Pixmap, transform: Transform, mark: &Mark) {
    match mark {
        Mark::Line { points, ink, width, dashed } => {
            let dash = if *dashed { StrokeDash::new(vec![6.0, 4.0], 0.0) } else { None };
            let stroke = Stroke { width: *width, line_join: tiny_skia::LineJoin::Round, dash, ..Stroke::default() };
            if let Some(path) = polyline(points, false) {
                pixmap.stroke_path(&path, &paint(*ink), &stroke, transform, None);
            }
        }
        Mark::Point { at, shape, radius, ink, hollow } => {
            let path = match shape {
                Shape::Circle => PathBuilder::from_circle(at.0, at.1, *radius),
                Shape::Square | Shape::Triangle => polyline(&corners(*shape, *at, *radius), true),
            };
            let Some(path) = path else { return };
            if *hollow {
                let stroke = Stroke { width: 1.5, ..Stroke::default() };
                pixmap.stroke_path(&path, &paint(*ink), &stroke, transform, None);
            } else {
                pixmap.fill_path(&path, &paint(*ink), FillRule::Winding, transform, None);
            }
        }
        Mark::Points { at, shape, radius, ink } => {
            let mut path = PathBuilder::new();
            for &(x, y) in at {
                match shape {
                    Shape::Circle => path.push_circle(x, y, *radius),
                    Shape::Square | Shape::Triangle => {
                        if let Some(square) = Rect::from_xywh(x - radius, y - radius, 2.0 * radius, 2.0 * radius) {
                            path.push_rect(square);
                        }
                    }
                }
            }
            if let Some(path) = path.finish() {
                pixmap.fill_path(&path, &paint(*ink), FillRule::Winding, transform, None);
            }
        }
        Mark::Bar { x, y, width, height, ink } => {
            if let Some(rect) = Rect::from_xywh(*x, *y, *width, *height) {
                pixmap.fill_rect(rect, &paint(*ink), transform, None);
            }
        }
        Mark::Text { x, y, size, anchor, ink, content } => {
            let width = font::width(content, *size);
            let start = match anchor {
                Anchor::Start => *x,
                Anchor::Middle => x - width / 2.0,
                Anchor::End => x - width,
            };
            if let Some(path) = font::outline(content, *size, start, *y) {
                pixmap.fill_path(&path, &paint(*ink), FillRule::Winding, transform, None);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_covers_its_own_pixels_in_its_own_colour() {
        let mut scene = Scene { description: String::new(), width: 10.0, height: 5.0, marks: Vec::new() };
        scene.marks.push(Mark::Bar { x: 2.0, y: 1.0, width: 3.0, height: 2.0, ink: Ink::Series(PALETTE.len()) });
        let (width, height, pixels) = png::decode(&to_png(&scene, 20, 10).unwrap());
        assert_eq!((width, height), (20, 10));
        for (index, pixel) in pixels.chunks_exact(3).enumerate() {
            let (x, y) = (index % 20, index / 20);
            let inside = (4..10).contains(&x) && (2..6).contains(&y);
            assert_eq!(pixel, if inside { PALETTE[0] } else { [255; 3] }, "({x}, {y})");
        }
    }

    #[test]
    fn sides_that_cannot_be_drawn_are_refused() {
        let scene = Scene { description: String::new(), width: 10.0, height: 5.0, marks: Vec::new() };
        for (width, height) in [(0, 10), (10, 0), (usize::MAX, usize::MAX), (1 << 20, 1 << 20)] {
            assert!(matches!(to_png(&scene, width, height), Err(FigureError::Size { .. })), "{width} × {height}");
        }
        assert!(to_png(&scene, 1, 1).is_ok());
    }
}
