//! All tests of this crate's public side in one program: as one for each file, every one would compile the kernels again.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

#[path = "../common/mod.rs"]
mod common;

mod averages;
mod bf16;
mod initial;
mod int8;
mod layers;
mod loading;
mod networks;
mod optimizers;
mod parts;
mod plan;
mod published;
mod torch;
