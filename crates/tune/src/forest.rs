//! Which parameters the result depends on: functional ANOVA over a random forest (Hutter et al. 2014), as Optuna computes it.
//!
//! A forest learns the result from the parameters. Of each tree the variance over the whole space is known exactly, and so is the
//! part of it that remains when all parameters but one are averaged out: that share is the parameter's importance. A range that is
//! searched by the logarithm is weighed by it, too; Optuna weighs it by its numbers.

use crate::distribution::Distribution;
use crate::sampler::joint;
use crate::space::{Searched, Space};
use crate::trial::{State, Trial};
use wellfit_rng::{Rng, Stream};

/// The trees of the forest.
const TREES: u32 = 64;
/// How finely a range is divided where the forest is looked at.
const CELLS: usize = 32;

/// What random trees learned of the results: where in the space they are high and where they are low.
#[derive(Debug, Clone)]
pub struct Forest {
    /// The parameters' names.
    names: Vec<String>,
    /// The whole space.
    all: Vec<Side>,
    /// The leaves of each tree, which fill the space.
    trees: Vec<Vec<Leaf>>,
    /// How many cells each parameter is divided into.
    cells: Vec<usize>,
    /// The parameters' shares in the variance of the result, the largest first.
    importances: Vec<(String, f64)>,
}

impl Forest {
    /// Learn from the trials that were trained to the end. Only parameters that all finished trials have are looked at.
    #[must_use]
    pub fn grown(space: &Space, trials: &[Trial], seed: u64) -> Self {
        let complete: Vec<&Trial> = trials
            .iter()
            .filter(|trial| trial.state == State::Complete && trial.value.is_some_and(f64::is_finite))
            .collect();
        let parameters: Vec<_> =
            joint(space, trials).into_iter().map(|place| &space.parameters[place]).collect();
        let all: Vec<Side> = parameters.iter().map(|one| Side::of(&one.distribution)).collect();
        let column = |one: &&Searched| {
            let value = |trial: &&Trial| scaled(&one.distribution, trial.parameters[&one.name].internal);
            complete.iter().map(value).collect()
        };
        let columns: Vec<Vec<f64>> = parameters.iter().map(column).collect();
        let values: Vec<f64> = complete.iter().filter_map(|trial| trial.value).collect();
        let tree = |tree| {
            let mut rng = Rng::new(seed, Stream::Bootstrap, 0, tree);
            let rows = (0..values.len()).map(|_| rng.below(values.len() as u32) as usize).collect();
            let mut leaves = Vec::new();
            grow(rows, all.clone(), &columns, &values, &mut leaves);
            leaves
        };
        let trees: Vec<Vec<Leaf>> = (0..TREES).map(tree).collect();
        let names: Vec<String> = parameters.iter().map(|one| one.name.clone()).collect();
        Self {
            importances: importances(&names, &all, &trees),
            cells: parameters.iter().map(|one| cells(&one.distribution)).collect(),
            names,
            all,
            trees,
        }
    }

    /// The share of each parameter in the variance of the result, the largest first; together 1. Empty where there is nothing
    /// to tell apart.
    #[must_use]
    pub fn importances(&self) -> &[(String, f64)] {
        &self.importances
    }

    /// What the forest expects where two parameters have given values and the others any: rows of equal cells over `y`, from
    /// its low end, with a value for each cell over `x`. None if it does not know one of them.
    #[must_use]
    pub fn surface(&self, x: &str, y: &str) -> Option<Vec<Vec<f64>>> {
        let place = |name: &str| self.names.iter().position(|one| one == name);
        let (x, y) = (place(x)?, place(y)?);
        let (columns, rows) = (self.cells[x], self.cells[y]);
        let mut surface = vec![vec![0.0; columns]; rows];
        for leaf in self.trees.iter().flatten() {
            let others = |(i, (side, all)): (usize, (&Side, &Side))| {
                if i == x || i == y { 1.0 } else { side.share(all) }
            };
            let weight: f64 = leaf.sides.iter().zip(&self.all).enumerate().map(others).product();
            let part = leaf.value * weight / f64::from(TREES);
            let across = leaf.sides[x].covers(&self.all[x], columns);
            for (row, down) in surface.iter_mut().zip(leaf.sides[y].covers(&self.all[y], rows)) {
                row.iter_mut().zip(&across).for_each(|(cell, share)| *cell += part * share * down);
            }
        }
        Some(surface)
    }
}

