//! Which images a run trained on, so that its figures on other data can leave them out: a network knows by heart much of
//! what it was trained on.

use crate::check::Concern;
use crate::embedded::is_embedded;
use crate::error::RunError;
use crate::experiment::{Parts, divide};
use crate::folds::folds_in;
use crate::notice::Notice;
use crate::observer::Observer;
use crate::opening::{DataSource, Validation};
use crate::saved::SavedRun;
use crate::weights_name::is_name;
use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use wellfit_base::Shown;
use wellfit_base::file::read_text;
use wellfit_data::{Dataset, Splits};
use wellfit_record::{RunDir, RunGroup, RunWriter};

/// The file in a run's directory: a line a training image.
pub(crate) const FILE: &str = "trained-on.txt";
/// What it says of itself.
const HEAD: &str = "# The images this run was trained on: of each the first 16 digits of the SHA-256 of its width and pixels.";
/// A line has 17 bytes: a hundred million images.
const MOST_BYTES: u64 = 17 * 100_000_000;

/// Write down what a run trains on: a resumed run has it already, unless an older version began it. What the run was trained on whose `weights` it starts from belongs to it.
pub(crate) fn note(run: &RunWriter, train: &Dataset, weights: Option<&Path>) -> Result<(), RunError> {
    let own = train.prints()?;
    let known: HashSet<u64> = own.iter().copied().collect();
    let mut earlier: Vec<u64> = known_to(weights)?.difference(&known).copied().collect();
    earlier.sort_unstable();
    let mut text = format!("{HEAD}\n");
    for print in own.into_iter().chain(earlier) {
        let _ = writeln!(text, "{print:016x}");
    }
    Ok(run.write_file(FILE, text.as_bytes())?)
}

/// The validation images that the weights were trained on which a run starts from.
pub(crate) fn concern(weights: Option<&Path>, validation: &Dataset) -> Result<Option<Concern>, RunError> {
    let known = known_to(weights)?;
    if known.is_empty() {
        return Ok(None);
    }
    let (count, images) =
        (validation.prints()?.iter().filter(|print| known.contains(print)).count(), validation.len());
    let sentence = format!(
        "the weights were trained on {count} of the {images} validation images: validation will look better than it is"
    );
    let advice = "with the `seed` and the `val_split` of the run they are from, the parts stay apart";
    let concern = Concern::new("weights-saw-validation", sentence);
    Ok((count > 0).then(|| concern.of(&[("shared", count as f64), ("images", images as f64)]).advise(advice)))
}

/// What the run was trained on that these weights are of; nothing where they are of none that says so.
fn known_to(weights: Option<&Path>) -> Result<HashSet<u64>, RunError> {
    let run = weights.filter(|path| !is_name(path)).and_then(run_of);
    Ok(run.map(|run| read(&run)).transpose()?.flatten().unwrap_or_default())
}

/// The images of which a classifier is to be judged.
#[derive(Debug)]
pub struct Judged {
    /// Which part of the data they are: `test`, `val` or `all`.
    pub part: &'static str,
    /// Those that it was not trained on.
    pub unseen: Dataset,
    /// The others of the part.
    pub trained_on: Dataset,
}

/// What of the data `path`, a run or weights of one, can be judged by: the test part; else the validation part; else, if
/// the data are what the run was trained on, the part that it set aside; else all of them. Images that the run was
/// trained on are told apart, and the observer hears of them. They are known by their pixels, under any name, in any
/// folder and in any format without loss.
///
/// # Errors
/// If the run or an image cannot be read.
pub fn judged(
    path: &Path,
    source: &DataSource,
    splits: Splits,
    observer: &mut dyn Observer,
) -> Result<Judged, RunError> {
    if let Some(folds) = folds_in(path) {
        return judged_by_all(path, folds, splits, observer);
    }
    let Some(run) = run_of(path) else {
        let (part, images, _) = usual_part(splits);
        return Ok(Judged { part, trained_on: images.subset(&[]), unseen: images });
    };
    let own = own_parts(&run, source, &splits)?;
    let (part, images, whole) = usual_part(splits);
    if let Some(Parts { train, validation, .. }) = own.as_ref().filter(|_| whole) {
        observer.notice(&Notice::OwnValidation { trained: train.len(), validation: validation.len() });
        return Ok(Judged { part: "val", trained_on: validation.subset(&[]), unseen: validation.clone() });
    }
    let Some(prints) = read(&run)? else {
        if own.is_none() {
            observer.notice(&Notice::TrainingUnknown { run: path.to_owned() });
        }
        return Ok(Judged { part, trained_on: images.subset(&[]), unseen: images });
    };
    told_apart((part, images), &prints, observer)
}

