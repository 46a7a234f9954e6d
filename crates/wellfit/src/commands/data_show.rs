//! `wellfit data show`: shapes, class counts, copies, what is odd, suspicious files, a labelled picture grid.

use crate::args::ShowArgs;
use crate::config::require;
use crate::error::CliError;
use crate::opening::{open_data, source};
use crate::output::{self, Output};
use crate::progress::Progress;
use serde_json::{Value, json};
use std::path::PathBuf;
use wellfit::base::Shown;
use wellfit::base::shown::shown;
use wellfit::base::words::{either, plural};
use wellfit::data::open::copies::Copy;
use wellfit::data::{Copies, DataError, Dataset, Depth, Need, Remark, Splits};
use wellfit::plot::{GridCell, ImageGrid, Look, Picture};
use wellfit::rng::{Rng, Stream};
use wellfit::run::{
    Options, Validation, augmentation_sheet, duplicate_sentences, duplicates_json, find_duplicates,
};

/// Run the command.
pub fn run(args: &ShowArgs, out: Output) -> Result<(), CliError> {
    require(args.images > 0, || "--images must be at least 1".to_owned())?;
    let source = source(&args.data, &args.place, Validation::Split);
    let splits = open_data(&source, Need::Look, true, args.depth, out)?;
    let path = args.out.clone().unwrap_or_else(|| PathBuf::from(format!("{}-images.png", splits.name)));
    if path.exists() && !args.force {
        return Err(CliError::Output(format!("{} exists: give --force or another --out", path.shown())));
    }
    let parts = splits.parts();
    let counts: Vec<Value> = parts.iter().map(|(name, data)| count(name, data, out)).collect();
    for sentence in classes_missing(&parts) {
        out.warn(sentence);
    }
    let copies = Copies::among(&parts);
    let sizes: Vec<usize> = parts.iter().map(|(_, data)| data.len()).collect();
    for sentence in copies.sentences(&sizes) {
        out.warn(sentence);
    }
    let found = find_duplicates(&parts, &mut Progress::new(out, false))?;
    let sentences = duplicate_sentences(&found);
    sentences.iter().for_each(|sentence| out.warn(sentence));
    if !sentences.is_empty() {
        out.say(format!("wellfit data dedupe {} lists them, and can move them away", shown(&args.data)));
    }
    out.say(format!("suspicious files: {}", splits.skipped.len()));
    if splits.train.is_empty() {
        let problem = format!("{} has no image that can be used", shown(&args.data));
        return Err(CliError::Data(DataError::Invalid(problem)));
    }
    let (picture, first) = grid(&splits.train, args.images, args.seed, args.depth)?;
    if let Some((height, width, channels)) = splits.train.native_size() {
        let batch = args.images.min(splits.train.len());
        out.say(format!("a batch: shape [{batch}, {channels}, {height}, {width}]"));
        out.say(format!("an image: shape [{channels}, {height}, {width}], label {first}"));
    }
    let picture = if args.augmented || args.augment.is_some() { augmented(&splits, args)? } else { picture };
    picture.save_png(&path)?;
    out.say(format!("Picture: {}", path.shown()));
    out.result(&json!({
        "name": splits.name,
        "parts": counts,
        "remarks": splits.remarks.iter().map(remark).collect::<Vec<Value>>(),
        "copies": copies_json(&copies),
        "duplicates": duplicates_json(&found, &splits.train.classes),
        "suspicious": splits
            .skipped
            .iter()
            .map(|file| json!({ "path": output::path(&file.path), "reason": file.reason }))
            .collect::<Vec<Value>>(),
        "picture": output::path(&path),
    }));
    Ok(())
}

/// The training images as a run with the settings of `train` sees them.
fn augmented(splits: &Splits, args: &ShowArgs) -> Result<Picture, CliError> {
    let kind = source(&args.data, &args.place, Validation::Split).kind(&splits.train);
    let augment = args.augment.map(Some);
    let spec = Options { seed: Some(args.seed), augment, depth: Some(args.depth), ..Options::default() }
        .decide(kind)?;
    Ok(augmentation_sheet(&spec, &splits.train, &splits.name, args.images, Look::SCREEN)?)
}

