//! One column of numbers from a text: CSV as Keras' and Lightning's loggers, pandas and spreadsheets write it, JSON and
//! JSON lines, or just a number a line.

mod cell;
mod choice;
mod delimited;
mod json;
mod problem;
mod read;

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;

pub use read::column;