fn importances(names: &[String], all: &[Side], trees: &[Vec<Leaf>]) -> Vec<(String, f64)> {
    let mut shares = vec![0.0; all.len()];
    trees.iter().for_each(|leaves| add_shares(leaves, all, &mut shares));
    let sum: f64 = shares.iter().sum();
    if sum <= 0.0 {
        return Vec::new();
    }
    let mut named: Vec<(String, f64)> =
        names.iter().cloned().zip(shares.into_iter().map(|share| share / sum)).collect();
    named.sort_by(|a, b| b.1.total_cmp(&a.1));
    named
}

/// How many cells the values are divided into: one each if they are few.
fn cells(distribution: &Distribution) -> usize {
    match distribution {
        Distribution::Categorical { choices } => choices.len(),
        Distribution::Int { low, step, log: false, .. } => {
            (((distribution.last() - *low as f64) / *step as f64) as usize + 1).min(CELLS)
        }
        Distribution::Float { low, step: Some(step), .. } => {
            (((distribution.last() - low) / step + 1e-9) as usize + 1).min(CELLS)
        }
        _ => CELLS,
    }
}

/// A value where distances mean something.
fn scaled(distribution: &Distribution, internal: f64) -> f64 {
    let log =
        matches!(distribution, Distribution::Float { log: true, .. } | Distribution::Int { log: true, .. });
    if log { libm::log(internal) } else { internal }
}

/// What a box of the space holds of one parameter.
#[derive(Debug, Clone, PartialEq)]
enum Side {
    /// From one number to another.
    Range(f64, f64),
    /// The choices that are inside.
    Choices(Vec<bool>),
}

impl Side {
    /// All of a parameter's values.
    fn of(distribution: &Distribution) -> Self {
        match distribution {
            Distribution::Categorical { choices } => Self::Choices(vec![true; choices.len()]),
            Distribution::Float { low, step, .. } => {
                let half = step.unwrap_or(0.0) / 2.0;
                Self::Range(
                    scaled(distribution, low - half),
                    scaled(distribution, distribution.last() + half),
                )
            }
            Distribution::Int { low, step, .. } => {
                let half = *step as f64 / 2.0;
                Self::Range(
                    scaled(distribution, *low as f64 - half),
                    scaled(distribution, distribution.last() + half),
                )
            }
        }
    }

    /// How much of `all` it holds.
    fn share(&self, all: &Self) -> f64 {
        match (self, all) {
            (Self::Range(low, high), Self::Range(first, last)) => (high - low) / (last - first),
            (Self::Choices(inside), _) => {
                inside.iter().filter(|one| **one).count() as f64 / inside.len() as f64
            }
            _ => 1.0,
        }
    }

    /// How much of each of the `cells` equal parts of `all` it holds.
    fn covers(&self, all: &Self, cells: usize) -> Vec<f64> {
        match (self, all) {
            (Self::Range(low, high), Self::Range(first, last)) => {
                let width = (last - first) / cells as f64;
                let inside = |cell: usize| {
                    let from = first + width * cell as f64;
                    ((high.min(from + width) - low.max(from)) / width).clamp(0.0, 1.0)
                };
                (0..cells).map(inside).collect()
            }
            (Self::Choices(inside), _) => inside.iter().map(|one| f64::from(u8::from(*one))).collect(),
            _ => vec![1.0; cells],
        }
    }

    /// Both parts of it: up to a number and from there on, or one choice and the others.
    fn cut(&self, at: f64) -> [Self; 2] {
        match self {
            Self::Range(low, high) => [Self::Range(*low, at), Self::Range(at, *high)],
            Self::Choices(inside) => {
                let only = |wanted: bool| {
                    let kept = inside
                        .iter()
                        .enumerate()
                        .map(|(choice, one)| *one && (choice as f64 == at) == wanted);
                    Self::Choices(kept.collect())
                };
                [only(true), only(false)]
            }
        }
    }

    /// Whether a value is in the first part of [`cut`](Self::cut).
    fn is_first(&self, value: f64, at: f64) -> bool {
        if matches!(self, Self::Range(..)) { value <= at } else { value == at }
    }
}

/// A box of the space in which a tree says one value.
#[derive(Debug, Clone)]
struct Leaf {
    sides: Vec<Side>,
    value: f64,
}

/// A tree over these rows, grown until the values of each leaf are equal.
fn grow(rows: Vec<usize>, sides: Vec<Side>, columns: &[Vec<f64>], values: &[f64], leaves: &mut Vec<Leaf>) {
    let Some((feature, at)) = best_cut(&rows, &sides, columns, values) else {
        let value = rows.iter().map(|row| values[*row]).sum::<f64>() / rows.len().max(1) as f64;
        leaves.push(Leaf { sides, value });
        return;
    };
    let (first, second): (Vec<usize>, Vec<usize>) =
        rows.into_iter().partition(|row| sides[feature].is_first(columns[feature][*row], at));
    for (rows, part) in [first, second].into_iter().zip(sides[feature].cut(at)) {
        let mut sides = sides.clone();
        sides[feature] = part;
        grow(rows, sides, columns, values, leaves);
    }
}

