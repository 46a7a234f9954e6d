//! What can go wrong when a picture leaves memory.

use std::io;
use std::path::PathBuf;
use wellfit_base::Shown;

/// A picture could not be made or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlotError {
    /// The file could not be written; an older file at the path is untouched.
    #[error("could not write the picture {}: {source}", path.shown())]
    Write {
        /// The file asked for.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The encoder refused the pixels.
    #[error("could not encode the picture as {format}: {source}")]
    Encode {
        /// `"PNG"` or `"GIF"`.
        format: &'static str,
        /// What the encoder said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A grid cell's pixels do not match its stated shape.
    #[error(
        "image {index} ({title:?}) of the grid has {got} bytes; height {height} × width {width} × \
         {channels} channels need {} (1 = grey or 3 = RGB channels, no empty side)",
        height.saturating_mul(*width).saturating_mul(*channels)
    )]
    Cell {
        /// The cell's position in the list, from 0.
        index: usize,
        /// The cell's title.
        title: String,
        /// Stated height in pixels.
        height: usize,
        /// Stated width in pixels.
        width: usize,
        /// Stated channels.
        channels: usize,
        /// Bytes given.
        got: usize,
    },
    /// A picture would have more pixels than any viewer opens.
    #[error("a picture of {width}×{height} pixels is too large; use smaller cells or fewer images")]
    TooLarge {
        /// Width in pixels.
        width: u64,
        /// Height in pixels.
        height: u64,
    },
    /// An animation needs at least one frame.
    #[error("the animation {} has no frames", path.shown())]
    NoFrames {
        /// The file asked for.
        path: PathBuf,
    },
    /// All frames of an animation share one size, at most 65535 pixels a side.
    #[error(
        "frame {index} of the animation {} is {}×{} pixels; the first frame is {}×{}, and a GIF's sides \
         are at most 65535",
        path.shown(), size.0, size.1, first.0, first.1
    )]
    FrameSize {
        /// The file asked for.
        path: PathBuf,
        /// The frame's position, from 0.
        index: usize,
        /// The frame's width and height.
        size: (u32, u32),
        /// The first frame's width and height.
        first: (u32, u32),
    },
}
