//! A length of time, as people write it.

use super::setting::{Kind, Setting, unicode, worded};
use serde::{Deserialize, Serialize};
use std::ffi::OsStr;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A length of time of at least a second, such as `90s`, `10min`, `1h30m`; written back as it would be read.
///
/// ```
/// use wellfit_run::TimeLimit;
/// let limit: TimeLimit = "1h30m".parse()?;
/// assert_eq!(limit.seconds(), 5400.0);
/// assert_eq!(limit.to_string(), "1h 30m");
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct TimeLimit(Duration);

impl TimeLimit {
    /// In seconds.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.0.as_secs_f64()
    }
}

impl FromStr for TimeLimit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let time = humantime::parse_duration(text.trim())
            .map_err(|_| "give a number and its unit, such as 90s, 10min or 1h30m".to_owned())?;
        if time < Duration::from_secs(1) {
            return Err("give at least 1s".to_owned());
        }
        Ok(Self(time))
    }
}

impl fmt::Display for TimeLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", humantime::format_duration(self.0))
    }
}

impl From<TimeLimit> for String {
    fn from(limit: TimeLimit) -> Self {
        limit.to_string()
    }
}

impl TryFrom<String> for TimeLimit {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

worded!(TimeLimit: Kind::Text);

#[cfg(test)]
mod tests {
    use super::TimeLimit;

    #[test]
    fn times_are_read_as_people_write_them() {
        let seconds = |text: &str| text.parse::<TimeLimit>().map(|limit| limit.seconds());
        for (text, expected) in
            [("90s", 90.0), ("10min", 600.0), ("10 min", 600.0), ("10m", 600.0), ("2h", 7200.0)]
        {
            assert_eq!(seconds(text), Ok(expected), "{text}");
        }
        assert_eq!(seconds("1h 30min"), Ok(5400.0));
        for text in ["", "10", "ten minutes", "-5min", "0s", "10 mins of it", "nan", "99999999999999999999h"]
        {
            assert!(seconds(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_time_is_written_as_it_is_read() {
        for text in ["90s", "10min", "1h30m", "2days", "1s"] {
            let limit: TimeLimit = text.parse().unwrap();
            assert_eq!(limit.to_string().parse(), Ok(limit), "{text}");
        }
    }
}
