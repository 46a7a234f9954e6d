//! What is expected where two parameters have given values: areas between contours, and the trials on them.

use super::draw::Plane;
use super::figure::{Figure, Shape};
use super::file::{State, Study, Surface, flag};
use super::scale::Scale;
use crate::chart::number;
use std::fmt::Write;

/// The size of these pictures.
const SIZE: (f64, f64) = (360.0, 290.0);
/// The values are shown in so many steps.
const LEVELS: usize = 8;

/// A picture for each pair of parameters that was looked at.
pub fn surfaces(study: &Study) -> Vec<Figure> {
    study.surfaces.iter().filter_map(|one| picture(study, one)).collect()
}

fn picture(study: &Study, surface: &Surface) -> Option<Figure> {
    let (x, y) = (study.parameter(&surface.x)?, study.parameter(&surface.y)?);
    let (across, up) = (Scale::of(x), Scale::of(y));
    let (x_name, y_name) = (flag(&x.name), flag(&y.name));
    let (low, high) = ends(surface)?;
    let plane = Plane::new(across.clone(), up.clone(), SIZE);
    let title = format!("{x_name} and {y_name}: {} to {}", study.shown(low), study.shown(high));
    let mut figure = plane.figure(title, (&x_name, &y_name));
    let mut areas = vec![String::new(); LEVELS];
    for (row, values) in surface.values.iter().enumerate() {
        for (level, from, to) in runs(values, low, high) {
            let share = |cell: usize| cell as f64 / values.len() as f64;
            let part = |row: usize| row as f64 / surface.values.len() as f64;
            let (left, bottom) = plane.pixel(share(from), part(row));
            let (right, top) = plane.pixel(share(to), part(row + 1));
            let (left, right, top, bottom) = (number(left), number(right), number(top), number(bottom));
            // Writing to a string cannot fail.
            let _ = write!(areas[level], "M{left} {top}H{right}V{bottom}H{left}z");
        }
    }
    let step = (high - low) / LEVELS as f64;
    let named = |level: usize| {
        let from = low + step * level as f64;
        format!("{} to {}", study.shown(from), study.shown(from + step))
    };
    let areas = areas.into_iter().enumerate().filter(|(_, path)| !path.is_empty());
    // Behind the axes and their ticks.
    let areas: Vec<_> = areas
        .map(|(level, path)| Shape { class: format!("area a{level}"), path, title: named(level) })
        .collect();
    figure.shapes.retain(|shape| shape.class != "grid");
    figure.shapes.splice(0..0, areas);
    let best = study.best().map(|(trial, _)| trial.number);
    let dots = study.drawn(State::Complete).filter_map(|(trial, _)| {
        let class = if Some(trial.number) == best { "best" } else { "tried" };
        let place = |one: &str, scale: &Scale| scale.place(trial.settings.get(one)?);
        Some((class, (place(&x.name, &across)?, place(&y.name, &up)?), trial))
    });
    let mut dots: Vec<_> = dots.collect();
    // The best before the others.
    dots.sort_by_key(|dot| dot.0 == "best");
    plane.dots(&mut figure, dots, study);
    figure.description = format!(
        "Expected {} over {x_name} and {y_name}: from {} to {}.",
        study.metric,
        study.shown(low),
        study.shown(high)
    );
    Some(figure)
}

/// The least and the largest value; none if they are the same.
fn ends(surface: &Surface) -> Option<(f64, f64)> {
    let values = || surface.values.iter().flatten().copied();
    let (low, high) = (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
    (low < high).then_some((low, high))
}

/// Neighbouring cells of one level: level, first cell, the one behind the last.
fn runs(values: &[f64], low: f64, high: f64) -> Vec<(usize, usize, usize)> {
    let level = |value: f64| (((value - low) / (high - low) * LEVELS as f64) as usize).min(LEVELS - 1);
    let mut runs: Vec<(usize, usize, usize)> = Vec::new();
    for (cell, value) in values.iter().enumerate() {
        match runs.last_mut() {
            Some(last) if last.0 == level(*value) => last.2 = cell + 1,
            _ => runs.push((level(*value), cell, cell + 1)),
        }
    }
    runs
}
