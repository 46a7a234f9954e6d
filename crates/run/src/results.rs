//! Pictures of a classifier's answers.

use crate::classifier::{Answer, Classifier, Judgement};
use crate::error::RunError;
use crate::figures::{count, percent};
use crate::sheet::pictured;
use wellfit_data::{Augmentations, Dataset, Loader, LoaderOptions};
use wellfit_plot::{Chart, ConfusionMatrix, ImageGrid, Look, Theme, calibration_chart};
use wellfit_policy::classification::Confusion;

/// Images on the sheet of the largest losses.
const WORST: usize = 24;
/// Height and width of the square around each, in pixels of the layout.
const CELL: u32 = 170;
/// With more classes than this, a confusion matrix is neither drawn, since nothing could be seen, nor written.
pub const LARGEST_MATRIX: usize = 1000;

/// The pictures of an evaluation on `data`, called `name`, under their file names: `confusion.png` and `.svg` (up to a
/// thousand classes), `calibration.png` and `.svg`, `top-losses.png` (the images with the largest losses, with their class,
/// the answer and its probability).
///
/// # Errors
/// If an image cannot be read any more, or a picture cannot be drawn.
pub fn evaluation_pictures(
    classifier: &Classifier,
    (answers, judgement): (&[Answer], &Judgement),
    data: &Dataset,
    name: &str,
) -> Result<Vec<(String, Vec<u8>)>, RunError> {
    let mut files = Vec::new();
    files.extend(confusion_pictures(&judgement.confusion, &classifier.classes, name)?);
    let chart = calibration(judgement, name);
    files.push(("calibration.png".to_owned(), chart.draw(Look::SCREEN).to_png_bytes()?));
    files.push(("calibration.svg".to_owned(), chart.svg(Theme::Light).into_bytes()));
    files.push(("top-losses.png".to_owned(), top_losses(classifier, answers, data, name)?));
    Ok(files)
}

/// `confusion.png` and `confusion.svg`; none with more than a thousand classes, of which nothing could be seen.
pub(crate) fn confusion_pictures(
    confusion: &Confusion,
    classes: &[String],
    name: &str,
) -> Result<Vec<(String, Vec<u8>)>, RunError> {
    if classes.len() > LARGEST_MATRIX {
        return Ok(Vec::new());
    }
    let counts: Vec<(u32, u32, u64)> = confusion.pairs().collect();
    let title = format!("Confusion matrix of {name}");
    let subtitle =
        format!("{} of {} images right", percent(confusion.accuracy()), count(confusion.samples()));
    let matrix = ConfusionMatrix { title: &title, subtitle: &subtitle, classes, counts: &counts };
    Ok(vec![
        ("confusion.png".to_owned(), matrix.draw(Look::SCREEN)?.to_png_bytes()?),
        ("confusion.svg".to_owned(), matrix.svg(Theme::Light)?.into_bytes()),
    ])
}

fn calibration(judgement: &Judgement, name: &str) -> Chart {
    let samples = judgement.confusion.samples() as f64;
    let filled = judgement.calibration.bins.iter().filter(|bin| bin.samples > 0);
    let bins: Vec<(f64, f64, f64)> =
        filled.map(|bin| (bin.confidence, bin.accuracy, bin.samples as f64 / samples)).collect();
    Chart {
        title: format!("Calibration of {name}"),
        subtitle: format!("expected calibration error {}", percent(judgement.calibration.ece)),
        ..calibration_chart(&bins)
    }
}

/// The `most` answers with the largest losses, the largest first.
pub(crate) fn largest_losses(answers: &[Answer], most: usize) -> Vec<Answer> {
    let mut worst = answers.to_vec();
    worst.sort_by(|a, b| b.loss.total_cmp(&a.loss).then(a.image.cmp(&b.image)));
    worst.truncate(most);
    worst
}

/// A picture of the images with the largest losses.
fn top_losses(
    classifier: &Classifier,
    answers: &[Answer],
    data: &Dataset,
    name: &str,
) -> Result<Vec<u8>, RunError> {
    let worst = largest_losses(answers, WORST);
    let places: Vec<u32> = worst.iter().map(|answer| answer.image as u32).collect();
    let options = LoaderOptions { batch_size: WORST, ..LoaderOptions::default() };
    let preprocessing = classifier.preprocessing.clone();
    let loader = Loader::new(data.subset(&places), preprocessing, Augmentations::none(), options)?;
    let class = |class: u32| classifier.classes.get(class as usize).map_or("", String::as_str);
    let title = |place: usize| {
        worst.get(place).map_or_else(String::new, |answer| {
            let (own, taken) = (class(answer.class), class(answer.predicted));
            // The probability stands first: a long name is shortened at its end.
            let share = format!("{:.0} % {taken}", 100.0 * answer.probability);
            if answer.class == answer.predicted { share } else { format!("{share}, not {own}") }
        })
    };
    let mut cells = Vec::new();
    for batch in loader.load(loader.plan(0)) {
        let before = cells.len();
        cells.extend(pictured(&batch?, &classifier.preprocessing, |place| title(before + place)));
    }
    let columns = ((cells.len() as f64).sqrt().ceil() as usize).max(4);
    let title = format!("Largest losses on {name}");
    let subtitle = "the answer with its probability, the largest loss first";
    let grid = ImageGrid { title: &title, subtitle, cells: &cells, columns, cell_size: CELL };
    Ok(grid.draw(Look::SCREEN)?.to_png_bytes()?)
}
