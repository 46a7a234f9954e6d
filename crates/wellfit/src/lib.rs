//! Train image classifiers that neither under- nor overfit, and prove which technique did it.
//!
//! This is the facade of the toolkit: each part is a crate of its own, found here under one name. The
//! `wellfit` command is built from the same parts.
//!
//! | module | from → to |
//! |---|---|
//! | [`run`] | settings → run; run → classifier |
//! | [`images`] | bytes → pixels |
//! | [`data`] | files → batches |
//! | [`models`] | batches → logits, and back to gradients |
//! | [`fetch`] | names of pretrained weights → files |
//! | [`policy`] | metrics → decisions: early stopping, learning rates |
//! | [`proof`] | paired runs → verdicts |
//! | [`train`] | model + data → record |
//! | [`record`] | the run on disk |
//! | [`diagnose`] | curves, ours or another tool's → findings |
//! | `serve` | classifier → answers over HTTP |
//! | [`plot`] | numbers → pictures |
//! | [`report`] | record and findings → a page, CSV, TensorBoard |
//! | [`gpu`] | the passes of a network on a GPU |
//! | [`base`], [`simd`], [`kernels`], [`rng`], [`weights`] | what they use: files, vectors, arithmetic, random numbers, weight files |

pub use wellfit_base as base;
pub use wellfit_data as data;
pub use wellfit_diagnose as diagnose;
pub use wellfit_fetch as fetch;
pub use wellfit_gpu as gpu;
pub use wellfit_images as images;
pub use wellfit_kernels as kernels;
pub use wellfit_models as models;
pub use wellfit_plot as plot;
pub use wellfit_policy as policy;
pub use wellfit_proof as proof;
pub use wellfit_record as record;
pub use wellfit_report as report;
pub use wellfit_rng as rng;
pub use wellfit_run as run;
#[cfg(feature = "serve")]
pub use wellfit_serve as serve;
pub use wellfit_simd as simd;
pub use wellfit_train as train;
pub use wellfit_weights as weights;
