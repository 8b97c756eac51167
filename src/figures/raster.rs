//! Scenes as PNG pictures on white.

use tiny_skia::{Color, FillRule, Paint, PathBuilder, Pixmap, Stroke, StrokeDash, Transform};

use super::scene::{Ink, Mark, PALETTE, Scene};
use super::{FigureError, font, png};

/// The scene scaled to fit `width` × `height` pixels and centred.
pub fn to_png(scene: &Scene, width: usize, height: usize) -> Result<Vec<u8>, FigureError> {
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
    png::encode(width, height, ::png::ColorType::Rgb, &rgb)
}

fn paint(ink: Ink, opacity: f32) -> Paint<'static> {
    let [r, g, b] = match ink {
        Ink::Text => [0x22; 3],
        Ink::Faint => [0x55; 3],
        Ink::Axis => [0x88; 3],
        Ink::Grid => [0xE2; 3],
        Ink::Paper => [0xFF; 3],
        Ink::Print => [0x11; 3],
        Ink::Series(index) => PALETTE[index % PALETTE.len()],
    };
    let mut paint = Paint::default();
    paint.set_color_rgba8(r, g, b, (opacity * 255.0).round() as u8);
    paint
}

fn polyline(path: &mut PathBuilder, points: &[(f32, f32)]) {
    for (index, &(x, y)) in points.iter().enumerate() {
        if index == 0 { path.move_to(x, y) } else { path.line_to(x, y) }
    }
}

fn draw(pixmap: &mut Pixmap, transform: Transform, mark: &Mark) {
    let mut path = PathBuilder::new();
    let (ink, opacity, stroke) = match mark {
        Mark::Line { points, ink, width, dashed } => {
            polyline(&mut path, points);
            let dash = if *dashed { StrokeDash::new(vec![6.0, 4.0], 0.0) } else { None };
            let line_join = tiny_skia::LineJoin::Round;
            (ink, 1.0, Some(Stroke { width: *width, line_join, dash, ..Stroke::default() }))
        }
        Mark::Area { points, ink, opacity } => {
            polyline(&mut path, points);
            path.close();
            (ink, *opacity, None)
        }
        Mark::Points { at, shape, radius, ink, hollow, opacity } => {
            for &centre in at {
                match &shape.corners(centre, *radius)[..] {
                    [] => path.push_circle(centre.0, centre.1, *radius),
                    corners => {
                        polyline(&mut path, corners);
                        path.close();
                    }
                }
            }
            (ink, *opacity, hollow.then(|| Stroke { width: 1.5, ..Stroke::default() }))
        }
        Mark::Text { x, y, size, anchor, ink, content } => {
            let start = x - font::width(content, *size) * [0.0, 0.5, 1.0][*anchor as usize];
            font::outline(&mut path, content, *size, start, *y);
            (ink, 1.0, None)
        }
    };
    let (Some(path), paint) = (path.finish(), paint(*ink, opacity)) else { return };
    match stroke {
        Some(stroke) => pixmap.stroke_path(&path, &paint, &stroke, transform, None),
        None => pixmap.fill_path(&path, &paint, FillRule::Winding, transform, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_covers_its_own_pixels_in_its_own_colour() {
        let mut scene = Scene { description: String::new(), width: 10.0, height: 5.0, marks: Vec::new() };
        let (points, ink) = (vec![(2.0, 2.0), (5.0, 2.0)], Ink::Series(PALETTE.len()));
        scene.marks.push(Mark::Line { points, ink, width: 2.0, dashed: false });
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
