//! What an improvement may cost.

use crate::options::TimeLimit;
use std::fmt;
use std::str::FromStr;

/// Time, or epochs, which are the same on every machine.
///
/// ```
/// use wellfit_run::Budget;
/// assert_eq!("300 epochs".parse(), Ok(Budget::Epochs(300)));
/// assert_eq!("1h30m".parse::<Budget>()?.to_string(), "1h 30m");
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Budget {
    /// So long.
    Time(TimeLimit),
    /// So many epochs, of all runs together.
    Epochs(u32),
}

impl FromStr for Budget {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let Some(number) = text.strip_suffix("epochs").or_else(|| text.strip_suffix("epoch")) else {
            let time = text.parse().map(Self::Time);
            return time.map_err(|problem: String| format!("{problem}; or a number of epochs, as 300epochs"));
        };
        match number.trim().parse() {
            Ok(epochs) if epochs > 0 => Ok(Self::Epochs(epochs)),
            _ => Err("give a number of epochs, such as 300epochs, or a time, such as 2h".to_owned()),
        }
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(time) => write!(f, "{time}"),
            Self::Epochs(epochs) => write!(f, "{epochs} epochs"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Budget;

    #[test]
    fn a_budget_is_a_time_or_a_number_of_epochs() {
        for text in ["300epochs", "300 epochs", " 300epochs "] {
            assert_eq!(text.parse(), Ok(Budget::Epochs(300)), "{text}");
        }
        for text in ["2h", "90s", "40min"] {
            assert!(matches!(text.parse(), Ok(Budget::Time(_))), "{text}");
        }
        for text in ["", "0epochs", "-1 epochs", "epochs", "300", "ten hours"] {
            assert!(text.parse::<Budget>().is_err(), "{text}");
        }
    }
}
