//! The plane of a picture: two axes, and what stands on it.

use super::figure::{Dot, Figure};
use super::file::{Study, Trial};
use super::scale::Scale;
use crate::chart::number;
use std::fmt::Write;

/// What is left around a plane: left, right, above, below.
const ROOM: [f64; 4] = [58.0, 12.0, 28.0, 40.0];
/// So many points are drawn one by one.
const MOST_DOTS: usize = 500;
/// A tick label has about so much room.
const LABEL: f64 = 62.0;
/// A label of an axis of choices has at most so many letters.
const LETTERS: usize = 9;

/// A picture's plane.
#[derive(Debug)]
pub struct Plane {
    x: Scale,
    y: Scale,
    size: (f64, f64),
}

impl Plane {
    /// Of a picture of this size.
    pub fn new(x: Scale, y: Scale, size: (f64, f64)) -> Self {
        Self { x, y, size }
    }

    /// A place in pixels: shares of the width and of the height.
    pub fn pixel(&self, x: f64, y: f64) -> (f64, f64) {
        let [left, right, above, below] = ROOM;
        let (width, height) = (self.size.0 - left - right, self.size.1 - above - below);
        (left + x * width, above + (1.0 - y) * height)
    }

    /// Where two numbers stand in pixels; none outside of the axes.
    pub fn at(&self, x: f64, y: f64) -> Option<(f64, f64)> {
        self.shares(x, y).map(|(x, y)| self.pixel(x, y))
    }

    /// A picture with the axes and their names.
    pub fn figure(&self, title: String, (x_name, y_name): (&str, &str)) -> Figure {
        let mut figure = Figure { title, size: self.size, ..Figure::default() };
        let ((left, bottom), (right, _)) = (self.pixel(0.0, 0.0), self.pixel(1.0, 1.0));
        for (share, text) in self.y.ticks(6) {
            let (_, y) = self.pixel(0.0, share);
            figure.add("grid", format!("M{} {}H{}", number(left), number(y), number(right)), String::new());
            figure.say("tick", (left - 6.0, y + 4.0), "end", short(&text));
        }
        for (share, text) in self.x.ticks(((right - left) / LABEL) as usize) {
            let (x, _) = self.pixel(share, 0.0);
            figure.say("tick", (x, bottom + 16.0), "middle", short(&text));
        }
        figure.add("axis", format!("M{} {}H{}", number(left), number(bottom), number(right)), String::new());
        figure.say("name", ((left + right) / 2.0, bottom + 34.0), "middle", x_name);
        figure.say("name", (4.0, 14.0), "start", y_name);
        figure
    }

    /// Points at these shares of the width and of the height: class, place, and what it is. Many are drawn as one shape of each
    /// class, which tells nothing of a single one.
    pub fn dots(&self, figure: &mut Figure, points: Vec<(&'static str, (f64, f64), &Trial)>, study: &Study) {
        if points.len() <= MOST_DOTS {
            let dot = |(class, (x, y), trial): (&'static str, (f64, f64), &Trial)| {
                let (x, y) = self.pixel(x, y);
                Dot { class, x: number(x), y: number(y), title: study.told(trial) }
            };
            figure.dots.extend(points.into_iter().map(dot));
            return;
        }
        let mut classes: Vec<&str> = points.iter().map(|point| point.0).collect();
        classes.sort_unstable();
        classes.dedup();
        for class in classes {
            let mut path = String::new();
            for (_, (x, y), _) in points.iter().filter(|point| point.0 == class) {
                let (x, y) = self.pixel(*x, *y);
                // Round ends make a point of a line without length. Writing to a string cannot fail.
                let _ = write!(path, "M{} {}h0", number(x), number(y));
            }
            figure.add(format!("many {class}"), path, String::new());
        }
    }

    /// Shares of the width and of the height; none outside of the axes.
    pub fn shares(&self, x: f64, y: f64) -> Option<(f64, f64)> {
        Some((self.x.share(x)?, self.y.share(y)?))
    }
}

/// A line through places in pixels.
pub fn line(places: impl Iterator<Item = (f64, f64)>) -> String {
    let mut path = String::new();
    for (x, y) in places {
        let command = if path.is_empty() { 'M' } else { 'L' };
        // Writing to a string cannot fail.
        let _ = write!(path, "{command}{} {}", number(x), number(y));
    }
    path
}

/// A label that does not reach into the next one.
pub fn short(text: &str) -> String {
    if text.chars().count() <= LETTERS {
        return text.to_owned();
    }
    text.chars().take(LETTERS - 1).chain(['…']).collect()
}