/// The cut after which the values of both parts differ least; none if they do not differ, or no parameter does.
fn best_cut(rows: &[usize], sides: &[Side], columns: &[Vec<f64>], values: &[f64]) -> Option<(usize, f64)> {
    let differ = rows.windows(2).any(|pair| values[pair[0]] != values[pair[1]]);
    let sum: f64 = rows.iter().map(|row| values[*row]).sum();
    let mut best: Option<(f64, usize, f64)> = None;
    for (feature, side) in sides.iter().enumerate().filter(|_| differ) {
        let column = &columns[feature];
        let mut pairs: Vec<(f64, f64)> = rows.iter().map(|row| (column[*row], values[*row])).collect();
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (mut left, mut count) = (0.0, 0.0);
        for (i, (x, value)) in pairs.iter().enumerate() {
            (left, count) = (left + value, count + 1.0);
            let next = pairs.get(i + 1).map(|pair| pair.0);
            if next == Some(*x) {
                continue;
            }
            let others = pairs.len() as f64 - count;
            // The sum of squares between both parts, which is what the cut explains.
            let gain =
                left * left / count + if others > 0.0 { (sum - left) * (sum - left) / others } else { 0.0 };
            let at = match (side, next) {
                (Side::Range(..), Some(next)) => x + (next - x) / 2.0,
                (Side::Range(..), None) => break,
                (Side::Choices(_), _) => *x,
            };
            if others > 0.0 && best.is_none_or(|(most, ..)| gain > most) {
                best = Some((gain, feature, at));
            }
            if matches!(side, Side::Choices(_)) {
                (left, count) = (0.0, 0.0);
            }
        }
    }
    best.map(|(_, feature, at)| (feature, at))
}

/// Add the share of each parameter in a tree's variance.
fn add_shares(leaves: &[Leaf], all: &[Side], shares: &mut [f64]) {
    let parts =
        |leaf: &Leaf| leaf.sides.iter().zip(all).map(|(side, all)| side.share(all)).collect::<Vec<f64>>();
    let parts: Vec<Vec<f64>> = leaves.iter().map(parts).collect();
    let volumes: Vec<f64> = parts.iter().map(|parts| parts.iter().product()).collect();
    let mean: f64 = leaves.iter().zip(&volumes).map(|(leaf, volume)| leaf.value * volume).sum();
    let square = |x: f64| (x - mean) * (x - mean);
    let variance: f64 = leaves.iter().zip(&volumes).map(|(leaf, volume)| square(leaf.value) * volume).sum();
    if variance <= 0.0 {
        return;
    }
    for (feature, share) in shares.iter_mut().enumerate() {
        let others = |parts: &Vec<f64>| {
            parts.iter().enumerate().filter(|(i, _)| *i != feature).map(|(_, part)| part).product::<f64>()
        };
        let weighted: Vec<f64> =
            leaves.iter().zip(&parts).map(|(leaf, parts)| leaf.value * others(parts)).collect();
        let marginal = marginal(leaves, &weighted, feature, &all[feature]);
        *share += marginal.iter().map(|(width, value)| width * square(*value)).sum::<f64>() / variance;
    }
}

