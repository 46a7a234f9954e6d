//! Checks of options of commands that do not train; those of settings are in `wellfit::run::options`.

use crate::error::CliError;
use crate::settings::in_flags;
use wellfit::run::options::checks;
pub use wellfit::run::options::checks::MOST_THREADS;

/// Refuse unless the condition holds.
pub fn require(holds: bool, problem: impl FnOnce() -> String) -> Result<(), CliError> {
    if holds { Ok(()) } else { Err(CliError::Usage(problem())) }
}

/// Refuse a number that is not finite and positive.
pub fn positive(name: &str, x: f64) -> Result<(), CliError> {
    require(x.is_finite() && x > 0.0, || format!("{name} must be a positive number, not {x}"))
}

/// Refuse a number outside [0, 1).
pub fn share(name: &str, x: f64) -> Result<(), CliError> {
    require((0.0..1.0).contains(&x), || format!("{name} must be at least 0 and below 1, not {x}"))
}

/// Refuse an image size that nothing can be computed with.
pub fn image_size(pixels: usize) -> Result<(), CliError> {
    checks::image_size(pixels).map_err(usage)
}

/// Refuse a batch size of 0, and one beyond all data.
pub fn batch_size(images: usize) -> Result<(), CliError> {
    checks::batch_size(images).map_err(usage)
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn usage(problem: String) -> CliError {
    CliError::Usage(in_flags(&problem))
}