/// Print how many images of each class a part has, and what always answering with the most frequent one achieves.
fn count(name: &str, data: &Dataset, out: Output) -> Value {
    let (images, classes) = (data.len(), data.classes.len());
    let classes = format!("{classes} {}", either(classes, "class", "classes"));
    out.say(format!("{name}: {}, {classes}{}", plural(images, "image"), shape(data)));
    let names: Vec<_> = data.classes.iter().map(|class| shown(class)).collect();
    let width = names.iter().map(|class| class.chars().count()).max().unwrap_or(0);
    let counts = data.class_counts();
    let share = |count: usize| count as f64 / data.len().max(1) as f64;
    for ((place, class), &count) in names.iter().enumerate().zip(&counts) {
        out.say(format!("  {place:>4} {class:width$} {count:>7}  {:5.1} %", 100.0 * share(count)));
    }
    let chance = share(counts.iter().copied().max().unwrap_or(0));
    out.say(format!("  chance level: {:.1} %", 100.0 * chance));
    json!({ "part": name, "images": data.len(), "classes": data.classes, "counts": counts, "chance": chance })
}

/// A sentence for each part that lacks images of some of its classes.
fn classes_missing(parts: &[(&'static str, &Dataset)]) -> Vec<String> {
    let sentence = |(name, data): &(&'static str, &Dataset)| {
        let counts = data.class_counts();
        let without = data.classes.iter().zip(counts).filter(|(_, count)| *count == 0);
        let names: Vec<&str> = without.map(|(class, _)| class.as_str()).collect();
        (!names.is_empty()).then(|| format!("{name} has no image of {}", shown(&names.join(", "))))
    };
    parts.iter().filter_map(sentence).collect()
}

fn remark(remark: &Remark) -> Value {
    json!({ "kind": remark.kind(), "text": remark.to_string(), "warning": remark.is_warning() })
}

/// Every set of equal images, and how many of each kind there are.
fn copies_json(copies: &Copies) -> Value {
    let set = |set: &Vec<Copy>| -> Value {
        let image = |copy: &Copy| json!({ "part": copies.parts[copy.part], "label": copy.label, "path": output::path(&copy.path) });
        set.iter().map(image).collect()
    };
    let pairs = (1..copies.parts.len()).flat_map(|b| (0..b).map(move |a| (a, b)));
    let across = pairs.map(|(a, b)| {
        let count = copies.shared(a, b).count();
        json!({ "parts": [copies.parts[a], copies.parts[b]], "images": count })
    });
    json!({
        "within": copies.within(),
        "across_classes": copies.contradictions().count(),
        "across_parts": across.collect::<Vec<Value>>(),
        "sets": copies.sets.iter().map(set).collect::<Vec<Value>>(),
    })
}

fn shape(data: &Dataset) -> String {
    data.native_size()
        .map(|(height, width, channels)| format!(", each [{channels}, {height}, {width}]"))
        .unwrap_or_default()
}

/// `count` images in random order, titled with their labels; and the first one's label.
pub fn grid(data: &Dataset, count: usize, seed: u64, depth: Depth) -> Result<(Picture, u32), CliError> {
    let order = Rng::new(seed, Stream::Shuffle, 0, 0).permutation(data.len());
    let mut cells = Vec::new();
    for &place in order.iter().take(count) {
        let image = data.image_as(place as usize, depth)?;
        let label = data.labels[place as usize];
        cells.push(GridCell {
            title: format!("{label} {}", data.classes[label as usize]),
            height: image.height,
            width: image.width,
            channels: image.channels,
            pixels: image.pixels,
        });
    }
    let columns = (cells.len() as f64).sqrt().ceil() as usize;
    let first = order.first().map_or(0, |&place| data.labels[place as usize]);
    let columns = columns.max(cells.len().min(4));
    let grid = ImageGrid { title: "", subtitle: "", cells: &cells, columns, cell_size: 140 };
    Ok((grid.draw(Look::SCREEN)?, first))
}
