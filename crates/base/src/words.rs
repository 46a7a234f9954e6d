//! Sentences and parts of them that are the same everywhere.

/// `one` of one thing, `more` of any other number: `either(rows, "row has", "rows have")`.
#[must_use]
pub fn either<'a>(count: usize, one: &'a str, more: &'a str) -> &'a str {
    if count == 1 { one } else { more }
}

/// So many things of a name whose plural ends in s: `1 epoch`, `3 epochs`.
///
/// ```
/// use wellfit_base::words::plural;
/// assert_eq!([0, 1, 2].map(|count| plural(count, "epoch")), ["0 epochs", "1 epoch", "2 epochs"]);
/// ```
#[must_use]
pub fn plural(count: usize, thing: &str) -> String {
    format!("{count} {thing}{}", either(count, "", "s"))
}

/// What a build says that is without something: `this build reads no Parquet: take a package of Wellfit, or build with --features
/// parquet`.
#[must_use]
pub fn left_out(lack: &str, feature: &str) -> String {
    format!("this build {lack}: take a package of Wellfit, or build with --features {feature}")
}
