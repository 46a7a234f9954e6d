//! Which instructions compute the products.

use wellfit_simd::InstructionSet;

/// The instructions that compute products of codes. All give the same bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Path {
    /// AVX-512 with VNNI (x86-64 servers since 2019, AMD since 2022).
    Vnni,
    /// AVX2, bytes widened to 16 bits.
    Avx2,
    /// Plain Rust, on any machine.
    Scalar,
}

impl Path {
    /// Its name, as messages show it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Vnni => "avx512-vnni",
            Self::Avx2 => "avx2",
            Self::Scalar => "scalar",
        }
    }

    /// Those this machine has, best first.
    #[must_use]
    pub fn available() -> Vec<Self> {
        let sets = InstructionSet::available();
        let mut found = Vec::new();
        #[cfg(target_arch = "x86_64")]
        if sets.contains(&InstructionSet::Avx512) && std::arch::is_x86_feature_detected!("avx512vnni") {
            found.push(Self::Vnni);
        }
        if sets.contains(&InstructionSet::Avx2) {
            found.push(Self::Avx2);
        }
        found.push(Self::Scalar);
        found
    }

    /// The one in use: the best within the instruction set that is in use ([`InstructionSet::current`]).
    #[must_use]
    pub fn current() -> Self {
        let fits = |path: &Self| match InstructionSet::current() {
            InstructionSet::Avx512 => true,
            InstructionSet::Avx2 => *path != Self::Vnni,
            InstructionSet::Neon | InstructionSet::Scalar => *path == Self::Scalar,
        };
        Self::available().into_iter().find(fits).unwrap_or(Self::Scalar)
    }

    /// Columns in a vector of sums.
    pub(super) fn lanes(self) -> usize {
        match self {
            Self::Vnni => 16,
            Self::Avx2 => 8,
            Self::Scalar => 4,
        }
    }

    /// Columns of a panel of weights: those of a register tile.
    pub(super) fn panel_width(self) -> usize {
        match self {
            Self::Vnni => 64,
            Self::Avx2 => 16,
            Self::Scalar => 8,
        }
    }
}
