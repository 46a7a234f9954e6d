//! A panic of a foreign decoder as the defect of its file.

use crate::error::Defect;

/// What `decode` gives, or [`Defect::Panic`] if it panics, without a message on standard error.
pub(crate) fn guarded<T>(decode: impl FnOnce() -> Result<T, Defect>) -> Result<T, Defect> {
    wellfit_base::guard::guarded(decode).map_err(Defect::Panic)?
}
