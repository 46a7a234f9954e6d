//! The progress of a training run: bars on a terminal, plain lines elsewhere.

use crate::output::Output;
use crate::settings::in_flags;
use crate::signals::Signals;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::path::Path;
use std::time::{Duration, Instant};
use wellfit::data::Progress as Opening;
use wellfit::record::data_wait_share;
use wellfit::run::{Notice, Observer, RunError, RunSpec, duration};
use wellfit::train::{Callback, Control, EpochReport, Phase, Tick};

/// Without a terminal, a pass that takes long says where it is this often.
const PLAIN_EVERY: Duration = Duration::from_secs(30);

/// From this share of the training time on, an epoch's line says that it waited for data: more --workers may help.
const WORTH_SAYING: f64 = 0.05;

/// The messages of a run, on standard output or standard error: lines, and bars on a terminal.
pub struct Progress {
    out: Output,
    verbose: bool,
    /// Early stopping's.
    patience: u32,
    bar: Option<ProgressBar>,
    download: Option<ProgressBar>,
    /// When the last line of a pass was printed.
    spoke: Instant,
    /// The epoch this process began with: of a resumed run not the first.
    first: Option<u32>,
    started: Instant,
    epochs: u32,
    /// Caught once training begins.
    signals: Option<Signals>,
}

impl Progress {
    /// `verbose` also reports each improvement.
    pub fn new(out: Output, verbose: bool) -> Self {
        let now = Instant::now();
        Self {
            out,
            verbose,
            patience: 0,
            bar: None,
            download: None,
            spoke: now,
            first: None,
            started: now,
            epochs: 0,
            signals: None,
        }
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
            bar.set_prefix(name(tick.phase));
            bar
        })
    }
}

fn name(phase: Phase) -> &'static str {
    match phase {
        Phase::Train => "Training",
        Phase::Validate => "Validating",
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
                name(tick.phase),
                tick.batch,
                tick.batches,
                figures(tick)
            ));
        }
    }

    fn interrupted(&mut self) -> Option<String> {
        let name = self.signals.as_ref()?.caught()?;
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
        let best = if report.best { "  (best so far)" } else { "" };
        out.say(format!(
            "Train Loss: {:.4}, Train Acc: {:.2}",
            record.train_loss(),
            100.0 * record.train_accuracy()
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
            record.val_loss(),
            100.0 * record.val_accuracy(),
            record.seconds,
            record.images_per_second,
            duration(left)
        ));
        Control::Continue
    }
}

impl Observer for Progress {
    fn notice(&mut self, notice: &Notice) {
        let text = in_flags(&notice.to_string());
        if notice.is_warning() { self.out.warn(text) } else { self.out.say(text) }
    }

    fn opening(&mut self, progress: &Opening) {
        match progress {
            Opening::Checking { files } => self.out.say(format!("Checking {files} image files")),
            Opening::Download { file, received, total } => {
                if *received == 0 || self.download.is_none() {
                    self.out.say(format!("Downloading {file}"));
                    self.download = self.out.bars().then(|| download_bar(*total));
                }
                if let Some(bar) = &self.download {
                    bar.set_position(*received);
                    if *total == Some(*received) {
                        bar.finish_and_clear();
                    }
                }
            }
        }
    }

    fn ready(&mut self, spec: &RunSpec, _run: &Path) -> Result<(), RunError> {
        self.patience = spec.patience;
        self.signals = Some(Signals::install().map_err(|error| RunError::Output(error.to_string()))?);
        self.started = Instant::now();
        Ok(())
    }
}

fn download_bar(total: Option<u64>) -> ProgressBar {
    let bar = total.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
    let style = "{bar:30} {bytes}/{total_bytes} ({bytes_per_sec}, {eta} left)";
    bar.with_style(ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()))
}
