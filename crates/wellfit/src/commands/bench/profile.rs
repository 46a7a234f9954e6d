//! Where a training step spends its time.

use serde_json::{Value, json};
use std::time::Instant;
use wellfit::run::figures::percent;
use wellfit::train::Direction;

/// Seconds for each kind of work, forward and backward, in the order they were first seen.
#[derive(Debug)]
pub struct Profile {
    rows: Vec<(&'static str, [f64; 2])>,
    last: Instant,
}

impl Profile {
    /// Nothing yet. What is done from here on counts to the first [`Self::lap`].
    pub fn new() -> Self {
        Self { rows: Vec::new(), last: Instant::now() }
    }

    /// The time since the last call was spent on `kind`.
    pub fn lap(&mut self, kind: &'static str, direction: Direction) {
        let now = Instant::now();
        self.row(kind)[direction as usize] += (now - self.last).as_secs_f64();
        self.last = now;
    }

    /// The work of another network, or of another step, on top.
    pub fn add(&mut self, other: &Self) {
        for &(kind, seconds) in &other.rows {
            self.row(kind).iter_mut().zip(seconds).for_each(|(sum, seconds)| *sum += seconds);
        }
    }

    fn row(&mut self, kind: &'static str) -> &mut [f64; 2] {
        let place = self.rows.iter().position(|(name, _)| *name == kind).unwrap_or_else(|| {
            self.rows.push((kind, [0.0; 2]));
            self.rows.len() - 1
        });
        &mut self.rows[place].1
    }

    fn total(&self) -> f64 {
        self.rows.iter().flat_map(|(_, sums)| sums).sum()
    }

    /// The mean of `steps` steps as a table.
    pub fn rows(&self, steps: u32, time: fn(f64) -> String) -> Vec<[String; 4]> {
        let mean = |sum: f64| if sum > 0.0 { time(sum / f64::from(steps)) } else { "-".to_owned() };
        let row = |&(kind, [forward, backward]): &(&str, [f64; 2])| {
            [kind.to_owned(), mean(forward), mean(backward), percent((forward + backward) / self.total())]
        };
        let head = ["", "forward", "backward", "share"].map(String::from);
        [head].into_iter().chain(self.rows.iter().map(row)).collect()
    }

    /// The same for programs, in seconds a step.
    pub fn value(&self, steps: u32) -> Value {
        let steps = f64::from(steps);
        let row = |&(kind, [forward, backward]): &(&str, [f64; 2])| {
            let share = (forward + backward) / self.total();
            let value =
                json!({ "forward_s": forward / steps, "backward_s": backward / steps, "share": share });
            (kind.to_owned(), value)
        };
        Value::Object(self.rows.iter().map(row).collect())
    }
}