/// The same for the networks of a cross-validation together, which have seen whatever one of them was trained on.
fn judged_by_all(
    dir: &Path,
    folds: u32,
    splits: Splits,
    observer: &mut dyn Observer,
) -> Result<Judged, RunError> {
    let mut prints = HashSet::new();
    for fold in 1..=folds {
        prints.extend(read(&RunGroup::run(dir, fold))?.unwrap_or_default());
    }
    let (part, images, _) = usual_part(splits);
    told_apart((part, images), &prints, observer)
}

/// The images that are among those trained on, and the others.
fn told_apart(
    (part, images): (&'static str, Dataset),
    prints: &HashSet<u64>,
    observer: &mut dyn Observer,
) -> Result<Judged, RunError> {
    let places = (0..).zip(images.prints()?);
    let (seen, unseen): (Vec<_>, Vec<_>) = places.partition(|(_, print)| prints.contains(print));
    let [seen, unseen] =
        [seen, unseen].map(|places| places.into_iter().map(|(i, _)| i).collect::<Vec<u32>>());
    if !seen.is_empty() {
        observer.notice(&Notice::TrainedOn { count: seen.len(), images: images.len() });
    }
    Ok(Judged { part, unseen: images.subset(&unseen), trained_on: images.subset(&seen) })
}

/// The part that is judged by, its name, and whether it is all there is.
fn usual_part(splits: Splits) -> (&'static str, Dataset, bool) {
    match (splits.test, splits.val) {
        (Some(test), _) => ("test", test, false),
        (None, Some(val)) => ("val", val, false),
        (None, None) => ("all", splits.train, true),
    }
}

/// The run whose weights `path` means: the run itself, or the one in whose directory the weights, the checkpoint or the
/// export are.
fn run_of(path: &Path) -> Option<PathBuf> {
    if is_embedded(path) {
        return None;
    }
    let path = path.canonicalize().ok()?;
    let mut near = path.ancestors().take(4);
    near.find(|folder| SavedRun::is_in(folder)).map(Path::to_path_buf)
}

/// The parts that the run made of these data, if they are those it was trained on.
fn own_parts(run: &Path, source: &DataSource, splits: &Splits) -> Result<Option<Parts>, RunError> {
    let dir = RunDir::open(run)?;
    let saved = SavedRun::read(&dir)?;
    if saved.source.validation == Validation::Test && splits.test.is_none() {
        return Ok(None);
    }
    let spec = saved.options(&dir)?.decide(source.kind(&splits.train))?;
    // Data that cannot be divided as the run's were are not its.
    let Ok(parts) = divide(splits.clone(), &spec, saved.source.validation, &mut ()) else { return Ok(None) };
    Ok(saved.is_made_of(&parts).then_some(parts))
}

/// What [`note`] wrote; none in a run of a version that did not.
fn read(run: &Path) -> Result<Option<HashSet<u64>>, RunError> {
    let path = run.join(FILE);
    if !path.exists() {
        return Ok(None);
    }
    let bad = |problem: String| RunError::Output(format!("{}: {problem}", path.shown()));
    let text = read_text(&path, MOST_BYTES).map_err(|error| bad(error.to_string()))?;
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.starts_with('#'));
    let print = |(number, line): (usize, &str)| {
        u64::from_str_radix(line, 16).map_err(|_| bad(format!("line {number}: `{line}` is no fingerprint")))
    };
    lines.map(print).collect::<Result<_, _>>().map(Some)
}
