//! The measurement of training steps and forward passes.

use super::memory::{peak_mib, peak_row};
use super::profile::Profile;
use super::samples::{Samples, single, timed, titles};
use super::threads::ThreadTime;
use super::workload::{Settings, StepTimes, Workload};
use crate::args::BenchArgs;
use crate::bar::Bar;
use crate::config::require;
use crate::error::CliError;
use crate::output::Output;
use serde_json::{Value, json};
use wellfit::run::figures::{bytes, time};
use wellfit::run::path;
use wellfit::simd::{parallel, profile};

/// Run the command for a network.
pub fn run(args: &BenchArgs, out: Output) -> Result<(), CliError> {
    let settings = Settings::of(args)?;
    require(!args.profile || settings.engine.name() == "cpu", || {
        "--profile needs --device cpu: another device does not say when a layer is done".to_owned()
    })?;
    let mut workload = Workload::new(&args.job, &settings)?;
    out.say(title(&args.job, &settings));
    let found = Found::measure(&mut workload, settings.steps, args.profile, out)?;
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
    let Settings { batch_size, image_size, steps, optimizer, precision, engine } = settings;
    let optimizer = format!("{optimizer:?}").to_lowercase();
    let size = image_size.map_or(String::new(), |size| format!(" of {size}×{size} pixels"));
    let what = match name {
        "mlp" => "twin networks of the batch-norm lab",
        "dropout" => "twin networks of the dropout lab",
        _ => name,
    };
    let place = match engine.name() {
        cpu if cpu == "cpu" => {
            format!("{} threads, {}", parallel::threads(), path(*precision))
        }
        device => device,
    };
    format!("{what}, batch {batch_size}{size}, {optimizer}: {steps} steps after one to warm up ({place})")
}

/// What was measured.
struct Found {
    step: Samples,
    /// Forward, backward, optimizer, on the processor.
    parts: Option<[Samples; 3]>,
    evaluation: Samples,
    profile: Profile,
    /// When a profile was asked for.
    threads: Option<ThreadTime>,
    /// Bytes that a step copies to the device and back, on another device than the processor.
    traffic: Option<[u64; 2]>,
    peak_mib: Option<f64>,
}

impl Found {
    fn measure(workload: &mut Workload, steps: u32, profiled: bool, out: Output) -> Result<Self, CliError> {
        let mut bar = Bar::new(out, "Training", "steps", Some(steps.into()));
        workload.train_step(&mut Profile::new())?;
        let mut profile = Profile::new();
        let (mut whole, mut parts) = (Vec::new(), Vec::new());
        if profiled {
            profile::start();
        }
        let before = workload.traffic();
        for step in 1..=steps {
            let (seconds, times) = timed(|| workload.train_step(&mut profile));
            whole.push(seconds);
            parts.push(times?);
            bar.set(step.into());
        }
        let threads = profiled.then(|| ThreadTime::new(profile::stop(), whole.iter().sum()));
        let (after, elsewhere) = (workload.traffic(), workload.is_elsewhere());
        let a_step = |after: u64, before: u64| (after - before) / u64::from(steps);
        let traffic = [a_step(after.uploaded, before.uploaded), a_step(after.downloaded, before.downloaded)];
        workload.evaluate()?;
        let mut evaluation = Vec::new();
        drop(bar);
        let mut bar = Bar::new(out, "Evaluating", "passes", Some(steps.into()));
        for step in 1..=steps {
            let (seconds, done) = timed(|| workload.evaluate());
            done?;
            evaluation.push(seconds);
            bar.set(step.into());
        }
        let part = |of: fn(&StepTimes) -> f64| parts.iter().map(of).collect::<Samples>();
        let parts =
            || [part(|times| times.forward), part(|times| times.backward), part(|times| times.optimizer)];
        Ok(Self {
            step: whole.into_iter().collect(),
            parts: (!elsewhere).then(parts),
            evaluation: evaluation.into_iter().collect(),
            profile,
            threads,
            traffic: elsewhere.then_some(traffic),
            peak_mib: peak_mib(),
        })
    }

    fn say(&self, settings: &Settings, out: Output) {
        let mut rows = vec![titles(), self.step.row("training step", time)];
        if let Some([forward, backward, optimizer]) = &self.parts {
            rows.push(forward.row("  forward", time));
            rows.push(backward.row("  backward", time));
            rows.push(optimizer.row("  optimizer", time));
        }
        rows.push(self.evaluation.row("evaluation", time));
        let unit = if settings.image_size.is_some() { "images a second" } else { "points a second" };
        rows.push(single(unit, format!("{:.1}", self.rate(settings))));
        rows.extend(self.peak_mib.map(peak_row));
        if let Some([up, down]) = self.traffic {
            rows.push(single("a step copies to the device", bytes(up)));
            rows.push(single("a step copies back", bytes(down)));
        }
        out.table(&rows, 1..4);
    }

    /// Samples a second in training.
    fn rate(&self, settings: &Settings) -> f64 {
        settings.batch_size as f64 / self.step.median()
    }

    fn value(&self, name: &str, settings: &Settings) -> Value {
        let part = |place: usize| self.parts.as_ref().map(|parts| parts[place].median());
        json!({
            "job": name,
            "train_step_s": self.step.median(),
            "forward_s": part(0),
            "backward_s": part(1),
            "optimizer_s": part(2),
            "eval_forward_s": self.evaluation.median(),
            "images_per_s": self.rate(settings),
            "peak_rss_mib": self.peak_mib,
            "device": settings.engine.name(),
            "step_uploads_bytes": self.traffic.map(|[up, _]| up),
            "step_downloads_bytes": self.traffic.map(|[_, down]| down),
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
