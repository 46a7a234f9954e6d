//! The perfect shuffle of two vectors (the step that transposes are made of), sums of products of 16 bits, and
//! conversions from 32 bits to 16 and from 16 to 8.
//!
//! Compilers turn loops over arrays into vector arithmetic by themselves, but rarely do so for operations across the
//! lanes of a vector. So these name the instructions of x86-64's baseline (SSE2).

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

/// Functions of two vectors that are one instruction of SSE2, and the same in plain words for other machines.
macro_rules! instruction {
    ($(#[$doc:meta])* $name:ident($a:ident, $b:ident: $from:ty) -> $to:ty = $instruction:ident or $plain:expr) => {
        $(#[$doc])*
        #[inline(always)]
        #[must_use]
        pub fn $name($a: $from, $b: $from) -> $to {
            #[cfg(target_arch = "x86_64")]
            {
                use std::arch::x86_64::{__m128i, $instruction};
                use std::mem::transmute;
                // SAFETY: SSE2 is part of x86-64, and an array of 16 bytes of integers is a vector bit for bit.
                unsafe {
                    let (a, b) = (transmute::<$from, __m128i>($a), transmute::<$from, __m128i>($b));
                    transmute::<__m128i, $to>($instruction(a, b))
                }
            }
            #[cfg(not(target_arch = "x86_64"))]
            {
                std::array::from_fn($plain)
            }
        }
    };
}

instruction! {
    /// All values, those below 0 as 0 and those above 255 as 255.
    narrow(low, high: [i16; 8]) -> [u8; 16] = _mm_packus_epi16
    or |i| if i < 8 { low[i] } else { high[i - 8] }.clamp(0, 255) as u8
}

instruction! {
    /// All values, those beyond 16 bits as the nearest that fits.
    halve(low, high: [i32; 4]) -> [i16; 8] = _mm_packs_epi32
    or |i| if i < 4 { low[i] } else { high[i - 4] }.clamp(i16::MIN.into(), i16::MAX.into()) as i16
}

instruction! {
    /// a₀ b₀ + a₁ b₁, a₂ b₂ + a₃ b₃, …
    dot(a, b: [i16; 8]) -> [i32; 4] = _mm_madd_epi16
    or |i| {
        let product = |i: usize| i32::from(a[i]) * i32::from(b[i]);
        product(2 * i).wrapping_add(product(2 * i + 1))
    }
}

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
    fn what_is_too_large_for_a_byte_saturates() {
        let low = [-32768, -1, 0, 1, 254, 255, 256, 32767];
        let saturated = [0, 0, 0, 1, 254, 255, 255, 255];
        assert_eq!(narrow(low, [7; 8])[..8], saturated);
        assert_eq!(narrow([7; 8], low)[8..], saturated);
    }

    #[test]
    fn what_is_too_large_for_a_word_saturates() {
        let saturated = halve([-32769, -32768, 32767, 32768], [i32::MIN, -1, 1, i32::MAX]);
        assert_eq!(saturated, [-32768, -32768, 32767, 32767, -32768, -1, 1, 32767]);
    }

    #[test]
    fn neighbours_products_are_added() {
        let products = dot([1, 2, 3, -4, 32767, -32768, 0, 7], [5, 6, 7, 8, 32767, -32768, 9, -1]);
        assert_eq!(products, [17, -11, 32767 * 32767 + 32768 * 32768, -7]);
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
