//! What multiplies bf16 on this machine.

use super::instruction_set::InstructionSet;
use std::sync::OnceLock;

/// How products of bf16 are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bf16Unit {
    /// Widened to f32, with the instructions for f32.
    Widened,
    /// Two at a time by an instruction of AVX-512 (`vdpbf16ps`).
    Avx512Bf16,
}

impl Bf16Unit {
    /// The name used by `WELLFIT_BF16` and in messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Widened => "widened",
            Self::Avx512Bf16 => "avx512_bf16",
        }
    }

    /// Those this machine has, best first.
    #[must_use]
    pub fn available() -> Vec<Self> {
        let mut found = Vec::new();
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx512bf16")
            && InstructionSet::available().contains(&InstructionSet::Avx512)
        {
            found.push(Self::Avx512Bf16);
        }
        found.push(Self::Widened);
        found
    }

    /// The one in use: the best that the instruction set in use has, or the one that `WELLFIT_BF16` names.
    #[must_use]
    #[inline]
    pub fn current() -> Self {
        static CHOSEN: OnceLock<Bf16Unit> = OnceLock::new();
        *CHOSEN.get_or_init(|| {
            if InstructionSet::current() != InstructionSet::Avx512 {
                return Self::Widened;
            }
            let available = Self::available();
            let wanted = std::env::var("WELLFIT_BF16").unwrap_or_default();
            let named = available.iter().find(|unit| unit.name() == wanted);
            *named.unwrap_or(&available[0])
        })
    }
}
