//! Files, hashes and time: what every part of Wellfit that touches the disk uses.
//!
//! * [`mod@file`] reading files that may be anything: regular ones only, and no longer than expected
//! * [`guard`] decoders of others, whose panics become errors
//! * [`atomic`] writing a file as a whole or not at all
//! * [`mod@dir`] a directory that is opened once, and whatever is done in it without following links
//! * [`folder`] several files of a folder that belong together, written as one
//! * [`partial`] a file that grows over several processes until it is whole
//! * [`lock`] one process at a time
//! * [`number`] floats in JSON, NaN and infinities included
//! * [`hash`] SHA-256 and hexadecimal digits
//! * [`id`] random numbers of the system, for names that nobody can guess
//! * [`mod@shown`] names of files and classes in messages
//! * [`time`] the time of day
//! * [`figures`] shares, losses, times and sizes as people read them
//! * [`words`] "1 image", "5 images"

pub mod atomic;
pub mod dir;
pub mod figures;
pub mod file;
pub mod folder;
pub mod guard;
pub mod hash;
pub mod id;
pub mod lock;
pub mod number;
pub mod partial;
mod place;
pub mod shown;
mod stream;
pub mod time;
pub mod words;

#[cfg(all(test, unix))]
mod testing;

pub use dir::Dir;
pub use place::Place;
pub use shown::Shown;
