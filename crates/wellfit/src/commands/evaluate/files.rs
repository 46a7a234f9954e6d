//! What `--out` writes: `evaluation.json`, `predictions.csv` and pictures.

use crate::commands::folder;
use crate::error::CliError;
use serde_json::Value;
use std::path::{Path, PathBuf};
use wellfit::data::Dataset;
use wellfit::run::Answer;

/// Write the figures, the answers and the pictures, unless other files are there that `force` does not replace.
pub fn write(
    (directory, force): (&Path, bool),
    result: &Value,
    answers: &[Answer],
    data: &Dataset,
    classes: &[String],
    pictures: Vec<(String, Vec<u8>)>,
) -> Result<(), CliError> {
    let mut files = vec![
        ("evaluation.json".to_owned(), format!("{result:#}\n").into_bytes()),
        ("predictions.csv".to_owned(), rows(answers, data, classes)?),
    ];
    files.extend(pictures);
    let files: Vec<(PathBuf, Vec<u8>)> =
        files.into_iter().map(|(name, bytes)| (directory.join(name), bytes)).collect();
    let borrowed: Vec<(&PathBuf, &[u8])> = files.iter().map(|(path, bytes)| (path, &bytes[..])).collect();
    folder::write(directory, &borrowed, force).map(drop)
}

/// A row an image: its file (its place, where it has none), its class, the answer with its probability, the probability
/// of the class, and the loss.
fn rows(answers: &[Answer], data: &Dataset, classes: &[String]) -> Result<Vec<u8>, CliError> {
    let mut rows = csv::Writer::from_writer(Vec::new());
    let problem = |error: csv::Error| CliError::Output(format!("predictions.csv: {error}"));
    let head = ["image", "class", "predicted", "right", "probability", "probability_of_class", "loss"];
    rows.write_record(head).map_err(problem)?;
    let name = |class: u32| classes.get(class as usize).map_or("", String::as_str);
    for answer in answers {
        let place = answer.image.to_string();
        let image =
            data.path(answer.image).map_or(place.as_bytes(), |path| path.as_os_str().as_encoded_bytes());
        let [probability, of_class, loss] = [answer.probability, answer.of_class, answer.loss]
            .map(|value| format!("{value:.6}").into_bytes());
        let right = if answer.class == answer.predicted { "true" } else { "false" };
        let (class, predicted) = (name(answer.class).as_bytes(), name(answer.predicted).as_bytes());
        rows.write_record([image, class, predicted, right.as_bytes(), &probability, &of_class, &loss])
            .map_err(problem)?;
    }
    rows.into_inner().map_err(|error| CliError::Output(format!("predictions.csv: {error}")))
}
