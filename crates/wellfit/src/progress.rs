//! What a training run shows while it goes on: bars on a terminal, plain lines elsewhere.

use crate::output::Output;
use crate::signals::Signals;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::{Duration, Instant};
use wellfit::data::Cache;
use wellfit::record::data_wait_share;
use wellfit::train::{Callback, Control, EpochReport, Pass, Tick};

/// Without a terminal, a pass that takes long says where it is this often.
const PLAIN_EVERY: Duration = Duration::from_secs(30);

/// From this share of the training time on, an epoch's line tells that it waited for data: more --workers may help.
const WORTH_SAYING: f64 = 0.05;

/// The chapter's lines and bars.
pub struct Progress {
    out: Output,
    patience: u32,
    verbose: bool,
    bar: Option<ProgressBar>,
    spoke: Instant,
    /// The epoch this process began with: of a resumed run not the first.
    first: Option<u32>,
    started: Instant,
    epochs: u32,
    cache: Cache,
    signals: Signals,
}

impl Progress {
    /// For a run whose early stopping has this patience; `verbose` also tells of each improvement, and what happens to
    /// `cache` is told in any case.
    pub fn new(out: Output, patience: u32, verbose: bool, cache: Cache, signals: Signals) -> Self {
        let (spoke, started) = (Instant::now(), Instant::now());
        Self { out, patience, verbose, bar: None, spoke, first: None, started, epochs: 0, cache, signals }
    }

    fn bar(&mut self, tick: &Tick) -> &ProgressBar {
        self.bar.get_or_insert_with(|| {
            let bar = ProgressBar::with_draw_target(
                Some(tick.batches as u64),
                ProgressDrawTarget::stderr_with_hz(10),
            );
            let style = "{prefix:>10} {bar:30} {pos}/{len} [{elapsed}<{eta}, {per_sec}] {msg}";
            bar.set_style(
                ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()),
            );
            bar.set_prefix(name(tick.pass));
            bar
        })
    }
}

fn name(pass: Pass) -> &'static str {
    match pass {
        Pass::Train => "Training",
        Pass::Validate => "Validating",
    }
}

fn figures(tick: &Tick) -> String {
    format!("loss {:.4}, acc {:.2}", tick.average.loss(), 100.0 * tick.average.accuracy())
}

impl Callback for Progress {
    fn epoch_start(&mut self, epoch: u32, epochs: u32) {
        self.epochs = epochs;
        self.first.get_or_insert(epoch);
        self.out.say(format!("Epoch {epoch} of {epochs}"));
    }

    fn tick(&mut self, tick: &Tick) {
        let last = tick.batch == tick.batches;
        if self.out.bars() {
            let bar = self.bar(tick);
            bar.set_position(tick.batch as u64);
            bar.set_message(figures(tick));
            if last {
                bar.finish_and_clear();
                self.bar = None;
            }
        } else if !last && self.spoke.elapsed() >= PLAIN_EVERY {
            self.spoke = Instant::now();
            let rate = tick.batch as f64 / tick.elapsed.as_secs_f64();
            let left = (tick.batches - tick.batch) as f64 / rate;
            self.out.say(format!(
                "  {} {}/{} ({rate:.2} batches/s, {left:.0} s left) {}",
                name(tick.pass),
                tick.batch,
                tick.batches,
                figures(tick)
            ));
        }
    }

    fn interrupted(&mut self) -> Option<String> {
        let name = self.signals.caught()?;
        if let Some(bar) = self.bar.take() {
            bar.abandon();
        }
        self.out.say(format!("{name}: saving the run; once more ends it at once"));
        Some(name.to_owned())
    }

    fn epoch_end(&mut self, report: &EpochReport<'_>) -> Control {
        let (record, out) = (report.record, self.out);
        if let Some(observation) = report.early_stopping {
            if let Some(line) = observation.counter_line(self.patience) {
                out.say(line);
            }
            if self.verbose
                && let Some(line) = observation.improvement_line("the watched metric")
            {
                out.say(line);
            }
        }
        if let Some(line) = report.plateau.and_then(wellfit::policy::PlateauStep::message) {
            out.say(line);
        }
        if let Some(decision) = report.checkpoint.filter(|decision| decision.save || self.verbose) {
            out.say(&decision.message);
        }
        if let Some(failure) = self.cache.take_failure() {
            out.warn(format!("--cache disk: {failure}. The run goes on, but nothing more is kept"));
        }
        let best = if report.best { "  (best so far)" } else { "" };
        out.say(format!(
            "Train Loss: {:.4}, Train Acc: {:.2}",
            record.train_loss,
            100.0 * record.train_accuracy
        ));
        let done = record.epoch + 1 - self.first.unwrap_or(1);
        let left =
            self.started.elapsed().as_secs_f64() / f64::from(done) * f64::from(self.epochs - record.epoch);
        let waited = data_wait_share(&[*record]);
        let waited = if waited < WORTH_SAYING {
            String::new()
        } else {
            format!("{:.0} % waiting for data, ", 100.0 * waited)
        };
        out.say(format!(
            "Val Loss: {:.4}, Val Acc: {:.2}{best}  [{:.1} s, {:.0} images/s, {waited}at most {} left]",
            record.val_loss,
            100.0 * record.val_accuracy,
            record.seconds,
            record.images_per_second,
            duration(left)
        ));
        Control::Continue
    }
}

/// Seconds as `42 s`, `3 min 20 s` or `2 h 5 min`.
pub fn duration(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        0..60 => format!("{whole} s"),
        60..3600 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}
