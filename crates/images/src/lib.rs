//! From the bytes of an image file to pixels, and pixels resized, both exactly as Pillow does it.
//!
//! [`decode`] reads a file as RGB, [`channels`] changes between colour and grey, [`resize()`] changes the size.
//!
//! ```
//! use std::path::Path;
//! use wellfit_images::{Interpolation, decode_bytes, resize};
//!
//! let image = decode_bytes(b"P5 2 1 255\n\x0a\x14", Path::new("two.pgm"))?;
//! assert_eq!((image.height, image.width, image.channels), (1, 2, 3));
//! assert_eq!(resize(&image.pixels, (1, 2), 3, (1, 1), Interpolation::Bilinear), [15; 3]);
//! # Ok::<(), wellfit_images::ImageError>(())
//! ```

mod bmp;
pub mod channels;
pub mod decode;
pub mod depth;
pub mod error;
pub mod formats;
mod gif;
mod guard;
mod jpeg;
#[cfg(feature = "jxl")]
mod jxl;
pub mod picture;
mod png;
mod pnm;
pub mod resize;
pub mod share;
mod tiff;
mod webp;

pub use channels::with_channels;
pub use decode::{MAX_FILE, decode_bytes, decode_bytes_as, decode_file, decode_file_as};
pub use depth::Depth;
pub use error::ImageError;
pub use formats::{EXTENSIONS, UNREADABLE_EXTENSIONS};
pub use picture::RawImage;
pub use resize::{Interpolation, resize};
pub use share::sharing_memory;
