//! `wellfit bench loader`: from image files to batches.

use super::memory::{peak_mib, peak_row};
use super::photos;
use super::samples::{Samples, timed, titles};
use crate::args::BenchArgs;
use crate::bar::Bar;
use crate::config::{MOST_THREADS, require};
use crate::error::CliError;
use crate::opening::open_data;
use crate::output::Output;
use serde_json::json;
use tempfile::TempDir;
use wellfit::data::{Augmentations, DataError, Depth, Loader, LoaderOptions, Need, Preprocessing};
use wellfit::run::DataSource;
use wellfit::simd::{InstructionSet, parallel};

/// Batches in an epoch of generated pictures.
const BATCHES: usize = 8;
/// More pictures than this take longer to make than to measure.
const MOST_PICTURES: usize = 10_000;

/// Run the command. An epoch is decoded, resized, flipped, normalised and thrown away.
pub fn run(args: &BenchArgs, out: Output) -> Result<(), CliError> {
    let (batch_size, size) = (args.batch_size.unwrap_or(32), args.image_size.unwrap_or(224));
    let (steps, workers) = (args.steps.unwrap_or(5), args.workers.unwrap_or(2));
    require(args.optimizer.is_none() && !args.profile && args.device == "cpu", || {
        "--optimizer, --device and --profile belong to networks; the loader trains nothing".to_owned()
    })?;
    require(workers <= MOST_THREADS, || format!("--workers must be at most {MOST_THREADS}, not {workers}"))?;
    let pictures = BATCHES * batch_size;
    require(args.data.is_some() || pictures <= MOST_PICTURES, || {
        format!("--batch-size {batch_size} needs {pictures} pictures: give a folder of them as --data")
    })?;
    let (_made, folder) = match &args.data {
        Some(folder) => (None, folder.clone()),
        None => generated(pictures as u32, out).map(|(made, name)| (Some(made), name))?,
    };
    let source = DataSource::from(folder.as_str());
    let images = open_data(&source, Need::Training, false, Depth::Clip, out)?.train;
    let count = images.len();
    let options = LoaderOptions {
        batch_size,
        shuffle: true,
        workers,
        prefetch: 2 * workers.max(1),
        ..LoaderOptions::default()
    };
    let flips = Augmentations::flips(true, true);
    let loader = Loader::new(images, Preprocessing::imagenet((size, size)), flips, options)?;
    out.say(format!(
        "loader, {count} images to batches of {batch_size} of {size}×{size} pixels: {steps} epochs after one to warm \
         up ({workers} workers)"
    ));
    epoch(&loader, 0)?;
    let mut rates = Vec::new();
    let mut bar = Bar::new(out, "Loading", "epochs", Some(steps.into()));
    for step in 1..=steps {
        let (seconds, done) = timed(|| epoch(&loader, step));
        done?;
        rates.push(count as f64 / seconds);
        bar.set(step.into());
    }
    drop(bar);
    let rates: Samples = rates.into_iter().collect();
    let peak = peak_mib();
    let rate = rates.row("images a second", |rate| format!("{rate:.1}"));
    let rows: Vec<_> = [titles(), rate].into_iter().chain(peak.map(peak_row)).collect();
    out.table(&rows, 1..4);
    out.result(&json!({
        "job": "loader",
        "train_step_s": null,
        "eval_forward_s": null,
        "images_per_s": rates.median(),
        "peak_rss_mib": peak,
        "threads": parallel::threads(),
        "path": InstructionSet::current().name(),
        "workers": workers,
        "images": count,
        "batch_size": batch_size,
        "image_size": size,
        "samples": { "images_per_s": rates.all() },
    }));
    Ok(())
}

fn epoch(loader: &Loader, epoch: u32) -> Result<(), DataError> {
    loader.epoch(epoch).try_for_each(|batch| batch.map(drop))
}

/// JPEG files in a folder that is gone with the first of the two.
fn generated(count: u32, out: Output) -> Result<(TempDir, String), CliError> {
    let folder = TempDir::new().map_err(CliError::write(std::env::temp_dir()))?;
    out.say(format!("Making {count} JPEG files of {}×{} pixels", photos::WIDTH, photos::HEIGHT));
    photos::write(folder.path(), count)?;
    let name = folder.path().to_string_lossy().into_owned();
    Ok((folder, name))
}
