//! Which series a column is, by its name.

use super::series::Series;

/// Which part of the data a name speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Train,
    Val,
    /// It does not say.
    Unsaid,
}

/// What a name means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Meaning {
    pub quantity: Quantity,
    pub phase: Phase,
    /// Whether the name says that it is a value of single steps: what is of whole epochs is better.
    pub of_steps: bool,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quantity {
    Loss,
    Accuracy,
    /// One minus the accuracy.
    ErrorRate,
    /// A series that has one name only.
    Other(Series),
}

const TRAIN: [&str; 4] = ["train", "training", "tr", "trn"];
const VAL: [&str; 8] = ["val", "valid", "validation", "eval", "evaluation", "test", "dev", "metrics"];
/// Words that change nothing. Ultralytics' `metrics/` is what is measured in validation.
const FILLERS: [&str; 12] = [
    "epoch",
    "mean",
    "avg",
    "average",
    "running",
    "sparse",
    "categorical",
    "binary",
    "multiclass",
    "metric",
    "total",
    "the",
];
const LOSS: [&str; 6] = ["loss", "cross entropy", "crossentropy", "ce loss", "cross entropy loss", "loss ce"];
const ACCURACY: [&str; 9] = [
    "accuracy",
    "acc",
    "top 1",
    "acc 1",
    "accuracy 1",
    "accuracy top 1",
    "top 1 accuracy",
    "top 1 acc",
    "acc top 1",
];
const ERROR: [&str; 3] = ["error rate", "err", "top 1 error"];
const LR: [&str; 3] = ["lr", "learning rate", "learningrate"];
/// Optimisers behind `lr`, as Lightning's monitor of learning rates names them.
const OPTIMIZERS: [&str; 8] = ["adam", "adamw", "sgd", "rmsprop", "nadam", "radam", "lamb", "adagrad"];
const GRAD_NORM: [&str; 3] = ["grad norm", "gradient norm", "grad 2 norm total"];

/// What a name means to all tools; `None` for a name that means none of the series.
pub(super) fn meaning(name: &str) -> Option<Meaning> {
    let exact = Series::named(name.trim());
    if let Some(series) = exact.filter(|series| !is_plain(*series)) {
        return Some(Meaning { quantity: Quantity::Other(series), phase: Phase::Unsaid, of_steps: false });
    }
    let words = words(name);
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    let phase = match (has(&TRAIN), has(&VAL)) {
        (true, false) => Phase::Train,
        (false, true) => Phase::Val,
        (false, false) => Phase::Unsaid,
        (true, true) => return None,
    };
    let of_steps = words.iter().any(|word| word == "step");
    let rest: Vec<&str> = words
        .iter()
        .map(String::as_str)
        .filter(|word| {
            !TRAIN.contains(word) && !VAL.contains(word) && !FILLERS.contains(word) && *word != "step"
        })
        .collect();
    Some(Meaning { quantity: quantity(&rest)?, phase, of_steps })
}

/// Whether other tools have other names for it.
const fn is_plain(series: Series) -> bool {
    matches!(
        series,
        Series::TrainLoss
            | Series::TrainAccuracy
            | Series::ValLoss
            | Series::ValAccuracy
            | Series::Lr
            | Series::GradNorm
    )
}

fn quantity(rest: &[&str]) -> Option<Quantity> {
    let text = rest.join(" ");
    let is = |list: &[&str]| list.contains(&text.as_str());
    if is(&LOSS) {
        return Some(Quantity::Loss);
    }
    if is(&ACCURACY) {
        return Some(Quantity::Accuracy);
    }
    if is(&ERROR) {
        return Some(Quantity::ErrorRate);
    }
    if is(&GRAD_NORM) {
        return Some(Quantity::Other(Series::GradNorm));
    }
    // `lr/pg0` of Ultralytics and Lightning: the first group of parameters.
    let group = |word: &str| ["pg", "0"].contains(&word) || OPTIMIZERS.contains(&word);
    let lr =
        LR.iter().filter_map(|lr| text.strip_prefix(lr)).any(|after| after.split_whitespace().all(group));
    lr.then_some(Quantity::Other(Series::Lr))
}

/// The words of a name, in lower case: letters and digits apart, cut where an upper-case letter follows a lower-case one.
/// `trainloss` is two words.
fn words(name: &str) -> Vec<String> {
    // W&B puts the run's name in front.
    let name = name.rsplit(" - ").next().unwrap_or(name);
    let mut words = vec![String::new()];
    let mut before = ' ';
    for letter in name.chars() {
        let number = before.is_alphanumeric() && before.is_ascii_digit() != letter.is_ascii_digit();
        if !letter.is_alphanumeric() || number || (before.is_lowercase() && letter.is_uppercase()) {
            words.push(String::new());
        }
        if letter.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(letter.to_lowercase());
        }
        before = letter;
    }
    words.into_iter().filter(|word| !word.is_empty()).flat_map(split).collect()
}

/// A phase and a quantity that are written together.
fn split(word: String) -> Vec<String> {
    let phases = TRAIN.iter().chain(&VAL);
    let together = phases.filter_map(|phase| Some((*phase, word.strip_prefix(phase)?)));
    match together.into_iter().find(|(_, rest)| ["loss", "acc", "accuracy"].contains(rest)) {
        Some((phase, rest)) => vec![phase.to_owned(), rest.to_owned()],
        None => vec![word],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_all_tools_are_understood() {
        use Phase::{Train, Unsaid, Val};
        use Quantity::{Accuracy, ErrorRate, Loss, Other};
        for (name, quantity, phase, of_steps) in [
            ("train_loss", Loss, Train, false),
            ("train_loss_epoch", Loss, Train, false),
            ("train_loss_step", Loss, Train, true),
            ("Train Loss", Loss, Train, false),
            ("TrainLoss", Loss, Train, false),
            ("trainloss", Loss, Train, false),
            ("loss", Loss, Unsaid, false),
            ("val/loss", Loss, Val, false),
            ("valid_loss", Loss, Val, false),
            ("Loss/validation", Loss, Val, false),
            ("eval_loss", Loss, Val, false),
            ("resnet - val_loss", Loss, Val, false),
            ("metrics/accuracy_top1", Accuracy, Val, false),
            ("eval_top1", Accuracy, Val, false),
            ("val_acc1", Accuracy, Val, false),
            ("Val Acc", Accuracy, Val, false),
            ("val_sparse_categorical_accuracy", Accuracy, Val, false),
            ("error_rate", ErrorRate, Unsaid, false),
            ("lr", Other(Series::Lr), Unsaid, false),
            ("learning_rate", Other(Series::Lr), Unsaid, false),
            ("lr/pg0", Other(Series::Lr), Unsaid, false),
            ("lr-Adam", Other(Series::Lr), Unsaid, false),
            ("lr-SGD/pg0", Other(Series::Lr), Unsaid, false),
            ("train/grad_norm", Other(Series::GradNorm), Train, false),
            ("dead_units", Other(Series::DeadUnits), Unsaid, false),
            ("train_eval_accuracy", Other(Series::TrainEvalAccuracy), Unsaid, false),
        ] {
            assert_eq!(meaning(name), Some(Meaning { quantity, phase, of_steps }), "{name}");
        }
        for name in [
            "epoch",
            "step",
            "time",
            "eval_top5",
            "metrics/accuracy_top5",
            "lr/pg1",
            "loss_scale",
            "val_f1",
            "train/val_loss",
            "box_loss",
            "",
        ] {
            assert_eq!(meaning(name), None, "{name}");
        }
    }
}
