//! A bar for slow work; without a terminal, now and then a line.

use crate::output::Output;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::{Duration, Instant};
use wellfit::run::figures::{count, duration, rate};

/// Without a terminal, work that takes long says where it is this often.
pub const PLAIN_EVERY: Duration = Duration::from_secs(30);

/// Shows how much of some work is done, until it is dropped.
pub struct Bar {
    out: Output,
    /// What is being done.
    name: &'static str,
    /// What is counted, in the plural.
    things: &'static str,
    total: Option<u64>,
    bar: Option<ProgressBar>,
    begun: Instant,
    spoke: Instant,
}

impl Bar {
    /// Of `total` things; without a total, they are only counted.
    pub fn new(out: Output, name: &'static str, things: &'static str, total: Option<u64>) -> Self {
        let now = Instant::now();
        let bar = out.bars().then(|| {
            let target = ProgressDrawTarget::stderr_with_hz(10);
            let bar = ProgressBar::with_draw_target(total, target);
            let form = match total {
                Some(_) => "{prefix:>12} {bar:25} {pos}/{len} {msg}",
                None => "{prefix:>12} {pos} {msg}",
            };
            bar.set_style(
                ProgressStyle::with_template(form).unwrap_or_else(|_| ProgressStyle::default_bar()),
            );
            bar.set_prefix(name);
            bar
        });
        Self { out, name, things, total, bar, begun: now, spoke: now }
    }

    /// So many are done.
    pub fn set(&mut self, done: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(done);
            bar.set_message(self.speed(done));
        } else if self.spoke.elapsed() >= PLAIN_EVERY && self.total != Some(done) {
            self.spoke = Instant::now();
            let of = self.total.map_or_else(String::new, |total| format!(" of {}", count(total)));
            let line = format!("  {} {}{of} {} ({})", self.name, count(done), self.things, self.speed(done));
            self.out.say(line);
        }
    }

    fn speed(&self, done: u64) -> String {
        let a_second = done as f64 / self.begun.elapsed().as_secs_f64().max(1e-3);
        let speed = rate(a_second, self.things);
        match self.total {
            Some(total) if done > 0 && done < total => {
                format!("{speed}, {} left", duration((total - done) as f64 / a_second))
            }
            _ => speed,
        }
    }

    /// Print something above it.
    pub fn above(&self, print: impl FnOnce()) {
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
