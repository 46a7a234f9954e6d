//! Data whose images have several labels, which are refused.

use std::collections::HashSet;

/// What lies between two labels in a cell.
const SEPARATORS: [char; 2] = ['|', ';'];

/// A word on data whose images have several labels.
pub(crate) fn several(what: &str) -> String {
    format!(
        "{what}: this is multi-label data, and Wellfit gives each image one class. Keep one label for each image"
    )
}

/// The first cell that holds several labels: with `|` or `;` between them, or a comma or a space where each piece is a
/// label of its own elsewhere.
pub(crate) fn first_with_several(cells: &[&str]) -> Option<usize> {
    let whole: HashSet<&str> = cells.iter().copied().collect();
    let is_separated = |cell: &str, separator: char| {
        let pieces: Vec<&str> =
            cell.split(separator).map(str::trim).filter(|piece| !piece.is_empty()).collect();
        pieces.len() > 1
            && (SEPARATORS.contains(&separator) || pieces.iter().all(|piece| whole.contains(piece)))
    };
    let mut known: HashSet<&str> = HashSet::new();
    cells.iter().position(|cell| {
        known.insert(cell) && ['|', ';', ',', ' '].into_iter().any(|separator| is_separated(cell, separator))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_labels_in_a_value_are_found_and_names_of_many_words_are_not() {
        assert_eq!(first_with_several(&["cat", "cat|dog"]), Some(1));
        assert_eq!(first_with_several(&["cat; dog"]), Some(0));
        assert_eq!(first_with_several(&["scab", "rust", "scab rust"]), Some(2));
        assert_eq!(first_with_several(&["a", "b", "a,b"]), Some(2));
        assert_eq!(first_with_several(&["great white shark", "tench, Tinca tinca", "white"]), None);
    }
}
