//! How well each class is known, and what is taken for what.

use crate::evaluation::Evaluation;
use crate::read::RunReport;
use wellfit_base::figures::{count, percent};

/// With more classes than this the matrix could not be read on a page.
const MOST_IN_MATRIX: usize = 24;
/// Rows of the tables; classes are the worst ones, pairs the most frequent.
const MOST_CLASSES: usize = 100;
const MOST_PAIRS: usize = 12;

/// The classes of a run.
#[derive(Debug, Clone, Default)]
pub struct Classes {
    /// A class a row, the worst F1 first.
    pub rows: Vec<ClassRow>,
    /// How many classes there are, where some are left out.
    pub of: Option<usize>,
    /// The names of the matrix's rows and columns; none where there is no matrix.
    pub names: Vec<String>,
    /// The matrix.
    pub matrix: Vec<MatrixRow>,
    /// The most frequent confusions: class, taken for, images.
    pub confused: Vec<[String; 3]>,
}

/// A class.
#[derive(Debug, Clone)]
pub struct ClassRow {
    /// Its name.
    pub name: String,
    /// Its images.
    pub images: String,
    /// How many of them were answered rightly.
    pub right: String,
    /// That as a share from 0 to 100, for a bar.
    pub bar: String,
    /// Recall, precision and F1.
    pub figures: [String; 3],
}

/// A row of the matrix.
#[derive(Debug, Clone)]
pub struct MatrixRow {
    /// The class.
    pub name: String,
    /// For each class: how many images, and the class that colours the cell.
    pub cells: Vec<(String, String)>,
}

/// The classes of a run, where it was evaluated.
pub fn classes(run: &RunReport) -> Option<Classes> {
    let found = run.evaluation.as_ref().filter(|found| !found.classes.is_empty())?;
    let mut worst: Vec<_> = found.classes.iter().collect();
    worst.sort_by(|a, b| a.f1.total_cmp(&b.f1));
    let rows: Vec<ClassRow> = worst
        .iter()
        .take(MOST_CLASSES)
        .map(|class| ClassRow {
            name: class.class.clone(),
            images: count(class.images),
            right: count(class.right),
            bar: format!("{:.1}", 100.0 * class.recall),
            figures: [
                if class.images > 0 { percent(class.recall) } else { "–".to_owned() },
                if class.predicted > 0 { percent(class.precision) } else { "–".to_owned() },
                percent(class.f1),
            ],
        })
        .collect();
    let pair =
        |pair: &crate::evaluation::Confused| [pair.class.clone(), pair.predicted.clone(), count(pair.images)];
    Some(Classes {
        of: (rows.len() < worst.len()).then_some(worst.len()),
        rows,
        confused: found.confused.iter().take(MOST_PAIRS).map(pair).collect(),
        ..matrix(found)
    })
}

fn matrix(found: &Evaluation) -> Classes {
    let rows = found.confusion_matrix.as_deref().unwrap_or(&[]);
    let fits = rows.len() <= MOST_IN_MATRIX && rows.len() == found.class_names.len();
    if !fits {
        return Classes::default();
    }
    let row = |(at, (name, row)): (usize, (&String, &Vec<u64>))| {
        let images = row.iter().sum::<u64>().max(1) as f64;
        let cell = |(column, &images_here): (usize, &u64)| {
            let share = images_here as f64 / images;
            // Ten shades; what is there at all has the first.
            let shade = if images_here == 0 { 0 } else { ((share * 9.0).ceil() as usize).clamp(1, 9) };
            let side = if column == at { "right" } else { "wrong" };
            (count(images_here), format!("{side}{shade}"))
        };
        MatrixRow { name: name.clone(), cells: row.iter().enumerate().map(cell).collect() }
    };
    let matrix = found.class_names.iter().zip(rows).enumerate().map(row).collect();
    Classes { names: found.class_names.clone(), matrix, ..Classes::default() }
}
