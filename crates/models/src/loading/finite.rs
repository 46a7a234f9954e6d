//! The one check that weights are numbers, at the one place where they come in.

use super::places::Found;
use crate::ModelError;

/// Refuse arrays with numbers that are NaN or infinite: nothing of use comes out of such a network.
pub(crate) fn check_finite<'f>(arrays: impl Iterator<Item = Found<'f>>) -> Result<(), ModelError> {
    let bad = arrays.filter_map(|(name, array)| {
        let values = array.as_f32()?;
        let count = values.iter().filter(|value| !value.is_finite()).count();
        (count > 0).then_some((name, count, values.len()))
    });
    let bad: Vec<(&str, usize, usize)> = bad.collect();
    match bad.first() {
        None => Ok(()),
        Some(&(name, count, values)) => {
            Err(ModelError::NotFinite { array: name.to_owned(), count, values, others: bad.len() - 1 })
        }
    }
}
