//! A recorded training, and the cases that are made of it: whole, cut, ended by early stopping; as a run of ours and as a CSV.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::Read;
use wellfit_diagnose::log::{self, add_statistics};
use wellfit_diagnose::{Asked, Curves, Format, Series};
use wellfit_policy::EarlyStoppingConfig;
use wellfit_record::{EpochStatistics, RunStatistics, Statistics, StepStatistics, StopReason};

/// Values an epoch; `None` where it was no finite number.
pub type Values = Vec<Option<f64>>;

/// A line of the file. What begins with `test_` and `train_eval_` is of pictures, or in a mode, that no rule sees.
#[derive(Debug, Clone, Deserialize)]
pub struct Line {
    pub id: String,
    pub set: String,
    pub net: String,
    pub provocation: String,
    pub strength: String,
    pub twin: Option<String>,
    pub settings: BTreeMap<String, serde_json::Value>,
    pub classes: u64,
    pub n_train: u64,
    pub n_val: u64,
    pub diverged: bool,
    pub train_images: Vec<u64>,
    pub val_images: Vec<u64>,
    pub test_images: Vec<u64>,
    pub train_loss: Values,
    pub train_accuracy: Values,
    pub val_loss: Values,
    pub val_accuracy: Values,
    pub test_loss: Values,
    pub test_accuracy: Values,
    pub train_eval_loss: Values,
    pub train_eval_accuracy: Values,
    pub lr: Values,
    pub val_right: Vec<Vec<u64>>,
    pub test_right: Vec<u64>,
    pub steps: Vec<StepStatistics>,
    pub step_losses: Vec<f64>,
}

/// A training as a rule meets it: so many of its epochs, ended in this way.
#[derive(Debug, Clone)]
pub struct Case<'a> {
    pub line: &'a Line,
    pub epochs: usize,
    /// The patience of the early stopping that ended it.
    pub patience: Option<u32>,
}

/// All lines of the file beside the tests.
pub fn lines() -> Vec<Line> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/curves.jsonl.gz");
    let path = std::env::var("WELLFIT_CURVES").unwrap_or_else(|_| path.to_owned());
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

impl Line {
    /// The whole training; that of a constant rate also cut short, and as early stopping would have ended it.
    pub fn cases(&self) -> Vec<Case<'_>> {
        let all = self.train_loss.len();
        let case = |epochs, patience| Case { line: self, epochs, patience };
        let mut cases = vec![case(all, None)];
        if self.provocation == "good" {
            cases.extend([all / 8, all / 4].into_iter().filter(|cut| *cut >= 5).map(|cut| case(cut, None)));
        }
        if self.provocation == "constant-high" {
            cases.push(case(all / 2, None));
        }
        if matches!(&*self.provocation, "good" | "little-data" | "small-val" | "wrong-labels") {
            let stops = [1, 2, 4].into_iter().filter_map(|patience| Some((self.stop(patience)?, patience)));
            cases.extend(stops.map(|(epochs, patience)| case(epochs, Some(patience))));
        }
        cases
    }

    /// After which epoch early stopping with that patience ends it, if it does before the end.
    fn stop(&self, patience: u32) -> Option<usize> {
        let (mut best, mut since) = (f64::INFINITY, 0);
        for (place, loss) in self.val_loss.iter().enumerate() {
            let loss = (*loss)?;
            (best, since) = if loss < best { (loss, 0) } else { (best, since + 1) };
            // As torch-like loops count: more than `patience` epochs without a better value.
            if since > patience {
                return (place + 1 < self.val_loss.len() && place >= 4).then_some(place + 1);
            }
        }
        None
    }

    /// The part of the benchmark it is in: all trainings of a set, network, provocation and strength are in one.
    pub fn is_held_out(&self) -> bool {
        let key = format!("{}/{}/{}/{}", self.set, self.net, self.provocation, self.strength);
        hash(&key) % 2 == 1
    }
}

/// FNV-1a, mixed once more so that its last bit depends on all.
pub fn hash(text: &str) -> u64 {
    let mixed = text.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    });
    (mixed ^ (mixed >> 33)).wrapping_mul(0xFF51_AFD7_ED55_8CCD) >> 40
}

