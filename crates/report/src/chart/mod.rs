//! Charts of a page: a drawing that needs no script, and its numbers for the script.

mod data;
mod draw;
mod model;

pub use data::json;
pub use draw::{Drawing, drawn, number};
pub use model::{Chart, Line, Mark, MarkKind, Unit};
