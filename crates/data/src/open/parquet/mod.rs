//! Parquet: tables that name files, and tables that hold the bytes of images.
//!
//! * `images` a column of images, as Hugging Face's `datasets` writes it
//! * `reading` rows of a file, bounded and guarded; `pages` and `unpack` how its parts are unpacked

pub(crate) mod images;
mod pages;
pub(crate) mod reading;
mod unpack;
