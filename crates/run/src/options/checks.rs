//! Checks of single values. Each gives the whole sentence of what is wrong; settings stand in it in backquotes.

use wellfit_train::Metric;

/// Larger images would need more memory than any machine this runs on has for one batch.
pub const LARGEST_IMAGE: usize = 4096;
/// Far more than any dataset here fills, far less than what overflows.
pub const LARGEST_BATCH: usize = 1_000_000;
/// Far more processes than a network of these sizes trains faster with.
pub const MOST_SHARDS: usize = 1024;
/// More threads than this only cost memory.
pub const MOST_THREADS: usize = 1024;

/// Whether a condition holds; else what is wrong.
///
/// # Errors
/// `problem`.
pub fn require(holds: bool, problem: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(problem()) }
}

/// Whether a number is finite and positive.
///
/// # Errors
/// If it is not.
pub fn positive(name: &str, x: f64) -> Result<(), String> {
    require(x.is_finite() && x > 0.0, || format!("`{name}` must be a positive number, not {x}"))
}

/// Whether a number is finite and not negative.
///
/// # Errors
/// If it is not.
pub fn zero_or_more(name: &str, x: f64) -> Result<(), String> {
    require(x.is_finite() && x >= 0.0, || format!("`{name}` must be at least 0, not {x}"))
}

/// Whether a count is at least 1.
///
/// # Errors
/// If it is not.
pub fn at_least_one(name: &str, n: u32) -> Result<(), String> {
    require(n > 0, || format!("`{name}` must be at least 1"))
}

/// Whether a number is in [0, 1).
///
/// # Errors
/// If it is not.
pub fn share(name: &str, x: f64) -> Result<(), String> {
    require((0.0..1.0).contains(&x), || format!("`{name}` must be at least 0 and below 1, not {x}"))
}

/// Whether a number is in [0, 1].
///
/// # Errors
/// If it is not.
pub fn probability(name: &str, x: f64) -> Result<(), String> {
    require((0.0..=1.0).contains(&x), || format!("`{name}` must be from 0 to 1, not {x}"))
}

/// Whether an angle is in [0, `most`].
///
/// # Errors
/// If it is not.
pub fn degrees(name: &str, x: f64, most: f64) -> Result<(), String> {
    require((0.0..=most).contains(&x), || format!("`{name}` must be from 0 to {most} degrees, not {x}"))
}

/// Whether what only the processor can do is asked of the processor.
///
/// # Errors
/// If it is not.
pub fn on_processor(name: &str, device: &str) -> Result<(), String> {
    require(device == "cpu", || format!("`{name}` is for the processor: leave it out with `device` {device}"))
}

/// Whether something can be computed with images of that height and width, in pixels.
///
/// # Errors
/// If not.
pub fn image_size(pixels: usize) -> Result<(), String> {
    require((1..=LARGEST_IMAGE).contains(&pixels), || {
        format!("`image_size` must be between 1 and {LARGEST_IMAGE}, not {pixels}")
    })
}

/// Whether a batch has an image, and is not beyond all data.
///
/// # Errors
/// If not.
pub fn batch_size(images: usize) -> Result<(), String> {
    require((1..=LARGEST_BATCH).contains(&images), || {
        format!("`batch_size` must be between 1 and {LARGEST_BATCH}, not {images}")
    })
}

/// Whether there is a metric of that name.
///
/// # Errors
/// If not, with the names that there are.
pub fn known_metric(setting: &str, name: &str) -> Result<(), String> {
    require(Metric::named(name).is_some(), || {
        let known = Metric::ALL.map(Metric::name).join(", ");
        format!("`{setting}` {name} is unknown; known are {known}")
    })
}

/// Whether a text is the address of a server. One with a password in it would stand in the record.
#[must_use]
pub fn is_address(text: &str) -> bool {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    rest.is_some_and(|rest| {
        !rest.is_empty() && !rest.contains('@') && rest.chars().all(|c| c.is_ascii_graphic())
    })
}
