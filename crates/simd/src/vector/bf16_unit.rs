//! What multiplies bf16 on this machine.

use super::instruction_set::InstructionSet;
#[cfg(target_arch = "x86_64")]
use crate::tiles::Amx;
use crate::tiles::MatrixUnit;
use std::sync::OnceLock;

/// How products of bf16 are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bf16Unit {
    /// Widened to f32, with the instructions for f32.
    Widened,
    /// Two at a time by an instruction of AVX-512 (`vdpbf16ps`).
    Avx512Bf16,
    /// Tiles of 16 × 16 sums at a time by Intel's matrix unit (`tdpbf16ps`), with vectors of AVX-512 for the rest.
    Amx,
    /// The same with that unit in plain Rust, slow: for tests. The vectors are those of AVX-512.
    AmxEmulated,
}

impl Bf16Unit {
    /// The name used by `WELLFIT_BF16` and in messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Widened => "widened",
            Self::Avx512Bf16 => "avx512_bf16",
            Self::Amx => "amx",
            Self::AmxEmulated => "amx_emulated",
        }
    }

    /// The matrix unit it means.
    #[must_use]
    #[inline]
    pub fn matrix_unit(self) -> Option<MatrixUnit> {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Amx => Some(MatrixUnit::Amx),
            Self::AmxEmulated => Some(MatrixUnit::Emulated),
            _ => None,
        }
    }

    /// Those this machine has, best first; the emulation comes last.
    #[must_use]
    pub fn available() -> Vec<Self> {
        let mut found = Vec::new();
        let vectors = InstructionSet::available().contains(&InstructionSet::Avx512);
        #[cfg(target_arch = "x86_64")]
        if vectors && std::arch::is_x86_feature_detected!("avx512bf16") {
            if Amx::available() {
                found.push(Self::Amx);
            }
            found.push(Self::Avx512Bf16);
        }
        found.push(Self::Widened);
        if vectors {
            found.push(Self::AmxEmulated);
        }
        found
    }

    /// The one that `WELLFIT_BF16` names, else the best.
    ///
    /// # Errors
    /// If this machine has none of that name: a program says so before it begins.
    pub fn asked_for() -> Result<Self, String> {
        let available = Self::available();
        let wanted = std::env::var_os("WELLFIT_BF16").unwrap_or_default();
        let named = available.iter().find(|unit| unit.name() == wanted || wanted.is_empty());
        named.copied().ok_or_else(|| {
            let names: Vec<&str> = available.iter().map(|unit| unit.name()).collect();
            format!(
                "WELLFIT_BF16: `{}` is no way to multiply bf16 on this machine, which has: {}",
                wanted.to_string_lossy(),
                names.join(", ")
            )
        })
    }

    /// The one in use: the best that the instruction set in use has, or [the one asked for](Self::asked_for).
    #[must_use]
    #[inline]
    pub fn current() -> Self {
        static CHOSEN: OnceLock<Bf16Unit> = OnceLock::new();
        *CHOSEN.get_or_init(|| {
            if InstructionSet::current() != InstructionSet::Avx512 {
                return Self::Widened;
            }
            Self::asked_for().unwrap_or_else(|_| Self::available()[0])
        })
    }
}
