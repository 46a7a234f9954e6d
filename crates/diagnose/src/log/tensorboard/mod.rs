//! TensorBoard's event files: scalars as torch's SummaryWriter, Lightning and Keras write them.

mod event;
mod files;
mod record;

use super::asked::Asked;
use super::curves::Curves;
use super::formats::Format;
use super::tabular::{choose, curves};
use crate::error::LogError;
use crate::table::{Cells, read_log};
use event::scalars;
pub use event::{Event, Summary, Value};
pub(super) use files::files;
pub use record::framed;
pub(super) use record::is_events;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use wellfit_base::Shown;

/// The scalars of all files by tag and step; of two of one step the later counts, as TensorBoard shows it after a restart.
type Scalars = BTreeMap<String, BTreeMap<i64, f64>>;

/// The curves of one file's content.
pub(super) fn of_bytes(bytes: &[u8], source: &str, asked: &Asked) -> Result<Curves, LogError> {
    let mut found = Scalars::new();
    let note = add(&mut found, bytes, "", source)?;
    of_scalars(&found, source, asked, note.into_iter().collect())
}

/// The curves of the files in a directory, each with the part of the data that its folder's name says.
pub(super) fn of_files(files: &[(PathBuf, &str)], source: &str, asked: &Asked) -> Result<Curves, LogError> {
    let (mut found, mut notes) = (Scalars::new(), Vec::new());
    for (path, phase) in files {
        notes.extend(add(&mut found, &read_log(path)?, phase, &path.shown())?);
    }
    of_scalars(&found, source, asked, notes)
}

/// Adds the scalars of a file; a phase in front of their names, where there is one. Gives a note where its end is torn.
fn add(found: &mut Scalars, bytes: &[u8], phase: &str, source: &str) -> Result<Option<String>, LogError> {
    let (records, torn) =
        record::records(bytes).map_err(|problem| LogError::Invalid(format!("{source}: {problem}")))?;
    for record in records {
        let values = scalars(record).map_err(|problem| LogError::Invalid(format!("{source}: {problem}")))?;
        for (tag, step, value) in values {
            let name = if phase.is_empty() { tag } else { format!("{phase}/{tag}") };
            found.entry(name).or_default().insert(step, value);
        }
    }
    Ok(torn.then(|| format!("{source} ends in the middle of a record, which is left out")))
}

fn of_scalars(found: &Scalars, source: &str, asked: &Asked, notes: Vec<String>) -> Result<Curves, LogError> {
    if found.is_empty() {
        return Err(LogError::Invalid(format!("{source} holds no scalars")));
    }
    let names: Vec<String> = found.keys().cloned().collect();
    let mut choice = choose(&names, asked).map_err(|problem| problem.at(source))?;
    choice.of.format = Format::TensorBoard;
    let places = choice.places();
    let chosen: Vec<(&String, &BTreeMap<i64, f64>)> =
        places.iter().filter_map(|&place| found.get_key_value(&names[place])).collect();
    let steps: BTreeSet<i64> = chosen.iter().flat_map(|(_, values)| values.keys().copied()).collect();
    let row: BTreeMap<i64, usize> = steps.into_iter().zip(0..).collect();
    let columns = chosen.iter().map(|(name, values)| Cells {
        name: (*name).clone(),
        values: values.iter().map(|(step, value)| (row[step], *value)).collect(),
    });
    let mut curves = curves(source, &choice, columns.collect(), row.len(), &[]);
    curves.notes.extend(notes);
    asked.add_to(&mut curves.facts);
    Ok(curves)
}
