//! Columns of numbers from a text: CSV as Keras' and Lightning's loggers, pandas and spreadsheets write it, JSON and
//! JSON lines, or just a number a line.

mod cell;
mod choice;
mod delimited;
mod json;
mod problem;
mod read;
mod text;

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;

pub use problem::ColumnError;
pub use read::{Cells, Column, Columns, Head, column, columns};
pub use text::{LARGEST_LOG, decoded, read_log, read_text};
