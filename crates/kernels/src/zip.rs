//! The perfect shuffle of two vectors: the step that transposes are made of.
//!
//! Compilers turn loops over arrays into vector arithmetic by themselves, but shuffles of a few values only by
//! luck; so the instructions of x86-64's baseline are named here.

/// Vectors whose values can be taken in turn.
pub trait Zip: Sized {
    /// a₀ b₀ a₁ b₁ …, in two vectors.
    #[must_use]
    fn zip(self, other: Self) -> [Self; 2];
}

macro_rules! zip {
    ($type:ty, $count:literal, $low:ident, $high:ident) => {
        impl Zip for [$type; $count] {
            #[inline(always)]
            fn zip(self, other: Self) -> [Self; 2] {
                #[cfg(target_arch = "x86_64")]
                {
                    use std::arch::x86_64::{__m128i, $high, $low};
                    use std::mem::transmute;
                    // SAFETY: SSE2 is part of x86-64, and an array of 16 bytes of integers is a vector bit for bit.
                    unsafe {
                        let (a, b) = (transmute::<Self, __m128i>(self), transmute::<Self, __m128i>(other));
                        [transmute::<__m128i, Self>($low(a, b)), transmute::<__m128i, Self>($high(a, b))]
                    }
                }
                #[cfg(not(target_arch = "x86_64"))]
                {
                    const HALF: usize = $count / 2;
                    let half = |from: usize| {
                        std::array::from_fn(
                            |i| if i % 2 == 0 { self[from + i / 2] } else { other[from + i / 2] },
                        )
                    };
                    [half(0), half(HALF)]
                }
            }
        }
    };
}

zip!(i16, 8, _mm_unpacklo_epi16, _mm_unpackhi_epi16);
zip!(u8, 16, _mm_unpacklo_epi8, _mm_unpackhi_epi8);

/// Rows become columns: log₂ N shuffles of the rows in the lower half with those in the upper.
#[inline(always)]
#[must_use]
pub fn transpose<V: Zip + Copy, const N: usize>(mut rows: [V; N]) -> [V; N] {
    for _ in 0..N.ilog2() {
        let from = rows;
        for i in 0..N / 2 {
            [rows[2 * i], rows[2 * i + 1]] = from[i].zip(from[i + N / 2]);
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_values_of_both_come_in_turn() {
        let (a, b): ([i16; 8], [i16; 8]) =
            (std::array::from_fn(|i| i as i16), std::array::from_fn(|i| -(i as i16)));
        assert_eq!(a.zip(b), [[0, 0, 1, -1, 2, -2, 3, -3], [4, -4, 5, -5, 6, -6, 7, -7]]);
    }

    #[test]
    fn rows_become_columns() {
        let words: [[i16; 8]; 8] = std::array::from_fn(|y| std::array::from_fn(|x| (100 * y + x) as i16));
        let bytes: [[u8; 16]; 16] = std::array::from_fn(|y| std::array::from_fn(|x| (16 * y + x) as u8));
        let (turned_words, turned_bytes) = (transpose(words), transpose(bytes));
        for y in 0..16 {
            for x in 0..16 {
                assert_eq!(turned_bytes[x][y], bytes[y][x]);
                assert!(y > 7 || x > 7 || turned_words[x][y] == words[y][x]);
            }
        }
    }
}
