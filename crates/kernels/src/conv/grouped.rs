//! Grouped convolution: the channels fall into groups, and each group has a convolution of its own.
//!
//! One group after another: its channels are gathered, convolved and put back. Each of the three is cut into blocks by
//! the shape, so the bits do not depend on the number of threads.

use super::shape::{Conv, Destination};
use wellfit_simd::parallel::{row_blocks, rows_in_cache};
use wellfit_simd::{Buffer, Element};

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

    /// y = x ⊛ w. `x` `[N, H, W, G·C_in]`, `w` `[G, k, k, C_in, C_out]`; gives `[N, H', W', G·C_out]`.
    ///
    /// # Panics
    /// When a length is not that of the shape; so for every function here.
    #[must_use]
    pub fn forward<E: Element>(&self, x: &[E], w: &[f32]) -> Buffer<E> {
        assert_eq!((x.len(), w.len()), (self.input_len(), self.weight_len()), "x and w of {self:?}");
        let mut y = Buffer::scratch(self.output_len());
        for (group, w) in w.chunks_exact(self.group.weight_len()).enumerate() {
            let found = self.group.forward(&self.gather(x, self.group.channels_in, group), w, None);
            self.scatter(&found, self.group.channels_out, group, &mut y, |_, new, _| new);
        }
        y
    }

    /// The gradient of the weights, `[G, k, k, C_in, C_out]`, from `x` and `dy` `[N, H', W', G·C_out]`.
    #[must_use]
    pub fn weight_gradient<E: Element>(&self, x: &[E], dy: &[E]) -> Buffer {
        assert_eq!((x.len(), dy.len()), (self.input_len(), self.output_len()), "x and dy of {self:?}");
        let mut dw = Buffer::scratch(self.weight_len());
        for (group, dw) in dw.chunks_exact_mut(self.group.weight_len()).enumerate() {
            let x = self.gather(x, self.group.channels_in, group);
            let dy = self.gather(dy, self.group.channels_out, group);
            dw.copy_from_slice(&self.group.weight_gradient(&x, &dy));
        }
        dw
    }

    /// The gradient of the input from `dy`, to its [`Destination`].
    pub fn data_gradient<E: Element>(&self, dy: &[E], w: &[f32], to: Destination<'_, E>) {
        assert_eq!((dy.len(), w.len()), (self.output_len(), self.weight_len()), "dy and w of {self:?}");
        let Destination { dx, accumulate, passed } = to;
        let from = passed.map_or(dx.len(), <[E]>::len);
        assert_eq!([dx.len(), from], [self.input_len(); 2], "dx of {self:?}");
        let mut found = Buffer::zeroed(self.group.input_len());
        for (group, w) in w.chunks_exact(self.group.weight_len()).enumerate() {
            let dy = self.gather(dy, self.group.channels_out, group);
            self.group.data_gradient(&dy, w, Destination::new(&mut found));
            self.scatter(&found, self.group.channels_in, group, dx, |old, new, place| {
                let passes = passed.is_none_or(|passed| passed[place].to_f32() > 0.0);
                match (passes, accumulate) {
                    (true, true) => E::from_f32(old.to_f32() + new.to_f32()),
                    (true, false) => new,
                    (false, _) => E::default(),
                }
            });
        }
    }

    /// The `channels` of one group of `x`, `[rows, channels]`.
    fn gather<E: Element>(&self, x: &[E], channels: usize, group: usize) -> Buffer<E> {
        let all = self.groups * channels;
        let mut own = Buffer::scratch(x.len() / self.groups);
        row_blocks(&mut own, channels, rows_in_cache(all), |first, own| {
            let rows = x[first * all..].chunks_exact(all);
            for (own, row) in own.chunks_exact_mut(channels).zip(rows) {
                own.copy_from_slice(&row[group * channels..][..channels]);
            }
        });
        own
    }

    /// Put the `channels` of one group where they belong in `all`. `join` gives the value from the old one, the new one
    /// and their place.
    fn scatter<E: Element>(
        &self,
        own: &[E],
        channels: usize,
        group: usize,
        all: &mut [E],
        join: impl Fn(E, E, usize) -> E + Sync + Send,
    ) {
        let width = self.groups * channels;
        row_blocks(all, width, rows_in_cache(width), |first, all| {
            let rows = own[first * channels..].chunks_exact(channels);
            for (row, (all, own)) in (first..).zip(all.chunks_exact_mut(width).zip(rows)) {
                let start = group * channels;
                for (channel, (all, &own)) in (start..).zip(all[start..].iter_mut().zip(own)) {
                    *all = join(*all, own, row * width + channel);
                }
            }
        });
    }
}
