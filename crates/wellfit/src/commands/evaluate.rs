//! `wellfit evaluate`: loss and accuracy of a run's best weights.

use crate::args::EvaluateArgs;
use crate::config::batch_size;
use crate::error::CliError;
use crate::inference::Classifier;
use crate::opening::open_data;
use crate::output::{self, Output, number};
use serde_json::{Value, json};
use wellfit::data::{Augmentations, DataError, Loader, LoaderOptions};
use wellfit::gpu::Device;
use wellfit::kernels::loss::{CrossEntropy, argmax};
use wellfit::train::evaluate;

/// Run the command.
pub fn run(args: &EvaluateArgs, out: Output) -> Result<(), CliError> {
    batch_size(args.batch_size)?;
    let device: Device =
        args.device.parse().map_err(|error| CliError::Usage(format!("--device {}: {error}", args.device)))?;
    let engine = wellfit::gpu::open(device)?;
    let classifier = Classifier::open(&args.run, &args.file, out)?;
    let splits = open_data(&args.data, args.data_dir.as_deref(), args.skip_bad, out)?;
    let (part, data) = match (splits.test, splits.val) {
        (Some(test), _) => ("test", test),
        (None, Some(val)) => ("val", val),
        (None, None) => ("all", splits.train),
    };
    if data.classes != classifier.classes {
        return Err(CliError::Data(DataError::Invalid(format!(
            "{} has the classes {}, but {} was trained on {}: give data with the same classes",
            args.data,
            data.classes.join(", "),
            args.run.display(),
            classifier.classes.join(", "),
        ))));
    }
    let (labels, classes) = (data.class_counts(), data.classes.clone());
    let options = LoaderOptions { batch_size: args.batch_size, ..LoaderOptions::default() };
    let loader = Loader::new(data, classifier.transform.clone(), Augmentations::none(), options)?;
    let (network, outputs) = (&classifier.network, classes.len());
    let mut correct = vec![0_usize; outputs];
    let loss = CrossEntropy::default();
    let average = evaluate(&*engine, network, &loader, &loss, 0, &mut (), |logits, labels| {
        for (row, &label) in logits.chunks_exact(outputs).zip(labels) {
            correct[label as usize] += usize::from(argmax(row) == label as usize);
        }
    })?;
    let images: usize = labels.iter().sum();
    out.say(format!("{} ({part}, {images} images)", splits.name));
    out.say(format!("Loss: {:.4}, Acc: {:.2}", average.loss(), 100.0 * average.accuracy()));
    let width = classes.iter().map(|class| class.chars().count()).max().unwrap_or(0);
    let mut per_class: Vec<Value> = Vec::new();
    for ((class, &count), &right) in classes.iter().zip(&labels).zip(&correct) {
        let share = right as f64 / count as f64;
        out.say(format!("  {class:width$}  {right:>6} of {count:<6} {:6.2} %", 100.0 * share));
        per_class.push(json!({ "class": class, "images": count, "accuracy": number(share) }));
    }
    out.result(&json!({
        "run": output::path(&args.run),
        "part": part,
        "images": images,
        "loss": number(average.loss()),
        "accuracy": number(average.accuracy()),
        "classes": per_class,
    }));
    Ok(())
}
