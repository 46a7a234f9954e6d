//! The time of day in UTC, as it stands in records and logs.

use humantime::{format_rfc3339_seconds, parse_rfc3339};
use std::time::{SystemTime, UNIX_EPOCH};

/// Now, as RFC 3339 in UTC with whole seconds.
///
/// ```
/// let now = wellfit_base::time::now();
/// assert_eq!(now.len(), "2025-07-01T12:30:00Z".len());
/// assert!(now.ends_with('Z'));
/// ```
#[must_use]
pub fn now() -> String {
    rfc3339(SystemTime::now())
}

/// Seconds since 1970 of a time as [`now`] gives it; none if it is no time.
///
/// ```
/// assert_eq!(wellfit_base::time::seconds("1970-01-02T00:00:00Z"), Some(86_400.0));
/// assert_eq!(wellfit_base::time::seconds("yesterday"), None);
/// ```
#[must_use]
pub fn seconds(time: &str) -> Option<f64> {
    Some(parse_rfc3339(time).ok()?.duration_since(UNIX_EPOCH).ok()?.as_secs() as f64)
}

/// A point in time as RFC 3339 in UTC. The fraction of its second is left out.
fn rfc3339(time: SystemTime) -> String {
    format_rfc3339_seconds(time).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// Answers of `date -u -d @SECONDS +%FT%TZ`.
    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, date) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (1_735_689_600, "2025-01-01T00:00:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            for nanoseconds in [0, 1, 999_999_999] {
                assert_eq!(rfc3339(UNIX_EPOCH + Duration::new(seconds, nanoseconds)), date);
            }
        }
    }
}
