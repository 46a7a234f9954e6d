//! Which directories hold the runs of a cross-validation.

use crate::saved::SavedRun;
use std::path::Path;
use wellfit_record::{RunDir, RunGroup};

/// How many folds the cross-validation in `dir` has; none if there is none. Its first run says it.
#[must_use]
pub fn folds_in(dir: &Path) -> Option<u32> {
    let first = RunDir::open(RunGroup::run(dir, 1)).ok()?;
    let options = SavedRun::read(&first).ok()?.options(&first).ok()?;
    (options.fold.flatten() == Some(1)).then_some(options.folds.flatten()?)
}
