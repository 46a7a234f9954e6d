//! How often numbers occur, and the range of codes that stores them with the least error.

use wellfit_kernels::int8::Affine;

/// Lowest bits of a float that a bin leaves out: it keeps the sign, the exponent and five bits of the fraction, so a bin
/// is 2 to 3 % of its numbers wide.
const DROPPED: u32 = 18;
const BINS: usize = 1 << (32 - DROPPED);
const SIGN: usize = BINS / 2;
/// Ends of a range that are tried: down to a hundredth of the largest number there is (2⁶·⁶ with 32 bins to an octave).
const TRIED: usize = 212;

/// Counts of numbers in bins that are as wide as their numbers are large, and the extremes.
#[derive(Debug, Clone)]
pub(super) struct Histogram {
    counts: Vec<u64>,
    low: f32,
    high: f32,
    /// NaN or infinities were among the numbers.
    not_finite: bool,
}

impl Histogram {
    pub fn new() -> Self {
        Self { counts: vec![0; BINS], low: 0.0, high: 0.0, not_finite: false }
    }

    /// Count numbers.
    pub fn add(&mut self, values: &[f32]) {
        for &value in values {
            self.counts[(value.to_bits() >> DROPPED) as usize] += 1;
            self.not_finite |= !value.is_finite();
            self.low = if value < self.low { value } else { self.low };
            self.high = if value > self.high { value } else { self.high };
        }
    }

    /// Whether all numbers were finite.
    pub fn is_finite(&self) -> bool {
        !self.not_finite
    }

    /// The codes that store the numbers with the least squared error: one end of the range after the other is moved
    /// towards 0 to where the error is least, twice.
    pub fn best(&self) -> Affine {
        let moments = Moments::new(self);
        let (mut low, mut high) = (self.low, self.high);
        for _ in 0..2 {
            high = least(ends(self.high), |high| moments.error(low, high)).unwrap_or(high);
            low = least(ends(self.low), |low| moments.error(low, high)).unwrap_or(low);
        }
        Affine::of_range(low, high)
    }
}

/// Ends of a range to try, from an extreme towards 0; none if that is 0.
fn ends(extreme: f32) -> impl Iterator<Item = f32> {
    let bin = extreme.to_bits() >> DROPPED;
    let inner = (0..TRIED as u32).map_while(move |down| {
        let end = f32::from_bits(bin.checked_sub(down)? << DROPPED);
        (end.is_normal() && end.is_sign_negative() == extreme.is_sign_negative()).then_some(end)
    });
    std::iter::once(extreme).chain(inner).take_while(move |_| extreme != 0.0)
}

/// The first of those with the least error.
fn least(ends: impl Iterator<Item = f32>, error: impl Fn(f32) -> f64) -> Option<f32> {
    let errors = ends.map(|end| (end, error(end)));
    errors.reduce(|best, other| if other.1 < best.1 { other } else { best }).map(|(end, _)| end)
}

/// Sums over all bins below a place, the bins in the order of their numbers.
struct Moments {
    /// The number in the middle of each bin, ascending.
    middles: Vec<f64>,
    /// Σ count, Σ count·x, Σ count·x² of the bins before each.
    sums: Vec<[f64; 3]>,
}

impl Moments {
    fn new(histogram: &Histogram) -> Self {
        let (mut middles, mut sums, mut sum) = (Vec::new(), vec![[0.0; 3]], [0.0; 3]);
        for bin in (SIGN..BINS).rev().chain(0..SIGN) {
            let count = histogram.counts[bin] as f64;
            let bits = ((bin as u32) << DROPPED) | 1 << (DROPPED - 1);
            let middle = f64::from(f32::from_bits(bits));
            // Zeros are stored exactly, whatever the range; so are the tiny numbers in their bins.
            if count == 0.0 || !middle.is_finite() || bin % SIGN == 0 {
                continue;
            }
            middles.push(middle);
            sum = [sum[0] + count, sum[1] + count * middle, sum[2] + count * middle * middle];
            sums.push(sum);
        }
        Self { middles, sums }
    }

