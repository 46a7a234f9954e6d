//! The values of a pass.

use crate::graph::Value;
use wellfit_kernels::Buffer;

/// The value that the pass starts from (mostly the images), borrowed, and the output of each node.
#[derive(Debug)]
pub(crate) struct Values<'a> {
    start: &'a [f32],
    at: Value,
    made: Vec<Option<Buffer>>,
}

impl<'a> Values<'a> {
    /// Of a pass that starts with the value `at`.
    pub(crate) fn new(start: &'a [f32], at: Value, nodes: usize) -> Self {
        Self { start, at, made: (0..nodes).map(|_| None).collect() }
    }

    /// A value; empty when it was not made yet, or freed.
    pub(crate) fn get(&self, value: Value) -> &[f32] {
        match value.checked_sub(1) {
            _ if value == self.at => self.start,
            Some(node) => self.made[node].as_deref().unwrap_or_default(),
            None => &[],
        }
    }

    /// Keep what the node at `place` has made.
    pub(crate) fn put(&mut self, place: usize, value: Buffer) {
        self.made[place] = Some(value);
    }

    pub(crate) fn free(&mut self, value: Value) {
        if let Some(node) = value.checked_sub(1) {
            self.made[node] = None;
        }
    }

    /// The last node's value.
    pub(crate) fn last(&self) -> &[f32] {
        self.get(self.made.len())
    }

    /// A value, owned.
    pub(crate) fn take(mut self, value: Value) -> Buffer {
        let made = value.checked_sub(1).and_then(|node| self.made[node].take());
        made.unwrap_or_else(|| Buffer::from_slice(self.start))
    }
}
