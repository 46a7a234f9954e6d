//! What training records for its diagnosis besides the curves ([`wellfit_record::Statistics`]).
//!
//! It changes no bit of the training: nothing here writes to the network, the optimiser or the position in the data. All
//! of it follows from seed and position, so a run that is resumed records the same.
//!
//! * `sample` single steps, one in a hundred: the step length α, the norms of the layers, silent ReLUs
//! * `answers` the answers of a validation pass, class by class and image by image
//! * `lines` what a run under way records, and when
//! * `head` what the figures are about
//! * `judged` training images that are judged as validation images are

mod answers;
mod digits;
mod head;
mod judged;
mod lines;
mod sample;

pub(crate) use answers::{PlainLoss, ValidationAnswers};
pub(crate) use head::head;
pub(crate) use judged::JudgedTraining;
pub use judged::TrainEval;
pub(crate) use sample::Sample;
