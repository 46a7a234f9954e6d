//! Where an improvement is: a new directory, or one that goes on.

use crate::error::RunError;
use crate::notice::Notice;
use crate::observer::Observer;
use crate::resume::RUNS;
use std::path::{Path, PathBuf};
use wellfit_base::Shown;
use wellfit_record::{IMPROVE_TOML, ImprovementDir, list_runs};

/// The directory for that plan.
pub(super) fn place(
    plan: &str,
    hint: &str,
    (out, resume): (Option<&Path>, bool),
    observer: &mut dyn Observer,
) -> Result<ImprovementDir, RunError> {
    let there = match out {
        Some(dir) => ImprovementDir::plan_in(dir)?.map(|before| (dir.to_owned(), before)),
        None if resume => newest(plan)?,
        None => None,
    };
    let Some((path, before)) = there else {
        if resume {
            observer
                .notice(&Notice::NothingToResume { place: out.map_or_else(|| RUNS.into(), Path::to_owned) });
        }
        let made = ImprovementDir::create(out, hint, plan)?;
        observer.notice(&Notice::Run { path: made.path().to_owned() });
        return Ok(made);
    };
    let name = path.shown();
    if !resume {
        return Err(RunError::Output(format!(
            "{name} holds an improvement already: go on with it by `--resume auto`, or choose another directory"
        )));
    }
    if before != plan {
        return Err(RunError::Unusable(format!(
            "{name} is an improvement with another plan, see its {IMPROVE_TOML}: give the options that it began with, or choose \
             another directory"
        )));
    }
    Ok(ImprovementDir::resume(&path)?)
}

/// The newest improvement in `runs/` with that plan.
fn newest(plan: &str) -> Result<Option<(PathBuf, String)>, RunError> {
    let folder = Path::new(RUNS);
    let runs = if folder.is_dir() { list_runs(folder)? } else { Vec::new() };
    let same =
        |path: &PathBuf| ImprovementDir::plan_in(path).is_ok_and(|before| before.as_deref() == Some(plan));
    let found = runs.into_iter().map(|run| run.path).filter(same);
    Ok(found.max_by_key(|path| ImprovementDir::number_of(path)).map(|path| (path, plan.to_owned())))
}
