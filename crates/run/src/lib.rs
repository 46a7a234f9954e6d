//! From settings to a run, and from a run to a classifier.
//!
//! ```no_run
//! use wellfit_run::{Classifier, RunSpec, train};
//! let spec = RunSpec { model: "resnet18".to_owned(), epochs: 3, ..RunSpec::for_folder() };
//! let outcome = train(&spec, &"animals".into(), &std::path::Path::new("runs/mine").into(), &mut ())?;
//! println!("{:.1} % right", 100.0 * outcome.best.val_accuracy());
//! let predictions = Classifier::open(&outcome.run)?.predict_files(&["cat.jpg"])?;
//! # Ok::<(), wellfit_run::RunError>(())
//! ```
//!
//! * [`options`] every setting once: name, help, group, default, check; [`RunSpec`] and [`Options`] follow from it
//! * [`Experiment`] settings and data, ready to train; [`train()`], [`resume()`]
//! * [`cross_validate`] a run for each fold of the training images
//! * [`prove()`] pairs of runs with and without techniques, and the verdicts on these
//! * [`branch()`] what a run would have done under other policies, trained from where they part
//! * [`improve()`] what findings advise, tested by such pairs and adopted, round by round
//! * [`Experiment::find_lr`] the search for a learning rate
//! * [`SideBySide`] several settings on the same batches
//! * [`Classifier`] predicting and evaluating with a run's best weights, or with any weight file
//! * [`evaluation_pictures`] what a classifier confuses, and its worst answers
//! * [`probe()`] what its record cannot tell: a look at the network, the labels, the images
//! * [`plots()`] a run's plots from its record; [`augmentation_sheet`] what its training sees
//! * [`Observer`] and [`Notice`] progress and messages of a run; nothing here prints
//!
//! Nothing here knows of a command line, and no setting is process-wide: two runs in one process may have different
//! ones. In messages a setting stands in backquotes, as `batch_size`.

mod branching;
mod budget;
mod caching;
pub mod check;
mod classes;
mod classifier;
pub mod compare;
mod config_json;
mod cross_validation;
mod duplicates;
mod embedded;
mod error;
mod evaluation_json;
mod experiment;
mod folds;
mod following;
mod free_memory;
mod from_scratch;
mod heat;
mod improve;
mod lost;
mod lr_find;
mod machine;
mod member;
pub mod memory;
mod notice;
mod observer;
mod opening;
pub mod options;
mod plots;
mod prediction_json;
mod preprocessing;
pub mod pretrained;
mod probe;
mod processes;
mod results;
mod resume;
mod saved;
mod sharing;
mod sheet;
mod shots;
mod side_by_side;
mod spec;
mod tracking;
mod trained_on;
mod training;
mod trial;
mod verify;
mod weights_name;

pub use branching::{Branched, Policies, branch};
pub use classes::ClassCounts;
pub use classifier::{
    Answer, CALIBRATION_IMAGES, CONFIG, Classifier, Evaluation, Explanation, FileHints, Judgement, Paired,
    Prediction, Predictor, class_list, imagenet_classes, training_images, weight_file,
};
pub use cross_validation::{CrossValidation, FoldResult, cross_validate, resume_folds};
pub use duplicates::{
    duplicate_sentences, duplicate_sheet, duplicate_summary, duplicates_json, find_duplicates, image_name,
};
pub use embedded::{EMBEDDED, EMBEDDED_MODEL, embedded, embedded_weights, is_embedded};
pub use error::RunError;
pub use evaluation_json::evaluation_json;
pub use experiment::{Experiment, Parts};
pub use folds::folds_in;
pub use heat::explanation_sheet;
pub use improve::{Budget, FinalLook, Improve, Improved, Looked, OnTest, Repair, Round, Step, Stop, improve};
pub use lost::Remedy;
pub use lr_find::{LrFound, LrSearch};
pub use machine::{path, start_event};
pub use notice::Notice;
pub use observer::Observer;
pub use opening::{DataSource, Validation};
pub use options::{JitterSetting, LrSetting, Options, RunSpec, SwaStart, TimeLimit};
pub use plots::{PictureFormat, Plots, plots};
pub use prediction_json::prediction_json;
pub use probe::{GapProbe, LabelProbe, PROBE, Probe, probe};
pub use processes::{dismiss, follow};
pub use results::{LARGEST_MATRIX, evaluation_pictures};
pub use resume::{Changes, Found, Resumed, Unfinished, resume};
pub use saved::{SavedRun, SavedSource};
pub use sheet::augmentation_sheet;
pub use side_by_side::SideBySide;
pub use trained_on::{Judged, judged};
pub use training::{Destination, Outcome, train};
pub use trial::{Ask, Audit, AuditedRun, Begun, Proof, TestLook, audit, origin, prove};
pub use verify::{Part, verify};
pub use weights_name::{torchvision_file, weights_name};
pub use wellfit_base::figures::{self, duration};
