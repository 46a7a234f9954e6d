//! Images that show the same picture, though their files or even their pixels differ.
//!
//! ```text
//! images ─prints─▶ hash of 64 bits and 10 × 10 pixels of each ─search─▶ pairs ─sets─▶ Duplicates
//! ```
//!
//! Copies have the same pixels. Of the others a pair counts if its difference hashes ([dHash], of the image as it is or
//! mirrored) differ in at most [`MOST_BITS`] bits, their colours in at most [`MOST_COLOUR`] levels, and then the correlation of
//! 10 × 10 pixels is at least [`LEAST_CORRELATION`], both less the mean image of the data: what all images have in common, such
//! as a dark background, makes no pair. The figures were measured on Fashion-MNIST (docs/duplicates.md).
//!
//! [dHash]: https://www.hackerfactor.com/blog/index.php?/archives/529-Kind-of-Like-That.html

pub mod moving;
mod prints;
mod search;
mod sets;

pub use prints::MARGIN;
pub use search::{LEAST_CORRELATION, MOST_BITS, MOST_COLOUR};
pub use sets::{Duplicate, Duplicates, Likeness, choice, copies_only};
