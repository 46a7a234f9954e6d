//! How a file does not fit a network, for people.

use super::expected::Expected;
use super::likeness::Likeness;
use super::places::Places;
use std::fmt;
use wellfit_weights::Array;

/// Rows that are shown; a wrong file has hundreds.
const SHOWN: usize = 6;

/// How a file does not fit a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// The network's name.
    pub model: String,
    /// Arrays that fit, and those that are needed.
    pub fit: (usize, usize),
    /// The first that do not fit.
    pub rows: Vec<Row>,
    /// How many more there are.
    pub more: usize,
    /// The architecture that the file looks like, if it looks like one of ours.
    pub like: Option<Likeness>,
}

/// An array that is needed beside one that the file has; one of them may be missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Name and shape, as the network needs it.
    pub needed: Option<String>,
    /// Name and shape, and what else is wrong, as the file has it.
    pub given: Option<String>,
}

/// What does not fit, if anything; without the head when the network keeps its own.
pub(super) fn misfit(expected: &Expected, places: &Places<'_>, without_head: bool) -> Option<Misfit> {
    let (mut missing, mut rows, mut fit, mut all) = (Vec::new(), Vec::new(), 0, 0);
    for name in expected.order.iter().filter(|name| !(without_head && expected.is_head(name))) {
        let Some(wanted) = expected.arrays.get(name) else { continue };
        all += usize::from(wanted.required);
        let needed = format!("`{name}` {:?}", wanted.shape);
        match places.arrays.get(name) {
            Some((_, array)) if Expected::accepts(wanted, array) => fit += usize::from(wanted.required),
            Some((theirs, array)) => {
                rows.push(Row { needed: Some(needed), given: Some(described(theirs, array)) });
            }
            None if wanted.required => missing.push(needed),
            None => {}
        }
    }
    let ours_only = |name: &str| !(without_head && is_head_name(expected, places, name));
    let mut inside: Vec<String> = places
        .inside
        .iter()
        .filter(|(name, _)| ours_only(name))
        .map(|(name, array)| described(name, array))
        .collect();
    if rows.is_empty() && missing.is_empty() && inside.is_empty() {
        return None;
    }
    // Where names are missing, whatever else the file has may be what was meant.
    if fit == 0 || (inside.is_empty() && !missing.is_empty()) {
        inside.extend(places.extra.iter().map(|name| format!("`{name}`")));
    }
    let length = missing.len().max(inside.len());
    let (mut missing, mut inside) = (missing.into_iter(), inside.into_iter());
    rows.extend((0..length).map(|_| Row { needed: missing.next(), given: inside.next() }));
    let more = rows.len().saturating_sub(SHOWN);
    rows.truncate(SHOWN);
    Some(Misfit { model: expected.model.clone(), fit: (fit, all), rows, more, like: None })
}

/// Whether a name in the file is of its head: that is left out with ours.
fn is_head_name(expected: &Expected, places: &Places<'_>, name: &str) -> bool {
    let own = name.strip_prefix(places.prefix.as_str()).unwrap_or(name);
    let head = expected.head.trim_end_matches('.');
    // A head of several layers has names below ours (`fc.0.weight`), or beside it (`classifier.6.weight`).
    let above = head.rsplit_once('.').map(|(above, _)| format!("{above}."));
    own.starts_with(&format!("{head}."))
        || above.is_some_and(|above| {
            own.starts_with(&above) && !expected.trunk().contains(above.trim_end_matches('.'))
        })
}

fn described(name: &str, array: &Array) -> String {
    let whole = if array.as_f32().is_none() && !name.ends_with("num_batches_tracked") {
        ", whole numbers"
    } else {
        ""
    };
    format!("`{name}` {:?}{whole}", array.shape)
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { model, fit: (fit, all), rows, more, like } = self;
        writeln!(f, "the weights do not fit {model}: {fit} of its {all} arrays are there")?;
        let column = |row: &Row| row.needed.as_deref().unwrap_or("–").chars().count();
        let width = rows.iter().map(column).max().unwrap_or(0).max(model.chars().count());
        writeln!(f, "  {model:width$}  in the file")?;
        for Row { needed, given } in rows {
            let (needed, given) = (needed.as_deref().unwrap_or("–"), given.as_deref().unwrap_or("missing"));
            writeln!(f, "  {needed:width$}  {given}")?;
        }
        if *more > 0 {
            writeln!(f, "  and {more} more")?;
        }
        match like {
            // Only the head or the size of the image differs.
            Some(Likeness { model: like, whole: true, .. }) if like == model => {
                f.write_str("The rest of the file fits")
            }
            Some(Likeness { model: like, whole: true, .. }) => {
                write!(f, "The file looks like {like}: give `model` {like}")
            }
            Some(Likeness { model: like, .. }) => {
                write!(f, "The file is none of the architectures that are known; it is most like {like}")
            }
            None => f.write_str("The file looks like none of the architectures that are known"),
        }
    }
}
