//! `wellfit diagnose`: what the curves of runs, or of other tools' logs, say.

mod asked;
mod picture;
mod words;

use crate::args::DiagnoseArgs;
use crate::config::require;
use crate::error::CliError;
use crate::output::Output;
use serde_json::{Value, json};
use std::path::Path;
use wellfit::base::Shown;
use wellfit::base::shown::shown as plain;
use wellfit::diagnose::log::{of_bytes, of_path};
use wellfit::diagnose::table::read_log;
use wellfit::diagnose::{Asked, Curves, Diagnosis, diagnose};
pub use words::weightiest;

/// What stands for standard input, and where its bytes are.
const STDIN: (&str, &str) = ("-", "/dev/stdin");

/// Run the command.
pub fn run(args: &DiagnoseArgs, out: Output) -> Result<(), CliError> {
    let asked = asked::of(args)?;
    if let Some(path) = &args.picture {
        require(args.sources.len() == 1, || "--picture is of one run or log".to_owned())?;
        picture::check(path, args.force)?;
    }
    let mut read: Vec<Result<Curves, CliError>> =
        args.sources.iter().map(|path| curves(path, &asked)).collect();
    if let [one] = read.as_mut_slice() {
        let curves = std::mem::replace(one, Ok(Curves::default()))?;
        let diagnosis = shown(&curves, out);
        if let Some(path) = &args.picture {
            picture::save(path, &curves, &diagnosis)?;
            out.say(format!("Picture: {}", path.shown()));
        }
        out.result(&json!(diagnosis));
        return Ok(());
    }
    let (mut values, mut problems): (Vec<Value>, Vec<String>) = Default::default();
    for (path, curves) in args.sources.iter().zip(read) {
        if !values.is_empty() || !problems.is_empty() {
            out.say("");
        }
        match curves {
            Ok(curves) => values.push(json!(shown(&curves, out))),
            Err(problem) => {
                out.warn(problem.to_string());
                values.push(json!({ "source": path.shown(), "problem": problem.to_string() }));
                problems.push(path.shown());
            }
        }
    }
    out.result(&json!({ "diagnoses": values }));
    match problems.as_slice() {
        [] => Ok(()),
        bad => Err(CliError::Partly(format!(
            "could not read {} of {}: {}",
            bad.len(),
            args.sources.len(),
            bad.join(", ")
        ))),
    }
}

fn curves(path: &Path, asked: &Asked) -> Result<Curves, CliError> {
    if path == Path::new(STDIN.0) {
        return Ok(of_bytes(read_log(Path::new(STDIN.1))?, "standard input", asked)?);
    }
    Ok(of_path(path, asked)?)
}

/// The diagnosis, after it was printed.
fn shown(curves: &Curves, out: Output) -> Diagnosis {
    curves.notes.iter().for_each(|note| out.warn(plain(&format!("{}: {note}", curves.source))));
    let diagnosis = diagnose(curves);
    words::all(curves, &diagnosis).iter().for_each(|line| out.say(plain(line)));
    diagnosis
}
