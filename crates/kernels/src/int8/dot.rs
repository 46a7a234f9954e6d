//! The step of a product's inner loop: four codes of a row times four weights of each column.

/// Sums of products of codes, a lane a column. Lanes are 32 bits and wrap: what ends up in them fits.
///
/// Every function must be inlined into one that has the instructions.
pub(super) trait Dot: Copy {
    /// One sum a lane.
    type Sums: Copy;
    /// Four codes of a row, for every lane.
    type Left: Copy;
    /// Four weights of each lane's column.
    type Columns: Copy;

    /// Load a sum for each lane.
    ///
    /// # Safety
    /// A lane count of readable numbers; the machine must have the instructions. So for every function here.
    unsafe fn load(place: *const i32) -> Self::Sums;
    /// Store the sums.
    ///
    /// # Safety
    /// As for `load`, writable.
    unsafe fn store(place: *mut i32, sums: Self::Sums);
    /// Four codes, for every lane.
    ///
    /// # Safety
    /// As for `load`, for four bytes.
    unsafe fn left(place: *const u8) -> Self::Left;
    /// Four weights for each lane, lane by lane.
    ///
    /// # Safety
    /// As for `load`, for four bytes a lane.
    unsafe fn columns(place: *const i8) -> Self::Columns;
    /// sums + Σ left·columns over the four, exactly.
    ///
    /// # Safety
    /// As for `load`.
    unsafe fn add(sums: Self::Sums, left: Self::Left, columns: Self::Columns) -> Self::Sums;
}

/// Plain Rust: four lanes.
#[derive(Clone, Copy)]
pub(super) struct Scalar;

impl Dot for Scalar {
    type Sums = [i32; 4];
    type Left = [i32; 4];
    type Columns = [[i8; 4]; 4];
    #[inline(always)]
    unsafe fn load(place: *const i32) -> [i32; 4] {
        // SAFETY: promised by the caller; an array needs no more than its element's alignment.
        unsafe { *place.cast() }
    }
    #[inline(always)]
    unsafe fn store(place: *mut i32, sums: [i32; 4]) {
        // SAFETY: as in `load`, for writing.
        unsafe { *place.cast() = sums }
    }
    #[inline(always)]
    unsafe fn left(place: *const u8) -> [i32; 4] {
        // SAFETY: promised by the caller; bytes have no alignment.
        let codes: [u8; 4] = unsafe { *place.cast() };
        codes.map(i32::from)
    }
    #[inline(always)]
    unsafe fn columns(place: *const i8) -> [[i8; 4]; 4] {
        // SAFETY: as in `left`.
        unsafe { *place.cast() }
    }
    #[inline(always)]
    unsafe fn add(mut sums: [i32; 4], left: [i32; 4], columns: [[i8; 4]; 4]) -> [i32; 4] {
        for (sum, column) in sums.iter_mut().zip(columns) {
            for (code, weight) in left.into_iter().zip(column) {
                *sum = sum.wrapping_add(code * i32::from(weight));
            }
        }
        sums
    }
}
