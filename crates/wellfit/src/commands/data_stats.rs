//! `wellfit data stats`: how many images each class has in each part, and what the images are like.

use crate::args::StatsArgs;
use crate::error::CliError;
use crate::opening::{open_data, source};
use crate::output::Output;
use serde_json::{Value, json};
use wellfit::base::shown::shown;
use wellfit::data::{Dataset, Depth, Need, Statistics};
use wellfit::run::Validation;

/// Run the command.
pub fn run(args: &StatsArgs, out: Output) -> Result<(), CliError> {
    let source = source(&args.data, &args.place, Validation::Split);
    let splits = open_data(&source, Need::Look, true, Depth::Clip, out)?;
    let parts = splits.parts();
    table(&splits.train.classes, &parts, out);
    let mut found = Vec::new();
    for (name, data) in &parts {
        found.push(part(name, data, out)?);
    }
    out.result(&json!({ "name": splits.name, "classes": splits.train.classes, "parts": found }));
    Ok(())
}

/// A line for each class, a column for each part.
fn table(classes: &[String], parts: &[(&str, &Dataset)], out: Output) {
    let classes: Vec<_> = classes.iter().map(|class| shown(class)).collect();
    let width = classes.iter().map(|class| class.chars().count()).max().unwrap_or(0).max(5);
    let counts: Vec<Vec<usize>> = parts.iter().map(|(_, data)| data.class_counts()).collect();
    let heads: String = parts.iter().map(|(name, _)| format!(" {name:>8}")).collect();
    out.say(format!("{:width$}{heads}", "class"));
    for (place, class) in classes.iter().enumerate() {
        let cells: String = counts.iter().map(|counts| format!(" {:>8}", counts[place])).collect();
        out.say(format!("{class:width$}{cells}"));
    }
    let sums: String = parts.iter().map(|(_, data)| format!(" {:>8}", data.len())).collect();
    out.say(format!("{:width$}{sums}", "all"));
}

/// Print what the images of a part are like.
fn part(name: &str, data: &Dataset, out: Output) -> Result<Value, CliError> {
    let found = Statistics::of(data)?;
    let list =
        |numbers: &[f64]| numbers.iter().map(|number| format!("{number:.4}")).collect::<Vec<_>>().join(",");
    let [narrow, width, wide] = found.width;
    let [low, height, high] = found.height;
    let [least, aspect, most] = found.aspect;
    let grey = 100.0 * found.grey as f64 / found.images as f64;
    out.say(format!("{name}: {} images", found.images));
    out.say(format!("  width {narrow} to {wide}, median {width}; height {low} to {high}, median {height}"));
    out.say(format!(
        "  width / height {least:.2} to {most:.2}, median {aspect:.2}; {grey:.1} % without colour"
    ));
    out.say(format!("  mean {}; std {}", list(&found.mean), list(&found.std)));
    Ok(json!({
        "part": name,
        "images": found.images,
        "counts": data.class_counts(),
        "width": found.width,
        "height": found.height,
        "aspect": found.aspect,
        "mean": found.mean,
        "std": found.std,
        "grey": found.grey,
    }))
}
