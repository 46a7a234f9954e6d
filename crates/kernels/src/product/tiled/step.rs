//! What a matrix unit does for four tiles of sums: the tiles 0 to 3, in rows of two.

use super::left::ROW;
use wellfit_simd::tiles::TileUnit;

/// Where a tile of an operand lies, and the bytes from one of its rows to the next.
pub(super) type Place = (*const u8, isize);

/// All sums become 0.
///
/// # Safety
/// The machine must have `U`.
#[inline(always)]
pub(super) unsafe fn clear<U: TileUnit>(unit: &mut U) {
    // SAFETY: promised by the caller.
    unsafe {
        unit.zero::<0>();
        unit.zero::<1>();
        unit.zero::<2>();
        unit.zero::<3>();
    }
}

/// Add the products of one tile of rows, `upper`, or of `TWO`, and `V` tiles of columns, which lie side by side.
///
/// # Safety
/// The tiles must be readable; the machine must have `U`.
#[inline(always)]
pub(super) unsafe fn add<U: TileUnit, const V: usize, const TWO: bool>(
    unit: &mut U,
    upper: Place,
    lower: Place,
    columns: Place,
) {
    // SAFETY: promised by the caller.
    unsafe {
        unit.load::<6>(columns.0, columns.1);
        unit.load::<4>(upper.0, upper.1);
        unit.multiply_add::<0, 4, 6>();
        if V == 2 {
            unit.load::<7>(columns.0.wrapping_add(ROW), columns.1);
            unit.multiply_add::<1, 4, 7>();
        }
        if TWO {
            unit.load::<5>(lower.0, lower.1);
            unit.multiply_add::<2, 5, 6>();
            if V == 2 {
                unit.multiply_add::<3, 5, 7>();
            }
        }
    }
}
