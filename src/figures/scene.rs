//! What a chart consists of once it is laid out: lines, bars, points and text, in units of which one is a CSS pixel at
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
    /// The colour of a series; the index wraps around [`PALETTE`].
    Series(usize),
}

/// Where text stands relative to its x.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// Text begins at x.
    Start,
    /// Text is centred on x.
    Middle,
    /// Text ends at x.
    End,
}

/// The outline of a point. Series beyond the palette's length are told apart by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A disc.
    Circle,
    /// A square.
    Square,
    /// A triangle standing on its side.
    Triangle,
}

/// One thing to draw.
#[derive(Debug, Clone, PartialEq)]
pub enum Mark {
    /// A polyline.
    Line {
        /// Its corners, at least two.
        points: Vec<(f32, f32)>,
        /// Its colour.
        ink: Ink,
        /// Its width.
        width: f32,
        /// Whether it is dashed.
        dashed: bool,
    },
    /// A point.
    Point {
        /// Its centre.
        at: (f32, f32),
        /// Its outline.
        shape: Shape,
        /// Half its width.
        radius: f32,
        /// Its colour.
        ink: Ink,
        /// Whether only the outline is drawn.
        hollow: bool,
    },
    /// Many small filled points of one kind; a triangle is drawn as a square.
    Points {
        /// Their centres.
        at: Vec<(f32, f32)>,
        /// Their outline.
        shape: Shape,
        /// Half their width.
        radius: f32,
        /// Their colour.
        ink: Ink,
    },
    /// A filled rectangle.
    Bar {
        /// Its left edge.
        x: f32,
        /// Its upper edge.
        y: f32,
        /// Its width.
        width: f32,
        /// Its height.
        height: f32,
        /// Its colour.
        ink: Ink,
    },
    /// One line of text.
    Text {
        /// Where it is anchored.
        x: f32,
        /// Its baseline.
        y: f32,
        /// Units to the em.
        size: f32,
        /// Which of its points lies at x.
        anchor: Anchor,
        /// Its colour.
        ink: Ink,
        /// What it says.
        content: String,
    },
}

/// A chart that is laid out.
#[derive(Debug, Clone, PartialEq)]
pub struct Scene {
    /// What a reader who cannot see it is told.
    pub description: String,
    /// Its width.
    pub width: f32,
    /// Its height.
    pub height: f32,
    /// What it consists of, the undermost first.
    pub marks: Vec<Mark>,
}

impl Scene {
    /// Adds text.
    pub fn text(&mut self, x: f32, y: f32, size: f32, anchor: Anchor, ink: Ink, content: &str) {
        self.marks.push(Mark::Text { x, y, size, anchor, ink, content: content.into() });
    }

    /// Adds a straight line.
    pub fn line(&mut self, from: (f32, f32), to: (f32, f32), ink: Ink, width: f32) {
        self.marks.push(Mark::Line { points: vec![from, to], ink, width, dashed: false });
    }
}

/// Corners of a point's outline; none for a circle.
pub(super) fn corners(shape: Shape, (x, y): (f32, f32), radius: f32) -> Vec<(f32, f32)> {
    match shape {
        Shape::Circle => Vec::new(),
        Shape::Square => {
            let r = radius * 0.9;
            vec![(x - r, y - r), (x + r, y - r), (x + r, y + r), (x - r, y + r)]
        }
        Shape::Triangle => {
            let r = radius * 1.15;
            vec![(x, y - r), (x + r, y + 0.8 * r), (x - r, y + 0.8 * r)]
        }
    }
}
