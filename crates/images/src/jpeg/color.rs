//! From a JPEG's components to RGB, as libjpeg's `jdcolor.c` and Pillow's `Convert.c`.

use wellfit_simd::vectorized;

use crate::channels::ink_to_light;

/// What the components stand for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Space {
    Grey,
    YCbCr,
    Rgb,
    /// Stored inverted, as Adobe does; Pillow takes that for granted.
    Cmyk,
    /// CMYK whose first three are coded as YCbCr.
    Ycck,
    /// Left as they are.
    Stored,
}

impl Space {
    /// libjpeg's guess from the components' numbers and the markers of JFIF and Adobe.
    pub(super) fn of(ids: &[u8], jfif: bool, adobe: Option<u8>) -> Self {
        match (ids, adobe) {
            ([_], _) => Self::Grey,
            ([_, _, _, _], None | Some(0)) => Self::Cmyk,
            ([_, _, _, _], _) => Self::Ycck,
            (_, Some(0)) | (b"RGB", None) if !jfif => Self::Rgb,
            _ => Self::YCbCr,
        }
    }

    /// Convert a row of each component to interleaved RGB, or just interleave them; the rows may be wider than `out`.
    pub(super) fn convert(self, rows: &[&[u8]], out: &mut [u8]) {
        if self == Self::Stored {
            for (i, row) in rows.iter().enumerate() {
                out[i..].iter_mut().step_by(rows.len()).zip(*row).for_each(|(out, &value)| *out = value);
            }
            return;
        }
        let out = out.as_chunks_mut::<3>().0;
        match (self, rows) {
            (Self::YCbCr, &[y, cb, cr]) => ycc_row_to_rgb(y, cb, cr, out),
            (Self::Rgb, &[r, g, b]) => {
                for (out, ((&r, &g), &b)) in out.iter_mut().zip(r.iter().zip(g).zip(b)) {
                    *out = [r, g, b];
                }
            }
            (Self::Cmyk | Self::Ycck, &[c, m, y, k]) => {
                for (out, (((&c, &m), &y), &k)) in out.iter_mut().zip(c.iter().zip(m).zip(y).zip(k)) {
                    let inks = if self == Self::Cmyk {
                        [c, m, y]
                    } else {
                        <[u8; 3]>::from(ycc_to_rgb(c, m, y)).map(|v| 255 - v)
                    };
                    *out = inks.map(|ink| ink_to_light(ink, k));
                }
            }
            (_, rows) => {
                for (out, &grey) in out.iter_mut().zip(rows[0]) {
                    *out = [grey; 3];
                }
            }
        }
    }
}

vectorized! {
    fn ycc_row_to_rgb(y: &[u8], cb: &[u8], cr: &[u8], out: &mut [[u8; 3]]) {
        for ([red, green, blue], ((&y, &cb), &cr)) in out.iter_mut().zip(y.iter().zip(cb).zip(cr)) {
            // Not as an array: that would be joined to a number, which the vector units must take apart again.
            (*red, *green, *blue) = ycc_to_rgb(y, cb, cr);
        }
    }
}

/// ITU-R 601 with 16 fractional bits, the rounding of libjpeg. Whole multiples are taken out of its factors
/// 1.402, −0.71414 and 1.772, so that what is left, and nearly all of the sums, fit the vector units' 16 bits.
#[inline(always)]
fn ycc_to_rgb(y: u8, cb: u8, cr: u8) -> (u8, u8, u8) {
    let (y, cb, cr) = (i16::from(y), i16::from(cb) - 128, i16::from(cr) - 128);
    let red = y + cr + share(cr, 26345);
    let green = y - cr + ((-22554 * i32::from(cb) + 18734 * i32::from(cr) + (1 << 15)) >> 16) as i16;
    let blue = y + 2 * cb + share(cb, -14942);
    let level = |v: i16| v.clamp(0, 255) as u8;
    (level(red), level(green), level(blue))
}

/// chroma · factor / 2¹⁶, rounded: the high half of twice the product is one instruction.
#[inline(always)]
fn share(chroma: i16, factor: i16) -> i16 {
    (((i32::from(2 * chroma) * i32::from(factor)) >> 16) as i16 + 1) >> 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halving_twice_the_product_rounds_as_the_product() {
        for (chroma, factor) in (-128..128).flat_map(|chroma| [(chroma, 26345), (chroma, -14942)]) {
            let exact = (i32::from(chroma) * i32::from(factor) + (1 << 15)) >> 16;
            assert_eq!(i32::from(share(chroma, factor)), exact, "{chroma} · {factor}");
        }
    }
}
