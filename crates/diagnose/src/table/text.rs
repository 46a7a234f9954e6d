//! From a file to its text.

use crate::error::LogError;
use std::io::ErrorKind;
use std::path::Path;
use wellfit_base::{Shown, file};

/// More than the metrics of any run, in bytes; a file beyond it is something else.
pub const LARGEST_LOG: u64 = 64 << 20;

/// The bytes of a log, which may come through a pipe.
///
/// # Errors
/// If it cannot be read, is a folder, or is longer than [`LARGEST_LOG`].
pub fn read_log(path: &Path) -> Result<Vec<u8>, LogError> {
    file::read_stream(path, LARGEST_LOG).map_err(|source| match source.kind() {
        ErrorKind::FileTooLarge => {
            LogError::Invalid(format!("{}: larger than 64 MiB, so hardly the metrics of a run", path.shown()))
        }
        _ => LogError::Io { path: path.to_path_buf(), source },
    })
}

/// The text of a log; see [`decoded`].
///
/// # Errors
/// As [`read_log`], and if it is no text.
pub fn read_text(path: &Path) -> Result<String, LogError> {
    decoded(read_log(path)?, &path.shown())
}

/// The text in UTF-8, or in UTF-16 with its mark, as spreadsheets save "Unicode text". `place` names it in the error.
///
/// # Errors
/// If it is neither.
pub fn decoded(bytes: Vec<u8>, place: &str) -> Result<String, LogError> {
    let text = match bytes.get(..2) {
        Some(b"\xff\xfe") => of_units(&bytes, u16::from_le_bytes),
        Some(b"\xfe\xff") => of_units(&bytes, u16::from_be_bytes),
        _ => String::from_utf8(bytes).ok(),
    };
    text.ok_or_else(|| LogError::Invalid(format!("{place}: not a text in UTF-8: save it as CSV")))
}

fn of_units(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<String> {
    let (pairs, rest) = bytes.as_chunks();
    let units: Vec<u16> = pairs.iter().map(|&pair| unit(pair)).collect();
    String::from_utf16(&units).ok().filter(|_| rest.is_empty())
}
