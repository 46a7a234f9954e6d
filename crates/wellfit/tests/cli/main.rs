//! The command line, through the real binary.
//!
//! `bench` is the small language these tests are written in; `material` makes the data they need.

#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

mod averages;
mod bad_data;
mod bad_options;
mod bad_outputs;
mod bench;
mod budget;
mod cache;
mod check;
mod compare;
mod depth;
mod diagnose;
mod dropout;
mod duplicates;
mod durable;
mod embedded;
mod explain;
mod export;
mod folders;
mod folds;
mod forms;
mod going_on;
#[cfg(feature = "wgpu")]
mod gpu;
#[cfg(feature = "serve")]
mod guide;
mod help;
mod imbalance;
mod improve;
mod inference;
mod int8;
mod labs;
mod looking;
mod lr_find;
mod material;
mod measuring;
mod models;
mod names;
mod plot;
mod policies;
mod pretrained;
mod probe;
mod prove;
mod prove_branches;
mod prove_shared;
mod races;
mod replay;
mod replay_branch;
mod report;
mod reproducible;
mod results;
mod schema;
#[cfg(feature = "serve")]
mod serve;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod sweep;
mod tracking;
mod train;
mod trust;
mod tune;
mod unfreezing;
mod warmup;
#[cfg(feature = "serve")]
mod watch;
mod weights;
