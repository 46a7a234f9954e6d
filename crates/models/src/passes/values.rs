//! The values of a pass.

use crate::graph::Value;
use wellfit_kernels::{Buffer, Element, elementwise};

/// The value that a pass starts from, mostly the images.
#[derive(Debug)]
enum Start<'a, E: Element> {
    Borrowed(&'a [E]),
    Rounded(Buffer<E>),
}

/// The value that the pass starts from and the output of each node.
#[derive(Debug)]
pub(crate) struct Values<'a, E: Element> {
    start: Start<'a, E>,
    at: Value,
    made: Vec<Option<Buffer<E>>>,
}

impl<'a, E: Element> Values<'a, E> {
    /// Of a pass that starts with the value `at`.
    pub(crate) fn new(start: &'a [f32], at: Value, nodes: usize) -> Self {
        let start =
            E::from_f32s(start).map_or_else(|| Start::Rounded(elementwise::narrow(start)), Start::Borrowed);
        Self { start, at, made: (0..nodes).map(|_| None).collect() }
    }

    /// A value; empty when it was not made yet, or freed.
    pub(crate) fn get(&self, value: Value) -> &[E] {
        match value.checked_sub(1) {
            _ if value == self.at => match &self.start {
                Start::Borrowed(start) => start,
                Start::Rounded(start) => start,
            },
            Some(node) => self.made[node].as_deref().unwrap_or_default(),
            None => &[],
        }
    }

    /// Keep what the node at `place` has made.
    pub(crate) fn put(&mut self, place: usize, value: Buffer<E>) {
        self.made[place] = Some(value);
    }

    pub(crate) fn free(&mut self, value: Value) {
        if let Some(node) = value.checked_sub(1) {
            self.made[node] = None;
        }
    }

    /// A value in f32.
    pub(crate) fn into_f32(mut self, value: Value) -> Buffer {
        let made = value.checked_sub(1).and_then(|node| self.made[node].take());
        match made.map(Buffer::into_f32) {
            Some(Ok(floats)) => floats,
            Some(Err(numbers)) => elementwise::to_f32(&numbers),
            None => elementwise::to_f32(self.get(value)),
        }
    }
}
