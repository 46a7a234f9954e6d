//! `wellfit export`: a network's weights for PyTorch, timm or onnxruntime.

use crate::args::{ExportArgs, ExportFormat};
use crate::commands::folder::write;
use crate::commands::{export_curves, int8};
use crate::config::require;
use crate::error::CliError;
use crate::output::{self, Output};
use crate::progress::Progress;
use serde_json::json;
use std::path::{Path, PathBuf};
use wellfit::base::{Shown, file};
use wellfit::models::Network;
use wellfit::run::{CONFIG, Classifier, weight_file, weights_name};
use wellfit::train::Description;
use wellfit::weights::{to_pth_bytes, to_safetensors_bytes};

/// Run the command.
pub fn run(args: &ExportArgs, out: Output) -> Result<(), CliError> {
    if let Some(format) = args.format.filter(|format| WeightFormat::of(*format).is_none()) {
        require(!args.int8, || "--int8 is of weights: give no --format with it".to_owned())?;
        return export_curves::run(args, format, out);
    }
    let mut progress = Progress::new(out, false);
    let classifier = Classifier::open_with(&args.run, &args.file.hints()?, &mut progress)?;
    classifier.refuse_ensemble("a file")?;
    let directory = args.out.clone().unwrap_or_else(|| default_directory(&args.run));
    let format = match args.format.and_then(WeightFormat::of) {
        Some(format) if !args.int8 => format,
        _ => {
            let exported = int8::export(&classifier, args, &mut progress)?;
            let weights = directory.join(int8::FILE);
            write(&directory, &[(&weights, &exported.bytes)], args.force)?;
            out.say(format!(
                "{} for {} classes in int8: {}",
                classifier.network.name,
                classifier.classes.len(),
                weights.shown()
            ));
            out.say(exported.sentence());
            out.result(&int8::value(&exported, &classifier, &weights));
            return Ok(());
        }
    };
    require(classifier.int8().is_none(), || {
        format!("{} is in int8: give the run it was made from", args.run.shown())
    })?;
    let (network, description) = (&classifier.network, classifier.description());
    let weights = directory.join(name(format));
    let config = directory.join(CONFIG);
    let (about, bytes) =
        (description.timm_config(network).into_bytes(), bytes(format, network, &description)?);
    refuse_others(&directory, format, &config, &about)?;
    let replaced = write(&directory, &[(&config, &about), (&weights, &bytes)], args.force)?;
    if replaced {
        warn_of_others(&directory, format, out);
    }
    out.say(format!("{} for {} classes: {}", network.name, description.classes.len(), weights.shown()));
    out.say(format!("Class names and preprocessing: {}", config.shown()));
    out.result(&json!({
        "model": network.name,
        "classes": description.classes,
        "format": format.extension(),
        "weights": output::path(&weights),
        "config": output::path(&config),
    }));
    Ok(())
}

/// `export` in the run or beside a weight file; an exported directory itself.
fn default_directory(run: &Path) -> PathBuf {
    match weight_file(run) {
        // A named one lies in a cache.
        None if matches!(weights_name(run), Ok(Some(_))) => PathBuf::from("export"),
        Some(file) if file == run => run.with_file_name("export"),
        Some(_) => run.to_owned(),
        None => run.join("export"),
    }
}

/// The kinds of weight files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WeightFormat {
    Safetensors,
    Pth,
    Onnx,
}

impl WeightFormat {
    const ALL: [Self; 3] = [Self::Safetensors, Self::Pth, Self::Onnx];

    /// That of the option; none of a file of curves.
    fn of(format: ExportFormat) -> Option<Self> {
        match format {
            ExportFormat::Safetensors => Some(Self::Safetensors),
            ExportFormat::Pth => Some(Self::Pth),
            ExportFormat::Onnx => Some(Self::Onnx),
            ExportFormat::Tensorboard | ExportFormat::Csv | ExportFormat::Jsonl => None,
        }
    }

    fn extension(self) -> &'static str {
        match self {
            Self::Safetensors => "safetensors",
            Self::Pth => "pth",
            Self::Onnx => "onnx",
        }
    }
}

fn name(format: WeightFormat) -> String {
    format!("model.{}", format.extension())
}

fn bytes(format: WeightFormat, network: &Network, description: &Description) -> Result<Vec<u8>, CliError> {
    let encoded = match format {
        WeightFormat::Safetensors => to_safetensors_bytes(&description.weight_file(network)),
        WeightFormat::Pth => to_pth_bytes(&description.weight_file(network)),
        WeightFormat::Onnx => Ok(network.to_onnx(&description.metadata())),
    };
    encoded.map_err(|fault| CliError::Model(fault.to_string()))
}

/// A `config.json` describes every weight file beside it, so a new one is refused where others stay that it is not of.
fn refuse_others(
    directory: &Path,
    written: WeightFormat,
    config: &Path,
    about: &[u8],
) -> Result<(), CliError> {
    let same = || file::read(config, about.len() as u64).is_ok_and(|there| there == about);
    match others(directory, written).next() {
        Some(other) if file::may_exist(config) && !same() => Err(CliError::Output(format!(
            "{} is of an earlier export, with other classes or another preprocessing than the new {} says: remove it, \
             or give another --out",
            other.shown(),
            config.shown()
        ))),
        _ => Ok(()),
    }
}

fn others(directory: &Path, written: WeightFormat) -> impl Iterator<Item = PathBuf> {
    let others = WeightFormat::ALL.into_iter().filter(move |format| *format != written);
    others.map(move |format| directory.join(name(format))).filter(|path| file::may_exist(path))
}

/// What an exported folder should hold by its run, compared byte by byte; nothing for files that are no export's.
pub fn differences(classifier: &Classifier, directory: &Path) -> Result<Vec<(PathBuf, bool)>, CliError> {
    let (network, description) = (&classifier.network, classifier.description());
    let mut files = vec![(directory.join(CONFIG), description.timm_config(network).into_bytes())];
    for format in WeightFormat::ALL {
        files.push((directory.join(name(format)), bytes(format, network, &description)?));
    }
    let there = files.into_iter().filter(|(path, _)| path.exists());
    Ok(there
        .map(|(path, expected)| {
            let same = file::read(&path, expected.len() as u64).is_ok_and(|found| found == expected);
            (path, same)
        })
        .collect())
}

/// The formats of an earlier export that were not replaced with it.
fn warn_of_others(directory: &Path, written: WeightFormat, out: Output) {
    for path in others(directory, written) {
        out.warn(format!("{} is of an earlier export and stays as it was", path.shown()));
    }
}
