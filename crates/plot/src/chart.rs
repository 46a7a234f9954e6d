//! What a chart shows, as plain data.

use crate::Paint;

/// How a line is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LineStyle {
    /// Without gaps.
    #[default]
    Solid,
    /// In dashes.
    Dashed,
}

/// A line through points.
///
/// Points that are not finite break the line; a point without neighbours is drawn as a dot.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Its name in the legend; an empty name is left out.
    pub name: String,
    /// (x, y) in the data's units, in drawing order.
    pub points: Vec<(f64, f64)>,
    /// Its colour.
    pub color: Paint,
    /// Solid or dashed.
    pub style: LineStyle,
    /// Line width in points, 100/72 of a pixel as in matplotlib.
    pub width: f32,
    /// Opacity, 0–1.
    pub alpha: f32,
    /// Radius of a dot on every point, in points.
    pub marker: Option<f32>,
}

impl Series {
    /// A solid opaque line, 1.5 points wide, without dots.
    #[must_use]
    pub fn new(name: impl Into<String>, points: Vec<(f64, f64)>, color: impl Into<Paint>) -> Self {
        Self {
            name: name.into(),
            points,
            color: color.into(),
            style: LineStyle::Solid,
            width: 1.5,
            alpha: 1.0,
            marker: None,
        }
    }

    /// The values over 1, 2, 3, …: epochs or iterations.
    #[must_use]
    pub fn counted(name: impl Into<String>, values: &[f64], color: impl Into<Paint>) -> Self {
        let points = values.iter().enumerate().map(|(i, &value)| ((i + 1) as f64, value)).collect();
        Self::new(name, points, color)
    }
}

/// The area between two lines, such as the lowest and the highest of many curves. It needs no legend: the line in it has one.
#[derive(Debug, Clone, PartialEq)]
pub struct Band {
    /// (x, lower y, upper y) in the data's units, from left to right. It is left out where one is not finite or not within the
    /// chart.
    pub points: Vec<(f64, f64, f64)>,
    /// Its colour.
    pub color: Paint,
    /// Opacity, 0–1.
    pub alpha: f32,
}

/// A cloud of dots. Points that are not finite are left out.
#[derive(Debug, Clone, PartialEq)]
pub struct Scatter {
    /// Its name in the legend; an empty name is left out.
    pub name: String,
    /// (x, y) in the data's units.
    pub points: Vec<(f64, f64)>,
    /// Its colour.
    pub color: Paint,
    /// Opacity, 0–1.
    pub alpha: f32,
    /// Radius in points, 100/72 of a pixel.
    pub radius: f32,
}

impl Scatter {
    /// Opaque dots of radius 3.5 points, matplotlib's size.
    #[must_use]
    pub fn new(name: impl Into<String>, points: Vec<(f64, f64)>, color: impl Into<Paint>) -> Self {
        Self { name: name.into(), points, color: color.into(), alpha: 1.0, radius: 3.5 }
    }
}

/// A vertical line over the whole chart, such as the best epoch or a change of the learning rate.
///
/// Labels stand above the chart, in up to four rows where they would overlap; one that finds no room is
/// left out, its line stays.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// Where, in the data's units.
    pub x: f64,
    /// What happened there.
    pub label: String,
}

/// What an axis counts, and so where its ticks may lie and how they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Numbers {
    /// Any number.
    #[default]
    Real,
    /// Epochs, iterations: ticks only at whole numbers that the data reach.
    Whole,
    /// A fraction 0–1, written as a percentage.
    Percent,
    /// Powers of ten, given by their exponents: a logarithmic axis, with ticks at whole exponents.
    Exponent,
}

/// One of a chart's two axes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Axis {
    /// What it shows.
    pub label: String,
    /// Its ends; by default the extent of the data and a twentieth of it on both sides.
    pub range: Option<(f64, f64)>,
    /// What it counts.
    pub numbers: Numbers,
}

impl Axis {
    /// An axis as long as its data.
    #[must_use]
    pub fn new(label: impl Into<String>, numbers: Numbers) -> Self {
        Self { label: label.into(), range: None, numbers }
    }
}

/// A chart: lines over dots over a light grid, with a legend where it hides least.
///
/// Whatever the numbers, [`Chart::draw`] and [`Chart::svg`] return a picture: an empty chart says so.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// Above the chart; its middle is left out if it is too long.
    pub title: String,
    /// In smaller letters below the title; shortened to fit.
    pub subtitle: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// Areas, below everything else. They do not make an axis longer: lines along their edges do.
    pub bands: Vec<Band>,
    /// Lines, the last on top.
    pub lines: Vec<Series>,
    /// Dots, below the lines.
    pub scatters: Vec<Scatter>,
    /// Vertical marks, below lines and dots.
    pub marks: Vec<Mark>,
    /// Width and height in pixels of the layout, each taken as at least 80 and at most 4000; a [`Look`](crate::Look)
    /// may draw each of them as several.
    pub size: (u32, u32),
}

impl Default for Chart {
    /// An empty chart of 640 × 480 pixels, matplotlib's size.
    fn default() -> Self {
        Self {
            title: String::new(),
            subtitle: String::new(),
            x: Axis::default(),
            y: Axis::default(),
            bands: Vec::new(),
            lines: Vec::new(),
            scatters: Vec::new(),
            marks: Vec::new(),
            size: (640, 480),
        }
    }
}

impl Chart {
    /// Width and height in pixels, within their limits.
    pub(crate) fn pixels(&self) -> (u32, u32) {
        (self.size.0.clamp(80, 4000), self.size.1.clamp(80, 4000))
    }

    /// All points, of lines and dots.
    pub(crate) fn points(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        let lines = self.lines.iter().flat_map(|line| &line.points);
        let dots = self.scatters.iter().flat_map(|scatter| &scatter.points);
        lines.chain(dots).copied()
    }
}
