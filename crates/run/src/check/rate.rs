//! The learning rate: whether it is one that trains.

use super::Concern;
use crate::options::{LrSetting, OptimizerName, RunSpec};

/// The rates at which Adam trains: DeepDiagnosis (Wardat et al. 2022, arXiv:2112.01648).
const ADAM: (f64, f64) = (1e-5, 0.1);
/// The least useful rates of SGD without and with momentum; torch's examples have 0.01 to 0.1.
const SGD_LEAST: (f64, f64) = (0.005, 1e-4);
/// The largest for batches of up to [`USUAL_BATCH`] images; it may grow with the batch (Goyal et al. 2017, arXiv:1706.02677).
const SGD_MOST: f64 = 1.0;
const USUAL_BATCH: f64 = 256.0;

/// What is wrong with the rate, where it is known.
pub(super) fn concerns(spec: &RunSpec) -> Vec<Concern> {
    let LrSetting::Rate(_) = spec.lr else { return Vec::new() };
    let lr = spec.rate();
    range(spec, lr).into_iter().chain(floor(spec, lr)).collect()
}

/// The rates at which a run's optimiser trains.
pub(crate) struct Usual {
    least: f64,
    most: f64,
    /// The one to begin with.
    pub typical: &'static str,
}

impl Usual {
    pub fn of(spec: &RunSpec) -> Self {
        match spec.optimizer {
            OptimizerName::Adam | OptimizerName::Adamw => {
                Self { least: ADAM.0, most: ADAM.1, typical: "0.001" }
            }
            OptimizerName::Sgd => {
                let images = spec.batch_size as f64 * f64::from(spec.accumulate);
                let most = SGD_MOST * (images / USUAL_BATCH).max(1.0);
                let least = if spec.momentum == 0.0 { SGD_LEAST.0 } else { SGD_LEAST.1 };
                Self { least, most, typical: if spec.momentum == 0.0 { "0.1" } else { "0.01" } }
            }
        }
    }

    pub fn holds(&self, lr: f64) -> bool {
        (self.least..=self.most).contains(&lr)
    }
}

fn range(spec: &RunSpec, lr: f64) -> Option<Concern> {
    let Usual { least, most, typical } = Usual::of(spec);
    let effect = if lr < least {
        "learns slowly, if at all"
    } else if lr > most {
        "is likely to diverge"
    } else {
        return None;
    };
    let momentum = match spec.optimizer {
        OptimizerName::Sgd => format!(" with `momentum` {}", spec.momentum),
        _ => String::new(),
    };
    let name = spec.optimizer;
    let sentence = format!("{name}{momentum} and `lr` {lr} {effect}: usual are {least} to {most}");
    let advice = format!("give `lr` {typical}, or `lr` auto to have one found");
    Some(
        Concern::new("lr-out-of-range", sentence)
            .of(&[("lr", lr), ("least", least), ("most", most)])
            .advise(advice),
    )
}

fn floor(spec: &RunSpec, lr: f64) -> Option<Concern> {
    let min_lr = spec.min_lr;
    (spec.lr_scheduler && min_lr >= lr).then(|| {
        let sentence =
            format!("`min_lr` {min_lr} is not below `lr` {lr}: the scheduler can never lower the rate");
        let advice = format!("give `min_lr` {:e}", lr / 1000.0);
        Concern::new("min-lr-above-lr", sentence).of(&[("min_lr", min_lr), ("lr", lr)]).advise(advice)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(change: impl Fn(&mut RunSpec)) -> Vec<&'static str> {
        let mut spec = RunSpec::for_folder();
        change(&mut spec);
        concerns(&spec).into_iter().map(|concern| concern.name).collect()
    }

    #[test]
    fn rates_that_do_not_train_are_told() {
        let adam = |lr: f64| names(|spec| (spec.optimizer, spec.lr) = (OptimizerName::Adam, lr.into()));
        let out = ["lr-out-of-range"];
        assert!([1e-5, 1e-3, 0.1].iter().all(|&lr| adam(lr).is_empty()));
        assert!([9e-6, 0.11, 10.0].iter().all(|&lr| adam(lr) == out));
        let sgd = |lr: f64, momentum, batch_size| {
            names(|spec| {
                (spec.optimizer, spec.lr) = (OptimizerName::Sgd, lr.into());
                (spec.momentum, spec.batch_size) = (momentum, batch_size);
            })
        };
        assert!(sgd(0.01, 0.0, 32).is_empty() && sgd(0.001, 0.9, 32).is_empty());
        assert_eq!(sgd(0.001, 0.0, 32), out);
        assert_eq!(sgd(3.0, 0.9, 32), out);
        assert!(sgd(3.0, 0.9, 1024).is_empty());
        assert!(names(|spec| spec.lr = LrSetting::Auto).is_empty());
    }

    #[test]
    fn a_floor_at_the_rate_leaves_nothing_to_lower() {
        let floor =
            |min_lr, on| names(|spec| (spec.min_lr, spec.lr_scheduler, spec.lr) = (min_lr, on, 0.001.into()));
        assert_eq!(floor(0.001, true), ["min-lr-above-lr"]);
        assert!(floor(0.0009, true).is_empty() && floor(0.01, false).is_empty());
    }
}
