//! The sentence of each message.

use super::kind::Notice;
use crate::figures::{count, duration, loss, percent};
use crate::machine::path;
use crate::options::PrecisionName;
use crate::spec::Difference;
use std::fmt;
use std::path::Path;
use wellfit_base::Shown;
use wellfit_base::shown::shown;
use wellfit_base::words::{either, plural};
use wellfit_models::Precision;
use wellfit_simd::Bf16Unit;

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FilesLeftOut { count } => {
                write!(f, "{count} unusable {} left out:", either(*count, "file is", "files are"))
            }
            Self::FileLeftOut { path, reason } => write!(f, "  {}: {reason}", path.shown()),
            Self::Folder(remark) => write!(f, "{remark}"),
            Self::Concern(concern) => write!(f, "{concern}"),
            Self::Classes(counts) => write!(f, "{counts}"),
            Self::FoldsLeaveValidation => {
                f.write_str("The folds are cut from the training images; the data's own validation part stays untouched")
            }
            Self::Fold { fold, folds, finished } => {
                write!(f, "Fold {fold} of {folds}{}", if *finished { ": finished before" } else { "" })
            }
            Self::Arm { pair, pairs, arm, finished } => {
                write!(f, "Pair {pair} of {pairs}, {arm}{}", if *finished { ": finished before" } else { "" })
            }
            Self::Branched { epochs } => {
                write!(f, "The first {} are the baseline's", plural(*epochs as usize, "epoch"))
            }
            Self::BranchedFrom { run, epochs, common } => {
                let (first, name) = (plural(*epochs as usize, "epoch"), run.shown());
                write!(f, "The first {first} are those of {name}")?;
                if epochs < common {
                    write!(
                        f,
                        "; epoch {common} would be the last in common, but its state is gone: a run keeps more with `keep`"
                    )?;
                }
                Ok(())
            }
            Self::NoStateInCommon { run, common: 0 } => {
                write!(f, "Nothing is in common with {}: its first step has another rate", run.shown())
            }
            Self::NoStateInCommon { run, common } => write!(
                f,
                "{} has the first {} in common, but the states up to there are gone, so it is trained from its beginning: a run \
                 keeps more with `keep`",
                run.shown(),
                plural(*common as usize, "epoch")
            ),
            Self::Improving(step) => write!(f, "{step}"),
            Self::NoTechnique { name } => write!(
                f,
                "{name}: the baseline has these settings already, so the arms will be the same to the bit"
            ),
            Self::OtherProcess => f.write_str("Other processes work on the pairs that are left; waiting for them"),
            Self::TestDecides => f.write_str(
                "Note: test/ decides which epoch is best here, as in the textbook's recipe, so its figures are optimistic. \
                 `wellfit train` keeps test/ for the end.",
            ),
            Self::Fitted { epochs, of, seconds, time } => {
                let (seconds, time) = (duration(*seconds), duration(*time));
                if epochs == of {
                    write!(f, "All {of} epochs fit into {time}: they take about {seconds}, as just measured")
                } else {
                    write!(f, "{epochs} of {of} epochs fit into {time}: they take about {seconds}, as just measured")
                }
            }
            Self::RandomWeights { model, file, images, chance, epochs, steps, step } => write!(
                f,
                "{model} starts from random weights, with {images} images to learn from. Always naming the commonest \
                 class gives {:.1} %: compare with that. {epochs} × {steps} steps take about {} ({step:.2} s a \
                 step, just measured), validation not counted. To start from torchvision's ImageNet weights, give \
                 `weights` {file}.pth",
                100.0 * chance,
                duration(f64::from(*epochs) * *steps as f64 * step)
            ),
            Self::OwnValidation { trained, validation } => write!(
                f,
                "The run was trained on {trained} of these images: the figures are of the other {validation}, which it \
                 validated on"
            ),
            Self::TrainedOn { count, images } if count == images => {
                write!(f, "all {images} images were trained on: these figures say nothing of new images")
            }
            Self::TrainedOn { count, images } => {
                write!(f, "{count} of {images} images were trained on: they are left out of the figures")
            }
            Self::TrainingUnknown { run } => write!(
                f,
                "{} was made by a version that did not write down its training images: if some of them are among \
                 these, the figures are too good",
                run.shown()
            ),
            Self::Recipe(text) => write!(f, "Recipe {text}"),
            Self::Downloading { url, resumed: 0 } => write!(f, "Downloading {url}"),
            Self::Downloading { url, resumed } => {
                write!(f, "Downloading {url}, of which {} MB are there", resumed / 1_000_000)
            }
            Self::DownloadAwaited { path } => {
                write!(f, "Waiting for another process, which downloads {}", path.shown())
            }
            Self::DownloadRetried { problem, seconds } => write!(f, "{problem}; trying again in {seconds:.0} s"),
            Self::CachedWeightsDamaged { path, problem } => {
                write!(f, "{} is damaged and left out: {problem}", path.shown())
            }
            Self::WeightsFrom { path } => write!(f, "Weights from {}", path.shown()),
            Self::ModelRecognised { path, model } => {
                write!(f, "{} does not name its architecture; it is that of {model}", path.shown())
            }
            Self::HeadReplaced { theirs, had: Some(had), classes } => {
                let name = theirs.as_ref().map_or(String::new(), |name| format!(" `{name}`"));
                write!(f, "Their head{name} has {had} classes: replaced by a new one with {classes}")
            }
            Self::HeadReplaced { had: None, classes, .. } => {
                write!(f, "They have no head that fits: a new one with {classes} classes takes its place")
            }
            Self::HeadRenamed { theirs, ours } => write!(f, "Their head `{theirs}` is taken for `{ours}`"),
            Self::WeightsTwice { taken, left } => {
                write!(f, "the file has these weights more than once: those under {} are taken", under(taken))?;
                let left: Vec<String> = left.iter().map(|prefix| under(prefix)).collect();
                write!(f, ", not those under {}", left.join(", "))
            }
            Self::WeightsUnused { count, some } => {
                let names: Vec<String> = some.iter().map(|name| format!("‘{name}’")).collect();
                let more = if *count > some.len() { ", …" } else { "" };
                let arrays = either(*count, "array of the file has", "arrays of the file have");
                write!(f, "{count} {arrays} no use here: {}{more}", names.join(", "))
            }
            Self::Device { name } => write!(f, "Computation device: {name}"),
            Self::Precision { asked, precision } => precision_sentence(f, *asked, *precision),
            Self::Network { summary, .. } => f.write_str(summary),
            Self::Length { batches, batch_size, epochs } => {
                let [batches, epochs] = [*batches, *epochs as usize];
                let (of, are) = (either(batches, "batch", "batches"), either(epochs, "is", "are"));
                write!(f, "An epoch is {} {of} of {}; ", count(batches as u64), plural(*batch_size, "image"))?;
                write!(f, "there {are} {} {} at most", count(epochs as u64), either(epochs, "epoch", "epochs"))
            }
            Self::Data { name, train, validation, test, classes } => {
                let test = test.map_or(String::new(), |test| format!(", {} test", count(test as u64)));
                let [train, validation] = [*train, *validation].map(|images| count(images as u64));
                let name = shown(name);
                write!(f, "Data: {name}, {train} training, {validation} validation{test} images, {classes} classes")
            }
            Self::SchedulerOn => f.write_str("INFO: Initializing learning rate scheduler"),
            Self::EarlyStoppingOn => f.write_str("INFO: Initializing early stopping"),
            Self::FindingLr { steps } => write!(f, "Looking for a learning rate in {steps} steps"),
            Self::LrFound { lr } => {
                write!(f, "Learning rate {lr:.3e}, found by the suggestion valley; the run keeps it as `lr` {lr:?}")
            }
            Self::LrScaled { rule, factor, lr } => {
                write!(f, "`scale_lr` {rule}: the learning rate is {lr:.3e}, {factor:.3} times `lr`")
            }
            Self::Unfreezing { head, every, stages } => {
                let (last, whole) = (head + 1, head + 1 + every * (*stages as u32).saturating_sub(1));
                write!(
                    f,
                    "The head trains alone in {}; from epoch {last} on one of {stages} stages joins it every {}, all train \
                     from epoch {whole} on",
                    plural(*head as usize, "epoch"),
                    plural(*every as usize, "epoch")
                )
            }
            Self::Shards { shards, processes } => {
                let processes = plural(*processes, "process");
                write!(f, "Each batch is computed in {shards} parts, by {processes}; the results depend on the parts alone")
            }
            Self::Waited { share } => {
                write!(f, "{} of the time this process waited for sums over all of them", percent(*share))
            }
            Self::Swa { start } => write!(
                f,
                "From epoch {start} on the weights that epochs end with are averaged (SWA); the average is validated and kept"
            ),
            Self::FeaturesNotKept => write!(
                f,
                "training images change at random without end, so the frozen backbone computes every image anew in each \
                 epoch; with `augment` none, or flips alone, its features are computed once and epochs take a fraction of \
                 the time"
            ),
            Self::Run { path } => write!(f, "Run: {}", path.shown()),
            Self::Resuming { path, place } => write!(f, "Resuming {} from {place}", path.shown()),
            Self::MoreEpochs { epochs, schedule } => {
                write!(f, "It goes on to {}; early stopping, if it is on, counts from 0", plural(*epochs as usize, "epoch"))?;
                schedule.as_ref().map_or(Ok(()), |schedule| {
                    write!(f, ". The rate goes on as the schedule {schedule} has it for that many")
                })
            }
            Self::Lost { lost, remedy } => write!(f, "the run lost something: {lost}; {remedy}"),
            Self::CheckpointDamaged { damaged } => write!(f, "a checkpoint is passed over: {damaged}"),
            Self::OtherMachine { message } => f.write_str(message),
            Self::NoLocks { run } => write!(
                f,
                "{} is on a file system without locks: nothing keeps a second process from writing to the same run, so \
                 start none",
                run.shown()
            ),
            Self::WeightsDamaged { problem, run, repaired } => {
                write!(f, "{problem}: the best checkpoint's weights are taken")?;
                if *repaired {
                    f.write_str(", and the file is made again from them")
                } else {
                    write!(f, "; `wellfit resume {}` makes the file again", run.shown())
                }
            }
            Self::UnderWay { path } => write!(f, "{} is under way in another process", path.shown()),
            Self::NothingToResume { place } => write!(
                f,
                "No unfinished run of this configuration and these data in {}: a new one begins",
                place.shown()
            ),
            Self::OtherSettings { path, differences } => other_settings(f, path, differences),
            Self::CacheFailed { problem } => {
                write!(f, "`cache` disk: {problem}. The run goes on, but nothing more is kept")
            }
            Self::NotTold { to, problem } => write!(f, "{to} is not told of the run any more: {problem}"),
            Self::RunSoFar { path } => write!(f, "The run so far is in {}", path.shown()),
            Self::Stopped { epoch, reason } => write!(f, "Stopped after epoch {epoch}: {reason}"),
            Self::TrainingTime { seconds } => write!(f, "Training time: {}", duration(*seconds)),
            Self::WaitedForData { share } => {
                write!(f, "Waiting for data: {} of the training passes", percent(*share))
            }
            Self::SavingPlots => f.write_str("Saving loss and accuracy plots..."),
            Self::SavingModel => f.write_str("Saving model..."),
            Self::BestEpoch { epoch, epochs, by, val_loss, val_accuracy } => write!(
                f,
                "Best epoch {epoch} of {epochs} by {}: val loss {}, val accuracy {}",
                by.name(),
                loss(*val_loss),
                percent(*val_accuracy)
            ),
            Self::Calibrating { count, images } => {
                write!(f, "Calibrating int8 on {count} of {images} training images...")
            }
            Self::Complete { seconds, run } => {
                write!(f, "TRAINING COMPLETE in {}: {}", duration(*seconds), run.shown())
            }
            Self::PreprocessingUnlike { path, unlike } => {
                let how = match (unlike.contains("interpolation"), unlike.contains("crop_mode")) {
                    (true, false) => "resized bilinearly",
                    (true, true) => "resized bilinearly to the whole input",
                    _ => "stretched to the whole input",
                };
                write!(f, "{} asks for {unlike}; images are {how} instead", path.shown())
            }
            Self::ConfigLeftOut { path, problem } => {
                write!(f, "{} is left out of account: {problem}", path.shown())
            }
        }
    }
}

