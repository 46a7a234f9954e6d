//! Every trial as a line through the values it tried, to its result.

use super::draw::{line, short};
use super::figure::Figure;
use super::file::{Parameter, Study, Trial, flag};
use super::scale::Scale;
use crate::chart::number;

/// The size of the picture.
const SIZE: (f64, f64) = (720.0, 320.0);
/// What is left around the axes: left, right, above, below.
const ROOM: [f64; 4] = [44.0, 70.0, 34.0, 14.0];
/// So many parameters have an axis: the most important.
pub const MOST_AXES: usize = 8;
/// So many trials have a line: the best.
pub const MOST_LINES: usize = 500;
/// The best trials, one in so many, are marked.
const MARKED: usize = 10;

/// An axis: where it stands, its name, and its values.
struct Axis<'a> {
    x: f64,
    parameter: Option<&'a Parameter>,
    scale: Scale,
}

/// The picture; none if no trial has a result.
pub fn parallel(study: &Study) -> Option<Figure> {
    let ranked = study.ranked();
    let best = ranked.first()?.0;
    let shown = &ranked[..ranked.len().min(MOST_LINES)];
    let axes = axes(study, shown);
    let mut figure = Figure { title: "From settings to results".to_owned(), size: SIZE, ..Figure::default() };
    let marked = shown.len().div_ceil(MARKED);
    // The best in front.
    for (rank, (trial, value)) in shown.iter().enumerate().rev() {
        let class = if rank < marked { "line s-val" } else { "line thin s-train" };
        figure.add(class, line(axes.iter().filter_map(|axis| axis.place(trial, *value))), study.told(trial));
    }
    axes.iter().for_each(|axis| axis.draw(&mut figure, &study.metric));
    figure.legend = vec![
        (
            "s-val",
            format!("the best {}", if marked == 1 { "trial".to_owned() } else { format!("{marked} trials") }),
        ),
        ("s-train", "the others that were trained to the end".to_owned()),
    ];
    figure.description =
        format!("Each trial as a line through its settings to its result; the best is {}.", study.told(best));
    Some(figure)
}

fn axes<'a>(study: &'a Study, shown: &[(&Trial, f64)]) -> Vec<Axis<'a>> {
    let parameters: Vec<&Parameter> = study.by_importance().into_iter().take(MOST_AXES).collect();
    let [left, right, ..] = ROOM;
    let apart = (SIZE.0 - left - right) / parameters.len().max(1) as f64;
    let x = |place: usize| left + apart * place as f64;
    let result = Axis {
        x: x(parameters.len()),
        parameter: None,
        scale: Scale::of_values(study, shown.iter().map(|(_, value)| *value)),
    };
    let axis = |(place, one)| Axis { x: x(place), parameter: Some(one), scale: Scale::of(one) };
    parameters.into_iter().enumerate().map(axis).chain([result]).collect()
}

impl Axis<'_> {
    fn height(share: f64) -> f64 {
        let [.., above, below] = ROOM;
        above + (1.0 - share) * (SIZE.1 - above - below)
    }

    /// Where a trial's line meets it; none where the trial has no such setting.
    fn place(&self, trial: &Trial, value: f64) -> Option<(f64, f64)> {
        let share = match self.parameter {
            Some(one) => self.scale.place(trial.settings.get(&one.name)?)?,
            None => self.scale.share(value)?,
        };
        Some((self.x, Self::height(share)))
    }

    fn draw(&self, figure: &mut Figure, metric: &str) {
        let (top, bottom) = (number(Self::height(1.0)), number(Self::height(0.0)));
        figure.add("axis", format!("M{} {top}V{bottom}", number(self.x)), String::new());
        let name = self.parameter.map_or_else(|| metric.to_owned(), |one| flag(&one.name));
        figure.say("name", (self.x, ROOM[2] - 16.0), "middle", name);
        for (share, text) in self.scale.ticks(6) {
            let place = (self.x + 5.0, Self::height(share) + 4.0);
            figure.say("tick halo", place, "start", short(&text));
        }
    }
}
