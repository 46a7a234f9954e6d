//! Opening data with its progress shown.

use crate::error::CliError;
use crate::output::Output;
use crate::progress::Progress;
use std::path::Path;
use wellfit::data::{Depth, Need, Splits};
use wellfit::run::{DataSource, Validation};

/// Open `data`; downloads and checks show their progress, skipped files are named, and what is odd about a folder is
/// told.
pub fn open_data(
    data: &str,
    data_dir: Option<&Path>,
    need: Need,
    skip_bad: bool,
    depth: Depth,
    out: Output,
) -> Result<Splits, CliError> {
    let source = source(data, data_dir, Validation::Split);
    Ok(source.open_for(need, skip_bad, depth, &mut Progress::new(out, false))?)
}

/// Where data are, as typed.
pub fn source(data: &str, dir: Option<&Path>, validation: Validation) -> DataSource {
    DataSource { data: data.to_owned(), dir: dir.map(Path::to_path_buf), validation }
}
