//! Enlarging chroma as libjpeg's `jdsample.c` does ("fancy upsampling").
//!
//! A halved axis is enlarged by a triangle filter: ¾ of the nearer sample and ¼ of the farther. Where that
//! ends in a half, libjpeg rounds up and down in turn, which avoids a bias.

use wellfit_simd::vectorized;

/// The samples of one component.
pub(super) struct Plane {
    /// Width and height of the part that belongs to the picture.
    pub(super) size: (usize, usize),
    /// Samples per row, the padding included.
    pub(super) stride: usize,
    pub(super) samples: Vec<u8>,
    /// How many pixels one sample covers, across and down.
    pub(super) ratio: (usize, usize),
    /// Whether a filter enlarges them where libjpeg has one; otherwise they are repeated.
    pub(super) smooth: bool,
}

/// Space for a row, to be used again for the next.
#[derive(Default)]
pub(super) struct Scratch {
    sums: Vec<u16>,
    row: Vec<u8>,
}

impl Plane {
    /// Row `y` of the picture, as wide as the picture or a little wider.
    pub(super) fn row<'a>(&'a self, y: usize, scratch: &'a mut Scratch) -> &'a [u8] {
        let Scratch { sums, row: out } = scratch;
        // Too narrow for the filter, libjpeg repeats.
        let repeat = !self.smooth || (self.size.0 <= 2 && self.ratio.0 == 2);
        let ratio = if repeat { (0, 0) } else { self.ratio };
        let near = self.samples_of(y / self.ratio.1);
        match ratio {
            (1, 1) => return near,
            (2, 1) => across(near, out),
            (1, 2) => down(near, self.farther(y), 1 + (y % 2) as u16, out),
            (2, 2) => {
                sums.resize(near.len(), 0);
                mix(near, self.farther(y), sums);
                across_sums(sums, out);
            }
            _ => {
                out.clear();
                out.extend(near.iter().flat_map(|&sample| std::iter::repeat_n(sample, self.ratio.0)));
            }
        }
        out
    }

    fn samples_of(&self, row: usize) -> &[u8] {
        &self.samples[row * self.stride..][..self.size.0]
    }

    /// The second nearest row of samples to row `y` of the picture; outside the plane, its edge is repeated.
    fn farther(&self, y: usize) -> &[u8] {
        let row =
            if y.is_multiple_of(2) { (y / 2).saturating_sub(1) } else { (y / 2 + 1).min(self.size.1 - 1) };
        self.samples_of(row)
    }
}

vectorized! {
    /// Four times the vertical mixture of two rows.
    fn mix(near: &[u8], far: &[u8], sums: &mut [u16]) {
        for (sum, (&near, &far)) in sums.iter_mut().zip(near.iter().zip(far)) {
            *sum = 3 * u16::from(near) + u16::from(far);
        }
    }
}

vectorized! {
    /// `h1v2_fancy_upsample`
    fn down(near: &[u8], far: &[u8], bias: u16, out: &mut Vec<u8>) {
        out.clear();
        let mixed = near.iter().zip(far).map(|(&near, &far)| 3 * u16::from(near) + u16::from(far));
        out.extend(mixed.map(|sum| ((sum + bias) >> 2) as u8));
    }
}

vectorized! {
    /// `h2v1_fancy_upsample`
    fn across(row: &[u8], out: &mut Vec<u8>) {
        filter(row, out, |near, far, right| {
            ((3 * u16::from(near) + u16::from(far) + 1 + u16::from(right)) >> 2) as u8
        });
    }
}

vectorized! {
    /// `h2v2_fancy_upsample`, after the vertical part
    fn across_sums(sums: &[u16], out: &mut Vec<u8>) {
        filter(sums, out, |near, far, right| ((3 * near + far + 8 - u16::from(right)) >> 4) as u8);
    }
}

/// Two pixels of each sample: `mix(near, far, right)` of it and its left or right neighbour; at the ends of the
/// row the sample is its own neighbour.
#[inline(always)]
fn filter<T: Copy>(row: &[T], out: &mut Vec<u8>, mix: impl Fn(T, T, bool) -> u8) {
    let last = row.len() - 1;
    out.resize(row.len() * 2, 0);
    out[0] = mix(row[0], row[0], false);
    for ((out, &left), &right) in out[1..].as_chunks_mut().0.iter_mut().zip(row).zip(&row[1..]) {
        *out = [mix(left, right, true), mix(right, left, false)];
    }
    out[2 * last + 1] = mix(row[last], row[last], true);
}
