//! Every number that decides a finding, with its source.
//!
//! Values whose source is `ours` are first values; they are to be tuned once, on curves that are made for it, and then frozen.

/// A number that decides, and where it is from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Threshold {
    /// The number.
    pub value: f64,
    /// Where it is from.
    pub source: &'static str,
}

const fn of(value: f64, source: &'static str) -> Threshold {
    Threshold { value, source }
}

/// AUTOTRAINER (Zhang et al. 2021).
pub const AUTOTRAINER: &str = "AUTOTRAINER 2021";
/// Amazon SageMaker Debugger's built-in rules.
pub const SAGEMAKER: &str = "SageMaker Debugger";
/// runmedic.
pub const RUNMEDIC: &str = "runmedic";
/// cleanlab's Datalab.
pub const CLEANLAB: &str = "cleanlab";
/// Google's deep learning tuning playbook.
pub const PLAYBOOK: &str = "Tuning Playbook (Google)";
/// No source but these rules.
pub const OURS: &str = "ours";

/// Epochs that a rule about a curve needs.
pub const LEAST_EPOCHS: usize = 5;
/// Epochs that a rule about standing still needs.
pub const LEAST_EPOCHS_FLAT: usize = 10;
/// Standard errors that an effect must exceed.
pub const ERRORS: f64 = 2.0;
/// The window at a curve's end: this share of the epochs, and at least [`LEAST_EPOCHS`].
pub const WINDOW: f64 = 0.2;
/// Epochs at the end whose mean is the level a curve reached.
pub const LAST: usize = 3;

/// Overfitting: the validation loss at the end over its least, both of the curve of medians of three.
pub const OVERFITTING_RISE: Threshold =
    of(1.08, "generalisation loss, Prechelt 1998; 8 %: ours (runmedic: 5 %)");
/// Overfitting: so many epochs after the least show a rise whatever the noise, ...
pub const OVERFITTING_LONG: usize = 9;
/// ... if this share of them lies above the least by [`OVERFITTING_ABOVE`].
pub const OVERFITTING_SHARE: f64 = 0.6;
/// What counts as above.
pub const OVERFITTING_ABOVE: f64 = 1.05;
/// Overfitting: the training loss at the end over that at the least validation loss.
pub const OVERFITTING_TRAIN: Threshold = of(0.97, OURS);
/// Overfitting: the rise as a share of what validation had gained before.
pub const OVERFITTING_OF_GAIN: Threshold = of(0.05, OURS);
/// Overfitting: epochs after the least validation loss.
pub const OVERFITTING_EPOCHS: usize = 4;

/// Overfitting: the relative rise that the validation images alone may make, times the root of the number of wrong answers among
/// them: these few images have nearly all of the loss.
pub const OVERFITTING_IMAGES: Threshold = of(0.6, OURS);
/// The same where the rate sank to zero: the curve settles then wherever these images have it.
pub const OVERFITTING_IMAGES_ANNEALED: Threshold = of(1.0, OURS);

/// Generalization gap: training less validation accuracy, where the latter is 90 % or better.
pub const GAP: Threshold = of(0.07, OURS);
/// The same below 90 %.
pub const GAP_BELOW: Threshold = of(0.10, AUTOTRAINER);
/// What divides the two.
pub const GAP_DIVIDE: f64 = 0.90;

/// Underfitting: the loss as a share of that of an answer without looking.
pub const UNDERFITTING_LOSS: Threshold = of(0.5, OURS);
/// Underfitting: wrong answers as a share of those of an answer without looking.
pub const UNDERFITTING_WRONG: Threshold = of(0.5, OURS);
/// Underfitting without `n_val`: validation over training loss at most.
pub const UNDERFITTING_GAP: Threshold = of(1.10, OURS);

