//! Tables (CSV, TSV, JSON) that name images and their labels.

mod files;
mod labels;
mod list;
mod parquet;
mod read;
mod roles;

pub(crate) use list::{is_table, list, list_rows, read};
pub(crate) use roles::has_label;
