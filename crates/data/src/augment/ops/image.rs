//! Pixels that change.

use crate::augment::flips::Flips;

/// An image of 8 bits a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Height and width.
    pub size: (usize, usize),
    /// 1 (grey) or 3 (RGB).
    pub channels: usize,
    /// Rows of interleaved channels.
    pub pixels: Vec<u8>,
}

impl Image {
    /// The same with other pixels.
    #[must_use]
    pub(super) fn with(&self, pixels: Vec<u8>) -> Self {
        Self { size: self.size, channels: self.channels, pixels }
    }

    /// The bytes of a row.
    pub(super) fn stride(&self) -> usize {
        self.size.1 * self.channels
    }

    /// Mirror it.
    pub fn flip(&mut self, flips: Flips) {
        let (stride, channels) = (self.stride(), self.channels);
        if flips.horizontal {
            for row in self.pixels.chunks_exact_mut(stride) {
                row.reverse();
                // The pixels are in their places; their channels are in reverse, too.
                row.chunks_exact_mut(channels).for_each(<[u8]>::reverse);
            }
        }
        if flips.vertical {
            let rows = self.pixels.chunks_exact(stride).rev();
            self.pixels = rows.flatten().copied().collect();
        }
    }

    /// Each value becomes that of its channel's table.
    pub(super) fn look_up(&mut self, tables: &[[u8; 256]]) {
        for pixel in self.pixels.chunks_exact_mut(self.channels) {
            for (value, table) in pixel.iter_mut().zip(tables) {
                *value = table[usize::from(*value)];
            }
        }
    }

    /// How often each value occurs, by channel.
    pub(super) fn histograms(&self) -> Vec<[u32; 256]> {
        let mut counts = vec![[0; 256]; self.channels];
        for pixel in self.pixels.chunks_exact(self.channels) {
            for (&value, counts) in pixel.iter().zip(&mut counts) {
                counts[usize::from(value)] += 1;
            }
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirroring_moves_whole_pixels() {
        let image = Image { size: (2, 2), channels: 3, pixels: (0..12).collect() };
        for (horizontal, vertical, want) in [
            (true, false, [3, 4, 5, 0, 1, 2, 9, 10, 11, 6, 7, 8]),
            (false, true, [6, 7, 8, 9, 10, 11, 0, 1, 2, 3, 4, 5]),
            (true, true, [9, 10, 11, 6, 7, 8, 3, 4, 5, 0, 1, 2]),
        ] {
            let mut mirrored = image.clone();
            mirrored.flip(Flips { horizontal, vertical });
            assert_eq!(mirrored.pixels, want);
        }
    }
}
