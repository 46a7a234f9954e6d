//! Checking everything that a run has on the disk.

use crate::error::RunError;
use crate::saved::SavedRun;
use std::path::Path;
use wellfit_base::words::plural;
use wellfit_record::{Event, FileEntry, Log, RunDir, RunInfo};

/// One thing that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its name in the run's directory.
    pub name: String,
    /// What it holds, in words; empty if it cannot be read.
    pub content: String,
    /// What is wrong with it, if anything is.
    pub problem: Option<String>,
}

impl Part {
    fn of(name: impl Into<String>, found: Result<String, impl ToString>) -> Self {
        let (content, problem) = match found {
            Ok(content) => (content, None),
            Err(problem) => (String::new(), Some(problem.to_string())),
        };
        Self { name: name.into(), content, problem }
    }
}

/// Check every byte that the run in `dir` has a checksum of, and that all its records can be read and are its own. Nothing
/// is changed.
///
/// # Errors
/// If there is no run, or its `run.toml` cannot be read.
pub fn verify(dir: &Path) -> Result<Vec<Part>, RunError> {
    let run = RunDir::open(dir)?;
    let info: RunInfo = run.read_run_toml()?;
    let mut parts =
        vec![Part::of("run.toml", Ok::<_, String>(format!("{}, a run of {}", info.name, info.model.name)))];
    parts.push(Part::of("events.jsonl", lines(run.own_events(), "event")));
    parts.push(Part::of("steps.jsonl", lines(run.steps(), "step")));
    if let Some(log) = run.statistics().transpose() {
        parts.push(Part::of("statistics.jsonl", lines(log, "line")));
    }
    let mut newest = None;
    for path in run.checkpoints()? {
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let found = run.checkpoint(&name).map(|found| {
            let info = newest.insert(found.checkpoint.manifest.info);
            format!("{}, step {}", plural(info.epoch as usize, "epoch"), info.step)
        });
        parts.push(Part::of(format!("checkpoints/{name}"), found));
    }
    // All that the others need is before the newest. A record that cannot be read was told of above.
    let whole = newest.and_then(|info| Some((run.whole().ok()?, info)));
    let lacks = whole.map_or_else(Vec::new, |(whole, info)| whole.lacks_before(&info));
    for part in &mut parts {
        let lack = lacks.iter().find(|lack| lack.starts_with(&part.name));
        part.problem = part.problem.take().or(lack.cloned());
    }
    parts.extend(files(&run, &info)?);
    Ok(parts)
}

/// The files that the run left, by its record; of a version that did not record them, the best weights by their presence.
fn files(run: &RunDir, info: &RunInfo) -> Result<Vec<Part>, RunError> {
    let dir = run.dir()?;
    let mut known: Vec<FileEntry> = Vec::new();
    let mut ended = false;
    for event in run.events()?.rows {
        match event {
            Event::File { file, .. } => known.push(file),
            Event::Files { files } => {
                known.extend(files);
                ended = true;
            }
            _ => {}
        }
    }
    // The last that was said of a name counts.
    let mut parts: Vec<Part> = Vec::new();
    for file in known.iter().rev() {
        if parts.iter().all(|part| part.name != file.name) {
            let found = file.check(&dir).map(|()| format!("{} bytes", file.length));
            parts.push(Part::of(file.name.clone(), found));
        }
    }
    parts.reverse();
    let unfinished =
        !ended && SavedRun::read(run).is_ok_and(|saved| !saved.is_finished(run).unwrap_or(false));
    let model = info.model_file();
    if !ended && !unfinished && dir.is_file(&model).unwrap_or(false) {
        parts.push(Part::of(model, Ok::<_, String>("there, with no checksum in the record".to_owned())));
    } else if !ended {
        parts.push(Part::of(model, Ok::<_, String>("not made yet: the run has not ended".to_owned())));
    }
    Ok(parts)
}

fn lines<T>(log: wellfit_record::Result<Log<T>>, what: &str) -> Result<String, String> {
    let log = log.map_err(|error| error.to_string())?;
    match log.problems.as_slice() {
        [] => Ok(plural(log.rows.len(), what)),
        [first, ..] => Err(first.to_string()),
    }
}
