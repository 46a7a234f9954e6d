//! Why a run ended by itself.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The kind of a run's end. In records it is a word, such as `early_stopping`; so does [`Display`](fmt::Display)
/// write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// All epochs are done.
    Finished,
    /// The watched metric did not improve for too long.
    EarlyStopping,
    /// The caller asked for the end.
    Callback,
    /// The loss is no longer a number.
    Diverged,
    /// A reason of a later version, which this one does not know. Never written.
    #[serde(other)]
    Unknown,
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Finished => "finished",
            Self::EarlyStopping => "early_stopping",
            Self::Callback => "callback",
            Self::Diverged => "diverged",
            Self::Unknown => "unknown",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_word_in_records_and_for_people() {
        use StopReason::{Callback, Diverged, EarlyStopping, Finished};
        for (reason, word) in [
            (Finished, "finished"),
            (EarlyStopping, "early_stopping"),
            (Callback, "callback"),
            (Diverged, "diverged"),
        ] {
            let json = format!("\"{word}\"");
            assert_eq!(
                (serde_json::to_string(&reason).unwrap(), reason.to_string()),
                (json.clone(), word.into())
            );
            assert_eq!(serde_json::from_str::<StopReason>(&json).unwrap(), reason);
        }
        assert_eq!(serde_json::from_str::<StopReason>("\"abducted\"").unwrap(), StopReason::Unknown);
    }
}
