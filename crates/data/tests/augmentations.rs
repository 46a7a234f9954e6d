//! Augmentations against torchvision's: pixels for given parameters, and how often which are drawn. The fixtures come
//! from `parity/augmentations.py`.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "augmentations/draws.rs"]
mod draws;
#[path = "augmentations/pixels.rs"]
mod pixels;
#[path = "../../../parity/table.rs"]
mod table;

use std::path::{Path, PathBuf};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/augmentations").join(name)
}
