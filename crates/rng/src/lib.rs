//! Counter-based randomness: the same (seed, stream, epoch, index) gives the same bits anywhere.
//!
//! A training run must not depend on the number of threads nor on where it was interrupted. A generator
//! with hidden state cannot promise that; a counter-based one can, since its n-th number is a pure
//! function of its key. This is Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as
//! 1, 2, 3"), checked against the authors' known answers.
//!
//! ```
//! use wellfit_rng::{Rng, Stream};
//! let mut a = Rng::new(0, Stream::Shuffle, 3, 0);
//! let mut b = Rng::new(0, Stream::Shuffle, 3, 0);
//! assert_eq!(a.permutation(10), b.permutation(10));
//! ```

/// What a random number is for. Streams never share numbers, so adding a draw in one place changes
/// nothing in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Stream {
    /// Initial weights; index = the parameter's position in the network.
    Init = 1,
    /// The order of an epoch's samples.
    Shuffle = 2,
    /// The train/validation split.
    Split = 3,
    /// Augmentation; index = the sample's position in the dataset.
    Augment = 4,
    /// Dropout masks; epoch = the training step, index = the layer.
    Dropout = 5,
    /// Synthetic data, such as the dropout lab's noise.
    Noise = 6,
    /// What an augmentation does to one image; seed = the number that was drawn for it.
    Parameters = 7,
    /// Resamples of measured answers; index = the resample.
    Bootstrap = 12,
    /// What a search tries; epoch = the trial, index = the choice within it.
    Search = 13,
}

/// One block of Philox4x32-10: four random words for a counter and a key.
#[must_use]
pub fn philox4x32(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for round in 0..10 {
        if round > 0 {
            key = [key[0].wrapping_add(0x9E37_79B9), key[1].wrapping_add(0xBB67_AE85)];
        }
        let wide0 = u64::from(counter[0]) * 0xD251_1F53;
        let wide1 = u64::from(counter[2]) * 0xCD9E_8D57;
        counter = [
            (wide1 >> 32) as u32 ^ counter[1] ^ key[0],
            wide1 as u32,
            (wide0 >> 32) as u32 ^ counter[3] ^ key[1],
            wide0 as u32,
        ];
    }
    counter
}

/// The counter of the block behind that of `counter`.
fn next(counter: [u32; 4]) -> [u32; 4] {
    let (low, carry) = counter[0].overflowing_add(1);
    [low, counter[1].wrapping_add(u32::from(carry)), counter[2], counter[3]]
}

/// A number in [0, 1) from the upper 24 bits.
fn unit(bits: u32) -> f32 {
    (bits >> 8) as f32 / (1 << 24) as f32
}

/// A sequence of random numbers that is a pure function of (seed, stream, epoch, index).
#[derive(Debug, Clone)]
pub struct Rng {
    key: [u32; 2],
    counter: [u32; 4],
    block: [u32; 4],
    used: usize,
}

impl Rng {
    /// The sequence of `seed` for `stream` at (`epoch`, `index`).
    ///
    /// A sequence holds 2³² blocks of four words; `epoch` counts to 2³², the index to 2³².
    #[must_use]
    pub fn new(seed: u64, stream: Stream, epoch: u32, index: u32) -> Self {
        let key =
            [(seed as u32) ^ (stream as u32).wrapping_mul(0x9E37_79B9), (seed >> 32) as u32 ^ stream as u32];
        Self { key, counter: [0, 0, epoch, index], block: [0; 4], used: 4 }
    }

    /// 32 random bits.
    pub fn next_u32(&mut self) -> u32 {
        if self.used == 4 {
            self.block = philox4x32(self.counter, self.key);
            self.counter = next(self.counter);
            self.used = 0;
        }
        self.used += 1;
        self.block[self.used - 1]
    }

    /// A number in [0, 1) with 24 random bits.
    pub fn uniform(&mut self) -> f32 {
        unit(self.next_u32())
    }

    /// Fill `out` with what as many calls of [`Self::uniform`] would give. Faster: no block waits for the one
    /// before.
    pub fn fill_uniform(&mut self, out: &mut [f32]) {
        let (head, rest) = out.split_at_mut(out.len().min(4 - self.used));
        head.iter_mut().for_each(|x| *x = self.uniform());
        let (blocks, tail) = rest.as_chunks_mut();
        for block in blocks {
            *block = philox4x32(self.counter, self.key).map(unit);
            self.counter = next(self.counter);
        }
        tail.iter_mut().for_each(|x| *x = self.uniform());
    }

    /// Leave out the next `n` numbers of 32 bits, as if they had been drawn.
    pub fn skip(&mut self, n: u64) {
        let left = n.min((4 - self.used) as u64);
        self.used += left as usize;
        let (low, high) = (u64::from(self.counter[0]), u64::from(self.counter[1]));
        let block = (low | high << 32).wrapping_add((n - left) / 4);
        (self.counter[0], self.counter[1]) = (block as u32, (block >> 32) as u32);
        (0..(n - left) % 4).for_each(|_| {
            self.next_u32();
        });
    }

    /// A number in [low, high).
    pub fn uniform_in(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.uniform()
    }

    /// A number in [low, high) with 32 random bits; `low` if they are equal.
    pub fn uniform_f64(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * (f64::from(self.next_u32()) / 4_294_967_296.0)
    }