/// Not learning: how near to the loss of an answer without looking.
pub const NOT_LEARNING: Threshold = of(0.02, "ln K: runmedic; 2 %: ours");
/// Not learning: training accuracy above the share of the largest class.
pub const NOT_LEARNING_ANSWERS: Threshold = of(0.03, OURS);
/// Not learning: a loss that was ever so far above that of an answer without looking was thrown there by the rate.
pub const THROWN: Threshold = of(0.05, OURS);

/// Softmax twice: how near to its floor.
pub const DOUBLE_SOFTMAX: Threshold = of(0.01, "ours: the floor is exact");
/// Softmax twice: the accuracy at which no other reason is left.
pub const DOUBLE_SOFTMAX_ACCURACY: Threshold = of(0.95, OURS);

/// Plateau: change over the window as a share of what was gained.
pub const PLATEAU: Threshold = of(0.01, OURS);
/// Standing still: noise hides no more than this share of what was gained; with more noise nobody can tell.
pub const STILL_MOST: Threshold = of(0.05, OURS);
/// Standing still: or than this share of the loss itself, where next to nothing was gained.
pub const STILL_LEVEL: Threshold = of(0.02, OURS);
/// Plateau: below this share of the first training loss there is nothing left to learn.
pub const PLATEAU_CONVERGED: Threshold = of(0.05, RUNMEDIC);
/// A plateau for so many epochs at least, where all training images are answered right, wastes time.
pub const CONVERGED_WINDOW: u32 = 10;
/// The training accuracy at which nothing is left to learn.
pub const CONVERGED_ACCURACY: Threshold = of(0.995, OURS);
/// A rate that changed by less than this share is the same.
pub const SAME_RATE: f64 = 1e-3;

/// Still improving: gain over the window as a share of the whole.
pub const STILL_IMPROVING: Threshold = of(0.02, OURS);
/// Still improving: a rate below this share of its largest is annealed.
pub const ANNEALED: f64 = 0.05;
/// Still improving where the rate is not known: share of the window's gain in its second half.
pub const STILL_IMPROVING_LATE: Threshold = of(0.25, OURS);

/// Stopped too early: the share of itself that the validation loss lost in the last epochs before its least.
pub const STOPPED_FALL: Threshold = of(0.06, OURS);
/// Stopped too early: these are one in so many of the epochs up to its least, two at the least.
pub const STOPPED_BEFORE: usize = 3;
/// Stopped too early: the validation loss over the training loss at its least, at most. Where training is further ahead, more
/// epochs overfit.
pub const STOPPED_AHEAD: Threshold = of(3.0, OURS);
/// Stopped too early: so many epochs since then, each above the one before, are no noise.
pub const STOPPED_RISE: usize = 3;
/// Stopped too early: the share of its beginning that the validation loss had lost.
pub const STOPPED_GAINED: Threshold = of(0.40, OURS);
/// Stopped too early: or validation less training accuracy at its least.
pub const STOPPED_BEHIND: Threshold = of(0.05, OURS);

/// Rate too high: median of α.
pub const ALPHA_HIGH: Threshold = of(0.5, "cockpit (Schneider et al. 2021)");
/// Rate too high: how far training accuracy falls and rises again.
pub const SWING: Threshold = of(0.03, AUTOTRAINER);
/// Rate too high: share of the epochs with such a swing.
pub const SWING_SHARE: Threshold = of(0.20, AUTOTRAINER);
/// Rate too high: training loss over that of the epoch before.
pub const SURGE: Threshold = of(1.20, OURS);
/// Rate too high: the rise of the training loss as a share of all it gained.
pub const SURGE_OF_GAIN: Threshold = of(0.02, OURS);
/// Rate too high: share of the epochs with such a rise.
pub const SURGE_SHARE: Threshold = of(0.20, OURS);
/// Rate too high: all rises of the training loss together, as a share of all it gained.
pub const RISES: Threshold = of(0.20, OURS);
/// Rate too high: the same by the number of epochs; in long trainings small rises add up.
pub const RISES_EACH: f64 = 0.01;
/// Rate too high: the largest of these rises.
pub const RISE_LARGEST: Threshold = of(0.105, OURS);
/// Rate too high: the second largest of them at least; one alone is a spike.
pub const RISE_SECOND: f64 = 0.035;
/// Rate too high: such a sum must confirm swings of accuracy where it is not known of how many images that is.
pub const RISES_CONFIRM: f64 = 0.15;
/// Rate too high: swings or surges at least.
pub const SWINGS: usize = 2;
/// Rate too high: share of steps whose gradient is clipped.
pub const CLIPPED: Threshold = of(0.50, PLAYBOOK);

