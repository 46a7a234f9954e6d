//! All pairs of images whose hashes are near and whose pixels agree, without comparing each with each.
//!
//! Two hashes that differ in at most four bits agree in at least one of five bands of bits (multi-index hashing: Norouzi,
//! Punjani and Fleet 2012). So an image is compared only with those that have one of its bands.

use rayon::prelude::*;

use super::prints::{Print, Rows};

/// Bits in which the hashes of two near-duplicates may differ.
pub const MOST_BITS: u32 = 4;
/// The least correlation of two near-duplicates.
pub const LEAST_CORRELATION: f64 = 0.9978;

/// By how many levels the colour of two near-duplicates may differ: the mean of a channel less that of all.
pub const MOST_COLOUR: f64 = 12.0;

/// The first bit of each band, and the end.
const BANDS: [u32; MOST_BITS as usize + 2] = [0, 13, 26, 39, 52, 64];

/// Two images that show the same picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pair {
    pub a: usize,
    pub b: usize,
    pub correlation: f64,
    pub mirrored: bool,
}

/// The pairs `a < b` among `prints`, which are of different pixels. The order follows from the prints alone.
pub(super) fn pairs(prints: &[&Print]) -> Vec<Pair> {
    let rows = Rows::of(prints);
    let as_they_are: Vec<u64> = prints.iter().map(|print| print.hash).collect();
    let index = Index::of(&as_they_are);
    let of = |b: usize| {
        let mut found = Vec::new();
        let mut compare = |hash, row: Option<&[f32]>, mirrored| {
            let Some(row) = row else { return };
            index.near(hash, |a| {
                let other = rows.get(a).filter(|_| a < b && is_coloured_alike(prints[a], prints[b]));
                if let Some(correlation) = other.and_then(|other| correlation(row, other)) {
                    found.push(Pair { a, b, correlation, mirrored });
                }
            });
        };
        compare(prints[b].hash, rows.get(b), false);
        compare(prints[b].mirrored, rows.mirrored(prints[b]).as_deref(), true);
        found
    };
    (0..prints.len()).into_par_iter().flat_map_iter(of).collect()
}

/// The same shape in another colour is another picture.
fn is_coloured_alike(a: &Print, b: &Print) -> bool {
    a.colour.iter().zip(&b.colour).all(|(a, b)| (a - b).abs() <= MOST_COLOUR)
}

/// The correlation, if it is at least [`LEAST_CORRELATION`]: of numbers of length 1 it is `1 - |a - b|² / 2`.
fn correlation(a: &[f32], b: &[f32]) -> Option<f64> {
    const MOST: f32 = (2.0 * (1.0 - LEAST_CORRELATION)) as f32;
    let mut sums = [0.0_f32; 16];
    for (a, b) in a.chunks(48).zip(b.chunks(48)) {
        for (a, b) in a.chunks_exact(16).zip(b.chunks_exact(16)) {
            for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
                *sum += (a - b) * (a - b);
            }
        }
        // Most pairs are told apart by the first rows.
        if sums.iter().sum::<f32>() > MOST {
            return None;
        }
    }
    Some(1.0 - f64::from(sums.iter().sum::<f32>()) / 2.0)
}

/// The images by each band of their hash.
struct Index<'a> {
    hashes: &'a [u64],
    bands: Vec<Band>,
}

/// The images sorted by the value of a band: those of value `v` are `places[starts[v]..starts[v + 1]]`.
struct Band {
    starts: Vec<u32>,
    places: Vec<u32>,
}

fn band(hash: u64, number: usize) -> usize {
    let (first, end) = (BANDS[number], BANDS[number + 1]);
    (hash >> first) as usize & ((1 << (end - first)) - 1)
}

impl<'a> Index<'a> {
    fn of(hashes: &'a [u64]) -> Self {
        let of = |number: usize| {
            let mut places: Vec<u32> = (0..hashes.len() as u32).collect();
            places.sort_by_key(|&place| band(hashes[place as usize], number));
            let mut starts = vec![0; (1 << (BANDS[number + 1] - BANDS[number])) + 1];
            hashes.iter().for_each(|&hash| starts[band(hash, number) + 1] += 1);
            (1..starts.len()).for_each(|value| starts[value] += starts[value - 1]);
            Band { starts, places }
        };
        Self { hashes, bands: (0..BANDS.len() - 1).map(of).collect() }
    }

    /// Every image whose hash differs from `hash` in at most [`MOST_BITS`] bits, once.
    fn near(&self, hash: u64, mut found: impl FnMut(usize)) {
        for (number, of) in self.bands.iter().enumerate() {
            let value = band(hash, number);
            for &place in &of.places[of.starts[value] as usize..of.starts[value + 1] as usize] {
                let other = self.hashes[place as usize];
                let met_before = || (0..number).any(|before| band(hash, before) == band(other, before));
                if (hash ^ other).count_ones() <= MOST_BITS && !met_before() {
                    found(place as usize);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_finds_what_comparing_all_finds() {
        let mut state = 1_u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        let mut hashes: Vec<u64> = (0..300).map(|_| next()).collect();
        for i in 0..300 {
            let bits = (0..i % 7).fold(0, |bits, _| bits | 1 << (next() % 64));
            hashes.push(hashes[i] ^ bits);
        }
        let index = Index::of(&hashes);
        for &hash in &hashes {
            let mut found = Vec::new();
            index.near(hash, |place| found.push(place));
            found.sort_unstable();
            let near = |place: &usize| (hashes[*place] ^ hash).count_ones() <= MOST_BITS;
            assert_eq!(found, (0..hashes.len()).filter(near).collect::<Vec<_>>());
        }
    }
}
