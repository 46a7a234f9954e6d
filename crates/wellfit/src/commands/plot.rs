//! `wellfit plot`: the pictures of a run again, from its record.

use crate::args::{PlotArgs, PlotFormat};
use crate::error::CliError;
use crate::output::{self, Output};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use wellfit::base::Shown;
use wellfit::base::{atomic, file};
use wellfit::record::RunDir;
use wellfit::run::{PictureFormat, plots};

/// Run the command.
pub fn run(args: &PlotArgs, out: Output) -> Result<(), CliError> {
    let found = plots(&RunDir::open(&args.run)?)?;
    found.problems.iter().for_each(|problem| out.warn(problem.to_string()));
    let directory = args.out.as_ref().unwrap_or(&args.run);
    let formats = match args.format {
        None => &[PictureFormat::Png, PictureFormat::Svg][..],
        Some(PlotFormat::Png) => &[PictureFormat::Png],
        Some(PlotFormat::Svg) => &[PictureFormat::Svg],
    };
    let files: Vec<(PathBuf, Vec<u8>)> = found
        .files(formats, args.dark)?
        .into_iter()
        .map(|(name, bytes)| (directory.join(name), bytes))
        .collect();
    if let Some((path, _)) = files.iter().find(|(path, bytes)| !args.force && is_other(path, bytes)) {
        let problem = format!("{} exists with other content: give --force or another --out", path.shown());
        return Err(CliError::Output(problem));
    }
    fs::create_dir_all(directory).map_err(CliError::write(directory.clone()))?;
    for (path, bytes) in &files {
        atomic::replace(path, bytes).map_err(CliError::write(path.clone()))?;
        out.say(format!("Picture: {}", path.shown()));
    }
    let paths: Vec<Value> = files.iter().map(|(path, _)| output::path(path)).collect();
    out.result(&json!({ "run": output::path(&args.run), "pictures": paths }));
    Ok(())
}

/// Whether something else is at `path`. What cannot be read is something else.
fn is_other(path: &Path, bytes: &[u8]) -> bool {
    path.exists() && file::read(path, bytes.len() as u64).map_or(true, |there| there != bytes)
}
