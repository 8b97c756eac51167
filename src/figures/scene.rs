//! What a chart consists of once it is laid out: lines, points and text, in units of which one is a CSS pixel at
//! the chart's natural size; x to the right, y downwards.

/// Okabe and Ito's palette for all kinds of colour vision ("Color Universal Design", 2008), in the order of its contrast
/// on white; yellow is left out because it has none, black gives way to the text colour. Three of Paul Tol's "muted" scheme
/// (SRON/EPS/TN/09-002, 2021), wine, olive and indigo, make it ten, for as many classes.
pub const PALETTE: [[u8; 3]; 10] = [
    [0x00, 0x72, 0xB2],
    [0xD5, 0x5E, 0x00],
    [0x00, 0x9E, 0x73],
    [0xCC, 0x79, 0xA7],
    [0x56, 0xB4, 0xE9],
    [0xE6, 0x9F, 0x00],
    [0x22, 0x22, 0x22],
    [0x88, 0x22, 0x55],
    [0x99, 0x99, 0x33],
    [0x33, 0x22, 0x88],
];

/// The one of [`PALETTE`] that is the text colour, whatever page is around it.
pub const TEXT_COLOUR: usize = 6;

/// What a mark is drawn with; each renderer knows its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// Titles and legends.
    Text,
    /// Tick labels.
    Faint,
    /// Axis lines.
    Axis,
    /// Grid lines, hardly there.
    Grid,
    /// White, whatever page is around it.
    Paper,
    /// What is written on it.
    Print,
    /// The colour of a series; the index wraps around [`PALETTE`].
    Series(usize),
}

/// Which point of a text lies at its x.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

/// From the centre of a [`Shape::Square`] to its sides, as a share of the radius: its area is about that of a circle.
pub const SQUARE: f32 = 0.9;

/// The outline of a point. Series beyond the palette's length are told apart by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Circle,
    Square,
    Triangle,
}

impl Shape {
    /// Corners of the outline around a centre; none for a circle.
    pub fn corners(self, (x, y): (f32, f32), radius: f32) -> Vec<(f32, f32)> {
        let r = radius;
        match self {
            Shape::Circle => Vec::new(),
            Shape::Square => {
                let half = SQUARE * r;
                vec![(x - half, y - half), (x + half, y - half), (x + half, y + half), (x - half, y + half)]
            }
            Shape::Triangle => {
                [(0.0, -1.15), (1.15, 0.92), (-1.15, 0.92)].map(|(dx, dy)| (x + dx * r, y + dy * r)).into()
            }
        }
    }
}

/// One thing to draw.
#[derive(Debug, Clone, PartialEq)]
pub enum Mark {
    /// A polyline of at least two corners.
    Line { points: Vec<(f32, f32)>, ink: Ink, width: f32, dashed: bool },
    /// The area within an outline of at least three corners.
    Area { points: Vec<(f32, f32)>, ink: Ink, opacity: f32 },
    /// Points of one kind around their centres; `radius` is half the width of a circle, and of hollow ones only the outline is drawn.
    Points { at: Vec<(f32, f32)>, shape: Shape, radius: f32, ink: Ink, hollow: bool, opacity: f32 },
    /// One line of text on the baseline `y`, `size` units to the em.
    Text { x: f32, y: f32, size: f32, anchor: Anchor, ink: Ink, content: String },
}

/// A chart that is laid out.
#[derive(Debug, Clone, PartialEq)]
pub struct Scene {
    /// What a reader who cannot see it is told.
    pub description: String,
    pub width: f32,
    pub height: f32,
    /// What it consists of, in the order of drawing.
    pub marks: Vec<Mark>,
}

impl Scene {
    /// Adds text.
    pub fn text(&mut self, (x, y): (f32, f32), size: f32, anchor: Anchor, ink: Ink, content: &str) {
        self.marks.push(Mark::Text { x, y, size, anchor, ink, content: content.into() });
    }

    /// Adds a straight line of width 1.
    pub fn line(&mut self, from: (f32, f32), to: (f32, f32), ink: Ink) {
        self.marks.push(Mark::Line { points: vec![from, to], ink, width: 1.0, dashed: false });
    }
}
