//! The shape of a grouped convolution.

use crate::conv::shape::Conv;

/// A grouped convolution: channel c of an input of `groups`·`channels_in` belongs to group c / `channels_in`, and so
/// for the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupedConv {
    /// How many groups there are.
    pub groups: usize,
    /// The convolution of one group, with the group's channels.
    pub group: Conv,
}

impl GroupedConv {
    /// Numbers in the input.
    #[must_use]
    pub fn input_len(&self) -> usize {
        self.groups * self.group.input_len()
    }

    /// Numbers in the weights.
    #[must_use]
    pub fn weight_len(&self) -> usize {
        self.groups * self.group.weight_len()
    }

    /// Numbers in the output.
    #[must_use]
    pub fn output_len(&self) -> usize {
        self.groups * self.group.output_len()
    }

    /// The place of a weight: its group, tap, input and output within the group.
    pub(super) fn weight(&self, group: usize, (y, x): (usize, usize), input: usize, output: usize) -> usize {
        let conv = &self.group;
        (((group * conv.kernel + y) * conv.kernel + x) * conv.channels_in + input) * conv.channels_out
            + output
    }
}
