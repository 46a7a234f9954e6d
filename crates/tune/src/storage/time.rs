//! The time as Optuna writes it.

use jiff::Timestamp;
use jiff::tz::Offset;

/// Now in UTC with its offset, as in a journal: `2026-11-27T17:44:53.072783+00:00`.
pub fn with_offset() -> String {
    format!("{}+00:00", Offset::UTC.to_datetime(Timestamp::now()).strftime("%Y-%m-%dT%H:%M:%S%.6f"))
}

/// Now in UTC, as in a database: `2026-11-27 17:44:53.072783`.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub fn naive() -> String {
    Offset::UTC.to_datetime(Timestamp::now()).strftime("%Y-%m-%d %H:%M:%S%.6f").to_string()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_time_has_six_digits_and_its_offset() {
        let now = super::with_offset();
        assert_eq!(now.len(), "2026-11-27T17:44:53.072783+00:00".len(), "{now}");
    }
}
