//! What is said while trials are trained: a line for each.

use super::words::line;
use crate::bar::Bar;
use crate::output::Output;
use crate::settings::in_flags;
use crate::signals::Signals;
use std::collections::BTreeSet;
use wellfit::record::Metric;
use wellfit::run::{Notice, Observer};
use wellfit::train::{Callback, Control, EpochReport};
use wellfit::tune::{Plan, Trial, Watcher};

/// Says what becomes of trials, and passes signals on.
pub struct Trials {
    pub out: Output,
    verbose: bool,
    pub signals: Signals,
    /// Each trial would warn of the same.
    said: BTreeSet<String>,
    pub metric: Option<Metric>,
    bar: Option<Bar>,
}

impl Trials {
    pub fn new(out: Output, verbose: bool, signals: Signals) -> Self {
        Self { out, verbose, signals, said: BTreeSet::new(), metric: None, bar: None }
    }

    /// The search begins.
    pub fn begin(&mut self, plan: &Plan) {
        self.metric = Some(plan.metric);
    }
}

impl Callback for Trials {
    fn epoch_start(&mut self, epoch: u32, epochs: u32) {
        if self.bar.is_none() {
            self.bar = Some(Bar::new(self.out, "Trial", "epochs", Some(u64::from(epochs))));
        }
        self.bar.iter_mut().for_each(|bar| bar.set(u64::from(epoch) - 1));
    }

    fn interrupted(&mut self) -> Option<String> {
        self.signals.caught().map(str::to_owned)
    }

    fn epoch_end(&mut self, report: &EpochReport<'_>) -> Control {
        self.bar.iter_mut().for_each(|bar| bar.set(u64::from(report.record.epoch)));
        Control::Continue
    }
}

impl Observer for Trials {
    fn notice(&mut self, notice: &Notice) {
        let text = in_flags(&notice.to_string());
        if notice.is_warning() && self.said.insert(text.clone()) {
            self.out.warn(text);
        } else if self.verbose && !notice.is_warning() {
            self.out.say(text);
        }
    }
}

impl Watcher for Trials {
    fn ended(&mut self, trial: &Trial, best: Option<&Trial>) {
        self.bar = None;
        if let Some(metric) = self.metric {
            self.out.say(line(trial, best, metric));
        }
    }
}
