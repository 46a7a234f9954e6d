//! `wellfit predict`: a ranked table of classes for each image.

use crate::args::PredictArgs;
use crate::config::require;
use crate::error::CliError;
use crate::inference::Classifier;
use crate::output::{self, Output};
use serde_json::{Value, json};
use wellfit::data::DataError;
use wellfit::images::decode_file;
use wellfit::kernels::loss::softmax;

/// Run the command.
pub fn run(args: &PredictArgs, out: Output) -> Result<(), CliError> {
    require(args.top > 0, || "--top must be at least 1".to_owned())?;
    let classifier = Classifier::open(&args.run, &args.file, out)?;
    let mut predictions: Vec<Value> = Vec::new();
    for path in &args.images {
        let logits = classifier.logits(&decode_file(path).map_err(DataError::from)?);
        let probabilities = softmax(&logits);
        let mut ranks: Vec<usize> = (0..probabilities.len()).collect();
        ranks.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
        ranks.truncate(args.top);
        out.say(format!("{}", path.display()));
        let width = ranks.iter().map(|&rank| classifier.classes[rank].chars().count()).max().unwrap_or(0);
        for (place, &class) in ranks.iter().enumerate() {
            let share = 100.0 * probabilities[class];
            out.say(format!("{:>4}. {:width$}  {share:6.2} %", place + 1, classifier.classes[class]));
        }
        let top: Vec<Value> = ranks
            .iter()
            .map(|&class| json!({ "class": classifier.classes[class], "probability": probabilities[class] }))
            .collect();
        predictions.push(json!({ "image": output::path(path), "top": top, "logits": logits }));
    }
    out.result(&json!({ "predictions": predictions }));
    Ok(())
}
