//! The values of a pass.

use crate::network::Value;
use wellfit_kernels::Buffer;

/// The images, borrowed, and what each node has made of them.
#[derive(Debug)]
pub(crate) struct Values<'a> {
    images: &'a [f32],
    made: Vec<Option<Buffer>>,
}

impl<'a> Values<'a> {
    pub(crate) fn new(images: &'a [f32], nodes: usize) -> Self {
        Self { images, made: (0..nodes).map(|_| None).collect() }
    }

    /// A value; empty when it was not made yet, or freed.
    pub(crate) fn get(&self, value: Value) -> &[f32] {
        match value.checked_sub(1) {
            Some(node) => self.made[node].as_deref().unwrap_or_default(),
            None => self.images,
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

    /// As [`Self::last`], owned.
    pub(crate) fn into_last(mut self) -> Buffer {
        self.made.pop().flatten().unwrap_or_else(|| Buffer::from_slice(self.images))
    }
}
