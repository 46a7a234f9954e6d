//! `wellfit train`: from a folder to a run with plots and the best weights.

use crate::args::{OptimizerName, TrainArgs};
use crate::config::{self, TrainConfig, require};
use crate::error::CliError;
use crate::inference::weight_file;
use crate::labs::{command_line, start_event};
use crate::opening::{open_data, pixel_statistics};
use crate::output::{self, Output, number};
use crate::progress::{Progress, duration};
use serde_json::json;
use std::path::Path;
use wellfit::data::{DataError, Dataset, Loader, LoaderOptions, Splits, Transform, stratified};
use wellfit::models::{Network, Shape, build};
use wellfit::policy::{early_stopping_precludes_plateau, epochs_at_lowered_rate};
use wellfit::record::{DataInfo, EpochRecord, ModelInfo, RunInfo, RunWriter, now};
use wellfit::report::{Chart, Mark, accuracy_chart, loss_chart};
use wellfit::train::{Outcome, fit, model_file, model_metadata};
use wellfit::weights::write_safetensors;

/// What a run without `val/` validates on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validation {
    /// A part of the training images.
    Split,
    /// `test/`, as the chapter does.
    Test,
}

/// Images to train on, to choose by, and to judge by in the end.
struct Parts {
    name: String,
    train: Dataset,
    validation: Dataset,
    test: Option<Dataset>,
}

/// Run the command.
pub fn run(args: &TrainArgs, validation: Validation, out: Output) -> Result<(), CliError> {
    let options = config::merged(args)?;
    // What can be refused without the data is refused before they are read.
    config::resolve(options.clone(), &args.data, None)?;
    let splits = open_data(&args.data, args.data_dir.as_deref(), options.skip_bad.unwrap_or(false), out)?;
    let config = config::resolve(options, &args.data, splits.train.native_size())?;
    let parts = divide(splits, &config, validation, out)?;
    let transform = transform(&config, &parts.train)?;
    let network = network(&config, &transform, parts.train.classes.len(), out)?;
    describe(&network, &config, &parts, out);
    warn_of_clashes(&config, &network, &parts, out)?;
    let options = LoaderOptions {
        batch_size: config.batch_size,
        shuffle: true,
        augment: config.hflip || config.vflip,
        seed: config.seed,
        workers: config.workers,
        prefetch: 2 * config.workers.max(1),
        merge_last_single: true,
    };
    let plain = LoaderOptions { shuffle: false, augment: false, merge_last_single: false, ..options.clone() };
    let train = Loader::new(parts.train.clone(), transform.clone(), options)?;
    let val = Loader::new(parts.validation.clone(), transform.clone(), plain)?;

    let hint = format!("{}-{}", parts.name, config.model);
    let mut run = RunWriter::create(args.out.out.as_deref(), &hint, args.out.force)?;
    let info = run_info(&run, &config, &parts, &transform, &network)?;
    run.write_run_toml(&info)?;
    run.event(&start_event())?;
    out.say(format!("Run: {}", run.path().display()));
    let fit_config = config.fit(train.batches(), model_metadata(&info))?;
    let mut progress = Progress::new(out, config.patience, args.verbose);
    let result = fit(network, (&train, &val), &fit_config, &mut run, &mut progress);
    let outcome = match result {
        Ok(outcome) => outcome,
        Err(error) => {
            out.say(format!("The run so far is in {}", run.path().display()));
            return Err(error.into());
        }
    };
    finish(&run, &config, &outcome, &info, out)?;
    if parts.test.is_some() && validation == Validation::Split {
        out.say(format!("test/ is untouched: wellfit evaluate {} {}", run.path().display(), args.data));
    }
    Ok(())
}

