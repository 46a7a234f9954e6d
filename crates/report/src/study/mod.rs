//! The page of a study: what a search for settings tried, and where in the space it is good.
//!
//! ```text
//! study.json ─file─▶ Study ─history, parallel, slices, surfaces─▶ figures ─page─▶ report.html
//! ```

mod draw;
mod figure;
mod file;
mod history;
mod page;
mod parallel;
mod scale;
mod slices;
mod surfaces;

pub use file::{STUDY, settings};
pub use page::study_page;
