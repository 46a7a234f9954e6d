//! Labels that are probably wrong: confident learning (Northcutt, Jiang & Chuang 2021).
//!
//! The threshold of a class is the mean probability that the images of this label have for it. An image is counted to the
//! class whose threshold its probability reaches; where several do, to the most likely of all classes. It is suspect if that is
//! not its label. What is decided is what cleanlab's `find_label_issues(filter_by="confident_learning")` decides, its
//! tolerances included.

/// As near as this to a threshold, or to the largest probability, counts as reached (cleanlab's
/// `FLOATING_POINT_COMPARISON`).
const TOLERANCE: f64 = 1e-6;

/// An image whose label is probably wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Suspect {
    /// Its place in the data.
    pub image: usize,
    /// Its label.
    pub label: u32,
    /// The class it is counted to.
    pub guess: u32,
    /// The probability of its label: the smaller, the more suspect.
    pub of_label: f64,
    /// The probability of the class it is counted to.
    pub of_guess: f64,
}

/// The threshold of each class; infinite for a class without images, to which none is counted.
///
/// `probabilities` are `[N, classes]`, row by row, of networks that were not trained on the image; `labels` are `[N]`.
#[must_use]
pub fn confident_thresholds(probabilities: &[f64], labels: &[u32], classes: usize) -> Vec<f64> {
    let (mut sums, mut counts) = (vec![0.0; classes], vec![0_u32; classes]);
    for (row, &label) in probabilities.chunks_exact(classes.max(1)).zip(labels) {
        let label = label as usize;
        if label < classes {
            sums[label] += row[label];
            counts[label] += 1;
        }
    }
    let mean = |(sum, count): (&f64, &u32)| match count {
        0 => f64::INFINITY,
        &count => (sum / f64::from(count)).max(2.0 * TOLERANCE),
    };
    sums.iter().zip(&counts).map(mean).collect()
}

/// The suspects, most suspect first: the smallest probability of the label, of equal ones the first image. Arguments as of
/// [`confident_thresholds`]; an image whose probabilities are no numbers is none.
#[must_use]
pub fn suspects(probabilities: &[f64], labels: &[u32], classes: usize) -> Vec<Suspect> {
    let thresholds = confident_thresholds(probabilities, labels, classes);
    let rows = probabilities.chunks_exact(classes.max(1)).zip(labels).enumerate();
    let suspect = |(image, (row, &label)): (usize, (&[f64], &u32))| {
        let guess = counted_to(row, &thresholds)?;
        let own = *row.get(label as usize)?;
        let found = Suspect { image, label, guess: guess as u32, of_label: own, of_guess: row[guess] };
        (guess != label as usize && !is_answer(row, label as usize)).then_some(found)
    };
    let mut found: Vec<Suspect> = rows.filter_map(suspect).collect();
    found.sort_by(|a, b| a.of_label.total_cmp(&b.of_label).then(a.image.cmp(&b.image)));
    found
}

/// The class that an image is counted to, if it reaches the threshold of any.
fn counted_to(row: &[f64], thresholds: &[f64]) -> Option<usize> {
    let mut reached = (0..row.len()).filter(|&class| row[class] >= thresholds[class] - TOLERANCE);
    let only = reached.next()?;
    Some(if reached.next().is_some() { largest(row) } else { only })
}

/// The first of the largest.
fn largest(row: &[f64]) -> usize {
    (0..row.len()).fold(0, |best, class| if row[class] > row[best] { class } else { best })
}

/// Whether the label is the answer, or as likely as it.
fn is_answer(row: &[f64], label: usize) -> bool {
    let own = row[label] + TOLERANCE;
    row.iter()
        .enumerate()
        .all(|(class, &other)| class == label || own > other || (own >= other && label < class))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two classes whose thresholds are 0.7 and 0.8.
    const ROWS: [[f64; 2]; 4] = [[0.9, 0.1], [0.5, 0.5], [0.1, 0.9], [0.3, 0.7]];

    #[test]
    fn thresholds_are_the_mean_probabilities_of_the_own_class() {
        let found = confident_thresholds(&ROWS.concat(), &[0, 0, 1, 1], 3 - 1);
        assert!((found[0] - 0.7).abs() < 1e-12 && (found[1] - 0.8).abs() < 1e-12, "{found:?}");
        assert_eq!(confident_thresholds(&[0.2, 0.3, 0.5], &[1], 3)[2], f64::INFINITY);
    }

    #[test]
    fn an_image_that_looks_like_another_class_is_suspect() {
        let mut rows = ROWS.concat();
        rows.extend([0.95, 0.05]);
        let found = suspects(&rows, &[0, 0, 1, 1, 1], 2);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].image, found[0].label, found[0].guess), (4, 1, 0));
        assert!(suspects(&[f64::NAN; 4], &[0, 1], 2).is_empty());
        assert!(suspects(&[], &[], 0).is_empty());
    }
}
