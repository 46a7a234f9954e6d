//! An ensemble: several networks whose probabilities are averaged, as scikit-learn's `VotingClassifier(voting="soft")`.

use super::mean::Views;
use super::{Classifier, FileHints};
use crate::error::RunError;
use crate::observer::Observer;
use std::path::Path;
use std::sync::Arc;
use wellfit_base::Shown;
use wellfit_data::Preprocessing;
use wellfit_kernels::Buffer;
use wellfit_models::{Cpu, Engine, ModelError, Network, Precision};
use wellfit_record::RunGroup;

/// A further network, and how it standardises pixels.
#[derive(Debug, Clone)]
pub(super) struct Member {
    network: Network,
    preprocessing: Preprocessing,
}

impl Classifier {
    /// The networks of all folds of a cross-validation.
    pub(super) fn of_folds(
        dir: &Path,
        folds: u32,
        given: &FileHints,
        observer: &mut dyn Observer,
    ) -> Result<Self, RunError> {
        let mut first = Self::of_run(&RunGroup::run(dir, 1), given, observer)?;
        let mut others = Vec::new();
        for fold in 2..=folds {
            let run = RunGroup::run(dir, fold);
            let other = Self::of_run(&run, given, observer)?;
            let fits = |one: &Preprocessing| (one.size, one.channels, one.depth);
            if other.classes != first.classes || fits(&other.preprocessing) != fits(&first.preprocessing) {
                let name = run.shown();
                let problem =
                    format!("{name} has other classes or another input than fold 1: they are no ensemble");
                return Err(RunError::Unusable(problem));
            }
            // Each standardises by the images it was trained on; the first's inputs are converted.
            others.push(Member {
                network: other.network,
                preprocessing: relative(&first.preprocessing, other.preprocessing),
            });
        }
        first.others = Arc::new(others);
        Ok(first.on(Arc::new(Cpu)))
    }

    /// How many networks it is made of.
    #[must_use]
    pub fn networks(&self) -> usize {
        1 + self.others.len()
    }

    /// An error where one network is needed.
    ///
    /// # Errors
    /// If this is an ensemble.
    pub fn refuse_ensemble(&self, purpose: &str) -> Result<(), RunError> {
        match self.networks() {
            1 => Ok(()),
            networks => Err(RunError::Unusable(format!(
                "an ensemble of {networks} networks cannot be had as {purpose}: give one of its runs, such as fold-1"
            ))),
        }
    }

    /// All networks with values that are stored so, on the processor.
    pub(super) fn with_members_in(mut self, precision: Precision) -> Self {
        let mut others = (*self.others).clone();
        others.iter_mut().for_each(|member| member.network.precision = precision);
        self.others = Arc::new(others);
        // Precisions other than f32 are the processor's alone.
        self.on(Arc::new(Cpu))
    }
}

/// `theirs` for values that were standardised as `ours`: x·std + mean are the pixels.
fn relative(ours: &Preprocessing, mut theirs: Preprocessing) -> Preprocessing {
    for channel in 0..theirs.mean.len().min(ours.mean.len()) {
        theirs.mean[channel] = (theirs.mean[channel] - ours.mean[channel]) / ours.std[channel];
        theirs.std[channel] /= ours.std[channel];
    }
    theirs
}

/// The other networks look at the images as each was trained to see them.
impl Views for Arc<Vec<Member>> {
    fn outputs(&self, engine: &dyn Engine, _: &Network, images: &[f32]) -> Result<Vec<Buffer>, ModelError> {
        let outputs = |Member { network, preprocessing }: &Member| {
            let same = preprocessing.mean.iter().all(|&mean| mean == 0.0)
                && preprocessing.std.iter().all(|&std| std == 1.0);
            if same {
                engine.evaluate(network, images, 0)
            } else {
                engine.evaluate(network, &standardised(images, preprocessing), 0)
            }
        };
        self.iter().map(outputs).collect()
    }
}

/// Images `[N, H, W, C]` less the mean, by the standard deviation of each channel.
fn standardised(images: &[f32], by: &Preprocessing) -> Vec<f32> {
    let channels = by.mean.iter().zip(&by.std).cycle();
    images.iter().zip(channels).map(|(x, (mean, std))| (x - mean) / std).collect()
}
