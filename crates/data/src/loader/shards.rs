//! A batch in parts, for processes that share it.

use std::ops::Range;

/// How a batch is cut into parts, and which of them are a process' own.
///
/// The parts follow from the batch and their number alone, so whatever is computed part by part does not depend on how
/// many processes there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shards {
    /// How many parts there are.
    pub count: usize,
    /// The place of this process, from 0.
    pub rank: usize,
    /// How many processes there are, each with as many parts.
    pub ranks: usize,
}

impl Default for Shards {
    /// A batch as a whole.
    fn default() -> Self {
        Self { count: 1, rank: 0, ranks: 1 }
    }
}

impl Shards {
    /// How many parts a batch of `n` images really has: BatchNorm needs two images, so the last batch of an epoch may be
    /// too small for all parts. The others are then empty.
    #[must_use]
    pub fn used(&self, n: usize) -> usize {
        (n / 2).clamp(1, self.count)
    }

    /// The images of a part in a batch of `n`.
    #[must_use]
    pub fn images(&self, part: usize, n: usize) -> Range<usize> {
        let used = self.used(n);
        let edge = |part: usize| part.min(used) * n / used;
        edge(part)..edge(part + 1)
    }

    /// The parts of this process that have images in a batch of `n`.
    #[must_use]
    pub fn own(&self, n: usize) -> Range<usize> {
        let each = self.count / self.ranks;
        let last = ((self.rank + 1) * each).min(self.used(n));
        (self.rank * each).min(last)..last
    }

    /// The images of this process in a batch of `n`.
    #[must_use]
    pub fn own_images(&self, n: usize) -> Range<usize> {
        let own = self.own(n);
        self.images(own.start, n).start..self.images(own.end, n).start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_image_is_in_one_part_and_every_part_has_two() {
        for count in [1, 2, 4, 8] {
            for n in 1..40 {
                let whole = Shards { count, ..Shards::default() };
                let parts: Vec<_> = (0..count).map(|part| whole.images(part, n)).collect();
                assert_eq!(parts.iter().cloned().flatten().collect::<Vec<_>>(), (0..n).collect::<Vec<_>>());
                let used = parts.iter().filter(|part| !part.is_empty()).count();
                assert_eq!(used, whole.used(n));
                assert!(n == 1 || parts[..used].iter().all(|part| part.len() >= 2), "{parts:?}");
            }
        }
    }

    #[test]
    fn processes_share_the_parts_whatever_their_number() {
        for ranks in [1, 2, 4] {
            for n in 1..40 {
                let each: Vec<_> = (0..ranks).map(|rank| Shards { count: 4, rank, ranks }).collect();
                let parts: Vec<_> = each.iter().flat_map(|shards| shards.own(n)).collect();
                assert_eq!(parts, (0..each[0].used(n)).collect::<Vec<_>>(), "{n} images, {ranks} processes");
                let images: Vec<_> = each.iter().flat_map(|shards| shards.own_images(n)).collect();
                assert_eq!(images, (0..n).collect::<Vec<_>>());
            }
        }
    }
}
