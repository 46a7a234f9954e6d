//! Train on the built-in sample of Fashion-MNIST, evaluate on its test part, and look at one prediction.

use wellfit::data::{OpenOptions, open};
use wellfit::run::{Classifier, RunSpec, train};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let spec = RunSpec { model: "mlp-bn".to_owned(), epochs: 3, ..RunSpec::for_sample() };
    let run = train(&spec, &"sample".into(), &folder.path().join("run").as_path().into(), &mut ())?;
    println!("epoch {} is the best: {:.1} % right", run.best.epoch, 100.0 * run.best.val_accuracy());

    let classifier = Classifier::open(&run.run)?;
    let splits = open("sample", &OpenOptions::default(), &|_| ())?;
    let test = splits.test.ok_or("the sample has a test part")?;
    let found = classifier.evaluate(&test, 100, &mut ())?;
    println!("{} test images: loss {:.3}, {:.1} % right", found.images, found.loss, 100.0 * found.accuracy);

    let predictions = classifier.predict(&[test.image(0)?])?;
    let (class, probability) = predictions[0].ranks()[0];
    let label = test.labels[0] as usize;
    println!(
        "the first is {}, taken for {} with probability {probability:.2}",
        classifier.classes[label], classifier.classes[class]
    );
    Ok(())
}