/// What stands before names, as a word.
fn under(prefix: &str) -> String {
    if prefix.is_empty() { "their plain names".to_owned() } else { format!("`{prefix}`") }
}

/// What is computed how, and for what reason.
fn precision_sentence(f: &mut fmt::Formatter<'_>, asked: PrecisionName, precision: Precision) -> fmt::Result {
    let (name, unit) = (precision.name(), Bf16Unit::current());
    match (asked, unit) {
        (PrecisionName::Auto, Bf16Unit::Widened) => {
            write!(f, "Precision: {name}, since this processor has no instructions for bf16")
        }
        (PrecisionName::Auto, _) => {
            write!(f, "Precision: {name}, since this processor has instructions for it ({})", unit.name())
        }
        (_, Bf16Unit::Widened) => write!(
            f,
            "Precision: {name}, widened to f32, since this processor has no instructions for it: it saves memory, not time"
        ),
        _ => write!(f, "Precision: {name} ({})", path(precision)),
    }
}

/// Why a run is not gone on with, and how it would be: by its name, or by typing what it has.
fn other_settings(f: &mut fmt::Formatter<'_>, path: &Path, differences: &[Difference]) -> fmt::Result {
    let word = |value: &Option<String>| value.clone().unwrap_or_else(|| "not set".to_owned());
    let told = |Difference { name, own, theirs }: &Difference| {
        format!("`{name}` is {} there, {} here", word(own), word(theirs))
    };
    let run = path.shown();
    let told: Vec<String> = differences.iter().map(told).collect();
    write!(f, "{run} is an unfinished run of these data with other settings: {}. ", told.join("; "))?;
    write!(f, "To go on with it: wellfit resume {run}")?;
    let all: Option<Vec<String>> =
        differences.iter().map(|it| it.own.as_ref().map(|own| format!("`{}` {own}", it.name))).collect();
    all.map_or(Ok(()), |typed| write!(f, ", or the same command with {}", typed.join(" ")))
}
