//! Confusion matrices: where the cells lie and what they look like.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use wellfit_plot::{ConfusionMatrix, Look, Paint, Theme};

fn names(count: usize) -> Vec<String> {
    (0..count).map(|place| format!("<class> {place}")).collect()
}

/// Pixels of the colour of a row that is all right, which is opaque.
fn right_pixels(classes: usize, counts: &[(u32, u32, u64)]) -> usize {
    let names = names(classes);
    let matrix = ConfusionMatrix { title: "A", subtitle: "", classes: &names, counts };
    let picture = matrix.draw(Look::PLAIN).unwrap();
    let color = Some(Paint::TRAIN.on(Theme::Light));
    let all = (0..picture.height()).flat_map(|y| (0..picture.width()).map(move |x| (x, y)));
    all.filter(|&(x, y)| picture.pixel(x, y) == color).count()
}

#[test]
fn a_cell_is_filled_for_each_pair_from_two_to_thousands_of_classes() {
    for (classes, side) in [(2, 64), (10, 64), (100, 7), (1000, 1)] {
        let one = right_pixels(classes, &[(1, 1, 3)]);
        // Without the digit that large cells have.
        assert!(one <= side * side && one * 10 > side * side * 9, "{classes}: {one}");
        assert_eq!(right_pixels(classes, &[(1, 0, 3), (0, 1, 2), (1, 1, 0)]), 0, "{classes}");
        // Pairs beyond the classes are left out; a pair given twice counts as one.
        assert_eq!(right_pixels(classes, &[(1, 1, 1), (1, 1, 2), (0, 5000, 2)]), one, "{classes}");
    }
}

#[test]
fn the_document_names_classes_and_counts() {
    let names = names(3);
    let counts = [(0, 0, 41), (0, 2, 7)];
    let matrix =
        ConfusionMatrix { title: "Confusion", subtitle: "of 48 images", classes: &names, counts: &counts };
    let document = matrix.svg(Theme::Light).unwrap();
    for part in ["&lt;class&gt; 2", ">41<", ">7<", "taken for", "Confusion matrix of 3 classes"] {
        assert!(document.contains(part), "{part}");
    }
    assert_eq!(document.matches("<rect").count(), 4, "paper, two cells and the frame");
}

#[test]
fn no_class_and_too_many_do_no_harm() {
    let empty = ConfusionMatrix { title: "", subtitle: "", classes: &[], counts: &[(0, 0, 1)] };
    assert!(empty.draw(Look::SCREEN).is_ok());
    let names = names(5000);
    let vast = ConfusionMatrix { title: "", subtitle: "", classes: &names, counts: &[] };
    assert!(vast.draw(Look::SCREEN).is_err() && vast.svg(Theme::Dark).is_err());
}