fn divide(
    splits: Splits,
    config: &TrainConfig,
    validation: Validation,
    out: Output,
) -> Result<Parts, CliError> {
    let Splits { name, train, val, test, .. } = splits;
    if validation == Validation::Test {
        let Some(test) = test else {
            let problem =
                "lab transfer validates on test/, which these data do not have: use `wellfit train`";
            return Err(CliError::Data(DataError::Invalid(problem.to_owned())));
        };
        out.say(
            "Note: test/ decides which epoch is best here, as in the chapter, so its figures are optimistic. \
             `wellfit train` keeps test/ for the end.",
        );
        return Ok(Parts { name, train, validation: test, test: None });
    }
    if let Some(validation) = val {
        return Ok(Parts { name, train, validation, test });
    }
    let (kept, apart) = stratified(&train.labels, train.classes.len(), config.val_split, config.seed)?;
    Ok(Parts { name, train: train.subset(&kept), validation: train.subset(&apart), test })
}

/// ImageNet's statistics for image folders, the training set's own for IDX data.
fn transform(config: &TrainConfig, train: &Dataset) -> Result<Transform, CliError> {
    let size = (config.image_size, config.image_size);
    let flips = |transform| Transform { hflip: config.hflip, vflip: config.vflip, ..transform };
    let Some((height, width, channels)) = train.native_size() else {
        return Ok(flips(Transform::imagenet(size)));
    };
    // torchvision's ResNets read colour; the small networks read what the data have.
    let channels = if config.model == "resnet20" || config.model.starts_with("mlp") { channels } else { 3 };
    let own = config.image_size == height.max(width);
    let size = if own { (height, width) } else { size };
    let (mean, std) = pixel_statistics(train)?;
    Ok(flips(Transform {
        size,
        channels,
        hflip: false,
        vflip: false,
        mean: vec![mean; channels],
        std: vec![std; channels],
    }))
}

fn network(
    config: &TrainConfig,
    transform: &Transform,
    classes: usize,
    out: Output,
) -> Result<Network, CliError> {
    let input = Shape::image(transform.size.0, transform.size.1, transform.channels);
    let mut network = build(&config.model, input, classes)?;
    network.initialise(config.seed);
    if let Some(path) = &config.weights {
        let path = &weight_file(path).unwrap_or_else(|| path.clone());
        let file = wellfit::weights::read(path)?;
        let loaded = network.load(&file, true).map_err(|error| CliError::weights(path, &error))?;
        out.say(format!("Weights from {}", path.display()));
        if let Some(theirs) = loaded.replaced_head {
            out.say(format!("Their head has {theirs} classes: replaced by a new one with {classes}"));
        }
    } else if config.freeze {
        out.warn("--freeze without --weights trains a head on random features");
    }
    if config.freeze {
        network.freeze_backbone();
    }
    Ok(network)
}

fn describe(network: &Network, config: &TrainConfig, parts: &Parts, out: Output) {
    out.say("Computation device: cpu");
    out.say(network.summary());
    let test = parts.test.as_ref().map_or(String::new(), |test| format!(", {} test images", test.len()));
    out.say(format!(
        "{}: {} training, {} validation{test}, {} classes",
        parts.name,
        parts.train.len(),
        parts.validation.len(),
        parts.train.classes.len()
    ));
    if config.lr_scheduler {
        out.say("INFO: Initializing learning rate scheduler");
    }
    if config.early_stopping {
        out.say("INFO: Initializing early stopping");
    }
}

fn warn_of_clashes(
    config: &TrainConfig,
    network: &Network,
    parts: &Parts,
    out: Output,
) -> Result<(), CliError> {
    let smallest = config.batch_size.min(parts.train.len());
    require(!network.has_batch_norm() || smallest > 1, || {
        format!("--batch-size {smallest}: BatchNorm cannot normalise a batch of one image; take 2 or more")
    })?;
    if config.lr_scheduler && config.early_stopping {
        let (stopping, plateau) = (config.early_stopping_config(), config.plateau());
        if early_stopping_precludes_plateau(&stopping, &plateau) {
            out.warn(format!(
                "with --patience {} and --lr-patience {}, early stopping ends a stalled run before the scheduler \
                 can lower the rate. Give early stopping more patience, such as --patience {}",
                config.patience,
                config.lr_patience,
                2 * config.lr_patience + 2
            ));
        } else if epochs_at_lowered_rate(&stopping, &plateau) == 0 {
            out.warn(
                "early stopping ends a stalled run at the very epoch in which the rate is first lowered",
            );
        }
    }
    if config.optimizer == OptimizerName::Sgd && config.lr < 0.005 && config.momentum == 0.0 {
        out.warn(format!("sgd with --lr {} learns slowly; 0.01 or more is usual", config.lr));
    }
    Ok(())
}