impl Case<'_> {
    /// What tells it from others, for a list.
    pub fn name(&self) -> String {
        let patience = self.patience.map_or(String::new(), |patience| format!(" patience {patience}"));
        format!("{} [{}{patience}]", self.line.id, self.epochs)
    }

    /// As the record of a run of ours.
    pub fn recorded(&self) -> Curves {
        let line = self.line;
        let last = self.epochs as u32;
        let mut curves = Curves::new(&self.name(), Format::Wellfit, (1..=last).collect());
        for (series, values) in [
            (Series::TrainLoss, &line.train_loss),
            (Series::TrainAccuracy, &line.train_accuracy),
            (Series::ValLoss, &line.val_loss),
            (Series::ValAccuracy, &line.val_accuracy),
            (Series::Lr, &line.lr),
        ] {
            // A run that diverged has the number that says so in its record.
            let shown = |value: &Option<f64>| Some(value.unwrap_or(f64::NAN));
            curves.set(series, values[..self.epochs].iter().map(shown).collect());
        }
        let steps = line.step_losses.len() * self.epochs / line.train_loss.len();
        curves.step_losses = line.step_losses[..steps].to_vec();
        let text =
            |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let facts = &mut curves.facts;
        facts.settings = line.settings.iter().map(|(name, value)| (name.clone(), text(value))).collect();
        facts.settings.insert("epochs".to_owned(), last.to_string());
        facts.n_val = Some(line.n_val);
        facts.n_train = Some(line.n_train);
        facts.classes = Some(line.classes);
        facts.most_epochs = Some(last);
        let augmented = facts.settings.get("hflip").is_some_and(|on| on == "true");
        facts.trains_as_it_validates = Some(!augmented && facts.number("label_smoothing") == Some(0.0));
        facts.early_stopping = self.early_stopping();
        facts.stop = Some(if self.patience.is_some() {
            StopReason::EarlyStopping
        } else if line.diverged && self.epochs == line.train_loss.len() {
            StopReason::Diverged
        } else {
            StopReason::Finished
        });
        add_statistics(&self.statistics(), &mut curves);
        curves
    }

    fn early_stopping(&self) -> Option<EarlyStoppingConfig> {
        self.patience.map(|patience| EarlyStoppingConfig { patience, ..EarlyStoppingConfig::default() })
    }

    fn statistics(&self) -> Vec<Statistics> {
        let line = self.line;
        let head = RunStatistics {
            train_images: line.train_images.clone(),
            val_images: line.val_images.clone(),
            ..RunStatistics::default()
        };
        // A third of the runs judge training images in evaluation mode, as `--train-eval 1` does.
        let judged = hash(&line.id).is_multiple_of(3);
        let epoch = |place: usize| EpochStatistics {
            epoch: place as u32 + 1,
            train_eval_loss: line.train_eval_loss[place].filter(|_| judged),
            train_eval_accuracy: line.train_eval_accuracy[place].filter(|_| judged),
            train_eval_images: judged.then(|| line.n_train.min(2000)),
            val_right: line.val_right[place].clone(),
            ..EpochStatistics::default()
        };
        let steps = line.steps.iter().filter(|step| step.epoch as usize <= self.epochs).cloned();
        [Statistics::Run(head)]
            .into_iter()
            .chain(steps.map(Statistics::Step))
            .chain((0..self.epochs).map(|place| Statistics::Epoch(epoch(place))))
            .collect()
    }

    /// As another tool's table: losses, accuracies and the rate, and what its user says of it.
    pub fn table(&self) -> Curves {
        let line = self.line;
        let mut text = "epoch,train_loss,train_acc,val_loss,val_acc,lr\n".to_owned();
        for place in 0..self.epochs {
            let cell = |values: &Values| values[place].map_or("nan".to_owned(), |value| value.to_string());
            let cells =
                [&line.train_loss, &line.train_accuracy, &line.val_loss, &line.val_accuracy, &line.lr]
                    .map(cell);
            text += &format!("{},{}\n", place + 1, cells.join(","));
        }
        let asked = Asked {
            n_val: Some(line.n_val),
            classes: Some(line.classes),
            early_stopping: self.early_stopping(),
            ..Asked::default()
        };
        log::of_bytes(text.into(), &self.name(), &asked).unwrap()
    }
}
