//! Messages about a run, each with its sentence.

mod kind;
mod words;

pub use kind::Notice;
