//! What stands for the readers of Parquet in a build without the feature `parquet`: such files are known, and refused.

use std::path::Path;

use super::table::Table;
use crate::error::DataError;
use wellfit_base::words::left_out;

/// Parquet tables with images in them.
pub(crate) mod images {
    use super::{DataError, Path, refusal};
    use crate::open::listing::Listing;
    use crate::open::{OpenOptions, shards};

    /// Whether `path` is such a file, a pattern of them, or a folder that holds some.
    pub(crate) fn is(path: &Path) -> bool {
        !shards::files(path, &["parquet"]).is_empty()
    }

    /// An error, always.
    pub(crate) fn list(path: &Path, _: &OpenOptions) -> Result<Listing, DataError> {
        Err(refusal(path))
    }
}

/// Nothing can be seen of a table's columns.
pub(crate) fn is_plain(_: &Path) -> bool {
    false
}

/// An error, always.
pub(crate) fn read(path: &Path) -> Result<Table, DataError> {
    Err(refusal(path))
}

fn refusal(path: &Path) -> DataError {
    let problem = left_out("reads no Parquet", "parquet");
    DataError::Layout { path: path.to_path_buf(), problem }
}
