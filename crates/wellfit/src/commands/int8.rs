//! `--precision` of `evaluate` and `predict`, and `export --int8`: in what numbers a trained network is computed.

use crate::args::{ExportArgs, ExportFormat, FileArgs, NumberArgs, ServingPrecision, Tta};
use crate::config::require;
use crate::error::CliError;
use crate::output::{self, Output, number};
use crate::progress::Progress;
use serde_json::{Value, json};
use std::path::Path;
use wellfit::base::Shown;
use wellfit::models::Precision;
use wellfit::run::figures::{bytes, loss, percent};
use wellfit::run::{Classifier, DataSource, Evaluation, Paired, training_images};
use wellfit::weights::to_safetensors_bytes;

/// The name of the file beside those of `export --format`.
pub const FILE: &str = "model-int8.safetensors";

/// Refuse what cannot be before anything is read.
pub fn check(numbers: &NumberArgs, device: &str) -> Result<(), CliError> {
    let precision = numbers.precision.unwrap_or(ServingPrecision::F32);
    require(precision == ServingPrecision::F32 || device == "cpu", || {
        format!("--precision {precision} is computed on the cpu, not on --device {device}")
    })?;
    require(precision == ServingPrecision::Int8 || numbers.calibrate.is_none(), || {
        "--calibrate belongs to --precision int8".to_owned()
    })
}

/// What `run` names, computed on `device` in the numbers and views that were asked for.
pub fn classifier(
    run: &Path,
    file: &FileArgs,
    numbers: &NumberArgs,
    device: &str,
    progress: &mut Progress,
) -> Result<Classifier, CliError> {
    let engine = super::engine(device)?;
    let opened = Classifier::open_with(run, &file.hints()?, progress)?.on(engine);
    let floats = stored(opened, numbers);
    Ok(quantised(&floats, run, numbers, progress)?.unwrap_or(floats))
}

/// The classifier with test-time augmentation and values that are stored as asked; before it is quantised, as f32.
pub fn stored(classifier: Classifier, numbers: &NumberArgs) -> Classifier {
    let classifier = augmented(classifier, numbers);
    match numbers.precision {
        None => classifier,
        Some(precision) => classifier.with_precision(precision.resolve().unwrap_or(Precision::F32)),
    }
}

/// The name of the numbers that a classifier is computed in.
pub fn name(classifier: &Classifier, device: &str) -> &'static str {
    match classifier.int8() {
        Some(_) => ServingPrecision::Int8.name(),
        None if device == "cpu" => classifier.network.precision.name(),
        None => Precision::F32.name(),
    }
}

/// The classifier in 8-bit integers, if that is asked for and it is not; none if it stays as it is.
pub fn quantised(
    classifier: &Classifier,
    run: &Path,
    numbers: &NumberArgs,
    progress: &mut Progress,
) -> Result<Option<Classifier>, CliError> {
    let is = classifier.int8().is_some();
    let other = numbers.precision.filter(|&precision| precision != ServingPrecision::Int8);
    if let (true, Some(other)) = (is, other) {
        return Err(CliError::Usage(format!(
            "{} is in int8: leave --precision {other} out, or give the run it was made from",
            run.shown()
        )));
    }
    require(!(is && numbers.calibrate.is_some()), || {
        format!("{} is in int8 and calibrated: leave --calibrate out", run.shown())
    })?;
    if is || numbers.precision != Some(ServingPrecision::Int8) {
        return Ok(None);
    }
    let int8 = calibrated(classifier, run, numbers.calibrate.as_deref(), progress)?;
    Ok(Some(augmented(int8, numbers)))
}

/// The classifier with test-time augmentation, where it is asked for.
fn augmented(classifier: Classifier, numbers: &NumberArgs) -> Classifier {
    match numbers.tta {
        None => classifier,
        Some(Tta::Hflip) => classifier.mirrored(),
    }
}

fn calibrated(
    classifier: &Classifier,
    run: &Path,
    data: Option<&str>,
    progress: &mut Progress,
) -> Result<Classifier, CliError> {
    let given = data.map(DataSource::from);
    let images = training_images(run, given.as_ref(), classifier.preprocessing.depth, progress)?;
    Ok(classifier.quantise(&images, progress)?)
}

/// What an exported file is, besides its bytes.
pub struct Exported {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// How many bytes the weights take in f32.
    pub floats: usize,
}

/// The file of `export --int8`.
pub fn export(
    classifier: &Classifier,
    args: &ExportArgs,
    progress: &mut Progress,
) -> Result<Exported, CliError> {
    require(matches!(args.format, None | Some(ExportFormat::Safetensors)), || {
        "--int8 writes safetensors: leave --format out".to_owned()
    })?;
    require(classifier.int8().is_none(), || format!("{} is in int8 already", args.run.shown()))?;
    let floats = to_safetensors_bytes(&classifier.description().weight_file(&classifier.network));
    let floats = floats.map_err(|fault| CliError::Model(fault.to_string()))?.len();
    let quantised = calibrated(classifier, &args.run, args.calibrate.as_deref(), progress)?;
    let file = quantised.int8_file().unwrap_or_default();
    let bytes = to_safetensors_bytes(&file).map_err(|fault| CliError::Model(fault.to_string()))?;
    Ok(Exported { bytes, floats })
}

impl Exported {
    /// The sentence on its size.
    pub fn sentence(&self) -> String {
        let size = |n: usize| bytes(n as u64);
        let (int8, floats) = (self.bytes.len(), self.floats);
        let share = floats as f64 / int8 as f64;
        format!("{}, in f32 {}: {share:.1} times as small", size(int8), size(floats))
    }
}

/// Say what int8 costs, on the same images; give it for programs.
pub fn cost(floats: &Evaluation, int8: &Evaluation, out: Output) -> Value {
    let paired = Paired::new(&floats.right, &int8.right);
    let (difference, (low, high)) = (paired.difference(), paired.interval());
    let points = |share: f64| format!("{:+.2}", 100.0 * share);
    out.say(format!("In f32: Loss: {}, Acc: {}", loss(floats.loss), percent(floats.accuracy)));
    out.say(format!(
        "int8 less f32: {} points, 95 % interval {} to {} (Tango's score interval of paired answers: {} images right \
         in f32 only, {} in int8 only)",
        points(difference),
        points(low),
        points(high),
        paired.first_only,
        paired.second_only
    ));
    json!({
        "loss": number(floats.loss),
        "accuracy": number(floats.accuracy),
        "difference": number(difference),
        "interval_95": [number(low), number(high)],
        "right_in_f32_only": paired.first_only,
        "right_in_int8_only": paired.second_only,
    })
}

/// The result of `export --int8` for programs.
pub fn value(exported: &Exported, classifier: &Classifier, path: &Path) -> Value {
    json!({
        "model": classifier.network.name,
        "classes": classifier.classes,
        "format": "safetensors",
        "precision": "int8",
        "weights": output::path(path),
        "bytes": exported.bytes.len(),
        "bytes_in_f32": exported.floats,
    })
}
