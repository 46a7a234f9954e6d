//! From the rows of a table to epochs.

use super::curves::Curves;
use super::formats::Format;
use super::series::Series;
use std::collections::BTreeMap;

/// A row of a table.
#[derive(Debug, Clone, Default)]
pub(super) struct Row {
    /// The number of its epoch as the log writes it: from 0 or 1, or a fraction.
    pub epoch: Option<f64>,
    /// The values of the row: the place of the series, and the value.
    pub values: Vec<(usize, f64)>,
}

/// Epochs beyond this are no numbers of epochs.
const LAST: f64 = 1e9;

/// Gathers rows into epochs. Where there are several values in one, those of single steps become their mean, of the others
/// the last counts.
pub(super) fn gather(
    source: &str,
    format: Format,
    series: &[Series],
    rows: &[Row],
    repeated: &[usize],
) -> Curves {
    let numbers = if rows.iter().any(|row| row.epoch.is_some_and(|epoch| (0.0..LAST).contains(&epoch))) {
        numbered(rows, repeated)
    } else {
        counted(rows, series)
    };
    let mut epochs: BTreeMap<u32, Vec<Vec<f64>>> = BTreeMap::new();
    for (row, number) in rows.iter().zip(numbers).filter(|(row, _)| !row.values.is_empty()) {
        let values = epochs.entry(number).or_insert_with(|| vec![Vec::new(); series.len()]);
        for &(place, value) in &row.values {
            values[place].push(value);
        }
    }
    let mut curves = Curves::new(source, format, epochs.keys().copied().collect());
    for (place, &series) in series.iter().enumerate() {
        curves.set(series, epochs.values().map(|values| of_epoch(series, &values[place])).collect());
    }
    if !repeated.is_empty() {
        curves.notes.push(
            "the names came again in the log: it was started again, and its epochs are counted on".to_owned(),
        );
    }
    curves
}

fn of_epoch(series: Series, values: &[f64]) -> Option<f64> {
    match values {
        [] => None,
        [.., last] if series.is_of_the_end() => Some(*last),
        values => Some(values.iter().sum::<f64>() / values.len() as f64),
    }
}

/// By the numbers of the log. Fractions are rounded up: epoch 1 goes from 0 to 1. A row without a number, as of Lightning's
/// learning rates, belongs to the next row that has one. Numbers that go back are those of another training that went on.
fn numbered(rows: &[Row], repeated: &[usize]) -> Vec<u32> {
    let valid = |row: &Row| row.epoch.filter(|epoch| (0.0..LAST).contains(epoch));
    let fractions = rows.iter().filter_map(valid).any(|epoch| epoch.fract() != 0.0);
    let least = rows.iter().filter_map(valid).fold(f64::INFINITY, f64::min);
    let from_zero = !fractions && least < 1.0;
    let number = |epoch: f64| {
        let whole =
            if fractions { (epoch - 1e-6).ceil().max(1.0) } else { epoch + f64::from(u8::from(from_zero)) };
        whole as u32
    };
    let mut numbers = vec![0; rows.len()];
    let (mut before, mut last, mut waiting) = (0, 0, 0);
    for (place, row) in rows.iter().enumerate() {
        if let Some(epoch) = valid(row) {
            let own = number(epoch);
            let goes_on = own.saturating_add(before);
            if goes_on < last || (goes_on == last && repeated.contains(&place)) {
                before = last;
            }
            last = own.saturating_add(before);
            numbers[waiting..=place].fill(last);
            waiting = place + 1;
        }
    }
    numbers[waiting..].fill(last);
    numbers
}

/// Without numbers: a row with a value of validation ends its epoch; without validation each row is one.
fn counted(rows: &[Row], series: &[Series]) -> Vec<u32> {
    let ends = |row: &Row| {
        row.values.iter().any(|&(place, _)| matches!(series[place], Series::ValLoss | Series::ValAccuracy))
    };
    let validates = rows.iter().any(ends);
    let mut epoch = 1;
    rows.iter()
        .map(|row| {
            let own = epoch;
            epoch += u32::from(if validates { ends(row) } else { !row.values.is_empty() });
            own
        })
        .collect()
}