    /// A standard normal number (Box–Muller, in f64, the cosine half).
    pub fn normal(&mut self) -> f32 {
        let radius = (f64::from(self.next_u32()) + 1.0) / 4_294_967_296.0;
        let angle = f64::from(self.next_u32()) / 4_294_967_296.0;
        ((-2.0 * libm::log(radius)).sqrt() * libm::cos(std::f64::consts::TAU * angle)) as f32
    }

    /// A whole number in 0..`bound`, unbiased (Lemire 2019).
    ///
    /// # Panics
    /// If `bound` is 0.
    pub fn below(&mut self, bound: u32) -> u32 {
        assert!(bound > 0, "nothing lies below 0");
        let threshold = bound.wrapping_neg() % bound;
        loop {
            let wide = u64::from(self.next_u32()) * u64::from(bound);
            if wide as u32 >= threshold {
                return (wide >> 32) as u32;
            }
        }
    }

    /// Heads or tails.
    pub fn coin(&mut self) -> bool {
        self.next_u32() >> 31 == 1
    }

    /// Shuffle in place (Fisher–Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u32 + 1) as usize);
        }
    }

    /// The numbers 0..`n` in random order.
    pub fn permutation(&mut self, n: usize) -> Vec<u32> {
        let mut order: Vec<u32> = (0..n as u32).collect();
        self.shuffle(&mut order);
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The known answers of the authors' own test vectors (Random123, `kat_vectors`).
    #[test]
    fn philox_gives_the_known_answers() {
        assert_eq!(philox4x32([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(
            philox4x32([u32::MAX; 4], [u32::MAX; 2]),
            [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
        );
        assert_eq!(
            philox4x32([0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0]),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    /// In the middle of a block, over whole ones and behind them, and across the carry of the counter.
    #[test]
    fn filling_equals_drawing_one_by_one() {
        for counter in [[0, 0, 3, 1], [u32::MAX - 4, 7, 3, 1]] {
            let mut one = Rng { counter, ..Rng::new(5, Stream::Dropout, 3, 1) };
            let mut many = one.clone();
            for len in [0, 1, 2, 100, 3, 64, 31] {
                let mut filled = vec![0.0; len];
                many.fill_uniform(&mut filled);
                assert_eq!(
                    filled,
                    (0..len).map(|_| one.uniform()).collect::<Vec<f32>>(),
                    "{len} from {counter:?}"
                );
            }
            assert_eq!(one.next_u32(), many.next_u32());
        }
    }

    /// From every place in a block, within it and beyond, and across the carry of the counter.
    #[test]
    fn skipping_equals_drawing() {
        for counter in [[0, 0, 3, 1], [u32::MAX - 1, 7, 3, 1]] {
            for before in 0..5 {
                for n in [0, 1, 3, 4, 5, 8, 31] {
                    let mut drawn = Rng { counter, ..Rng::new(5, Stream::Dropout, 3, 1) };
                    (0..before).for_each(|_| _ = drawn.uniform());
                    let mut skipped = drawn.clone();
                    (0..n).for_each(|_| _ = drawn.uniform());
                    skipped.skip(n);
                    assert_eq!(drawn.next_u32(), skipped.next_u32(), "{n} after {before} from {counter:?}");
                }
            }
        }
    }

    #[test]
    fn streams_epochs_and_indices_differ() {
        let first = |seed, stream, epoch, index| Rng::new(seed, stream, epoch, index).next_u32();
        let base = first(0, Stream::Shuffle, 0, 0);
        for other in [
            first(1, Stream::Shuffle, 0, 0),
            first(0, Stream::Augment, 0, 0),
            first(0, Stream::Shuffle, 1, 0),
            first(0, Stream::Shuffle, 0, 1),
        ] {
            assert_ne!(base, other);
        }
    }

    /// Standard error of a mean over n draws is σ/√n; five of them never fail by chance.
    #[test]
    fn moments_are_right() {
        let (n, mut rng) = (100_000, Rng::new(7, Stream::Noise, 0, 0));
        let normals: Vec<f64> = (0..n).map(|_| f64::from(rng.normal())).collect();
        let mean = normals.iter().sum::<f64>() / n as f64;
        let variance = normals.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n as f64;
        assert!(mean.abs() < 5.0 / (n as f64).sqrt(), "mean {mean}");
        assert!((variance - 1.0).abs() < 5.0 * (2.0 / n as f64).sqrt(), "variance {variance}");
        let uniform = (0..n).map(|_| f64::from(rng.uniform())).sum::<f64>() / n as f64;
        assert!((uniform - 0.5).abs() < 5.0 / (12.0 * n as f64).sqrt(), "uniform mean {uniform}");
    }

    #[test]
    fn below_is_even_and_permutation_complete() {
        let mut rng = Rng::new(1, Stream::Split, 0, 0);
        let mut counts = [0_u32; 7];
        (0..70_000).for_each(|_| counts[rng.below(7) as usize] += 1);
        assert!(counts.iter().all(|&c| (9_500..10_500).contains(&c)), "{counts:?}");
        let mut order = rng.permutation(1000);
        assert_ne!(order, (0..1000).collect::<Vec<u32>>());
        order.sort_unstable();
        assert_eq!(order, (0..1000).collect::<Vec<u32>>());
    }
}
