//! What a matrix unit does.

/// Rows of a tile, and lanes in a row.
pub const SIDE: usize = 16;
/// Lanes of a tile.
pub const TILE: usize = SIDE * SIDE;

/// The matrix units there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MatrixUnit {
    /// Intel's AMX.
    #[cfg(target_arch = "x86_64")]
    Amx,
    /// The same in plain Rust.
    Emulated,
}

/// A matrix unit with eight tiles, numbered from 0. While there is a value of it, the thread's tiles are in use.
///
/// Numbers of bf16 lie in pairs, as in [`Element`](crate::Element): a lane of 32 bits holds two that are multiplied by
/// the same lane of the other operand.
pub trait TileUnit: Sized {
    /// Take the tiles into use.
    ///
    /// # Safety
    /// The machine must have the unit, and the thread no other value of it.
    unsafe fn start() -> Self;
    /// All lanes of tile `T` become 0.
    ///
    /// # Safety
    /// The machine must have the unit; so for every function here.
    unsafe fn zero<const T: usize>(&mut self);
    /// Read tile `T`: row i lies `i·stride` bytes behind `place`.
    ///
    /// # Safety
    /// The 64 bytes of each row must be readable.
    unsafe fn load<const T: usize>(&mut self, place: *const u8, stride: isize);
    /// Write tile `T`, as [`TileUnit::load`] reads it.
    ///
    /// # Safety
    /// The 64 bytes of each row must be writable.
    unsafe fn store<const T: usize>(&self, place: *mut u8, stride: isize);
    /// sum\[m\]\[n\] += Σₖ a\[m\]\[k\] · b\[k\]\[n\], where a lane of `A` or `B` is a pair of bf16 and a lane of `SUM` an f32.
    ///
    /// The first numbers of the pairs are summed in order of k, and so are the second ones, each step being rounded once;
    /// then both sums are added, and the result to `sum`. Numbers below the smallest normal one count as 0.
    ///
    /// # Safety
    /// See [`TileUnit::zero`].
    unsafe fn multiply_add<const SUM: usize, const A: usize, const B: usize>(&mut self);
    /// The transpose of 16 rows of 16 lanes, which follow each other in both places.
    ///
    /// # Safety
    /// [`TILE`] lanes must be readable and writable; the places do not overlap.
    unsafe fn transpose(from: *const f32, to: *mut f32);
}
