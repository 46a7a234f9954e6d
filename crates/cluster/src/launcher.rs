//! Whether an MPI launcher started this process.

/// What launchers tell the processes that they start: how many there are, or a number for each. Open MPI, Hydra (MPICH,
/// Intel), PMIx and PMI-2 (Slurm).
const VARIABLES: [&str; 4] = ["OMPI_COMM_WORLD_SIZE", "PMI_RANK", "PMIX_RANK", "PMI_ID"];

/// Whether an MPI launcher (`mpirun`, `srun`) started this process.
#[must_use]
pub fn launched() -> bool {
    VARIABLES.iter().any(|name| std::env::var_os(name).is_some())
}
