//! Files, hashes and time: what every part of Wellfit that touches the disk uses.
//!
//! * [`mod@file`] reading files that may be anything: regular ones only, and no longer than expected
//! * [`guard`] decoders of others, whose panics become errors
//! * [`atomic`] writing a file as a whole or not at all
//! * [`partial`] a file that grows over several processes until it is whole
//! * [`lock`] one process at a time
//! * [`number`] floats in JSON, NaN and infinities included
//! * [`hash`] SHA-256 and hexadecimal digits
//! * [`mod@shown`] names of files and classes in messages
//! * [`time`] the time of day
//! * [`words`] "1 image", "5 images"

pub mod atomic;
pub mod file;
pub mod guard;
pub mod hash;
pub mod lock;
pub mod number;
pub mod partial;
pub mod shown;
pub mod time;
pub mod words;

pub use shown::Shown;
