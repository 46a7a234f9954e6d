//! `wellfit data show`: shapes, class counts, a labelled picture grid, suspicious files.

use crate::args::ShowArgs;
use crate::config::require;
use crate::error::CliError;
use crate::opening::{open_data, source};
use crate::output::{self, Output};
use serde_json::{Value, json};
use std::path::PathBuf;
use wellfit::data::{Dataset, Splits};
use wellfit::plot::{GridCell, ImageGrid, Look, Picture};
use wellfit::rng::{Rng, Stream};
use wellfit::run::{Options, Validation, augmentation_sheet};

/// Run the command.
pub fn run(args: &ShowArgs, out: Output) -> Result<(), CliError> {
    require(args.images > 0, || "--images must be at least 1".to_owned())?;
    let splits = open_data(&args.data, args.data_dir.as_deref(), true, out)?;
    let path = args.out.clone().unwrap_or_else(|| PathBuf::from(format!("{}-images.png", splits.name)));
    if path.exists() && !args.force {
        return Err(CliError::Output(format!("{} exists: give --force or another --out", path.display())));
    }
    let named =
        [("train", Some(&splits.train)), ("val", splits.val.as_ref()), ("test", splits.test.as_ref())];
    let mut parts: Vec<Value> = Vec::new();
    for (name, data) in named.into_iter().filter_map(|(name, data)| data.map(|data| (name, data))) {
        out.say(format!("{name}: {} images, {} classes{}", data.len(), data.classes.len(), shape(data)));
        let width = data.classes.iter().map(|class| class.chars().count()).max().unwrap_or(0);
        let counts = data.class_counts();
        for ((place, class), count) in data.classes.iter().enumerate().zip(&counts) {
            let share = 100.0 * *count as f64 / data.len() as f64;
            out.say(format!("  {place:>4} {class:width$} {count:>7}  {share:5.1} %"));
        }
        parts.push(json!({ "part": name, "images": data.len(), "classes": data.classes, "counts": counts }));
    }
    out.say(format!("suspicious files: {}", splits.skipped.len()));
    let (picture, first) = grid(&splits.train, args.images, args.seed)?;
    if let Some((height, width, channels)) = splits.train.native_size() {
        let batch = args.images.min(splits.train.len());
        out.say(format!("a batch: shape [{batch}, {channels}, {height}, {width}]"));
        out.say(format!("an image: shape [{channels}, {height}, {width}], label {first}"));
    }
    let picture = if args.augmented { augmented(&splits, args)? } else { picture };
    picture.save_png(&path)?;
    out.say(format!("Picture: {}", path.display()));
    let suspicious: Vec<Value> = splits
        .skipped
        .iter()
        .map(|file| json!({ "path": output::path(&file.path), "reason": file.reason }))
        .collect();
    out.result(&json!({ "name": splits.name, "parts": parts, "suspicious": suspicious, "picture": output::path(&path) }));
    Ok(())
}

/// The training images as a run with the settings of `train` sees them.
fn augmented(splits: &Splits, args: &ShowArgs) -> Result<Picture, CliError> {
    let kind = source(&args.data, args.data_dir.as_deref(), Validation::Split).kind(&splits.train);
    let spec = Options { seed: Some(args.seed), ..Options::default() }.decide(kind)?;
    Ok(augmentation_sheet(&spec, &splits.train, &splits.name, args.images, Look::SCREEN)?)
}

fn shape(data: &Dataset) -> String {
    data.native_size()
        .map(|(height, width, channels)| format!(", each [{channels}, {height}, {width}]"))
        .unwrap_or_default()
}

/// `count` images in random order, titled with their labels; and the first one's label.
pub fn grid(data: &Dataset, count: usize, seed: u64) -> Result<(Picture, u32), CliError> {
    let order = Rng::new(seed, Stream::Shuffle, 0, 0).permutation(data.len());
    let mut cells = Vec::new();
    for &place in order.iter().take(count) {
        let image = data.image(place as usize)?;
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
