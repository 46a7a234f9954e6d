//! `wellfit export`: a network's weights for PyTorch, timm or onnxruntime.

use crate::args::{ExportArgs, ExportFormat};
use crate::error::CliError;
use crate::output::{self, Output};
use crate::progress::Progress;
use clap::ValueEnum;
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use wellfit::base::file;
use wellfit::models::Network;
use wellfit::run::{CONFIG, Classifier, weight_file};
use wellfit::train::Description;
use wellfit::weights::{to_pth_bytes, to_safetensors_bytes, write_bytes};

/// Run the command.
pub fn run(args: &ExportArgs, out: Output) -> Result<(), CliError> {
    let classifier = Classifier::open_with(&args.run, &args.file.hints(), &mut Progress::new(out, false))?;
    let (network, description) = (&classifier.network, classifier.description());
    let directory = args.out.clone().unwrap_or_else(|| default_directory(&args.run));
    let weights = directory.join(name(args.format));
    let config = directory.join(CONFIG);
    let files = [
        (&config, description.timm_config(network).into_bytes()),
        (&weights, bytes(args.format, network, &description)?),
    ];

    let replaced = changed(&files)?;
    if let Some(path) = replaced.filter(|_| !args.force) {
        let problem = format!("{} exists with other content: give --force or another --out", path.display());
        return Err(CliError::Output(problem));
    }
    fs::create_dir_all(&directory).map_err(CliError::write(directory.clone()))?;
    for (path, bytes) in &files {
        write_bytes(path, bytes).map_err(|error| CliError::Output(error.to_string()))?;
    }
    if replaced.is_some() {
        warn_of_others(&directory, args.format, out);
    }
    out.say(format!("{} for {} classes: {}", network.name, description.classes.len(), weights.display()));
    out.say(format!("Class names and preprocessing: {}", config.display()));
    out.result(&json!({
        "model": network.name,
        "classes": description.classes,
        "format": extension(args.format),
        "weights": output::path(&weights),
        "config": output::path(&config),
    }));
    Ok(())
}

/// `export` in the run or beside a weight file; an exported directory itself.
fn default_directory(run: &Path) -> PathBuf {
    match weight_file(run) {
        Some(file) if file == run => run.with_file_name("export"),
        Some(_) => run.to_owned(),
        None => run.join("export"),
    }
}

fn extension(format: ExportFormat) -> String {
    format.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}

fn name(format: ExportFormat) -> String {
    format!("model.{}", extension(format))
}

fn bytes(format: ExportFormat, network: &Network, description: &Description) -> Result<Vec<u8>, CliError> {
    let encoded = match format {
        ExportFormat::Safetensors => to_safetensors_bytes(&description.weight_file(network)),
        ExportFormat::Pth => to_pth_bytes(&description.weight_file(network)),
        ExportFormat::Onnx => Ok(network.to_onnx(&description.metadata())),
    };
    encoded.map_err(|fault| CliError::Model(fault.to_string()))
}

/// The first file that is there with other content. Exports in several formats share one `config.json`.
fn changed<'a>(files: &[(&'a PathBuf, Vec<u8>)]) -> Result<Option<&'a Path>, CliError> {
    for (path, bytes) in files.iter().filter(|(path, _)| path.exists()) {
        let there = file::read_whole(path)
            .map_err(|cause| CliError::Output(format!("cannot read {}: {cause}", path.display())))?;
        if there != *bytes {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// The formats of an earlier export that were not replaced with it.
fn warn_of_others(directory: &Path, written: ExportFormat, out: Output) {
    let others = ExportFormat::value_variants().iter().filter(|format| **format != written);
    for path in others.map(|format| directory.join(name(*format))).filter(|path| path.exists()) {
        out.warn(format!("{} is of an earlier export and stays as it was", path.display()));
    }
}
