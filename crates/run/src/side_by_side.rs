//! Several settings trained on the same batches, for a fair comparison of techniques.

use crate::error::RunError;
use crate::experiment::{engine, loader, network};
use crate::options::{LrSetting, RunSpec};
use wellfit_data::{Dataset, Loader, Preprocessing};
use wellfit_kernels::loss::CrossEntropy;
use wellfit_models::Network;
use wellfit_train::{Objective, Trainer};

/// Networks that are trained in step with each other (see [`lockstep`](wellfit_train::lockstep)).
#[derive(Debug)]
pub struct SideBySide {
    /// One trainer for each of the settings.
    pub trainers: Vec<Trainer<CrossEntropy>>,
    /// The batches that all of them learn from.
    pub batches: Loader,
}

impl SideBySide {
    /// Fresh networks for `specs`, to learn from `train`.
    ///
    /// # Errors
    /// If there are no settings, if they would not get the same batches, or if one of them makes no sense.
    pub fn new(specs: &[RunSpec], train: &Dataset, preprocessing: &Preprocessing) -> Result<Self, RunError> {
        let Some(first) = specs.first() else {
            return Err(RunError::Unusable("no settings to train side by side".to_owned()));
        };
        if let Some(other) = specs.iter().find(|spec| !first.sees_the_batches_of(spec)) {
            return Err(RunError::Unusable(format!(
                "{} and {} would not see the same batches: `batch_size`, `seed`, `hflip` and `vflip` must be equal",
                first.model, other.model
            )));
        }
        let trainer = |spec: &RunSpec| {
            spec.validate()?;
            if spec.lr == LrSetting::Auto {
                let problem = "`lr` auto is for one network, and these get the same rate: give a number";
                return Err(RunError::setting("lr", problem.to_owned()));
            }
            spec.trainer(network(spec, preprocessing, train.classes.len())?, spec.loss())
        };
        Ok(Self {
            trainers: specs.iter().map(trainer).collect::<Result<_, _>>()?,
            batches: loader(first, train, preprocessing, true)?,
        })
    }
}

impl RunSpec {
    /// A trainer of `network` with these settings: optimiser, clipping, device, the seed of dropout.
    ///
    /// # Errors
    /// If the device cannot be used.
    pub fn trainer<O: Objective>(&self, network: Network, objective: O) -> Result<Trainer<O>, RunError> {
        let trainer = Trainer::new(network, self.rule(), objective, self.seed);
        Ok(Trainer { engine: engine(self)?, clip_norm: self.clip_norm, ..trainer })
    }

    fn sees_the_batches_of(&self, other: &Self) -> bool {
        let of = |spec: &Self| (spec.batch_size, spec.seed, spec.hflip, spec.vflip);
        of(self) == of(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wellfit_data::{OpenOptions, open};
    use wellfit_train::lockstep;

    fn preprocessing() -> Preprocessing {
        Preprocessing::new((28, 28), 1, vec![0.0], vec![1.0])
    }

    fn spec(model: &str) -> RunSpec {
        RunSpec { model: model.to_owned(), workers: 0, ..RunSpec::for_sample() }
    }

    #[test]
    fn each_learns_as_it_would_alone() {
        let train =
            open("sample", &OpenOptions::default(), &|_| ()).unwrap().train.subset(&[0, 9, 700, 1500]);
        let losses = |models: &[&str]| -> Vec<Vec<u64>> {
            let specs: Vec<RunSpec> = models.iter().map(|model| spec(model)).collect();
            let SideBySide { mut trainers, batches } =
                SideBySide::new(&specs, &train, &preprocessing()).unwrap();
            let mut found = vec![Vec::new(); models.len()];
            for epoch in 0..3 {
                let note = |outcomes: &[wellfit_train::StepOutcome]| {
                    found.iter_mut().zip(outcomes).for_each(|(f, o)| f.push(o.loss.to_bits()));
                    Ok::<(), RunError>(())
                };
                lockstep::epoch(&mut trainers, batches.epoch(epoch), 0.01, note).unwrap();
            }
            found
        };
        let both = losses(&["mlp", "mlp-bn"]);
        assert_eq!(both[0], losses(&["mlp"])[0]);
        assert_eq!(both[1], losses(&["mlp-bn"])[0]);
        assert_ne!(both[0], both[1]);
    }

    #[test]
    fn settings_that_see_other_batches_are_refused() {
        let train = open("sample", &OpenOptions::default(), &|_| ()).unwrap().train;
        let other = RunSpec { seed: 1, ..spec("mlp") };
        let error = SideBySide::new(&[spec("mlp"), other], &train, &preprocessing()).unwrap_err().to_string();
        assert!(error.contains("same batches") && error.contains("`seed`"), "{error}");
        assert!(SideBySide::new(&[], &train, &preprocessing()).is_err());
    }
}