fn run_info(
    run: &RunWriter,
    config: &TrainConfig,
    parts: &Parts,
    transform: &Transform,
    network: &Network,
) -> Result<RunInfo, CliError> {
    let value = |value: Result<toml::Value, toml::ser::Error>| {
        value.map_err(|error| CliError::Output(format!("cannot write run.toml: {error}")))
    };
    Ok(RunInfo {
        name: run.name(),
        command: command_line(),
        created: now(),
        wellfit_version: env!("CARGO_PKG_VERSION").to_owned(),
        seed: config.seed,
        lr_scheduler: config.lr_scheduler,
        early_stopping: config.early_stopping,
        classes: parts.train.classes.clone(),
        data: DataInfo {
            name: parts.name.clone(),
            fingerprint: parts.train.fingerprint(),
            train: parts.train.len() as u64,
            val: parts.validation.len() as u64,
            test: parts.test.as_ref().map_or(0, Dataset::len) as u64,
        },
        model: ModelInfo {
            name: network.name.clone(),
            parameters: network.parameter_count() as u64,
            trainable: network.trainable_count() as u64,
        },
        transform: value(toml::Value::try_from(transform))?,
        config: value(toml::Value::try_from(config))?,
    })
}

/// The plots, the best weights, the closing lines.
fn finish(
    run: &RunWriter,
    config: &TrainConfig,
    outcome: &Outcome,
    info: &RunInfo,
    out: Output,
) -> Result<(), CliError> {
    let Some(best) = outcome.best.map(|place| &outcome.epochs[place]) else {
        return Err(CliError::Diverged(format!(
            "the validation loss was NaN in each of {} epochs, so no weights are worth keeping: try a smaller \
             learning rate than {}",
            outcome.epochs.len(),
            config.lr
        )));
    };
    if outcome.stop_kind != "finished" {
        out.say(format!("Stopped after epoch {}: {}", outcome.epochs.len(), outcome.stop_reason));
    }
    out.say(format!("Training time: {:.3} minutes", outcome.seconds / 60.0));
    out.say("Saving loss and accuracy plots...");
    save_plots(run.path(), &outcome.epochs, outcome.best, &config.suffix())?;
    out.say("Saving model...");
    let path = run.path().join(config.model_file());
    let file = model_file(&outcome.network, &model_metadata(info));
    write_safetensors(&path, &file).map_err(|error| CliError::Output(error.to_string()))?;
    out.say(format!(
        "Best epoch {} of {}: val loss {:.4}, val accuracy {:.2} %",
        best.epoch,
        outcome.epochs.len(),
        best.val_loss,
        100.0 * best.val_accuracy
    ));
    out.say(format!("TRAINING COMPLETE in {}: {}", duration(outcome.seconds), run.path().display()));
    out.result(&json!({
        "run": output::path(run.path()),
        "epochs": outcome.epochs.len(),
        "stop_reason": outcome.stop_kind,
        "best": {
            "epoch": best.epoch,
            "val_loss": number(best.val_loss),
            "val_accuracy": number(best.val_accuracy),
        },
        "seconds": outcome.seconds,
    }));
    Ok(())
}

fn save_plots(dir: &Path, epochs: &[EpochRecord], best: Option<usize>, suffix: &str) -> Result<(), CliError> {
    let curve = |of: fn(&EpochRecord) -> f64| epochs.iter().map(of).collect::<Vec<f64>>();
    let marks: Vec<Mark> =
        best.map(|place| Mark { x: (place + 1) as f64, label: "best".to_owned() }).into_iter().collect();
    let accuracy = accuracy_chart(&curve(|e| e.train_accuracy), &curve(|e| e.val_accuracy));
    let loss = loss_chart(&curve(|e| e.train_loss), &curve(|e| e.val_loss));
    for (name, chart) in [("accuracy", accuracy), ("loss", loss)] {
        Chart { marks: marks.clone(), ..chart }.draw().save_png(dir.join(format!("{name}{suffix}.png")))?;
    }
    Ok(())
}
