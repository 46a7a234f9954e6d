//! Sums in a fixed order.

use crate::group::{Group, Lost};
use crate::wire::{Wire, pack, places, unpack};

/// What changes no sum, to the bit: x + (−0) = x for every x, 0 and −0 included.
pub const NOTHING: f32 = -0.0;

/// Replaces the values of each process by the sum over all: of neighbours first, then of neighbouring pairs, and so on.
///
/// So a process may have summed several neighbours' values itself, in the same way, and the sum has the same bits. Each
/// process sums a segment for all, which is then gathered: 2(n − 1)/n of the values are sent by each, as in a ring. A `wire` that
/// rounds does so to what each process gives and to the sum, so its bits depend on how many processes there are.
///
/// # Errors
/// When a process is gone.
pub fn sum(
    group: &mut dyn Group,
    values: &mut Vec<f32>,
    wire: Wire,
    room: &mut Vec<f32>,
) -> Result<(), Lost> {
    if group.size() == 1 {
        return Ok(());
    }
    let (length, segment) = (values.len(), values.len().div_ceil(group.size()));
    values.resize(segment * group.size(), NOTHING);
    room.resize(values.len(), NOTHING);
    match wire {
        Wire::F32 => {
            group.exchange(values, room)?;
            fold(room, segment);
            group.gather(&room[..segment], values)?;
        }
        Wire::Bf16 => exchange_packed(group, values, room, segment)?,
    }
    values.truncate(length);
    Ok(())
}

/// The same with numbers that are sent as bfloat16.
fn exchange_packed(
    group: &mut dyn Group,
    values: &mut [f32],
    room: &mut [f32],
    segment: usize,
) -> Result<(), Lost> {
    if segment == 0 {
        return Ok(());
    }
    let sent: Vec<f32> = values.chunks_exact(segment).flat_map(pack).collect();
    let mut got = vec![0.0; sent.len()];
    group.exchange(&sent, &mut got)?;
    let take = |got: &[f32], to: &mut [f32]| {
        let segments = to.chunks_exact_mut(segment).zip(got.chunks_exact(places(segment)));
        segments.for_each(|(to, got)| unpack(got, to));
    };
    take(&got, room);
    fold(room, segment);
    group.gather(&pack(&room[..segment]), &mut got)?;
    take(&got, values);
    Ok(())
}

/// Adds segments pair by pair; the sum is in the first.
fn fold(segments: &mut [f32], segment: usize) {
    let mut apart = segment;
    while apart > 0 && apart < segments.len() {
        for pair in segments.chunks_exact_mut(2 * apart) {
            let (left, right) = pair.split_at_mut(apart);
            left[..segment].iter_mut().zip(&right[..segment]).for_each(|(sum, value)| *sum += value);
        }
        apart *= 2;
    }
}
