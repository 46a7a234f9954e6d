//! Open a dataset, split it, and look at a batch.

use wellfit::data::{Augmentations, Loader, LoaderOptions, OpenOptions, Preprocessing, open, stratified};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let splits = open("sample", &OpenOptions::default(), &|_| ())?;
    let (train, val) = stratified(&splits.train.labels, splits.train.classes.len(), 0.2, 0)?;
    println!("{} to train on, {} to choose by", train.len(), val.len());

    let (mean, std) = (vec![0.286], vec![0.353]);
    let preprocessing = Preprocessing::new((28, 28), 1, mean, std);
    let augmentations = Augmentations::named(["horizontal_flip"])?;
    let options = LoaderOptions { batch_size: 4, shuffle: true, ..LoaderOptions::default() };
    let loader = Loader::new(splits.train.subset(&train), preprocessing, augmentations, options)?;
    if let Some(batch) = loader.epoch(0).next().transpose()? {
        println!("a batch of shape {:?} with labels {:?}", batch.shape, batch.labels);
    }
    Ok(())
}
