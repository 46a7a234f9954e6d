//! One kernel, compiled for each instruction set.

#[cfg(target_arch = "aarch64")]
use super::arm;
use super::bf16_unit::Bf16Unit;
use super::instruction_set::InstructionSet;
use super::scalar::Scalar;
use super::simd::Kernel;
#[cfg(target_arch = "x86_64")]
use super::x86::Compiled;

/// Run a kernel with the instruction set in use.
pub fn dispatch<K: Kernel>(kernel: K) -> K::Output {
    dispatch_on(InstructionSet::current(), kernel)
}

/// Run a kernel with a given instruction set, which must be one of [`InstructionSet::available`].
pub fn dispatch_on<K: Kernel>(set: InstructionSet, kernel: K) -> K::Output {
    // SAFETY: `current` only yields instruction sets that were detected on this machine.
    unsafe {
        match set {
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx512 => kernel.with_avx512(),
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx2 => kernel.with_avx2(),
            #[cfg(target_arch = "aarch64")]
            InstructionSet::Neon => kernel.run::<arm::Neon>(),
            _ => kernel.run::<Scalar>(),
        }
    }
}

/// Run a kernel on bf16 with a given instruction set and what it has for bf16; both must be available.
pub(super) fn dispatch_bf16_on<K: Kernel>(set: InstructionSet, unit: Bf16Unit, kernel: K) -> K::Output {
    match (set, unit) {
        // The matrix unit only multiplies; the rest is done by vectors, which come with it.
        #[cfg(target_arch = "x86_64")]
        // SAFETY: detected on this machine.
        (InstructionSet::Avx512, Bf16Unit::Avx512Bf16 | Bf16Unit::Amx) => unsafe {
            kernel.with_avx512_bf16()
        },
        _ => dispatch_on(set, kernel),
    }
}
