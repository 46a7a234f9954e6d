//! What is done to a sum before it is written: [`Target`] says as what it is written.

use super::affine::rounded;

/// What a product writes.
pub(super) trait Target: Copy + Default + Send + Sync + 'static {
    /// The value as it is written, at least `low`.
    fn of(value: f32, low: f32) -> Self;
}

impl Target for u8 {
    #[inline(always)]
    fn of(value: f32, low: f32) -> u8 {
        rounded(value, low)
    }
}

impl Target for f32 {
    #[inline(always)]
    fn of(value: f32, low: f32) -> f32 {
        if value > low { value } else { low }
    }
}

/// out[n] = sum[n]·factor[n] + shift[n] + residual[n]·residual_factor, at least `low`. For codes all of it is in units of
/// the output's scale, and `shift` holds the output's and the residual's zeros.
pub(super) struct Finish<T> {
    /// For each column, with zeros up to a whole panel; so is `shift`.
    pub factor: Vec<f32>,
    pub shift: Vec<f32>,
    /// Codes in the output's layout, null for none.
    pub residual: *const u8,
    pub residual_factor: f32,
    pub low: f32,
    pub out: *mut T,
}

// SAFETY: the pointers are to memory borrowed for the whole product; each row writes its own output, and reads of
// `residual` are of that same row.
unsafe impl<T> Sync for Finish<T> {}

impl<T: Target> Finish<T> {
    /// Write the first `real` of `N` sums from `column` on, to `place` of the output.
    ///
    /// # Safety
    /// `real` elements from `place` on lie within the output (and `residual`), `real` is at most `N`, and the columns
    /// exist, with padding.
    #[inline(always)]
    pub unsafe fn write<const N: usize>(&self, sums: &[i32; N], column: usize, place: usize, real: usize) {
        // SAFETY: promised by the caller.
        unsafe {
            let (factor, shift) =
                (self.columns::<N>(&self.factor, column), self.columns::<N>(&self.shift, column));
            let mut values = [0.0_f32; N];
            for lane in 0..N {
                values[lane] = sums[lane] as f32 * factor[lane] + shift[lane];
            }
            if !self.residual.is_null() {
                let mut codes = [0_u8; N];
                if real == N {
                    codes = *self.residual.add(place).cast();
                } else {
                    std::ptr::copy_nonoverlapping(self.residual.add(place), codes.as_mut_ptr(), real);
                }
                for lane in 0..N {
                    values[lane] += f32::from(codes[lane]) * self.residual_factor;
                }
            }
            let mut out = [T::default(); N];
            for lane in 0..N {
                out[lane] = T::of(values[lane], self.low);
            }
            if real == N {
                *self.out.add(place).cast() = out;
            } else {
                std::ptr::copy_nonoverlapping(out.as_ptr(), self.out.add(place), real);
            }
        }
    }

    /// # Safety
    /// The columns exist, with padding.
    #[inline(always)]
    unsafe fn columns<const N: usize>(&self, values: &[f32], column: usize) -> [f32; N] {
        // SAFETY: promised by the caller; an array needs no more than its element's alignment.
        unsafe { *values.as_ptr().add(column).cast() }
    }
}
