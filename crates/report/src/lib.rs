//! The record of a run and what a diagnosis finds in it become a page, and files for other tools.
//!
//! ```text
//! run ─read─▶ RunReport ─view─▶ what the page says, as text ─page─▶ report.html
//!                  └─rows, tensorboard─▶ CSV, JSON lines, event files
//! ```
//!
//! * [`RunReport`] all that is shown of a run: its record, findings, evaluation and pictures
//! * [`run_page`], [`comparison_page`], [`trial_page`], [`improvement_page`] and [`study_page`] the pages: one file each, that needs nothing else
//! * [`Pictures`] the small pictures that a run keeps for its page
//! * [`live`] the same pages while runs go on, for a server
//! * [`rows`] and [`tensorboard`] the curves for other tools
//!
//! A page works without scripts: charts are drawings with a table beside them. The script adds reading off values,
//! zooming and logarithmic axes. The page's Content-Security-Policy names style and script by their hashes, and allows
//! nothing else: no address, no other script.

mod assets;
mod chart;
mod comparison;
mod error;
mod evaluation;
mod improvement;
pub mod live;
mod page;
mod pictures;
mod read;
pub mod rows;
mod study;
pub mod tensorboard;
mod trial;

mod view;

pub use comparison::comparison_page;
pub use error::ReportError;
pub use improvement::improvement_page;
pub use page::{MOST_BYTES, run_page};
pub use pictures::{PICTURES, Pictures, Shot, in_base64};
pub use read::RunReport;
pub use study::{STUDY, settings, study_page};
pub use trial::trial_page;

/// The name of a run's page.
pub const REPORT: &str = "report.html";
