//! Which columns of a table are which series, and what their numbers mean.

use super::asked::Asked;
use super::curves::Curves;
use super::epochs::{Row, gather};
use super::formats::{Peculiarities, recognise};
use super::meaning::{Phase, Quantity, meaning};
use super::series::Series;
use crate::table::{Cells, ColumnError};

/// Columns that were chosen.
#[derive(Debug, Clone)]
pub(super) struct Choice {
    pub of: Peculiarities,
    /// The series and the place of its column.
    pub series: Vec<(Series, usize)>,
    /// Those of the series that are one minus what the column says.
    pub inverted: Vec<Series>,
    /// The column of the epochs' numbers.
    pub epoch: Option<usize>,
}

impl Choice {
    /// The places of the columns in the order in which [`curves`] takes them: the epochs' last, if there is one.
    pub(super) fn places(&self) -> Vec<usize> {
        self.series.iter().map(|(_, place)| *place).chain(self.epoch).collect()
    }
}

/// Chooses among columns of these names.
///
/// # Errors
/// If none is a series, if several could be the same one, or if one that was asked for does not exist.
pub(super) fn choose(names: &[String], asked: &Asked) -> Result<Choice, ColumnError> {
    let of = recognise(names);
    let epoch = match &asked.epoch {
        Some(name) => Some(place(names, name)?),
        None => names.iter().position(|name| is_epoch(name)),
    };
    let mut choice = Choice { of, series: Vec::new(), inverted: Vec::new(), epoch };
    if asked.columns.is_empty() {
        by_meaning(names, &mut choice)?;
    } else {
        for (series, name) in &asked.columns {
            choice.series.push((*series, place(names, name)?));
        }
    }
    if choice.series.is_empty() {
        let list = names.join(", ");
        let problem = "has no column whose name says that it is a loss or an accuracy: name them with --columns \
                       train_loss=…,val_loss=…";
        return Err(ColumnError::Choice(format!("{problem}; it has {list}")));
    }
    Ok(choice)
}

fn place(names: &[String], wanted: &str) -> Result<usize, ColumnError> {
    let list = names.join(", ");
    let problem = || ColumnError::Choice(format!("has no column `{wanted}`; it has {list}"));
    names.iter().position(|name| name == wanted).ok_or_else(problem)
}

/// `epoch`, as all tools name it, in any case; `train/epoch` is Hugging Face's on Weights & Biases.
fn is_epoch(name: &str) -> bool {
    let name = name.rsplit(" - ").next().unwrap_or(name).to_lowercase();
    ["epoch", "train/epoch", "epochs"].contains(&name.trim())
}

/// A column that may be a series. Candidates of a lower rank win.
struct Candidate {
    series: Series,
    place: usize,
    rank: u8,
    inverted: bool,
}

fn by_meaning(names: &[String], choice: &mut Choice) -> Result<(), ColumnError> {
    let candidates = candidates(names, &choice.of);
    for &series in Series::ALL {
        let of_it = || candidates.iter().filter(move |candidate| candidate.series == series);
        let Some(best) = of_it().map(|candidate| candidate.rank).min() else { continue };
        let mut among = of_it().filter(|candidate| candidate.rank == best);
        let Some(first) = among.next() else { continue };
        // The groups of an optimiser have one rate each; the first is the network's.
        if let Some(second) = among.next().filter(|_| series != Series::Lr) {
            let (one, other) = (&names[first.place], &names[second.place]);
            return Err(ColumnError::Choice(format!(
                "has two columns for {series}, `{one}` and `{other}`: choose with --columns {series}={one}"
            )));
        }
        choice.series.push((series, first.place));
        if first.inverted {
            choice.inverted.push(series);
        }
    }
    Ok(())
}

fn candidates(names: &[String], of: &Peculiarities) -> Vec<Candidate> {
    let meanings: Vec<_> = names.iter().map(|name| meaning(name).filter(|_| !(of.skips)(name))).collect();
    // Where the training loss says that it is one, as `train_loss`, what says nothing is of validation.
    let explicit = meanings
        .iter()
        .flatten()
        .any(|meaning| meaning.quantity == Quantity::Loss && meaning.phase == Phase::Train);
    let bare = match of.bare_accuracy {
        Phase::Unsaid if explicit => Phase::Val,
        Phase::Unsaid => Phase::Train,
        phase => phase,
    };
    let candidate = |(place, meaning): (usize, Option<super::meaning::Meaning>)| {
        let meaning = meaning?;
        let unsaid = meaning.phase == Phase::Unsaid;
        let (series, inverted) = match meaning.quantity {
            Quantity::Other(series) => (series, false),
            Quantity::Loss if meaning.phase == Phase::Val => (Series::ValLoss, false),
            Quantity::Loss => (Series::TrainLoss, false),
            Quantity::Accuracy | Quantity::ErrorRate => {
                let phase = if unsaid { bare } else { meaning.phase };
                let series = if phase == Phase::Val { Series::ValAccuracy } else { Series::TrainAccuracy };
                (series, meaning.quantity == Quantity::ErrorRate)
            }
        };
        let rank = 4 * u8::from(meaning.of_steps) + 2 * u8::from(inverted) + u8::from(unsaid);
        Some(Candidate { series, place, rank, inverted })
    };
    meanings.into_iter().enumerate().filter_map(candidate).collect()
}

/// The curves of chosen columns, which come in the order of [`Choice::places`]. `repeated` are the rows before which the
/// names came again.
pub(super) fn curves(
    source: &str,
    choice: &Choice,
    mut columns: Vec<Cells>,
    rows: usize,
    repeated: &[usize],
) -> Curves {
    let epoch = choice.epoch.and_then(|_| columns.pop());
    let series: Vec<Series> = choice.series.iter().map(|(series, _)| *series).collect();
    for (series, column) in
        series.iter().zip(&mut columns).filter(|(series, _)| choice.inverted.contains(series))
    {
        debug_assert!(series.is_accuracy(), "{series}");
        let whole = if column.values.iter().any(|(_, value)| *value > 1.0) { 100.0 } else { 1.0 };
        column.values.iter_mut().for_each(|(_, value)| *value = whole - *value);
    }
    in_shares(&series, &mut columns, choice.of.percent);
    let cells = |row: &mut Vec<Row>| {
        for (place, column) in columns.iter().enumerate() {
            for &(at, value) in &column.values {
                row[at].values.push((place, value));
            }
        }
    };
    let mut table: Vec<Row> = (0..rows).map(|_| Row::default()).collect();
    cells(&mut table);
    for (at, number) in epoch.iter().flat_map(|column| &column.values) {
        table[*at].epoch = Some(*number).filter(|number| number.is_finite());
    }
    gather(source, choice.of.format, &series, &table, repeated)
}

/// Accuracies in percent become shares. All of a log are in the same unit.
fn in_shares(series: &[Series], columns: &mut [Cells], percent: bool) {
    let of_accuracy = |(series, _): &(&Series, &mut Cells)| series.is_accuracy();
    let larger = columns
        .iter()
        .zip(series)
        .filter(|(_, series)| series.is_accuracy())
        .any(|(column, _)| column.values.iter().any(|(_, value)| *value > 1.0));
    if percent || larger {
        for (_, column) in series.iter().zip(columns).filter(of_accuracy) {
            column.values.iter_mut().for_each(|(_, value)| *value /= 100.0);
        }
    }
}
