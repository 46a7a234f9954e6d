//! How often a checkpoint is taken.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// How often to commit a checkpoint, besides at the end of each epoch. As text `50steps`, `90s`, `10min`
/// or `2h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Every {
    /// Whenever the number of steps done is a multiple of this.
    Steps(u64),
    /// This long after the last one, by a monotonic clock.
    Time(Duration),
}

/// The units of time with their seconds.
const UNITS: [(&str, u64); 3] = [("s", 1), ("min", 60), ("h", 3600)];

impl FromStr for Every {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad =
            || format!("`{text}` is no interval: give steps or a time, such as 50steps, 90s, 10min or 2h");
        let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
        let number: u64 = number.parse().ok().filter(|&number| number > 0).ok_or_else(bad)?;
        match unit.trim() {
            "steps" | "step" => Ok(Self::Steps(number)),
            unit => {
                let (_, seconds) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(bad)?;
                number.checked_mul(*seconds).map(|time| Self::Time(Duration::from_secs(time))).ok_or_else(bad)
            }
        }
    }
}

impl fmt::Display for Every {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Steps(steps) => write!(f, "{steps}steps"),
            Self::Time(time) => write!(f, "{}s", time.as_secs()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_and_times_are_understood_and_all_else_is_refused() {
        let parsed = |text: &str| text.parse::<Every>().unwrap();
        assert_eq!(parsed("50steps"), Every::Steps(50));
        assert_eq!(parsed("90s"), Every::Time(Duration::from_secs(90)));
        assert_eq!(parsed("10min"), Every::Time(Duration::from_secs(600)));
        assert_eq!(parsed("2h"), Every::Time(Duration::from_secs(7200)));
        for every in ["50steps", "600s"] {
            assert_eq!(parsed(every).to_string(), every);
        }
        for bad in [
            "",
            "50",
            "0steps",
            "-1s",
            "1.5h",
            "min",
            "10 days",
            "99999999999999999999s",
            "9999999999999999999h",
        ] {
            let problem = bad.parse::<Every>().unwrap_err();
            assert!(problem.contains("50steps"), "{problem}");
        }
    }
}