    /// [Σ count, Σ count·x, Σ count·x²] of the numbers from `from` to below `to`.
    fn between(&self, from: f64, to: f64) -> [f64; 3] {
        let place = |x: f64| self.middles.partition_point(|&middle| middle < x);
        let (first, last) = (self.sums[place(from)], self.sums[place(to).max(place(from))]);
        std::array::from_fn(|i| last[i] - first[i])
    }

    /// The squared error of storing all numbers in codes from `low` to `high`: that of numbers outside is their distance
    /// from the end; numbers nearer to 0 than half a step become 0; the rest is off by step²/12 on average.
    fn error(&self, low: f32, high: f32) -> f64 {
        let (low, high) = (f64::from(low.min(0.0)), f64::from(high.max(0.0)));
        let half = (high - low) / 510.0;
        let beyond = |[n, x, xx]: [f64; 3], end: f64| xx - 2.0 * end * x + end * end * n;
        let [small, _, squares] = self.between(-half, half);
        let inside = self.between(low, high)[0] - small;
        beyond(self.between(f64::NEG_INFINITY, low), low)
            + beyond(self.between(high, f64::INFINITY), high)
            + squares
            + inside.max(0.0) * (2.0 * half).powi(2) / 12.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(values: impl Iterator<Item = f32>) -> Histogram {
        let mut histogram = Histogram::new();
        histogram.add(&values.collect::<Vec<_>>());
        histogram
    }

    /// The squared error of storing `values`, number by number.
    fn error(values: &[f32], affine: Affine) -> f64 {
        values.iter().map(|&x| f64::from(affine.value(affine.code(x)) - x).powi(2)).sum()
    }

    #[test]
    fn an_outlier_is_cut_off_where_it_costs_less_than_it_saves() {
        // A half normal distribution by its quantiles, roughly, and one number far out.
        let mut values: Vec<f32> = (0..100_000).map(|i| (-(1.0 - i as f32 / 1e5).ln()).sqrt()).collect();
        values.push(40.0);
        let found = histogram(values.iter().copied()).best();
        let high = found.range().1;
        assert!(high > 3.0 && high < 39.0, "{high}");
        let whole = Affine::of_range(0.0, 40.0);
        assert!(error(&values, found) < 0.9 * error(&values, whole));
        // No other end is better by more than the bins' width allows.
        for tried in 1..400 {
            let other = Affine::of_range(0.0, 0.1 * tried as f32);
            assert!(error(&values, found) < 1.05 * error(&values, other), "{tried}");
        }
    }

    #[test]
    fn even_numbers_keep_their_whole_range() {
        let values = || (-1000..2000).map(|i| i as f32 / 500.0);
        let found = histogram(values()).best();
        let (low, high) = found.range();
        assert!((low + 2.0).abs() < 0.03 && (high - 4.0).abs() < 0.03, "{low} {high}");
    }

    #[test]
    fn zeros_do_not_count() {
        let few = || (0..100).map(|i| i as f32);
        let zeros = std::iter::repeat_n(0.0, 1_000_000);
        assert_eq!(histogram(few().chain(zeros)).best(), histogram(few()).best());
    }

    #[test]
    fn nothing_and_nonsense() {
        assert_eq!(histogram(std::iter::empty()).best(), Affine { scale: 1.0, zero: 0 });
        assert_eq!(histogram(std::iter::repeat_n(0.0, 3)).best(), Affine { scale: 1.0, zero: 0 });
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert!(!histogram([1.0, bad].into_iter()).is_finite());
        }
        let one = histogram(std::iter::once(-3.0)).best();
        assert!((one.range().0 + 3.0).abs() < 0.1 && one.range().1 == 0.0, "{one:?}");
    }
}
