//! The results over the values of each parameter.

use super::draw::Plane;
use super::figure::Figure;
use super::file::{Parameter, State, Study, flag};
use super::scale::Scale;

/// The size of these pictures.
const SIZE: (f64, f64) = (360.0, 250.0);

/// So many parameters have a picture: the most important.
pub const MOST_SLICES: usize = 12;

/// A picture for each parameter, the most important first.
pub fn slices(study: &Study) -> Vec<Figure> {
    study.by_importance().into_iter().take(MOST_SLICES).map(|one| slice(study, one)).collect()
}

fn slice(study: &Study, one: &Parameter) -> Figure {
    let results = || study.drawn(State::Pruned).chain(study.drawn(State::Complete));
    let scale = Scale::of(one);
    let y = Scale::of_values(study, results().map(|(_, value)| value));
    let (name, plane) = (flag(&one.name), Plane::new(scale.clone(), y.clone(), SIZE));
    let mut figure = plane.figure(name.clone(), (&name, &study.metric));
    let dots = results().filter_map(|(trial, value)| {
        let class = if trial.state == State::Complete { "tried" } else { "pruned" };
        Some((class, (scale.place(trial.settings.get(&one.name)?)?, y.share(value)?), trial))
    });
    plane.dots(&mut figure, dots.collect(), study);
    figure.description = format!("{} of each trial over its {name}.", study.metric);
    figure
}
