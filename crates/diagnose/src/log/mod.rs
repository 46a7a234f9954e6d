//! From a log, ours or another tool's, to [`Curves`].

mod asked;
mod curves;
mod epochs;
mod facts;
mod formats;
mod meaning;
mod own;
mod probed;
mod read;
mod recorded;
mod series;
mod tabular;
pub mod tensorboard;

pub use asked::Asked;
pub use curves::{Curves, Points};
pub use facts::Facts;
pub use formats::Format;
pub use own::of_run;
pub use read::{of_bytes, of_path};
pub use recorded::add as add_statistics;
pub use series::Series;
