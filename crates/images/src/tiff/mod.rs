//! TIFF as Pillow and libtiff read it: the first picture of a file.
//!
//! Our own reader, because the `tiff` crate lacks many kinds that libtiff has (palettes, 2, 4 and 12 bits, signed
//! numbers, CIELab, subsampled YCbCr, group 3, LZMA, JPEG of the old style), does not turn by the orientation, and
//! panics on planes of tiles. The decompressors are crates. TIFF 6.0 (Adobe 1992) and its technical notes are the
//! standard; what Pillow makes of each kind is in its `TiffImagePlugin`.

mod color;
mod compression;
mod decode;
mod directory;
mod fax;
mod lab;
mod layout;
mod lzma;
mod old_jpeg;
mod orientation;
mod samples;
mod ycbcr;

pub(crate) use decode::decode;
