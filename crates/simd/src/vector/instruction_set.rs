//! The instruction sets by name, and which of them this machine has.

use std::sync::OnceLock;

/// The instruction sets kernels are compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstructionSet {
    /// Plain Rust, on any machine.
    Scalar,
    /// x86-64 with AVX2 and FMA (2013 on).
    Avx2,
    /// x86-64 with AVX-512 F, VL, DQ and BW.
    Avx512,
    /// 64-bit ARM.
    Neon,
}

impl InstructionSet {
    /// The name used by `WELLFIT_SIMD` and in records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
            Self::Neon => "neon",
        }
    }

    /// Floats in a vector.
    #[must_use]
    #[inline]
    pub fn lanes(self) -> usize {
        match self {
            Self::Avx512 => 16,
            Self::Avx2 => 8,
            Self::Scalar | Self::Neon => 4,
        }
    }

    /// Vectors in a row of the register tile ([`Simd::TILE_VECTORS`](crate::vector::Simd::TILE_VECTORS)).
    #[must_use]
    #[inline]
    pub fn tile_vectors(self) -> usize {
        if self == Self::Avx512 { 4 } else { 2 }
    }

    /// Floats across a panel of the left operand of a sum of outer products: whole vectors to write, whole
    /// register tiles ([`Simd::OUTER_ROWS`](crate::vector::Simd::OUTER_ROWS)) to read.
    #[must_use]
    #[inline]
    pub fn left_width(self) -> usize {
        match self {
            Self::Avx512 => 16,
            Self::Avx2 => 24,
            Self::Neon => 12,
            Self::Scalar => 4,
        }
    }

    /// Those this machine has, best first.
    #[must_use]
    pub fn available() -> Vec<Self> {
        let mut found = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            if std::arch::is_x86_feature_detected!("avx512f")
                && std::arch::is_x86_feature_detected!("avx512vl")
                && std::arch::is_x86_feature_detected!("avx512dq")
                && std::arch::is_x86_feature_detected!("avx512bw")
            {
                found.push(Self::Avx512);
            }
            if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
                found.push(Self::Avx2);
            }
        }
        #[cfg(target_arch = "aarch64")]
        found.push(Self::Neon);
        found.push(Self::Scalar);
        found
    }

    /// The best, or the one of that name.
    ///
    /// # Errors
    /// A sentence with the names there are, if this machine has none of that name.
    pub fn named(wanted: Option<&str>) -> Result<Self, String> {
        let available = Self::available();
        let Some(wanted) = wanted.filter(|name| !name.is_empty()) else { return Ok(available[0]) };
        available.iter().copied().find(|set| set.name() == wanted).ok_or_else(|| {
            let names: Vec<&str> = available.iter().map(|set| set.name()).collect();
            format!("`{wanted}` is no instruction set of this machine, which has: {}", names.join(", "))
        })
    }

    /// The one that `WELLFIT_SIMD` names, else the best.
    ///
    /// # Errors
    /// As [`named`](Self::named): a program says so before it begins.
    pub fn asked_for() -> Result<Self, String> {
        let wanted = std::env::var_os("WELLFIT_SIMD");
        Self::named(wanted.as_ref().map(|name| name.to_string_lossy()).as_deref())
            .map_err(|problem| format!("WELLFIT_SIMD: {problem}"))
    }

    /// The one in use: [the one asked for](Self::asked_for), or the best where there is none of that name.
    #[must_use]
    #[inline]
    pub fn current() -> Self {
        static CHOSEN: OnceLock<InstructionSet> = OnceLock::new();
        *CHOSEN.get_or_init(|| Self::asked_for().unwrap_or_else(|_| Self::available()[0]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_none_is_an_error_with_those_there_are() {
        let best = InstructionSet::available()[0];
        assert_eq!([None, Some("")].map(InstructionSet::named), [Ok(best), Ok(best)]);
        assert_eq!(InstructionSet::named(Some("scalar")), Ok(InstructionSet::Scalar));
        for name in ["sse2", "AVX2", "avx2 ", "auto"] {
            let problem = InstructionSet::named(Some(name)).unwrap_err();
            assert!(problem.starts_with(&format!("`{name}` is no instruction set")), "{problem}");
            assert!(problem.contains(best.name()) && problem.ends_with("scalar"), "{problem}");
        }
    }
}
