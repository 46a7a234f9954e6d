//! `wellfit evaluate`: loss and accuracy of a run's best weights.

use crate::args::EvaluateArgs;
use crate::commands::int8;
use crate::config::batch_size;
use crate::error::CliError;
use crate::opening::source;
use crate::output::{self, Output, number};
use crate::progress::Progress;
use serde_json::{Value, json};
use wellfit::run::{Classifier, Validation};

/// Run the command.
pub fn run(args: &EvaluateArgs, out: Output) -> Result<(), CliError> {
    batch_size(args.batch_size)?;
    int8::check(&args.numbers, &args.device)?;
    let engine = super::engine(&args.device)?;
    let mut progress = Progress::new(out, false);
    let opened = Classifier::open_with(&args.run, &args.file.hints()?, &mut progress)?.on(engine);
    let floats = int8::stored(opened, &args.numbers);
    let source = source(&args.data, args.data_dir.as_deref(), Validation::Split);
    let splits = source.open_to_test(args.skip_bad, &mut progress)?;
    let (part, data) = match (splits.test, splits.val) {
        (Some(test), _) => ("test", test),
        (None, Some(val)) => ("val", val),
        (None, None) => ("all", splits.train),
    };
    let quantised = int8::quantised(&floats, &args.run, &args.numbers, &mut progress)?;
    let classifier = quantised.as_ref().unwrap_or(&floats);
    let found = classifier.evaluate(&data, args.batch_size, &mut ())?;
    out.say(format!("{} ({part}, {} images)", splits.name, found.images));
    out.say(format!("Loss: {:.4}, Acc: {:.2}", found.loss, 100.0 * found.accuracy));
    let width = data.classes.iter().map(|class| class.chars().count()).max().unwrap_or(0);
    let mut per_class: Vec<Value> = Vec::new();
    for (class, &(count, right)) in data.classes.iter().zip(&found.classes) {
        let share = right as f64 / count as f64;
        out.say(format!("  {class:width$}  {right:>6} of {count:<6} {:6.2} %", 100.0 * share));
        per_class.push(json!({ "class": class, "images": count, "accuracy": number(share) }));
    }
    let mut result = json!({
        "run": output::path(&args.run),
        "part": part,
        "precision": int8::name(classifier, &args.device),
        "images": found.images,
        "loss": number(found.loss),
        "accuracy": number(found.accuracy),
        "classes": per_class,
    });
    if quantised.is_some() {
        let before = floats.evaluate(&data, args.batch_size, &mut ())?;
        result["f32"] = int8::cost(&before, &found, out);
    }
    out.result(&result);
    Ok(())
}
