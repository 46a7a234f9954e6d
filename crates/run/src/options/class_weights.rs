//! How much each class counts in the loss.

use super::setting::{Kind, Setting, unicode};
use crate::error::RunError;
use serde::{Deserialize, Serialize};
use std::ffi::OsStr;
use std::fmt;
use std::path::Path;
use std::str::FromStr;
use wellfit_base::file::read_text;
use wellfit_data::Dataset;

/// Far more than the names of all classes take.
const LARGEST_FILE: u64 = 1 << 22;

/// The weights of the classes in the loss.
///
/// ```
/// use wellfit_run::options::ClassWeights;
/// let named: ClassWeights = "cat=1,dog=2.5".parse()?;
/// assert_eq!(named.to_string(), "cat=1,dog=2.5");
/// assert_eq!("balanced".parse(), Ok(ClassWeights::Balanced));
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum ClassWeights {
    /// All 1.
    None,
    /// images / (classes × images of the class).
    Balanced,
    /// In the order of the classes.
    Listed(Vec<f64>),
    /// By the name of the class; others have 1.
    Named(Vec<(String, f64)>),
}

impl FromStr for ClassWeights {
    type Err = String;

    /// A word, or weights apart by commas, or one a line, which names with commas need.
    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim() {
            "none" => return Ok(Self::None),
            "balanced" => return Ok(Self::Balanced),
            _ => {}
        }
        let by_line = text.trim().contains('\n');
        let parts: Vec<&str> = if by_line { text.lines().collect() } else { text.split(',').collect() };
        let parts =
            parts.into_iter().map(str::trim).filter(|part| !part.is_empty() && !part.starts_with('#'));
        let (mut listed, mut named) = (Vec::new(), Vec::new());
        for part in parts {
            match part.rsplit_once('=').or_else(|| part.rsplit_once(',')) {
                Some((name, value)) => named.push((name.trim().to_owned(), weight(value, part)?)),
                None => listed.push(weight(part, part)?),
            }
        }
        match (listed.is_empty(), named.is_empty()) {
            (false, true) if listed.iter().any(|&weight| weight > 0.0) => Ok(Self::Listed(listed)),
            (true, false) => Ok(Self::Named(named)),
            (true, true) => Err(format!("{WANTED}; it is empty")),
            (false, false) => Err(format!("{WANTED}; some weights have a name and some have none")),
            (false, true) => Err("one weight at least must be above 0".to_owned()),
        }
    }
}

const WANTED: &str = "give none, balanced, a list such as 1,2,0.5 or cat=1,dog=2, or a file with such lines";

fn weight(text: &str, part: &str) -> Result<f64, String> {
    match text.trim().parse::<f64>() {
        Ok(weight) if weight.is_finite() && weight >= 0.0 => Ok(weight),
        Ok(_) => Err(format!("`{part}`: a weight must be at least 0")),
        Err(_) => Err(format!("`{part}` is no weight, and there is no such file: {WANTED}")),
    }
}

impl fmt::Display for ClassWeights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let listed = |parts: Vec<String>, between: &str| parts.join(between);
        match self {
            Self::None => f.write_str("none"),
            Self::Balanced => f.write_str("balanced"),
            Self::Listed(weights) => f.write_str(&listed(weights.iter().map(f64::to_string).collect(), ",")),
            Self::Named(weights) => {
                let commas = weights.iter().any(|(name, _)| name.contains(','));
                // A line break makes it a list of lines.
                let between = if commas { "\n" } else { "," };
                let end = if commas && weights.len() == 1 { "\n#" } else { "" };
                let parts = weights.iter().map(|(name, weight)| format!("{name}={weight}")).collect();
                write!(f, "{}{end}", listed(parts, between))
            }
        }
    }
}

impl From<ClassWeights> for String {
    fn from(weights: ClassWeights) -> Self {
        weights.to_string()
    }
}

impl TryFrom<String> for ClassWeights {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl Setting for ClassWeights {
    const KIND: Kind = Kind::Text;

    /// A file is read here, so that a run's settings hold what it said.
    fn parse(text: &OsStr) -> Result<Self, String> {
        let path = Path::new(text);
        if path.is_file() {
            let content = read_text(path, LARGEST_FILE).map_err(|error| error.to_string())?;
            return format!("{content}\n#").parse();
        }
        unicode(text)?.parse()
    }

    fn show(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl ClassWeights {
    /// The weight of each class of these training images; empty if all are 1.
    ///
    /// # Errors
    /// If there are more or fewer weights than classes, or one is for a class that there is not.
    pub(crate) fn of(&self, train: &Dataset) -> Result<Vec<f32>, RunError> {
        let (counts, classes) = (train.class_counts(), &train.classes);
        let bad = |problem: String| RunError::setting("class_weights", format!("`class_weights`: {problem}"));
        match self {
            Self::None => Ok(Vec::new()),
            Self::Balanced => Ok(balanced(&counts)),
            Self::Listed(weights) if weights.len() == classes.len() => {
                Ok(weights.iter().map(|&weight| weight as f32).collect())
            }
            Self::Listed(weights) => Err(bad(format!(
                "{} weights, but {} classes: {}",
                weights.len(),
                classes.len(),
                classes.join(", ")
            ))),
            Self::Named(weights) => {
                let mut all = vec![1.0; classes.len()];
                for (name, weight) in weights {
                    let place = classes.iter().position(|class| class == name);
                    let place = place.ok_or_else(|| {
                        bad(format!("there is no class {name}; there are {}", classes.join(", ")))
                    })?;
                    all[place] = *weight as f32;
                }
                let counts = counts.iter().zip(&all).any(|(&count, &weight)| count > 0 && weight > 0.0);
                if counts { Ok(all) } else { Err(bad("all classes count nothing".to_owned())) }
            }
        }
    }
}

/// scikit-learn's `compute_class_weight("balanced")`; a class without images, which no batch has, gets 1.
fn balanced(counts: &[usize]) -> Vec<f32> {
    let (images, classes) = (counts.iter().sum::<usize>(), counts.iter().filter(|&&count| count > 0).count());
    let of = |&count: &usize| if count == 0 { 1.0 } else { images as f64 / (classes * count) as f64 };
    counts.iter().map(|count| of(count) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn balanced_is_scikit_learns() {
        // compute_class_weight("balanced", classes=[0, 1, 2], y=[0]*6 + [1]*3 + [2]*1): 10/18, 10/9, 10/3.
        assert_eq!(balanced(&[6, 3, 1]), [0.555_555_6, 1.111_111_2, 3.333_333_3]);
    }

    #[test]
    fn what_is_shown_is_read_back() {
        for text in ["none", "balanced", "1,2,0.5", "cat=1,dog=2", "a, b=2\nc=1", "a, b=2\n#", "x=y=0.5"] {
            let weights: ClassWeights = text.parse().unwrap();
            assert_eq!(weights.to_string().parse::<ClassWeights>().unwrap(), weights, "{text}");
        }
        assert_eq!("cat,2\ndog,1\n".parse(), "cat=2,dog=1".parse::<ClassWeights>());
        for text in ["", "1,cat=2", "-1,2", "cat=x", "nan,1", "0,0", "no-such.csv"] {
            assert!(text.parse::<ClassWeights>().is_err(), "{text}");
        }
    }
}
