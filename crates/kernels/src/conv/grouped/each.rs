//! One group after another: its channels are gathered, convolved and put back.

use super::shape::GroupedConv;
use crate::conv::shape::Destination;
use wellfit_simd::parallel::{row_blocks, rows_in_cache};
use wellfit_simd::{Buffer, Element};

pub(super) fn forward<E: Element>(conv: &GroupedConv, x: &[E], w: &[f32]) -> Buffer<E> {
    let mut y = Buffer::scratch(conv.output_len());
    for (group, w) in w.chunks_exact(conv.group.weight_len()).enumerate() {
        let found = conv.group.forward(&gather(conv, x, conv.group.channels_in, group), w, None);
        scatter(conv, &found, conv.group.channels_out, group, &mut y, |_, new, _| new);
    }
    y
}

pub(super) fn weight_gradient<E: Element>(conv: &GroupedConv, x: &[E], dy: &[E]) -> Buffer {
    let mut dw = Buffer::scratch(conv.weight_len());
    for (group, dw) in dw.chunks_exact_mut(conv.group.weight_len()).enumerate() {
        let x = gather(conv, x, conv.group.channels_in, group);
        let dy = gather(conv, dy, conv.group.channels_out, group);
        dw.copy_from_slice(&conv.group.weight_gradient(&x, &dy));
    }
    dw
}

pub(super) fn data_gradient<E: Element>(conv: &GroupedConv, dy: &[E], w: &[f32], to: Destination<'_, E>) {
    let Destination { dx, accumulate, passed } = to;
    let mut found = Buffer::zeroed(conv.group.input_len());
    for (group, w) in w.chunks_exact(conv.group.weight_len()).enumerate() {
        let dy = gather(conv, dy, conv.group.channels_out, group);
        conv.group.data_gradient(&dy, w, Destination::new(&mut found));
        scatter(conv, &found, conv.group.channels_in, group, dx, |old, new, place| {
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
fn gather<E: Element>(conv: &GroupedConv, x: &[E], channels: usize, group: usize) -> Buffer<E> {
    let all = conv.groups * channels;
    let mut own = Buffer::scratch(x.len() / conv.groups);
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
    conv: &GroupedConv,
    own: &[E],
    channels: usize,
    group: usize,
    all: &mut [E],
    join: impl Fn(E, E, usize) -> E + Sync + Send,
) {
    let width = conv.groups * channels;
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
