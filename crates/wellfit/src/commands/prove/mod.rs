//! `wellfit prove`: whether techniques help, by pairs of runs.

mod audit;
mod command;
mod helpers;
mod words;

pub use command::{interrupted, run};
