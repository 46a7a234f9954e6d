//! `wellfit train`: from a folder to a run with plots and the best weights.

use crate::args::TrainArgs;
use crate::commands::job::{Job, Validation};
use crate::commands::resume;
use crate::config::{self, TrainConfig};
use crate::error::CliError;
use crate::kept::{Kept, Source};
use crate::labs::{command_line, start_event};
use crate::memory;
use crate::output::{self, Output, number};
use crate::progress::{Progress, duration};
use crate::signals::Signals;
use serde_json::json;
use std::path::Path;
use wellfit::data::{Dataset, Preprocessing};
use wellfit::plot::{Chart, Mark, accuracy_chart, loss_chart};
use wellfit::record::{
    DataInfo, EpochRecord, ModelInfo, NewestGood, RunInfo, RunWriter, data_wait_share, now,
};
use wellfit::train::{FitConfig, Outcome, TrainError, fit, model_file, model_metadata};
use wellfit::weights::write_safetensors;

/// Run the command.
pub fn run(args: &TrainArgs, validation: Validation, out: Output) -> Result<(), CliError> {
    let data = (&*args.data, args.data_dir.as_deref());
    let mut job = Job::prepare(config::merged(args)?, data, validation, out)?;
    if args.resume.is_some()
        && let Some((run, kept)) = resume::find(&job, args.out.out.as_deref(), out)?
    {
        return resume::go_on(run, &kept, job, args.verbose, out);
    }
    job.load_weights(out)?;
    job.describe(out);
    job.warn_of_clashes(out)?;
    let left = memory::check(&job)?;
    job.open_cache(left)?;
    let hint = format!("{}-{}", job.parts.name, job.config.model);
    let mut run = RunWriter::create(args.out.out.as_deref(), &hint, args.out.force)?;
    let kept = Kept { info: run_info(&run, &job)?, source: Source::of(&job, args.data_dir.as_deref()) };
    run.write_run_toml(&kept)?;
    run.event(&start_event())?;
    out.say(format!("Run: {}", run.path().display()));
    execute(run, &kept.info, job, None, args.verbose, out)
}

/// Train, from the beginning or from a checkpoint, and leave what a run leaves.
pub fn execute(
    mut run: RunWriter,
    info: &RunInfo,
    job: Job,
    from: Option<&NewestGood>,
    verbose: bool,
    out: Output,
) -> Result<(), CliError> {
    let Job { data, validation, config, engine, parts, network, train, val, .. } = job;
    let fit_config = FitConfig { engine, ..config.fit(train.batches(), model_metadata(info))? };
    let cache = train.cache().clone();
    let mut progress = Progress::new(out, config.patience, verbose, cache, Signals::install()?);
    let loaders = (&train, &val);
    let result = match from {
        None => fit(network, loaders, &fit_config, &mut run, &mut progress),
        Some(newest) => {
            let found = newest.found.as_ref();
            wellfit::train::resume(network, loaders, &fit_config, found, &mut run, &mut progress)
        }
    };
    let path = run.path().display().to_string();
    let outcome = match result {
        Ok(outcome) => outcome,
        Err(TrainError::Interrupted { reason }) => return Err(CliError::interrupted(&reason, run.path())),
        Err(error) => {
            out.say(format!("The run so far is in {path}"));
            return Err(error.into());
        }
    };
    finish(&run, &config, &outcome, info, out)?;
    if parts.test.is_some() && validation == Validation::Split {
        out.say(format!("test/ is untouched: wellfit evaluate {path} {data}"));
    }
    Ok(())
}

fn run_info(run: &RunWriter, job: &Job) -> Result<RunInfo, CliError> {
    let Job { config, parts, transform, network, .. } = job;
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
        transform: value(recorded(transform, config))?,
        config: value(toml::Value::try_from(config))?,
    })
}

/// How images were prepared in training, as runs and their weights have told it from the first version on: the
/// preprocessing with the flips among it.
fn recorded(preprocessing: &Preprocessing, config: &TrainConfig) -> Result<toml::Value, toml::ser::Error> {
    let mut value = toml::Value::try_from(preprocessing)?;
    if let Some(table) = value.as_table_mut() {
        table.insert("hflip".to_owned(), config.hflip.into());
        table.insert("vflip".to_owned(), config.vflip.into());
    }
    Ok(value)
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
    let waited = data_wait_share(&outcome.epochs);
    out.say(format!("Training time: {:.3} minutes", outcome.seconds / 60.0));
    out.say(format!("Waiting for data: {:.1} % of the training passes", 100.0 * waited));
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
        "data_wait_share": number(waited),
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
