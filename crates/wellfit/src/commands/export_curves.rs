//! `wellfit export` to a file of curves: TensorBoard's, CSV, JSON lines.

use crate::args::{ExportArgs, ExportFormat};
use crate::commands::folder::write;
use crate::error::CliError;
use crate::output::{self, Output};
use serde_json::json;
use wellfit::base::Shown;
use wellfit::record::RunDir;
use wellfit::report::{RunReport, rows, tensorboard};

/// Writes the curves of a run in that format, which is one of curves.
pub fn run(args: &ExportArgs, format: ExportFormat, out: Output) -> Result<(), CliError> {
    let report = RunReport::read(&args.run)?;
    report.problems.iter().for_each(|problem| out.warn(problem));
    let (kind, name, bytes) = match format {
        ExportFormat::Tensorboard => {
            let steps = RunDir::open(&args.run)?.steps().map(|log| log.rows).unwrap_or_default();
            (
                "tensorboard",
                tensorboard::file_name(&report.info.created),
                tensorboard::events(&report, &steps).0,
            )
        }
        ExportFormat::Csv => ("csv", "curves.csv".to_owned(), rows::csv(&report)?),
        _ => ("jsonl", "curves.jsonl".to_owned(), rows::json_lines(&report)),
    };
    let directory = args.out.clone().unwrap_or_else(|| args.run.join("export"));
    let path = directory.join(name);
    write(&directory, &[(&path, &bytes)], args.force)?;
    out.say(format!("{} epochs: {}", report.epochs.len(), path.shown()));
    out.result(&json!({ "format": kind, "epochs": report.epochs.len(), "file": output::path(&path) }));
    Ok(())
}
