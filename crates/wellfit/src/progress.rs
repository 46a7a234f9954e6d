//! The progress of a training run: bars on a terminal, plain lines elsewhere.

use crate::bar::{Bar, PLAIN_EVERY};
use crate::output::Output;
use crate::settings::in_flags;
use crate::signals::Signals;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::path::Path;
use std::time::{Duration, Instant};
use wellfit::data::Progress as Opening;
use wellfit::record::data_wait_share;
use wellfit::run::figures::{count, duration, loss, percent, rate};
use wellfit::run::{Notice, Observer, RunError, RunSpec};
use wellfit::train::{Callback, Control, EpochReport, Phase, Tick};

/// After so long in its first pass, training says how long it may take.
const ESTIMATE_AFTER: Duration = Duration::from_secs(5);

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
    /// Of image files that are checked.
    checking: Option<Bar>,
    /// Whether it was said how long training may take.
    estimated: bool,
    /// When the last line of a pass was printed.
    spoke: Instant,
    /// The epoch this process began with: of a resumed run not the first.
    first: Option<u32>,
    /// The epoch that comes next in the same run.
    next: u32,
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
            checking: None,
            estimated: false,
            spoke: now,
            first: None,
            next: 0,
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
            let style = "{prefix:>10} {bar:20} {pos}/{len} {eta} left, {msg}";
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
    format!("loss {}, acc {}", loss(tick.average.loss()), percent(tick.average.accuracy()))
}

impl Callback for Progress {
    fn epoch_start(&mut self, epoch: u32, epochs: u32) {
        self.epochs = epochs;
        // One run after the other may report here; an epoch that does not follow the last is another run's.
        if epoch != self.next {
            (self.first, self.started) = (None, Instant::now());
        }
        self.first.get_or_insert(epoch);
        self.next = epoch + 1;
        self.out.say(format!("Epoch {epoch} of {epochs}"));
    }

    fn tick(&mut self, tick: &Tick) {
        let last = tick.batch == tick.batches;
        self.estimate(tick);
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
            let a_second = tick.batch as f64 / tick.elapsed.as_secs_f64();
            let left = (tick.batches - tick.batch) as f64 / a_second;
            self.out.say(format!(
                "  {} {} of {} batches ({}, {} left), {}",
                name(tick.phase),
                count(tick.batch as u64),
                count(tick.batches as u64),
                rate(a_second, "batches"),
                duration(left),
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
        self.figures_of(report);
        self.decisions_of(report);
        Control::Continue
    }
}

impl Progress {
    /// Say once, early in the run, how long it may take.
    fn estimate(&mut self, tick: &Tick) {
        let early = self.first == Some(tick.epoch) && tick.phase == Phase::Train;
        if self.estimated || !early || tick.batch < 2 || tick.elapsed < ESTIMATE_AFTER {
            return;
        }
        self.estimated = true;
        let batch = tick.elapsed.as_secs_f64() / tick.batch as f64;
        let epoch = batch * tick.batches as f64;
        let left = epoch * f64::from(self.epochs + 1 - tick.epoch);
        let out = self.out;
        let say = || {
            out.say(format!(
                "  A batch takes {}, an epoch of training {}, all of them {} at most",
                duration(batch),
                duration(epoch),
                duration(left)
            ));
        };
        self.bar.as_ref().map_or_else(say, |bar| bar.suspend(say));
    }

    /// The figures of an epoch.
    fn figures_of(&self, report: &EpochReport<'_>) {
        let (record, out) = (report.record, self.out);
        let waited = data_wait_share(&[*record]);
        let waited = if waited < WORTH_SAYING {
            String::new()
        } else {
            format!(", {} waiting for data", percent(waited))
        };
        out.say(format!(
            "Train Loss: {}, Train Acc: {} [{}, {}{waited}]",
            loss(record.train_loss()),
            percent(record.train_accuracy()),
            duration(record.seconds),
            rate(record.images_per_second, "images")
        ));
        let done = (record.epoch + 1).saturating_sub(self.first.unwrap_or(1)).max(1);
        let epoch = self.started.elapsed().as_secs_f64() / f64::from(done);
        let left = match self.epochs.saturating_sub(record.epoch) {
            0 => String::new(),
            left => format!(" [at most {} left]", duration(epoch * f64::from(left))),
        };
        let best = if report.best { " (best so far)" } else { "" };
        let [value, accuracy] = [loss(record.val_loss()), percent(record.val_accuracy())];
        out.say_good(format!("Val Loss: {value}, Val Acc: {accuracy}{best}{left}"), best);
    }

    /// What the policies made of it.
    fn decisions_of(&self, report: &EpochReport<'_>) {
        let out = self.out;
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
    }
}

impl Observer for Progress {
    fn notice(&mut self, notice: &Notice) {
        let text = in_flags(&notice.to_string());
        if notice.is_warning() {
            self.out.warn(text);
        } else {
            self.out.say(text);
        }
        if let (Notice::Network { layers, .. }, true) = (notice, self.verbose) {
            self.out.say(layers);
        }
    }

    fn opening(&mut self, progress: &Opening) {
        match progress {
            Opening::Checking { done: 0, files } => {
                self.out.say(format!("Checking {} image files", count(*files as u64)));
                self.checking = Some(Bar::new(self.out, "Checking", "files", Some(*files as u64)));
            }
            Opening::Checking { done, files } => {
                self.checking.iter_mut().for_each(|bar| bar.set(*done as u64));
                if done == files {
                    self.checking = None;
                }
            }
            Opening::Download { file, received, total } => {
                let bars = self.out.bars();
                let bar = self.download.get_or_insert_with(|| {
                    self.out.say(format!("Downloading {file}"));
                    if bars { download_bar(*total) } else { ProgressBar::hidden() }
                });
                bar.set_position(*received);
                if *total == Some(*received) {
                    bar.finish_and_clear();
                    self.download = None;
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
