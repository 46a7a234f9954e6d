//! All tests of this crate's public side in one program: as one for each file, every one would compile the kernels again.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

#[path = "../../../record/tests/faulty/mod.rs"]
mod faulty;
#[path = "../material/mod.rs"]
mod material;
#[path = "../../../../parity/table.rs"]
mod table;

mod averaging;
mod behind;
mod broken;
mod description;
mod features;
mod fit;
mod frozen;
mod head_first;
mod hostile;
mod resume;
mod statistics;
mod step;
mod team;
mod torch_runs;