/// What a tree says on average where one parameter has a value: pieces with their widths.
fn marginal(leaves: &[Leaf], weighted: &[f64], feature: usize, all: &Side) -> Vec<(f64, f64)> {
    match all {
        Side::Choices(choices) => {
            let inside = |leaf: &Leaf, choice: usize| matches!(&leaf.sides[feature], Side::Choices(kept) if kept[choice]);
            let value = |choice: usize| {
                leaves
                    .iter()
                    .zip(weighted)
                    .filter(|(leaf, _)| inside(leaf, choice))
                    .map(|(_, value)| value)
                    .sum()
            };
            (0..choices.len()).map(|choice| (1.0 / choices.len() as f64, value(choice))).collect()
        }
        Side::Range(first, last) => {
            let range = |leaf: &Leaf| {
                if let Side::Range(low, high) = leaf.sides[feature] { (low, high) } else { (0.0, 0.0) }
            };
            let mut edges: Vec<f64> = leaves.iter().map(|leaf| range(leaf).0).chain([*last]).collect();
            edges.sort_by(f64::total_cmp);
            edges.dedup();
            // Each leaf adds to the pieces between its ends: noted where it begins and where it is over.
            let mut changes = vec![0.0; edges.len()];
            for (leaf, value) in leaves.iter().zip(weighted) {
                let (low, high) = range(leaf);
                changes[edges.partition_point(|edge| *edge < low)] += value;
                changes[edges.partition_point(|edge| *edge < high)] -= value;
            }
            let mut sum = 0.0;
            let piece = |(edge, change): (&[f64], &f64)| {
                sum += change;
                ((edge[1] - edge[0]) / (last - first), sum)
            };
            edges.windows(2).zip(&changes).map(piece).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{fixture, number, space_of, trials_of};
    use crate::trial::Parameter;
    use std::sync::Arc;

    /// Two forests differ by what is random in them; Optuna's own differ by up to 0.03 from one seed to another here.
    #[test]
    fn importances_are_those_of_optuna() {
        let all = fixture();
        for case in all["importances"].as_array().unwrap() {
            let distributions = space_of(&all, &case["space"]);
            let trials = trials_of(&case["trials"], &distributions);
            let searched = |(name, one): (String, Distribution)| Searched {
                name,
                distribution: Arc::new(one),
                when: None,
            };
            let space = Space { parameters: distributions.into_iter().map(searched).collect() };
            let forest = Forest::grown(&space, &trials, 1);
            let found = forest.importances();
            assert_eq!(found.len(), space.parameters.len());
            assert!((found.iter().map(|(_, share)| share).sum::<f64>() - 1.0).abs() < 1e-12);
            for (name, share) in found {
                let expected = number(&case["importances"][name]);
                assert!((share - expected).abs() < 0.05, "{name}: {share}, not {expected}");
            }
        }
    }

    /// On average over the space the surface of two parameters is the mean of the trees, whatever the pair.
    #[test]
    fn a_surface_is_high_where_the_results_are() {
        let float = || Distribution::Float { step: None, low: 0.0, high: 1.0, log: false };
        let kinds = Distribution::Categorical { choices: vec!["a".into(), "b".into(), "c".into()] };
        let named = |(name, one): (&str, Distribution)| Searched {
            name: name.to_owned(),
            distribution: Arc::new(one),
            when: None,
        };
        let parameters = [("x", float()), ("y", float()), ("kind", kinds)].map(named).to_vec();
        let space = Space { parameters };
        let mut rng = Rng::new(3, Stream::Search, 0, 0);
        let trial = |number: u32| {
            let (x, y, kind) =
                (rng.uniform_f64(0.0, 1.0), rng.uniform_f64(0.0, 1.0), f64::from(rng.below(3)));
            let mut trial = Trial::new(number.into(), number, State::Complete);
            // High where x is large, if y is large too, and with the second kind.
            trial.value = Some(f64::from(u8::from(x > 0.5 && y > 0.5)) + f64::from(u8::from(kind == 1.0)));
            for (one, internal) in space.parameters.iter().zip([x, y, kind]) {
                let parameter = Parameter { internal, distribution: Arc::clone(&one.distribution) };
                trial.parameters.insert(one.name.clone(), parameter);
            }
            trial
        };
        let trials: Vec<Trial> = (0..300).map(trial).collect();
        let forest = Forest::grown(&space, &trials, 1);
        let surface = forest.surface("x", "y").unwrap();
        assert_eq!((surface.len(), surface[0].len()), (CELLS, CELLS));
        let mean =
            |rows: &[Vec<f64>]| rows.iter().flatten().sum::<f64>() / rows.iter().flatten().count() as f64;
        let corner = |rows: std::ops::Range<usize>, columns: std::ops::Range<usize>| {
            let part: Vec<Vec<f64>> = surface[rows].iter().map(|row| row[columns.clone()].to_vec()).collect();
            mean(&part)
        };
        // The kind adds a third of 1 everywhere.
        assert!((corner(18..32, 18..32) - 4.0 / 3.0).abs() < 0.06, "{}", corner(18..32, 18..32));
        assert!((corner(0..14, 18..32) - 1.0 / 3.0).abs() < 0.06, "{}", corner(0..14, 18..32));
        let kinds = forest.surface("kind", "y").unwrap();
        assert_eq!((kinds.len(), kinds[0].len()), (CELLS, 3));
        assert!(kinds[20][1] - kinds[20][0] > 0.8, "{kinds:?}");
        assert!((mean(&surface) - mean(&kinds)).abs() < 1e-9);
        assert_eq!(forest.surface("x", "other"), None);
    }

    #[test]
    fn without_a_difference_there_is_no_importance() {
        let space = Space {
            parameters: vec![Searched {
                name: "lr".to_owned(),
                distribution: Arc::new(Distribution::Float { step: None, low: 0.0, high: 1.0, log: false }),
                when: None,
            }],
        };
        assert_eq!(Forest::grown(&space, &[], 1).importances(), []);
    }
}
