//! A picture on the page: what stands where.

use crate::chart::number;

/// A picture.
#[derive(Debug, Clone, Default)]
pub struct Figure {
    /// Its title.
    pub title: String,
    /// What it shows, for who cannot see it.
    pub description: String,
    /// What its colours mean: class and name.
    pub legend: Vec<(&'static str, String)>,
    /// Width and height in pixels of the layout.
    pub size: (f64, f64),
    /// Lines and areas, from the back to the front.
    pub shapes: Vec<Shape>,
    /// Points, before them.
    pub dots: Vec<Dot>,
    /// Texts, before all.
    pub texts: Vec<Text>,
}

/// A line or an area.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    /// Its class on the page.
    pub class: String,
    /// Its path.
    pub path: String,
    /// What it is, for who points at it.
    pub title: String,
}

/// A point.
#[derive(Debug, Clone, PartialEq)]
pub struct Dot {
    /// Its class on the page.
    pub class: &'static str,
    /// Where it is.
    pub x: String,
    /// The same, from above.
    pub y: String,
    /// What it is, for who points at it.
    pub title: String,
}

/// A text.
#[derive(Debug, Clone, PartialEq)]
pub struct Text {
    /// Its class on the page.
    pub class: &'static str,
    /// Where it stands.
    pub x: String,
    /// Its base line, from above.
    pub y: String,
    /// Which end of it is there: `start`, `middle`, `end`.
    pub anchor: &'static str,
    /// What it says.
    pub text: String,
}

impl Figure {
    /// With a line or an area more.
    pub fn add(&mut self, class: impl Into<String>, path: String, title: String) {
        self.shapes.push(Shape { class: class.into(), path, title });
    }

    /// With a text more.
    pub fn say(
        &mut self,
        class: &'static str,
        (x, y): (f64, f64),
        anchor: &'static str,
        text: impl Into<String>,
    ) {
        self.texts.push(Text { class, x: number(x), y: number(y), anchor, text: text.into() });
    }
}
