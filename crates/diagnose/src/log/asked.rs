//! What the user says of a log that it does not say itself.

use super::facts::Facts;
use super::series::Series;
use crate::error::LogError;
use wellfit_policy::{EarlyStoppingConfig, PlateauConfig};
use wellfit_record::StopReason;

/// What the user says of a log.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Asked {
    /// Which columns are which series; empty to tell them by their names.
    pub columns: Vec<(Series, String)>,
    /// The column of the epochs' numbers, where one is named.
    pub epoch: Option<String>,
    /// Images that validate.
    pub n_val: Option<u64>,
    /// Classes.
    pub classes: Option<u64>,
    /// Early stopping that ended the training.
    pub early_stopping: Option<EarlyStoppingConfig>,
    /// A scheduler that lowers the rate on a plateau, which was on.
    pub plateau: Option<PlateauConfig>,
}

/// What names the column of epochs among the names of series.
const EPOCH: &str = "epoch";

impl Asked {
    /// The columns of `train_loss=NAME,val_loss=NAME,…`. What stands behind a comma and is no `series=` belongs to the name
    /// before it.
    ///
    /// # Errors
    /// [`LogError::Choice`] for a series that does not exist, or one without a name.
    pub fn with_columns(mut self, text: &str) -> Result<Self, LogError> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for part in text.split(',') {
            match (part.split_once('='), pairs.last_mut()) {
                (Some((series, column)), _) => pairs.push((series.trim().to_owned(), column.to_owned())),
                (None, Some((_, column))) => *column += &format!(",{part}"),
                (None, None) => return Err(LogError::Choice(format!("`{part}` is no SERIES=COLUMN"))),
            }
        }
        for (series, column) in pairs {
            let column = column.trim().to_owned();
            if column.is_empty() {
                return Err(LogError::Choice(format!("{series}= names no column")));
            }
            match Series::named(&series) {
                Some(series) => self.columns.push((series, column)),
                None if series == EPOCH => self.epoch = Some(column),
                None => {
                    let known: Vec<&str> = Series::ALL.iter().map(|series| series.name()).collect();
                    let known = known.join(", ");
                    return Err(LogError::Choice(format!(
                        "there is no series `{series}`; known are {EPOCH}, {known}"
                    )));
                }
            }
        }
        Ok(self)
    }

    /// Adds what was said to what the log knows; what was said wins.
    pub(super) fn add_to(&self, facts: &mut Facts) {
        facts.n_val = self.n_val.or(facts.n_val);
        facts.classes = self.classes.or(facts.classes);
        if let Some(config) = &self.early_stopping {
            facts.early_stopping = Some(config.clone());
            facts.stop = Some(StopReason::EarlyStopping);
        }
        if let Some(config) = &self.plateau {
            facts.plateau = Some(config.clone());
        }
    }
}
