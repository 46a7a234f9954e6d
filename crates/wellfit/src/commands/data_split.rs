//! `wellfit data split`: data divided into train/, val/ and test/, as folders.

use crate::args::SplitArgs;
use crate::config::require;
use crate::error::CliError;
use crate::opening::{open_data, source};
use crate::output::{self, Output};
use serde_json::json;
use std::path::Path;
use wellfit::base::Shown;
use wellfit::base::shown::shown;
use wellfit::data::divide::{Transfer, divide, groups_of_copies, write};
use wellfit::data::{Dataset, Depth, Need, Part, Splits};
use wellfit::run::Validation;

/// Run the command.
pub fn run(args: &SplitArgs, out: Output) -> Result<(), CliError> {
    require(args.group_by.as_deref() != Some(""), || "--group-by must not be empty".to_owned())?;
    is_free(&args.out)?;
    let source = source(&args.data, &args.place, Validation::Split);
    let splits = open_data(&source, Need::Look, args.skip_bad, Depth::Clip, out)?;
    let shares = [(args.val, &splits.val, "val"), (args.test, &splits.test, "test")];
    for (share, part, name) in shares {
        require(share == 0.0 || part.is_none(), || {
            format!("{} has a {name} part already, which is kept: give --{name} 0", shown(&args.data))
        })?;
    }
    let train = &splits.train;
    let groups = groups(&splits, args.group_by.as_deref());
    let divided = divide(&train.labels, train.classes.len(), &groups, [args.val, args.test], args.seed)?;
    let [own, val, test] = divided.map(|positions| train.subset(&positions));
    let parts = [
        (Part::Train, own),
        (Part::Val, splits.val.unwrap_or(val)),
        (Part::Test, splits.test.unwrap_or(test)),
    ];
    let transfer = if args.link { Transfer::Link } else { Transfer::Copy };
    let mut written = Vec::new();
    for (part, data) in parts.iter().filter(|(_, data)| !data.is_empty()) {
        let images = write(data, *part, &args.out, transfer)?;
        out.say(format!("{}: {images} images", part.folder()));
        missing(*part, data, out);
        written.push(json!({ "part": part.folder(), "images": images, "counts": data.class_counts() }));
    }
    out.say(format!("Folder: {}", args.out.shown()));
    out.result(&json!({ "out": output::path(&args.out), "classes": parts[0].1.classes, "parts": written }));
    Ok(())
}

/// Nothing is written into a folder that holds something.
fn is_free(dir: &Path) -> Result<(), CliError> {
    let is_empty = std::fs::read_dir(dir).map(|mut entries| entries.next().is_none());
    if dir.exists() && !is_empty.unwrap_or(false) {
        let problem = format!("{} exists and is not empty: give a new folder as --out", dir.shown());
        return Err(CliError::Output(problem));
    }
    Ok(())
}

/// What each training image must stay together with: its copies, or what --group-by says.
fn groups(splits: &Splits, by: Option<&str>) -> Vec<String> {
    let Some(by) = by else { return groups_of_copies(&splits.train) };
    let group = |i: usize| {
        let Some(path) = splits.train.path(i) else { return i.to_string() };
        if by == "folder" {
            return path.parent().unwrap_or(path).to_string_lossy().into_owned();
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        name.split_once(by).map_or(&*name, |(before, _)| before).to_owned()
    };
    (0..splits.train.len()).map(group).collect()
}

/// Name the classes that a part has no image of.
fn missing(part: Part, data: &Dataset, out: Output) {
    let counts = data.class_counts();
    let without: Vec<&str> = data
        .classes
        .iter()
        .zip(counts)
        .filter(|(_, count)| *count == 0)
        .map(|(class, _)| class.as_str())
        .collect();
    if !without.is_empty() {
        out.warn(format!("{} has no image of {}", part.folder(), shown(&without.join(", "))));
    }
}
