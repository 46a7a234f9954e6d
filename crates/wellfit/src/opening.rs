//! Opening data with its progress shown.

use crate::args::PlaceArgs;
use crate::error::CliError;
use crate::output::Output;
use crate::progress::Progress;
use wellfit::data::{Depth, Need, Splits};
use wellfit::run::{DataSource, Validation};

/// Open data; downloads and checks show their progress, skipped files are named, and what is odd about a folder is
/// told.
pub fn open_data(
    source: &DataSource,
    need: Need,
    skip_bad: bool,
    depth: Depth,
    out: Output,
) -> Result<Splits, CliError> {
    Ok(source.open_for(need, skip_bad, depth, &mut Progress::new(out, false))?)
}

/// Where data are, as typed.
pub fn source(data: &str, place: &PlaceArgs, validation: Validation) -> DataSource {
    DataSource { data: data.to_owned(), dir: place.data_dir.clone(), validation, columns: place.columns() }
}
