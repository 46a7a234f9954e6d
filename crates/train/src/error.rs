use std::path::PathBuf;
use wellfit_base::Shown;
use wellfit_cluster::Lost;
use wellfit_data::DataError;
use wellfit_models::ModelError;
use wellfit_policy::PolicyError;
use wellfit_record::RecordError;
use wellfit_weights::Fault;

/// Why a training run ended early.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The loss is no longer a number. The weights of the last good checkpoint are kept.
    #[error(
        "the training loss became {loss} in epoch {epoch}, step {step}: the run is stopped, the weights of {kept} are \
         kept. Try a smaller learning rate (it was {lr:?})"
    )]
    Diverged {
        /// The epoch, from 1.
        epoch: u32,
        /// The step, from 1, counted over all epochs.
        step: u64,
        /// The loss.
        loss: f64,
        /// The learning rate.
        lr: f64,
        /// A sentence on what is kept.
        kept: String,
    },
    /// [`Callback::interrupted`](crate::Callback::interrupted) asked for the end. Inside
    /// [`fit`](crate::fit::fit) everything up to the last step is saved.
    #[error("interrupted: {reason}")]
    Interrupted {
        /// What the callback said.
        reason: String,
    },
    /// A checkpoint that is whole, but that this run cannot continue from.
    #[error("cannot go on from {}: {problem}", .path.shown())]
    NotResumable {
        /// Its directory.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A checkpoint that is whole, but holds no weights that can be read.
    #[error("{}: {problem}", .path.shown())]
    NoWeights {
        /// Its directory.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The device trains a copy of the network in its own memory, where this is not computed.
    #[error("{0} on the processor only: train there, or without")]
    ProcessorOnly(&'static str),
    /// The position could not be serialised.
    #[error("cannot write down where the run stands: {0}")]
    Position(String),
    /// An image could not be read, or data make no sense.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Another process is gone.
    #[error(transparent)]
    Lost(#[from] Lost),
    /// The network cannot do this.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// An option of early stopping or of a schedule.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The run could not be written.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The weights could not be put into a file.
    #[error("cannot write the weights: {0}")]
    Weights(#[from] Fault),
}
