//! Duplicates for people and programs: rows, sentences, JSON, a sheet of pictures.

use crate::error::RunError;
use crate::observer::Observer;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::path::Path;
use wellfit_base::Shown;
use wellfit_base::words::{either, plural};
use wellfit_data::{DataError, Dataset, Depth, Duplicate, Duplicates, Likeness, Progress};
use wellfit_plot::{GridCell, ImageGrid, Look, Picture};

/// Sets on a sheet.
const SETS: usize = 24;
/// Images of a set on a sheet.
const IMAGES: usize = 4;
/// Side of the square around each image, in pixels of the layout.
const CELL: u32 = 150;
/// Fewer images are compared before anybody wonders.
const WORTH_A_BAR: usize = 2000;

/// Look for duplicates within and across parts, each with its name, and tell how far it is.
///
/// # Errors
/// If an image cannot be read.
pub fn find_duplicates(
    parts: &[(&'static str, &Dataset)],
    observer: &mut dyn Observer,
) -> Result<Duplicates, DataError> {
    let files = parts.iter().map(|(_, data)| data.len()).sum();
    if files < WORTH_A_BAR {
        return Duplicates::among(parts, &|_| ());
    }
    observer.opening(&Progress::Checking { done: 0, files });
    let shared = RefCell::new(observer);
    Duplicates::among(parts, &|done| shared.borrow_mut().opening(&Progress::Checking { done, files }))
}

/// What an image is called: its file, or its place in its part.
#[must_use]
pub fn image_name(path: Option<&Path>, part: &str, position: usize) -> String {
    path.map_or_else(|| format!("{part} image {position}"), Shown::shown)
}

/// A sentence for each kind of duplicates that are no copies.
#[must_use]
pub fn duplicate_sentences(found: &Duplicates) -> Vec<String> {
    let mut sentences = Vec::new();
    for (likeness, how) in
        [(Likeness::Near, "nearly the same as others"), (Likeness::Mirrored, "others mirrored")]
    {
        let pair = found.sets.iter().find_map(|set| {
            let image = set.iter().skip(1).find(|image| image.likeness == likeness)?;
            Some((image, &set[image.like]))
        });
        let Some((image, like)) = pair else { continue };
        let name =
            |image: &Duplicate| image_name(image.path.as_deref(), found.parts[image.part], image.position);
        let count = found.count(likeness);
        sentences.push(format!(
            "{} {} {how}, such as {} and {}",
            plural(count, "image"),
            either(count, "is", "are"),
            name(like),
            name(image)
        ));
    }
    sentences
}

/// In a line: how many of which kind.
#[must_use]
pub fn duplicate_summary(found: &Duplicates) -> String {
    let counts = [Likeness::Copy, Likeness::Near, Likeness::Mirrored].map(|likeness| found.count(likeness));
    let [copies, near, mirrored] = counts;
    format!(
        "{} in {}: {copies} {}, {near} nearly the same, {mirrored} mirrored",
        plural(found.extra(), "duplicate"),
        plural(found.sets.len(), "set"),
        either(copies, "copy", "copies")
    )
}

/// How many there are, and every set.
#[must_use]
pub fn duplicates_json(found: &Duplicates, classes: &[String]) -> Value {
    let image = |image: &Duplicate| {
        json!({
            "part": found.parts[image.part],
            "position": image.position,
            "class": classes.get(image.label as usize),
            "path": image.path.as_deref().map(Path::to_string_lossy),
            "size": [image.size.0, image.size.1],
            "likeness": image.likeness.name(),
            "like": image.like,
            "correlation": image.correlation,
        })
    };
    let pairs = (1..found.parts.len()).flat_map(|b| (0..b).map(move |a| (a, b)));
    let across: Vec<Value> = pairs
        .map(|(a, b)| {
            json!({ "parts": [found.parts[a], found.parts[b]], "images": found.shared(a, b).count() })
        })
        .collect();
    json!({
        "extra": found.extra(),
        "copies": found.count(Likeness::Copy),
        "near": found.count(Likeness::Near),
        "mirrored": found.count(Likeness::Mirrored),
        "across_parts": across,
        "across_classes": found.contradictions().count(),
        "sets": found.sets.iter().map(|set| set.iter().map(image).collect()).collect::<Vec<Value>>(),
    })
}

/// The first sets, a row each, with how each image is like the others; sets of copies come last.
///
/// # Errors
/// If an image cannot be read any more, or the picture cannot be drawn.
pub fn duplicate_sheet(found: &Duplicates, parts: &[(&'static str, &Dataset)]) -> Result<Picture, RunError> {
    let mut cells = Vec::new();
    let copies = |set: &&Vec<Duplicate>| set.iter().all(|image| image.likeness == Likeness::Copy);
    let (exact, near): (Vec<_>, Vec<_>) = found.sets.iter().partition(copies);
    for set in near.into_iter().chain(exact).take(SETS) {
        let mut row = Vec::new();
        for (place, image) in set.iter().take(IMAGES).enumerate() {
            let data = parts[image.part].1;
            let class = data.classes.get(image.label as usize).map_or("", String::as_str);
            let like = if place == 0 { "" } else { image.likeness.name() };
            let title = format!("{like} {} {class}", found.parts[image.part]);
            row.push(cell(data, image.position, title.trim().to_owned())?);
        }
        row.resize_with(IMAGES, GridCell::empty);
        cells.extend(row);
    }
    let (title, subtitle) = ("Images that show the same picture", duplicate_summary(found));
    let grid = ImageGrid { title, subtitle: &subtitle, cells: &cells, columns: IMAGES, cell_size: CELL };
    Ok(grid.draw(Look::SCREEN)?)
}

/// An image as it is, with its title.
pub(crate) fn cell(data: &Dataset, position: usize, title: String) -> Result<GridCell, DataError> {
    let image = data.image_as(position, Depth::Clip)?;
    let image = if image.deep { data.image_as(position, Depth::Scale)? } else { image };
    let (height, width, channels, pixels) = (image.height, image.width, image.channels, image.pixels);
    Ok(GridCell { title, height, width, channels, pixels })
}
