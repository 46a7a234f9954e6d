//! The surface of an SVG document: each mark becomes one element (SVG 1.1, <https://www.w3.org/TR/SVG11/>).

use std::fmt::Write;

use wellfit_base::words::plural;

use crate::surface::{Anchor, Area, Pen, Point, Surface};
use crate::text::{code_point, turns};
use crate::{Chart, Paint, Theme};

/// DejaVu Sans is what the layout is measured in; Verdana has its widths, and most others are narrower.
const FONTS: &str = "DejaVu Sans, Verdana, Segoe UI, Helvetica, Arial, sans-serif";

/// An SVG document under construction.
pub(crate) struct Document {
    theme: Theme,
    text: String,
}

impl Document {
    /// Paper of that size with a title and, in a sentence, what it shows.
    pub fn new((width, height): (u32, u32), title: &str, description: &str, theme: Theme) -> Self {
        let title = if title.trim().is_empty() { "Chart" } else { title };
        let mut document = Self { theme, text: String::new() };
        document.element(format_args!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" font-family="{FONTS}">"#
        ));
        document.element(format_args!("<title>{}</title>", escaped(title)));
        document.element(format_args!("<desc>{}</desc>", escaped(description)));
        let paper = document.hex(Paint::PAPER);
        document.element(format_args!(r#"<rect width="{width}" height="{height}" fill="{paper}"/>"#));
        document
    }

    /// The whole document.
    pub fn finish(mut self) -> String {
        self.text.push_str("</svg>\n");
        self.text
    }

    fn element(&mut self, element: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "{element}");
    }

    fn hex(&self, color: Paint) -> String {
        let [red, green, blue] = color.on(self.theme).channels();
        format!("#{red:02x}{green:02x}{blue:02x}")
    }

    fn write(&mut self, words: &str, size: f32, anchor: Anchor, color: Paint, place: &str) {
        if words.is_empty() {
            return;
        }
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => r#" text-anchor="middle""#,
            Anchor::End => r#" text-anchor="end""#,
        };
        let (size, color, words) = (number(size), self.hex(color), escaped(words));
        self.element(format_args!(
            r#"<text {place} font-size="{size}"{anchor} fill="{color}">{words}</text>"#
        ));
    }
}

impl Surface for Document {
    fn fill(&mut self, area: Area, color: Paint, alpha: f32) {
        let Area { left, top, .. } = area;
        let (width, height) = (area.width(), area.height());
        if width <= 0 || height <= 0 {
            return;
        }
        let (color, opacity) = (self.hex(color), opacity("fill", alpha));
        self.element(format_args!(
            r#"<rect x="{left}" y="{top}" width="{width}" height="{height}" fill="{color}"{opacity}/>"#
        ));
    }

    fn between(&mut self, upper: [Point; 2], lower: [Point; 2], color: Paint, alpha: f32) {
        let corners = [upper[0], upper[1], lower[1], lower[0]];
        let corners = corners.map(|(x, y)| format!("{},{}", number(x), number(y))).join(" ");
        let (color, opacity) = (self.hex(color), opacity("fill", alpha));
        self.element(format_args!(r#"<polygon points="{corners}" fill="{color}"{opacity}/>"#));
    }

    fn outline(&mut self, area: Area, color: Paint) {
        // A line one pixel wide runs through the middle of its pixels.
        let (left, top) = (number(area.left as f32 + 0.5), number(area.top as f32 + 0.5));
        let (width, height) = ((area.width() - 1).max(0), (area.height() - 1).max(0));
        let color = self.hex(color);
        self.element(format_args!(
            r#"<rect x="{left}" y="{top}" width="{width}" height="{height}" fill="none" stroke="{color}"/>"#
        ));
    }

    fn dotted(&mut self, x: i32, top: i32, bottom: i32, color: Paint) {
        let (x, color) = (number(x as f32 + 0.5), self.hex(color));
        let start = top.rem_euclid(4);
        self.element(format_args!(
            r#"<path d="M{x} {top}V{bottom}" stroke="{color}" stroke-dasharray="2" stroke-dashoffset="{start}"/>"#
        ));
    }

    fn disc(&mut self, (x, y): Point, radius: f32, color: Paint, alpha: f32) {
        let (x, y, radius) = (number(x), number(y), number(radius));
        let (color, opacity) = (self.hex(color), opacity("fill", alpha));
        self.element(format_args!(r#"<circle cx="{x}" cy="{y}" r="{radius}" fill="{color}"{opacity}/>"#));
    }

    fn line(&mut self, points: &[Point], pen: &Pen) {
        let points: Vec<String> =
            points.iter().map(|&(x, y)| format!("{},{}", number(x), number(y))).collect();
        let dashes = if pen.dashed {
            let [dash, gap] = crate::stroke::dash_lengths(pen.width).map(number);
            format!(r#" stroke-dasharray="{dash} {gap}""#)
        } else {
            String::new()
        };
        let (points, color) = (points.join(" "), self.hex(pen.color));
        let (width, opacity) = (number(pen.width), opacity("stroke", pen.alpha));
        self.element(format_args!(
            r#"<polyline points="{points}" fill="none" stroke="{color}" stroke-width="{width}" stroke-linecap="round" stroke-linejoin="round"{dashes}{opacity}/>"#
        ));
    }

    fn text(&mut self, text: &str, size: f32, (x, y): Point, anchor: Anchor, color: Paint) {
        let place = format!(r#"x="{}" y="{}""#, number(x), number(y.round()));
        self.write(text, size, anchor, color, &place);
    }

    fn text_up(&mut self, text: &str, size: f32, (x, y): Point, anchor: Anchor, color: Paint) {
        let place = format!(r#"transform="translate({} {}) rotate(-90)""#, number(x.round()), number(y));
        self.write(text, size, anchor, color, &place);
    }
}

/// What the chart shows, in a sentence: `Loss over Epochs: train loss (40 points), …`.
pub(crate) fn description(chart: &Chart) -> String {
    let axes: Vec<&str> = [&chart.y.label, &chart.x.label]
        .into_iter()
        .map(|label| label.trim())
        .filter(|label| !label.is_empty())
        .collect();
    let lines = chart.lines.iter().map(|line| (&line.name, line.points.len()));
    let dots = chart.scatters.iter().map(|dots| (&dots.name, dots.points.len()));
    let series: Vec<String> = lines
        .chain(dots)
        .filter(|(name, _)| !name.is_empty())
        .map(|(name, count)| format!("{name} ({})", plural(count, "point")))
        .collect();
    let axes = if axes.is_empty() { "A chart".to_owned() } else { axes.join(" over ") };
    if series.is_empty() { axes } else { format!("{axes}: {}", series.join(", ")) }
}

/// Nothing for what is opaque.
fn opacity(of: &str, alpha: f32) -> String {
    if alpha >= 1.0 { String::new() } else { format!(r#" {of}-opacity="{}""#, number(alpha.max(0.0))) }
}

/// Hundredths of a pixel are finer than anyone sees. What is no number becomes 0.
fn number(number: f32) -> String {
    if !number.is_finite() {
        return "0".to_owned();
    }
    let text = format!("{number:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// Text as XML 1.0 has it: markup escaped, and a space for each character that no document may hold. What turns the
/// direction of what follows stands as its code point.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => escaped.push(' '),
            _ if character.is_control() => escaped.push(' '),
            _ if turns(character) => escaped.push_str(&code_point(character)),
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests;
