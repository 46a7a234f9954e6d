//! Tables (CSV, TSV, JSON) that name images and their labels.

mod files;
mod labels;
mod list;
#[cfg(feature = "parquet")]
mod parquet;
mod read;
mod roles;

pub(crate) use list::{is_table, list, list_rows, read};
#[cfg(not(feature = "parquet"))]
pub(crate) use read::Table;
pub(crate) use roles::has_label;
