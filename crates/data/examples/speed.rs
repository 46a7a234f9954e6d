//! How many images a second the loader makes ready for training.
//!
//! `cargo run --release -p wellfit-data --example speed FOLDER [WORKERS] [EPOCHS]`, where FOLDER has a sub-folder for
//! each class. `benches/peers/loader.py` measures torchvision and torch in the same way: resize to 224², both
//! flips, batches of 32; the median of the epochs after a first one. Nothing is cached.

use std::error::Error;
use std::path::Path;
use std::time::Instant;
use wellfit_data::{Loader, LoaderOptions, OpenOptions, Transform, open};

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let folder = words.next().ok_or("usage: speed FOLDER [WORKERS] [EPOCHS]")?;
    let workers = words.next().map_or(Ok(2), |word| word.parse())?;
    let epochs: u32 = words.next().map_or(Ok(5), |word| word.parse())?;

    let splits = open(&folder, &OpenOptions::default(), &|_| ())
        .map_err(|error| format!("{}: {error}", Path::new(&folder).display()))?;
    let images = splits.train.len();
    let transform = Transform { hflip: true, vflip: true, ..Transform::imagenet((224, 224)) };
    let options = LoaderOptions { workers, shuffle: true, augment: true, ..LoaderOptions::default() };
    let loader = Loader::new(splits.train, transform, options)?;

    let mut rates = Vec::new();
    for epoch in 0..=epochs {
        let start = Instant::now();
        loader.epoch(epoch).try_for_each(|batch| batch.map(drop))?;
        rates.push(images as f64 / start.elapsed().as_secs_f64());
    }
    rates.remove(0);
    let list: Vec<String> = rates.iter().map(|rate| format!("{rate:.1}")).collect();
    rates.sort_by(f64::total_cmp);
    let median = rates.get(rates.len() / 2).ok_or("at least one epoch is needed")?;
    let epochs = list.join(", ");
    println!(
        r#"{{"what": "wellfit", "workers": {workers}, "images": {images}, "images_per_second": {median:.1}, "epochs": [{epochs}]}}"#
    );
    Ok(())
}
