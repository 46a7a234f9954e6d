//! The time as Optuna writes it.

use humantime::format_rfc3339_micros;
use std::time::SystemTime;

/// Now in UTC: `2026-11-27T17:44:53.072783`, without an offset.
fn now() -> String {
    format_rfc3339_micros(SystemTime::now()).to_string().trim_end_matches('Z').to_owned()
}

/// Now in UTC with its offset, as in a journal: `2026-11-27T17:44:53.072783+00:00`.
pub fn with_offset() -> String {
    now() + "+00:00"
}

/// Now in UTC, as in a database: `2026-11-27 17:44:53.072783`.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub fn naive() -> String {
    now().replace('T', " ")
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_time_has_six_digits_and_its_offset() {
        let now = super::with_offset();
        assert_eq!(now.len(), "2026-11-27T17:44:53.072783+00:00".len(), "{now}");
        assert!(now.ends_with("+00:00") && now.contains('T') && !now.contains('Z'), "{now}");
    }
}
