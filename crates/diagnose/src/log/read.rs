//! From a path or bytes to curves.

use super::asked::Asked;
use super::curves::Curves;
use super::formats::Format;
use super::own::of_run;
use super::series::Series;
use super::tabular::{Choice, choose, curves};
use super::tensorboard;
use crate::error::LogError;
use crate::table::{ColumnError, Head, columns, decoded, read_log};
use std::cell::RefCell;
use std::path::Path;
use wellfit_base::Shown;
use wellfit_record::{RecordError, RunDir};

/// The curves of a run's directory, of a directory of TensorBoard's event files, or of a log file.
///
/// # Errors
/// If it cannot be read, or is none of them.
pub fn of_path(path: &Path, asked: &Asked) -> Result<Curves, LogError> {
    if !path.is_dir() {
        return of_bytes(read_log(path)?, &path.shown(), asked);
    }
    if !matches!(RunDir::open(path), Err(RecordError::NotARun(_))) {
        return of_run(path, asked);
    }
    let events = tensorboard::files(path)?;
    // Of what is neither, the error tells of a run.
    if events.is_empty() { of_run(path, asked) } else { tensorboard::of_files(&events, &path.shown(), asked) }
}

/// The curves of a log's content; `source` names it in errors.
///
/// # Errors
/// If it is no log.
pub fn of_bytes(bytes: Vec<u8>, source: &str, asked: &Asked) -> Result<Curves, LogError> {
    if tensorboard::is_events(&bytes) {
        return tensorboard::of_bytes(&bytes, source, asked);
    }
    of_text(&decoded(bytes, source)?, source, asked)
}

fn of_text(text: &str, source: &str, asked: &Asked) -> Result<Curves, LogError> {
    let chosen: RefCell<Option<Choice>> = RefCell::new(None);
    let choose = |head: Head<'_>| {
        let choice = match head {
            Head::Names(names) => choose(names, asked)?,
            Head::Unnamed(1) if asked.columns.is_empty() => Choice {
                of: super::formats::Peculiarities::NONE,
                series: vec![(Series::ValLoss, 0)],
                inverted: Vec::new(),
                epoch: None,
            },
            Head::Unnamed(_) => {
                let problem = " has columns without names: put a line of names first";
                return Err(ColumnError::File(problem.to_owned()));
            }
        };
        let places = choice.places();
        *chosen.borrow_mut() = Some(choice);
        Ok(places)
    };
    let found = columns(text, &choose).map_err(|problem| problem.at(source))?;
    let nothing = || {
        LogError::Invalid(format!(
            "{source} holds no metrics: a line of names and a row an epoch are expected"
        ))
    };
    let choice = chosen.into_inner().ok_or_else(nothing)?;
    let mut curves = curves(source, &choice, found.chosen, found.rows, &found.repeated);
    if curves.epochs.is_empty() {
        return Err(nothing());
    }
    debug_assert_ne!(curves.format, Format::Wellfit);
    asked.add_to(&mut curves.facts);
    Ok(curves)
}
