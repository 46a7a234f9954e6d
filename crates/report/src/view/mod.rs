//! What a page says, as text: one file a part of the page.

mod classes;
mod curves;
mod details;
mod findings;
mod history;
mod result;
mod shots;

pub use classes::{Classes, classes};
pub use curves::{Table, charts, table};
pub use details::{Details, details, settings};
pub use findings::{FindingView, findings};
pub use history::{Happened, history};
pub use result::{ResultView, interval, result};
pub use shots::{ShotView, mistakes, seen};
