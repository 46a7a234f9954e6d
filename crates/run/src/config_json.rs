//! The `config.json` that timm and the Hugging Face hub have beside weights.

use std::path::Path;
use wellfit_base::file::read_text;
use wellfit_train::Hints;

/// The most bytes of one: the names of many thousand classes.
const MOST: u64 = 16 << 20;

/// What it says, or why it says nothing.
pub(crate) fn config_hints(config: &Path) -> Result<Hints, String> {
    let text = read_text(config, MOST).map_err(|error| error.to_string())?;
    Hints::from_timm_config(&text).map_err(|error| error.to_string())
}
