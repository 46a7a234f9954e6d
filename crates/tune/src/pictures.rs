//! A study in pictures.

use crate::distribution::Distribution;
use crate::space::{Searched, Space, text};
use crate::trial::{Direction, State, Trial};
use wellfit_plot::{Axis, Chart, LineStyle, Numbers, Paint, Scatter, Series};

/// What the pictures show.
#[derive(Debug, Clone, Copy)]
pub struct Study<'a> {
    /// What was searched.
    pub space: &'a Space,
    /// The trials.
    pub trials: &'a [Trial],
    /// Whether large values are good.
    pub direction: Direction,
    /// What the values are.
    pub metric: &'a str,
    /// Whether they are shares, shown in percent.
    pub percent: bool,
}

impl Study<'_> {
    /// The charts, each with a name for its file: the values over time, the epochs of each trial, and the values over each
    /// parameter.
    #[must_use]
    pub fn charts(&self) -> Vec<(String, Chart)> {
        let slices = self.space.parameters.iter().map(|one| (format!("slice-{}", one.name), self.slice(one)));
        [("history".to_owned(), self.history()), ("curves".to_owned(), self.curves())]
            .into_iter()
            .chain(slices)
            .collect()
    }

    fn of(&self, state: State) -> impl Iterator<Item = &Trial> {
        self.trials.iter().filter(move |trial| trial.state == state)
    }

    fn values(&self) -> Axis {
        Axis::new(self.metric, if self.percent { Numbers::Percent } else { Numbers::Real })
    }

    fn chart(&self, title: String, x: Axis) -> Chart {
        Chart { title, x, y: self.values(), size: (800, 560), ..Chart::default() }
    }

    /// The value of each trial, and the best so far.
    fn history(&self) -> Chart {
        let point = |trial: &Trial| Some((f64::from(trial.number), trial.value?));
        let complete: Vec<(f64, f64)> = self.of(State::Complete).filter_map(point).collect();
        let mut best: Vec<(f64, f64)> = Vec::new();
        for (number, value) in &complete {
            let better =
                best.last().is_none_or(|last| self.direction.cost(*value) < self.direction.cost(last.1));
            let so_far = if better { *value } else { best.last().map_or(*value, |last| last.1) };
            best.push((*number, so_far));
        }
        Chart {
            scatters: vec![
                Scatter::new("ended early", self.of(State::Pruned).filter_map(point).collect(), Paint::MARK),
                Scatter::new("trained to the end", complete, Paint::TRAIN),
            ],
            lines: vec![Series::new("best so far", best, Paint::VALIDATION)],
            ..self.chart("Trials".to_owned(), Axis::new("Trial", Numbers::Whole))
        }
    }

    /// The metric of each trial, epoch by epoch; grey where it ended early.
    fn curves(&self) -> Chart {
        let line = |trial: &Trial, name: &str, color: Paint| {
            let points = trial.reports.iter().map(|(epoch, value)| (*epoch as f64, *value)).collect();
            Series { width: 1.0, alpha: 0.6, style: LineStyle::Solid, ..Series::new(name, points, color) }
        };
        let group = |state: State, name: &'static str, color: Paint| {
            // One entry of the legend for all of them.
            self.of(state)
                .enumerate()
                .map(move |(i, trial)| line(trial, if i == 0 { name } else { "" }, color))
        };
        let pruned = group(State::Pruned, "ended early", Paint::MARK);
        Chart {
            lines: pruned.chain(group(State::Complete, "trained to the end", Paint::TRAIN)).collect(),
            ..self.chart("Epochs of all trials".to_owned(), Axis::new("Epoch", Numbers::Whole))
        }
    }

    /// The value of each trial over the value of a parameter.
    fn slice(&self, one: &Searched) -> Chart {
        let log = matches!(
            *one.distribution,
            Distribution::Float { log: true, .. } | Distribution::Int { log: true, .. }
        );
        let point = |trial: &Trial| {
            let x = trial.parameters.get(&one.name)?.internal;
            Some((if log { libm::log10(x) } else { x }, trial.value?))
        };
        let x = match &*one.distribution {
            Distribution::Categorical { choices } => {
                let names: Vec<String> = choices
                    .iter()
                    .enumerate()
                    .map(|(place, choice)| format!("{place} {}", text(choice)))
                    .collect();
                Axis::new(format!("{}: {}", one.name, names.join(", ")), Numbers::Whole)
            }
            Distribution::Int { log: false, .. } => Axis::new(&one.name, Numbers::Whole),
            _ => Axis::new(&one.name, if log { Numbers::Exponent } else { Numbers::Real }),
        };
        Chart {
            scatters: vec![
                Scatter::new("ended early", self.of(State::Pruned).filter_map(point).collect(), Paint::MARK),
                Scatter::new(
                    "trained to the end",
                    self.of(State::Complete).filter_map(point).collect(),
                    Paint::TRAIN,
                ),
            ],
            ..self.chart(format!("{} by {}", self.metric, one.name), x)
        }
    }
}
