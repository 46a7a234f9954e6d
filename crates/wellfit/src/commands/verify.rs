//! `wellfit verify`: checks everything that a run has on the disk.

use crate::commands::export::differences;
use crate::error::CliError;
use crate::output::{self, Output};
use crate::verify_args::VerifyRunArgs;
use serde_json::{Value, json};
use std::path::Path;
use wellfit::base::Shown;
use wellfit::base::words::plural;
use wellfit::run::{Classifier, Part, verify};

/// Run the command.
pub fn run(args: &VerifyRunArgs, out: Output) -> Result<(), CliError> {
    let mut parts = verify(&args.run)?;
    parts.extend(exports(&args.run)?);
    let bad = parts.iter().filter(|part| part.problem.is_some()).count();
    let head = ["part", "state", "content"].map(str::to_owned);
    out.table(&[vec![head], parts.iter().map(row).collect()].concat(), 0..0);
    out.result(&json!({
        "run": output::path(&args.run),
        "sound": bad == 0,
        "parts": parts.iter().map(value).collect::<Vec<Value>>(),
    }));
    let name = args.run.shown();
    if bad > 0 {
        return Err(CliError::Output(format!(
            "{} of {} {} not as written; wellfit resume {name} makes again what can be made from the rest",
            bad,
            plural(parts.len(), "part"),
            if bad == 1 { "is" } else { "are" }
        )));
    }
    out.say_good(format!("{name}: {} checked, all sound", plural(parts.len(), "part")), "all sound");
    Ok(())
}

/// The files of the run's own exported folder, which must be those that `export` would write.
fn exports(run: &Path) -> Result<Vec<Part>, CliError> {
    let directory = run.join("export");
    if !directory.is_dir() {
        return Ok(Vec::new());
    }
    let classifier = Classifier::open(run)?;
    let found = differences(&classifier, &directory)?.into_iter().map(|(path, same)| Part {
        name: format!("export/{}", path.file_name().unwrap_or_default().to_string_lossy()),
        content: if same { "as `wellfit export` writes it".to_owned() } else { String::new() },
        problem: (!same).then(|| {
            format!(
                "{} is not what `wellfit export` makes of this run: export it again with --force",
                path.shown()
            )
        }),
    });
    Ok(found.collect())
}

fn row(part: &Part) -> [String; 3] {
    let (state, content) = match &part.problem {
        Some(problem) => ("BAD", problem),
        None => ("good", &part.content),
    };
    [part.name.clone(), state.to_owned(), content.clone()]
}

fn value(part: &Part) -> Value {
    json!({ "name": part.name, "content": part.content, "problem": part.problem })
}
