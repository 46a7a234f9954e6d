//! How figures are written for people: the same digits and units everywhere.
//!
//! | what | as | function |
//! |---|---|---|
//! | a share, an accuracy | `87.5 %` | [`percent`] |
//! | a loss | `0.4312` | [`loss`] |
//! | a metric, by its name | as a share or a loss | [`metric`] |
//! | a number of things | `5,800` | [`count`] |
//! | a time | `12 ms`, `3.2 s`, `42 s`, `3 min 20 s`, `2 h 5 min` | [`duration`] |
//! | a measured time | `12.31 ms` | [`time`] |
//! | a speed | `1,240 images/s`, `3.21 batches/s` | [`rate`] |
//! | a setting, a number as one types it | `0.0021`, `1.23e-4` | [`short`] |
//! | memory | `147 KiB`, `1.25 GiB` | [`bytes`] |

/// A share in percent with one digit: `87.5 %`.
#[must_use]
pub fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// A loss with four digits: `0.4312`.
#[must_use]
pub fn loss(value: f64) -> String {
    format!("{value:.4}")
}

/// Whether the metric of that name is a share; if not, it is a loss.
#[must_use]
pub fn is_share(name: &str) -> bool {
    !name.ends_with("loss")
}

/// A value of the metric of that name: `87.5 %` or `0.4312`.
#[must_use]
pub fn metric(name: &str, value: f64) -> String {
    if is_share(name) { percent(value) } else { loss(value) }
}

/// A number of things, its thousands apart: `5,800`.
#[must_use]
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Seconds as `12 ms`, `3.2 s`, `42 s`, `3 min 20 s` or `2 h 5 min`.
#[must_use]
pub fn duration(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        _ if (0.0005..0.0995).contains(&seconds) => format!("{:.0} ms", 1e3 * seconds),
        _ if (0.05..9.95).contains(&seconds) => format!("{seconds:.1} s"),
        0..60 => format!("{whole} s"),
        60..3600 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", count(whole / 3600), whole % 3600 / 60),
    }
}

/// Measured seconds with four digits: `3.214 s`, `12.31 ms`, `850.2 µs`.
#[must_use]
pub fn time(seconds: f64) -> String {
    let (value, unit) = match seconds {
        1.0.. => (seconds, "s"),
        1e-3.. => (seconds * 1e3, "ms"),
        _ => (seconds * 1e6, "µs"),
    };
    let digits = if value < 10.0 {
        3
    } else if value < 100.0 {
        2
    } else {
        1
    };
    format!("{value:.digits$} {unit}")
}

/// A speed with three digits: `1,240 images/s`, `32.1 images/s`, `3.21 batches/s`.
#[must_use]
pub fn rate(a_second: f64, things: &str) -> String {
    format!("{} {things}/s", three(a_second))
}

/// A number with three digits, as one types it: `0.0021`, `1.23e-4`.
#[must_use]
pub fn short(value: f64) -> String {
    let rounded: f64 = format!("{value:.2e}").parse().unwrap_or(value);
    if rounded != 0.0 && (rounded.abs() < 1e-3 || rounded.abs() >= 1e6) {
        format!("{rounded:e}")
    } else {
        format!("{rounded}")
    }
}

/// Memory in binary units with three digits: `512 bytes`, `147 KiB`, `1.25 GiB`.
#[must_use]
pub fn bytes(n: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if n < 1024 {
        return format!("{n} bytes");
    }
    let mut value = n as f64 / 1024.0;
    let mut place = 0;
    while value >= 999.5 && place + 1 < UNITS.len() {
        value /= 1024.0;
        place += 1;
    }
    format!("{} {}", three(value), UNITS[place])
}

/// Three digits that count.
fn three(value: f64) -> String {
    if value >= 99.95 {
        count(value.round() as u64)
    } else if value >= 9.995 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_one_style() {
        assert_eq!([0.0, 0.5, 0.87449, 1.0].map(percent), ["0.0 %", "50.0 %", "87.4 %", "100.0 %"]);
        assert_eq!([0.43119, f64::NAN].map(loss), ["0.4312", "NaN"]);
        let counts = [0, 7, 999, 1000, 60_000, 123_456, 1_234_567].map(count);
        assert_eq!(counts, ["0", "7", "999", "1,000", "60,000", "123,456", "1,234,567"]);
        let times = [0.0, 0.04, 3.21, 9.96, 42.4, 200.0, 7500.0].map(duration);
        assert_eq!(times, ["0 s", "40 ms", "3.2 s", "10 s", "42 s", "3 min 20 s", "2 h 5 min"]);
        let rates = [3.214, 32.14, 321.4, 1239.6].map(|x| rate(x, "images"));
        assert_eq!(rates, ["3.21 images/s", "32.1 images/s", "321 images/s", "1,240 images/s"]);
        let typed = [0.01, 0.001, 0.000_123_4, 12.0, 2.5e6, 0.0].map(short);
        assert_eq!(typed, ["0.01", "0.001", "1.23e-4", "12", "2.5e6", "0"]);
        let sizes = [512, 147 << 10, 1000 << 10, 1_342_177_280].map(bytes);
        assert_eq!(sizes, ["512 bytes", "147 KiB", "0.98 MiB", "1.25 GiB"]);
    }

    #[test]
    fn measured_times_have_four_digits_and_a_unit() {
        let texts = [123.44, 3.2144, 0.01231, 0.0008502, 0.000_001_5].map(time);
        assert_eq!(texts, ["123.4 s", "3.214 s", "12.31 ms", "850.2 µs", "1.500 µs"]);
    }
}
