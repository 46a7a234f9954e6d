//! Intel's AMX, by its instructions: stable Rust has no functions for them yet.
//!
//! The compiler never uses tile registers on its own, so what one instruction leaves in them is there for the next.

use super::unit::{SIDE, TileUnit};
use std::arch::asm;
use std::arch::x86_64::*;
use std::sync::OnceLock;

/// The tiles of this thread. Their contents are gone when the value is: the system need not save them any more when it
/// lets another thread run.
pub struct Amx(());

/// What `ldtilecfg` reads: eight tiles of 16 rows of 64 bytes.
#[repr(C, align(64))]
struct Layout {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    row_bytes: [u16; 16],
    rows: [u8; 16],
}

static LAYOUT: Layout = Layout {
    palette: 1,
    start_row: 0,
    reserved: [0; 14],
    row_bytes: [64, 64, 64, 64, 64, 64, 64, 64, 0, 0, 0, 0, 0, 0, 0, 0],
    rows: [16, 16, 16, 16, 16, 16, 16, 16, 0, 0, 0, 0, 0, 0, 0, 0],
};

impl Amx {
    /// Whether the processor has tiles for bf16 and the system lets this process use them. The first call asks for that;
    /// the answer holds for threads that begin later and those there are.
    #[must_use]
    pub fn available() -> bool {
        static AVAILABLE: OnceLock<bool> = OnceLock::new();
        *AVAILABLE.get_or_init(|| processor_has_tiles() && system_saves_tiles() && permitted())
    }
}

/// CPUID, leaf 7: AMX-BF16 and AMX-TILE.
fn processor_has_tiles() -> bool {
    const BITS: u32 = 1 << 22 | 1 << 24;
    __cpuid(0).eax >= 7 && __cpuid_count(7, 0).edx & BITS == BITS
}

/// XCR0: the system saves the tiles' layout and contents when it lets another thread run.
fn system_saves_tiles() -> bool {
    const OSXSAVE: u32 = 1 << 27;
    const BITS: u32 = 1 << 17 | 1 << 18;
    if __cpuid(1).ecx & OSXSAVE == 0 {
        return false;
    }
    let low: u32;
    // SAFETY: the instruction exists where OSXSAVE is set, and only writes these registers.
    unsafe { asm!("xgetbv", in("ecx") 0, out("eax") low, out("edx") _, options(nomem, nostack)) }
    low & BITS == BITS
}

/// Linux wants to be asked, since saved threads grow by 8 KiB: `arch_prctl(ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA)`.
fn permitted() -> bool {
    if !cfg!(target_os = "linux") {
        return false;
    }
    const ARCH_PRCTL: i64 = 158;
    const ARCH_REQ_XCOMP_PERM: i64 = 0x1023;
    const XFEATURE_XTILEDATA: i64 = 18;
    let result: i64;
    // SAFETY: the call reads no memory of ours, and writes only these registers.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") ARCH_PRCTL => result,
            in("rdi") ARCH_REQ_XCOMP_PERM,
            in("rsi") XFEATURE_XTILEDATA,
            out("rcx") _,
            out("r11") _,
            options(nostack),
        );
    }
    result == 0
}

// SAFETY of the instructions: the caller promises that the machine has them and that the places are right.
#[allow(clippy::undocumented_unsafe_blocks)]
impl TileUnit for Amx {
    #[inline(always)]
    unsafe fn start() -> Self {
        unsafe { asm!("ldtilecfg [{}]", in(reg) &raw const LAYOUT, options(nostack, preserves_flags)) }
        Self(())
    }
    #[inline(always)]
    unsafe fn zero<const T: usize>(&mut self) {
        unsafe { asm!("tilezero tmm{}", const T, options(nostack, preserves_flags)) }
    }
    #[inline(always)]
    unsafe fn load<const T: usize>(&mut self, place: *const u8, stride: isize) {
        unsafe {
            asm!(
                "tileloadd tmm{}, [{} + {}*1]",
                const T,
                in(reg) place,
                in(reg) stride,
                options(nostack, preserves_flags),
            );
        }
    }
    #[inline(always)]
    unsafe fn store<const T: usize>(&self, place: *mut u8, stride: isize) {
        unsafe {
            asm!(
                "tilestored [{} + {}*1], tmm{}",
                in(reg) place,
                in(reg) stride,
                const T,
                options(nostack, preserves_flags),
            );
        }
    }
    #[inline(always)]
    unsafe fn multiply_add<const SUM: usize, const A: usize, const B: usize>(&mut self) {
        unsafe {
            asm!(
                "tdpbf16ps tmm{}, tmm{}, tmm{}",
                const SUM,
                const A,
                const B,
                options(nostack, preserves_flags),
            );
        }
    }
    #[inline(always)]
    unsafe fn transpose(from: *const f32, to: *mut f32) {
        unsafe { transpose(from, to) }
    }
}

impl Drop for Amx {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: there is a value only where the machine has tiles.
        unsafe { asm!("tilerelease", options(nostack, preserves_flags)) }
    }
}

/// The transpose of 16 × 16 floats: pairs of rows, of pairs, of quarters and of halves are interleaved.
///
/// # Safety
/// As for [`TileUnit::transpose`]; the machine must have AVX-512 F.
#[inline(always)]
unsafe fn transpose(from: *const f32, to: *mut f32) {
    // SAFETY: promised by the caller.
    unsafe {
        let mut rows = [_mm512_setzero_ps(); SIDE];
        for (i, row) in rows.iter_mut().enumerate() {
            *row = _mm512_loadu_ps(from.add(i * SIDE));
        }
        // Now rows[4q + i] holds in its quarter c the lanes 4c + i of the rows 4q, …, 4q + 3.
        for quad in rows.as_chunks_mut::<4>().0 {
            let (low, high) = (_mm512_unpacklo_ps(quad[0], quad[1]), _mm512_unpackhi_ps(quad[0], quad[1]));
            let (next_low, next_high) =
                (_mm512_unpacklo_ps(quad[2], quad[3]), _mm512_unpackhi_ps(quad[2], quad[3]));
            quad[0] = _mm512_shuffle_ps::<0b01_00_01_00>(low, next_low);
            quad[1] = _mm512_shuffle_ps::<0b11_10_11_10>(low, next_low);
            quad[2] = _mm512_shuffle_ps::<0b01_00_01_00>(high, next_high);
            quad[3] = _mm512_shuffle_ps::<0b11_10_11_10>(high, next_high);
        }
        for i in 0..4 {
            let [a, b, c, d] = [rows[i], rows[4 + i], rows[8 + i], rows[12 + i]];
            let (low, high) = (_mm512_shuffle_f32x4::<0x44>(a, b), _mm512_shuffle_f32x4::<0xee>(a, b));
            let (next_low, next_high) =
                (_mm512_shuffle_f32x4::<0x44>(c, d), _mm512_shuffle_f32x4::<0xee>(c, d));
            _mm512_storeu_ps(to.add(i * SIDE), _mm512_shuffle_f32x4::<0x88>(low, next_low));
            _mm512_storeu_ps(to.add((4 + i) * SIDE), _mm512_shuffle_f32x4::<0xdd>(low, next_low));
            _mm512_storeu_ps(to.add((8 + i) * SIDE), _mm512_shuffle_f32x4::<0x88>(high, next_high));
            _mm512_storeu_ps(to.add((12 + i) * SIDE), _mm512_shuffle_f32x4::<0xdd>(high, next_high));
        }
    }
}
