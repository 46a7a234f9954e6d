//! Style and script of a page, and the policy that allows these two and nothing else.

use crate::pictures::in_base64;
use sha2::{Digest, Sha256};

/// The style of all pages.
pub const STYLE: &str = include_str!("../assets/page.css");
/// The script of all pages.
pub const SCRIPT: &str = include_str!("../assets/page.js");

/// The script of a page that follows a run: the same, and what brings the news.
pub const LIVE_SCRIPT: &str = concat!(include_str!("../assets/page.js"), include_str!("../assets/live.js"));

/// The Content-Security-Policy (<https://www.w3.org/TR/CSP3/>): this style and this script by their hashes, pictures that
/// stand in the page itself, and nothing from anywhere; a live page also asks its own server.
pub fn policy(script: &str, connects: bool) -> String {
    let hash = |text: &str| in_base64(&Sha256::digest(text.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; img-src data:; base-uri 'none'; \
         form-action 'none'{}",
        hash(STYLE),
        hash(script),
        if connects { "; connect-src 'self'" } else { "" }
    )
}
