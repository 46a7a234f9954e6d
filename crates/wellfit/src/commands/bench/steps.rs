//! The measurement of training steps and forward passes.

use super::memory::{peak_mib, peak_row};
use super::profile::Profile;
use super::samples::{Samples, single, time, timed, titles};
use super::threads::ThreadTime;
use super::workload::{Settings, StepTimes, Workload};
use crate::args::BenchArgs;
use crate::error::CliError;
use crate::output::Output;
use serde_json::{Value, json};
use wellfit::run::path;
use wellfit::simd::{parallel, profile};

/// Run the command for a network.
pub fn run(args: &BenchArgs, out: Output) -> Result<(), CliError> {
    let settings = Settings::of(args)?;
    let mut workload = Workload::new(&args.job, &settings)?;
    out.say(title(&args.job, &settings));
    let found = Found::measure(&mut workload, settings.steps, args.profile)?;
    found.say(&settings, out);
    let mut value = found.value(&args.job, &settings);
    if let Some(threads) = &found.threads {
        out.say("");
        out.table(&found.profile.rows(settings.steps, time), 1..4);
        out.say("");
        out.table(&threads.rows(settings.steps, time), 1..3);
        out.say(threads.sentence());
        value["profile"] = found.profile.value(settings.steps);
        value["threads_profile"] = threads.value(settings.steps);
    }
    out.result(&value);
    Ok(())
}

fn title(name: &str, settings: &Settings) -> String {
    let &Settings { batch_size, image_size, steps, optimizer, precision } = settings;
    let optimizer = format!("{optimizer:?}").to_lowercase();
    let size = image_size.map_or(String::new(), |size| format!(" of {size}×{size} pixels"));
    let what = match name {
        "mlp" => "twin networks of the batch-norm lab",
        "dropout" => "twin networks of the dropout lab",
        _ => name,
    };
    let (threads, path) = (parallel::threads(), path(precision));
    format!(
        "{what}, batch {batch_size}{size}, {optimizer}: {steps} steps after one to warm up ({threads} threads, {path})"
    )
}

/// What was measured.
struct Found {
    step: Samples,
    forward: Samples,
    backward: Samples,
    optimizer: Samples,
    evaluation: Samples,
    profile: Profile,
    /// When a profile was asked for.
    threads: Option<ThreadTime>,
    peak_mib: Option<f64>,
}

impl Found {
    fn measure(workload: &mut Workload, steps: u32, profiled: bool) -> Result<Self, CliError> {
        workload.train_step(&mut Profile::new())?;
        let mut profile = Profile::new();
        let (mut whole, mut parts) = (Vec::new(), Vec::new());
        if profiled {
            profile::start();
        }
        for _ in 0..steps {
            let (seconds, times) = timed(|| workload.train_step(&mut profile));
            whole.push(seconds);
            parts.push(times?);
        }
        let threads = profiled.then(|| ThreadTime::new(profile::stop(), whole.iter().sum()));
        workload.evaluate();
        let evaluation = (0..steps).map(|_| timed(|| workload.evaluate()).0).collect();
        let part = |of: fn(&StepTimes) -> f64| parts.iter().map(of).collect();
        Ok(Self {
            step: whole.into_iter().collect(),
            forward: part(|times| times.forward),
            backward: part(|times| times.backward),
            optimizer: part(|times| times.optimizer),
            evaluation,
            profile,
            threads,
            peak_mib: peak_mib(),
        })
    }

    fn say(&self, settings: &Settings, out: Output) {
        let mut rows = vec![
            titles(),
            self.step.row("training step", time),
            self.forward.row("  forward", time),
            self.backward.row("  backward", time),
            self.optimizer.row("  optimizer", time),
            self.evaluation.row("evaluation", time),
        ];
        let unit = if settings.image_size.is_some() { "images a second" } else { "points a second" };
        rows.push(single(unit, format!("{:.1}", self.rate(settings))));
        rows.extend(self.peak_mib.map(peak_row));
        out.table(&rows, 1..4);
    }

    /// Samples a second in training.
    fn rate(&self, settings: &Settings) -> f64 {
        settings.batch_size as f64 / self.step.median()
    }

    fn value(&self, name: &str, settings: &Settings) -> Value {
        json!({
            "job": name,
            "train_step_s": self.step.median(),
            "forward_s": self.forward.median(),
            "backward_s": self.backward.median(),
            "optimizer_s": self.optimizer.median(),
            "eval_forward_s": self.evaluation.median(),
            "images_per_s": self.rate(settings),
            "peak_rss_mib": self.peak_mib,
            "threads": parallel::threads(),
            "path": path(settings.precision),
            "precision": settings.precision.name(),
            "batch_size": settings.batch_size,
            "image_size": settings.image_size,
            "optimizer": settings.optimizer,
            "samples": { "train_step_s": self.step.all(), "eval_forward_s": self.evaluation.all() },
        })
    }
}
