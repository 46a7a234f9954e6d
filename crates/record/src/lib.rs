//! The run on disk: configuration, events, metrics and checkpoints as atomic commits.
//!
//! `train` writes a run; resuming, plots, `replay` and the table of runs read it, and a person can read it too:
//!
//! ```text
//! runs/mlp-1/
//!   run.toml                  what the run is, its id first; written once
//!   events.jsonl              what happened, in order; the id first
//!   steps.jsonl               the losses of every step
//!   statistics.jsonl          what a diagnosis reads besides; may be missing
//!   checkpoints/0007-best/    one directory a checkpoint, with manifest.json and manifest.sha256
//! ```
//!
//! A run has one owner, [`RunWriter`], and any number of readers, [`RunDir`]. A crash at any moment, or a
//! full disk, costs at most the line or checkpoint that was being written.
//!
//! ```
//! use wellfit_record::{CheckpointInfo, EpochRecord, Event, Metric, Metrics, RunDir, RunWriter, epochs};
//! # let root = tempfile::tempdir()?;
//! # let dir = root.path().join("run");
//! let mut run = RunWriter::create(Some(&dir), "mlp", false)?;
//! run.write_run_toml(&std::collections::BTreeMap::from([("seed", 7)]))?;
//! run.checkpoint("last", &[("model.bin", b"weights")], CheckpointInfo { epoch: 1, ..Default::default() })?;
//! let metrics = Metric::ALL.into_iter().map(|metric| (metric, f64::NAN)).collect::<Metrics>();
//! run.event(&Event::Epoch(EpochRecord { epoch: 1, metrics, ..Default::default() }))?;
//!
//! let run = RunDir::open(&dir)?;
//! assert!(epochs(&run.events()?.rows)[0].val_loss().is_nan());
//! let last = run.newest_good(Some("last"))?.found.ok_or("no checkpoint")?;
//! assert_eq!(last.files["model.bin"], b"weights");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod answers;
mod behind;
mod best;
mod blob;
mod checkpoint;
mod epoch;
mod error;
mod event;
mod group;
mod identity;
mod improvement;
mod info;
mod io;
mod kept;
mod lacks;
mod lines;
mod lock;
mod manifest;
mod metric;
mod owner;
mod place;
mod request;
mod rows;
mod run;
mod slots;
mod staged;
mod statistics;
mod stop;
mod summary;
mod trial;
mod writer;

pub use answers::answers;
pub use behind::Write;
pub use best::{best_epoch, is_better_epoch};
pub use blob::Blob;
pub use checkpoint::Commit;
pub use epoch::{EpochRecord, Metrics, data_wait_share, epochs};
pub use error::{RecordError, Result};
pub use event::{Event, StepRecord};
pub use group::RunGroup;
pub use improvement::{IMPROVE_TOML, ImprovementDir};
pub use info::{DataInfo, ModelInfo, RunInfo};
pub use io::{Disk, Io};
pub use lacks::Whole;
pub use lines::{Log, Problem};
pub use manifest::{
    Checkpoint, CheckpointInfo, FileEntry, LoadedCheckpoint, Manifest, is_checkpoint, read_checkpoint,
};
pub use metric::{Metric, Phase, Quantity, Unit};
pub use request::{Request, is_of_trial};
pub use run::RunDir;
pub use slots::NewestGood;
pub use statistics::{EpochStatistics, RunStatistics, Statistics, StepStatistics};
pub use stop::StopReason;
pub use summary::{Outcome, RunState, RunSummary, TEST, list_runs, list_runs_of_groups};
pub use trial::{PairLock, TRIAL_TOML, TrialDir};
pub use wellfit_base::Dir;
pub use wellfit_base::hash::sha256;
pub use wellfit_base::time::now;
pub use writer::RunWriter;