/// Rate too low: median of α.
pub const ALPHA_LOW: Threshold = of(-0.8, "cockpit (Schneider et al. 2021)");
/// Rate too low: share of epochs in which the training loss falls.
pub const FALLING: Threshold = of(0.90, OURS);
/// Rate too low: training loss at the end over the first.
pub const LEFT: Threshold = of(0.50, OURS);
/// Rate too low: slope of the second half over that of the first; a straight line has 1.
pub const STRAIGHT: Threshold = of(0.50, OURS);
/// Rate too low: a median of α below which steps hardly move along their line, so that the fall need not be that straight.
pub const ALPHA_LEAST: Threshold = of(-0.97, OURS);
/// Rate too low: how straight it must be then.
pub const STRAIGHT_AT_LEAST: Threshold = of(0.20, OURS);

/// Diverged: the share of its progress that the training loss lost.
pub const LOST_PROGRESS: Threshold = of(0.50, RUNMEDIC);

/// Spikes: robust z.
pub const SPIKE: Threshold = of(8.0, OURS);
/// Spikes: over the trend.
pub const SPIKE_RATIO: Threshold = of(1.5, OURS);
/// Spikes: height as a share of all that the loss gained. Late in a training most batches have next to no loss, so that
/// ordinary ones stand out.
pub const SPIKE_OF_GAIN: Threshold = of(0.5, OURS);
/// Spikes of single steps: height in nats, so that the answers of a whole batch are e times less probable. One wrong answer
/// among a fine-tuning's few classes does less.
pub const SPIKE_HEIGHT: Threshold = of(1.0, OURS);
/// Spikes: gradient norm over its median.
pub const GRADIENT_SPIKE: Threshold = of(10.0, RUNMEDIC);
/// Spikes: share of steps or epochs at the beginning that do not count.
pub const SPIKE_WARM_UP: f64 = 0.05;

/// Vanishing gradients: the first layer's norm over the last layer's.
pub const VANISHING_RATIO: Threshold = of(1e-3, AUTOTRAINER);
/// Vanishing gradients: the first layer's norm.
pub const VANISHING: Threshold = of(1e-4, AUTOTRAINER);
/// Exploding gradients: the first layer's norm over the last layer's.
pub const EXPLODING_RATIO: Threshold = of(70.0, AUTOTRAINER);

/// Exploding gradients: the first step's loss over that of an answer without looking.
pub const FIRST_LOSS: Threshold = of(5.0, OURS);

/// Dead units: the share of a layer.
pub const DEAD: Threshold = of(0.50, SAGEMAKER);

/// BatchNorm's statistics: validation loss over that with statistics estimated anew.
pub const BATCH_NORM: Threshold = of(1.05, OURS);

/// Validation too small: the width of the accuracy's interval.
pub const VALIDATION_WIDTH: Threshold = of(0.10, OURS);

/// Imbalance: least share of a class, times the number of classes.
pub const LEAST_SHARE: Threshold = of(0.1, CLEANLAB);
/// Imbalance: largest class over the smallest.
pub const CLASS_RATIO: Threshold = of(10.0, SAGEMAKER);

/// Duplicates: share of the validation images.
pub const DUPLICATES: Threshold = of(0.005, OURS);
/// Label errors: share of the images looked at.
pub const LABEL_ERRORS: Threshold = of(0.02, OURS);

/// Waiting for data: share of the training pass.
pub const WAITING: Threshold = of(0.20, "ours; runmedic: 0.30");
