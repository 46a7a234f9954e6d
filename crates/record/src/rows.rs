//! Rows of an append-only file, some of which replace earlier ones.

/// Drops the rows that a later one replaces: a row replaces all earlier ones from its own number on.
///
/// The files are append-only, so a run that went back to an older checkpoint has some rows twice.
pub(crate) fn without_replaced<T>(rows: impl IntoIterator<Item = T>, number: impl Fn(&T) -> u64) -> Vec<T> {
    let mut valid: Vec<T> = Vec::new();
    for row in rows {
        while valid.last().is_some_and(|last| number(last) >= number(&row)) {
            valid.pop();
        }
        valid.push(row);
    }
    valid
}

#[cfg(test)]
mod tests {
    use super::without_replaced;

    #[test]
    fn a_row_replaces_those_from_its_number_on() {
        assert_eq!(without_replaced([1, 2, 3, 4, 3, 5], |&row| row), [1, 2, 3, 5]);
        assert_eq!(without_replaced([2, 3, 1], |&row| row), [1]);
    }
}
