//! `wellfit data dedupe`: images that show the same picture, listed, moved away, brought back.

use crate::args::DedupeArgs;
use crate::error::CliError;
use crate::opening::source;
use crate::output::{self, Output};
use crate::progress::Progress;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use wellfit::base::Shown;
use wellfit::base::words::plural;
use wellfit::data::duplicates::moving::{MOVED, Move, is_movable, move_back, move_out};
use wellfit::data::duplicates::{choice, copies_only};
use wellfit::data::{Dataset, Depth, Duplicates, Need};
use wellfit::run::{
    Validation, duplicate_sheet, duplicate_summary, duplicates_json, find_duplicates, image_name,
};

/// Run the command.
pub fn run(args: &DedupeArgs, out: Output) -> Result<(), CliError> {
    if let Some(dir) = &args.undo {
        return undo(dir, out);
    }
    let data = args.data.as_deref().unwrap_or_default();
    if args.move_to.is_some() && !is_movable(data) {
        return Err(CliError::Usage(format!(
            "--move-to: the images of {data} are no files in folders of their classes, so none can be moved without \
             breaking what names them: leave --move-to out to list them"
        )));
    }
    if let Some(path) = args.sheet.as_ref().filter(|path| path.exists() && !args.force) {
        return Err(CliError::Output(format!("{} exists: give --force or another --sheet", path.shown())));
    }
    let mut progress = Progress::new(out, false);
    let source = source(data, &args.place, Validation::Split);
    let splits = source.open_for(Need::Look, args.skip_bad, Depth::Clip, &mut progress)?;
    let parts = splits.parts();
    let mut found = find_duplicates(&parts, &mut progress)?;
    if args.exact {
        found.sets = found.sets.iter().flat_map(|set| copies_only(set)).collect();
    }
    say(&found, &parts, out);
    if let Some(path) = args.sheet.as_ref().filter(|_| !found.sets.is_empty()) {
        duplicate_sheet(&found, &parts)?.save_png(path)?;
        out.say(format!("Picture: {}", path.shown()));
    }
    let moved = match &args.move_to {
        Some(dir) => moved(&found, (data.as_ref(), dir), out)?,
        None => Vec::new(),
    };
    let mut result = duplicates_json(&found, &splits.train.classes);
    result["data"] = data.into();
    result["sheet"] = args.sheet.as_deref().map_or(Value::Null, output::path);
    result["moved"] = moved
        .iter()
        .map(|Move { from, to }| json!({ "from": output::path(from), "to": output::path(to) }))
        .collect();
    out.result(&result);
    Ok(())
}

/// A table of all sets.
fn say(found: &Duplicates, parts: &[(&'static str, &Dataset)], out: Output) {
    if found.sets.is_empty() {
        out.say("no image is there more than once");
        return;
    }
    let mut rows = vec![["set", "", "like", "correlation", "class", "image"].map(str::to_owned)];
    for (number, set) in (1..).zip(&found.sets) {
        let (stays, go) = choice(set);
        for (place, image) in set.iter().enumerate() {
            let what = if place == stays && !go.is_empty() {
                "stays"
            } else if go.contains(&place) {
                "may go"
            } else {
                "?"
            };
            let class = parts[image.part].1.classes.get(image.label as usize);
            rows.push([
                number.to_string(),
                what.to_owned(),
                if place == 0 { String::new() } else { image.likeness.name().to_owned() },
                if place == 0 { String::new() } else { format!("{:.4}", image.correlation) },
                class.cloned().unwrap_or_default(),
                image_name(image.path.as_deref(), found.parts[image.part], image.position),
            ]);
        }
    }
    out.table(&rows, 3..4);
    out.say(duplicate_summary(found));
    let differ = found.contradictions().count();
    if differ > 0 {
        out.warn(format!(
            "{} with different labels (?): one of them is wrong, and which only you can tell: look at them",
            plural(differ, "set")
        ));
    }
}

/// Move what may go.
fn moved(found: &Duplicates, (data, dir): (&Path, &Path), out: Output) -> Result<Vec<Move>, CliError> {
    let going = found.sets.iter().flat_map(|set| {
        let (_, go) = choice(set);
        go.into_iter().filter_map(|place| set[place].path.clone())
    });
    let (links, files): (Vec<PathBuf>, Vec<PathBuf>) = going.partition(|path| path.is_symlink());
    if let Some(first) = links.first() {
        out.warn(format!(
            "{} stay, such as {}: links lead elsewhere",
            plural(links.len(), "link"),
            first.shown()
        ));
    }
    let moved = move_out(&files, data, dir)?;
    if moved.is_empty() {
        out.say("nothing to move");
    } else {
        out.say(format!(
            "{} moved to {}; {} lists them; to bring them back: wellfit data dedupe --undo {}",
            plural(moved.len(), "image"),
            dir.shown(),
            dir.join(MOVED).shown(),
            dir.shown()
        ));
    }
    Ok(moved)
}

/// Bring back what was moved.
fn undo(dir: &Path, out: Output) -> Result<(), CliError> {
    let undone = move_back(dir)?;
    for (path, problem) in &undone.left {
        out.warn(format!("{} stays: {problem}", path.shown()));
    }
    out.say(format!("{} where they were", plural(undone.back.len(), "image")));
    let left =
        |(path, problem): &(PathBuf, String)| json!({ "path": output::path(path), "problem": problem });
    out.result(&json!({
        "back": undone.back.iter().map(|path| output::path(path)).collect::<Vec<Value>>(),
        "left": undone.left.iter().map(left).collect::<Vec<Value>>(),
    }));
    match undone.left.len() {
        0 => Ok(()),
        left => Err(CliError::Partly(format!("{} could not be brought back", plural(left, "image")))),
    }
}
