//! Which directories hold the runs of a cross-validation.

use std::path::Path;
use wellfit_record::{RunDir, RunGroup, RunInfo};

/// How many folds the cross-validation in `dir` has; none if there is none. Its first run says it.
#[must_use]
pub fn folds_in(dir: &Path) -> Option<u32> {
    RunGroup::settle(dir).ok()?;
    let info: RunInfo = RunDir::open(RunGroup::run(dir, 1)).ok()?.read_run_toml().ok()?;
    let number =
        |name: &str| info.config.get(name)?.as_integer().and_then(|number| u32::try_from(number).ok());
    (number("fold") == Some(1)).then(|| number("folds"))?
}
