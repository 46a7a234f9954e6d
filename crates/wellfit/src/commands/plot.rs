//! `wellfit plot`: the pictures of a run again, from its record.

use crate::args::{PlotArgs, PlotFormat};
use crate::error::CliError;
use crate::output::{self, Output};
use clap::ValueEnum;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use wellfit::base::{atomic, file};
use wellfit::plot::Chart;
use wellfit::record::RunDir;
use wellfit::run::plots;

/// Run the command.
pub fn run(args: &PlotArgs, out: Output) -> Result<(), CliError> {
    let found = plots(&RunDir::open(&args.run)?)?;
    found.problems.iter().for_each(|problem| out.warn(problem.to_string()));
    let directory = args.out.as_ref().unwrap_or(&args.run);
    let files = found
        .charts
        .iter()
        .map(|(name, chart)| Ok((directory.join(file_name(name, args.format)), bytes(chart, args.format)?)))
        .collect::<Result<Vec<(PathBuf, Vec<u8>)>, CliError>>()?;
    if let Some((path, _)) = files.iter().find(|(path, bytes)| !args.force && is_other(path, bytes)) {
        let problem = format!("{} exists with other content: give --force or another --out", path.display());
        return Err(CliError::Output(problem));
    }
    fs::create_dir_all(directory).map_err(CliError::write(directory.clone()))?;
    for (path, bytes) in &files {
        atomic::replace(path, bytes).map_err(CliError::write(path.clone()))?;
        out.say(format!("Picture: {}", path.display()));
    }
    let paths: Vec<Value> = files.iter().map(|(path, _)| output::path(path)).collect();
    out.result(&json!({ "run": output::path(&args.run), "pictures": paths }));
    Ok(())
}

fn file_name(name: &str, format: PlotFormat) -> String {
    let extension = format.to_possible_value();
    format!("{name}.{}", extension.as_ref().map_or("", |value| value.get_name()))
}

fn bytes(chart: &Chart, format: PlotFormat) -> Result<Vec<u8>, CliError> {
    Ok(match format {
        PlotFormat::Png => chart.draw().to_png_bytes()?,
        PlotFormat::Svg => chart.svg().into_bytes(),
    })
}

/// Whether something else is at `path`. What cannot be read is something else.
fn is_other(path: &Path, bytes: &[u8]) -> bool {
    path.exists() && file::read(path, bytes.len() as u64).map_or(true, |there| there != bytes)
}
