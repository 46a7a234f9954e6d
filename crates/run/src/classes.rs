//! The classes of a run's data: how many images each has, and what guessing would achieve.

use crate::experiment::Parts;
use std::borrow::Cow;
use std::fmt;
use wellfit_base::shown::shown;

/// Classes that are listed one by one; of more, only the extremes.
const MOST_LISTED: usize = 24;

/// How many images each class has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassCounts {
    /// Name, training images and validation images of each class, in the order of the labels.
    pub rows: Vec<(String, usize, usize)>,
}

impl ClassCounts {
    /// Those of `parts`.
    #[must_use]
    pub fn of(parts: &Parts) -> Self {
        let counts = parts.train.class_counts().into_iter().zip(parts.validation.class_counts());
        let rows = parts.train.classes.iter().cloned().zip(counts);
        Self { rows: rows.map(|(class, (train, val))| (class, train, val)).collect() }
    }

    /// The class with the most training images, and the share of the validation images that are of it: the accuracy of
    /// always answering so. None without validation images.
    #[must_use]
    pub fn chance(&self) -> Option<(&str, f64)> {
        // Of equally frequent classes, the first.
        let (class, _, val) = self.rows.iter().rev().max_by_key(|(_, train, _)| train)?;
        let all: usize = self.rows.iter().map(|(_, _, val)| val).sum();
        (all > 0).then(|| (class.as_str(), *val as f64 / all as f64))
    }

    /// The classes of which no validation image is known.
    #[must_use]
    pub fn without_validation(&self) -> Vec<&str> {
        self.rows.iter().filter(|(_, _, val)| *val == 0).map(|(class, _, _)| class.as_str()).collect()
    }

    /// The number of training images, with the class, that is the least or the greatest by `sign`.
    fn extreme(&self, sign: i64) -> Option<(&str, usize)> {
        let (class, train, _) = self.rows.iter().rev().max_by_key(|(_, train, _)| sign * *train as i64)?;
        Some((class, *train))
    }
}

impl fmt::Display for ClassCounts {
    /// A line a class; one line in all if the classes are equally large, or many.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((_, train, val)) = self.rows.first() else { return f.write_str("no classes") };
        if self.rows.iter().all(|(_, t, v)| (t, v) == (train, val)) {
            let names: Vec<&str> = self.rows.iter().map(|(class, _, _)| class.as_str()).collect();
            write!(f, "Each class has {train} training and {val} validation images: {}", listed(&names))?;
        } else if self.rows.len() > MOST_LISTED {
            let (least, most) = (self.extreme(-1), self.extreme(1));
            if let (Some((rare, fewest)), Some((common, most))) = (least, most) {
                let (rare, common) = (shown(rare), shown(common));
                write!(f, "Training images a class: from {fewest} (‘{rare}’) to {most} (‘{common}’)")?;
            }
        } else {
            let names: Vec<Cow<'_, str>> = self.rows.iter().map(|(class, _, _)| shown(class)).collect();
            let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
            write!(f, "  {:width$}  training  validation", "")?;
            for (class, (_, train, val)) in names.iter().zip(&self.rows) {
                write!(f, "\n  {class:width$}  {train:>8}  {val:>10}")?;
            }
        }
        match self.chance() {
            Some((class, share)) => {
                let class = shown(class);
                write!(f, "\nChance level: {:.1} % by always answering ‘{class}’", 100.0 * share)
            }
            None => Ok(()),
        }
    }
}

/// Names for a sentence: the first of many, and how many more.
pub(crate) fn listed<S: AsRef<str>>(names: &[S]) -> String {
    let more = names.len().saturating_sub(MOST_LISTED);
    let few: Vec<Cow<'_, str>> =
        names[..names.len() - more].iter().map(|name| shown(name.as_ref())).collect();
    let few = few.join(", ");
    if more == 0 { few } else { format!("{few} and {more} more") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(rows: &[(&str, usize, usize)]) -> ClassCounts {
        ClassCounts { rows: rows.iter().map(|&(class, train, val)| (class.to_owned(), train, val)).collect() }
    }

    #[test]
    fn a_line_a_class_and_what_guessing_achieves() {
        let counts = counts(&[("cat", 60, 15), ("dog", 44, 10), ("eel", 4, 0)]);
        let lines: Vec<String> = counts.to_string().lines().map(str::to_owned).collect();
        assert_eq!(
            lines,
            [
                "       training  validation",
                "  cat        60          15",
                "  dog        44          10",
                "  eel         4           0",
                "Chance level: 60.0 % by always answering ‘cat’",
            ]
        );
        assert_eq!(counts.without_validation(), ["eel"]);
    }

    /// Chance is what the training part's most frequent class makes of the validation part, not that part's own.
    #[test]
    fn chance_is_answered_from_the_training_part() {
        assert_eq!(counts(&[("a", 3, 1), ("b", 2, 3)]).chance(), Some(("a", 0.25)));
        assert_eq!(counts(&[("a", 2, 1), ("b", 2, 3)]).chance(), Some(("a", 0.25)), "the first of equals");
        assert_eq!(counts(&[("a", 2, 0)]).chance(), None);
    }

    #[test]
    fn equal_and_many_classes_take_one_line() {
        let equal = counts(&[("a", 2, 1), ("b", 2, 1)]).to_string();
        assert!(equal.starts_with("Each class has 2 training and 1 validation images: a, b\n"), "{equal}");
        let many: Vec<(String, usize, usize)> = (0..100).map(|i| (format!("c{i}"), 5 + i, 1)).collect();
        let text = ClassCounts { rows: many }.to_string();
        assert!(text.starts_with("Training images a class: from 5 (‘c0’) to 104 (‘c99’)\n"), "{text}");
        let names: Vec<String> = (0..30).map(|i| i.to_string()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert!(listed(&names).ends_with("23 and 6 more"));
    }
}
