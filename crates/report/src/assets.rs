//! Style and script of a page, and the policy that allows these two and nothing else.

use crate::pictures::in_base64;
use sha2::{Digest, Sha256};

/// The style of all pages.
pub const STYLE: &str = include_str!("../assets/page.css");
/// The script of all pages.
pub const SCRIPT: &str = include_str!("../assets/page.js");

/// The Content-Security-Policy (<https://www.w3.org/TR/CSP3/>): this style and this script by their hashes, pictures that
/// stand in the page itself, and nothing from anywhere.
pub fn policy() -> String {
    let hash = |text: &str| in_base64(&Sha256::digest(text.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; img-src data:; base-uri 'none'; \
         form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
}
