//! What a picture's numbers mean and where they lie.

use super::directory::Directory;
use crate::error::Defect;
use crate::picture::check_size;

/// How the numbers of a picture are coded (the tag `PhotometricInterpretation`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Meaning {
    /// Grey, 0 is white.
    WhiteIsZero,
    /// Grey, 0 is black.
    BlackIsZero,
    Rgb,
    Palette,
    Cmyk,
    YCbCr,
    Lab,
}

impl Meaning {
    /// How many of a pixel's numbers are colour; the others are alpha or unknown.
    pub(super) fn colors(self) -> usize {
        match self {
            Self::WhiteIsZero | Self::BlackIsZero | Self::Palette => 1,
            Self::Rgb | Self::YCbCr | Self::Lab => 3,
            Self::Cmyk => 4,
        }
    }
}

/// The type of the numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Format {
    Unsigned,
    Signed,
    Float,
}

/// The layout of a picture. Its pixels are cut into chunks of the same size: strips as wide as the picture, or tiles.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) meaning: Meaning,
    pub(super) format: Format,
    /// Bits of a number.
    pub(super) bits: usize,
    /// Numbers of a pixel.
    pub(super) samples: usize,
    /// Whether each of a pixel's numbers has chunks of its own.
    pub(super) planar: bool,
    /// Whether the colours are multiplied by the first number behind them.
    pub(super) premultiplied: bool,
    pub(super) compression: u16,
    /// Whether the low bit of a byte is the first.
    pub(super) reversed: bool,
    pub(super) predictor: u16,
    /// Pixels of a chunk: across, down.
    pub(super) chunk: (usize, usize),
    pub(super) tiled: bool,
    /// Luma samples of one chroma sample, across and down.
    pub(super) subsampling: (usize, usize),
    pub(super) little: bool,
}

/// The old JPEG compression.
pub(super) const OLD_JPEG: u16 = 6;
/// The one that replaced it.
pub(super) const JPEG: u16 = 7;

/// More numbers of a pixel than any known kind has.
const MOST_SAMPLES: u64 = 8;

impl Layout {
    pub(super) fn of(tags: &Directory<'_>) -> Result<Self, Defect> {
        let missing = || Defect::Corrupt("its size is missing");
        let width = tags.number(256).ok_or_else(missing)?;
        let height = tags.number(257).ok_or_else(missing)?;
        check_size(width.min(1 << 32), height.min(1 << 31))?;
        let (width, height) = (width as usize, height as usize);
        let compression = tags.short(259, 1);
        let old_jpeg = compression == OLD_JPEG;
        let meaning = match tags.short(262, 0) {
            _ if old_jpeg => Meaning::YCbCr,
            0 => Meaning::WhiteIsZero,
            1 => Meaning::BlackIsZero,
            2 => Meaning::Rgb,
            3 => Meaning::Palette,
            5 => Meaning::Cmyk,
            6 => Meaning::YCbCr,
            8 => Meaning::Lab,
            other => return Err(Defect::Unsupported(format!("TIFF with colours of kind {other}"))),
        };
        let samples = tags.number(277).unwrap_or(if old_jpeg { 3 } else { 1 });
        if !(1..=MOST_SAMPLES).contains(&samples) {
            return Err(Defect::Unsupported(format!("TIFF with {samples} numbers a pixel")));
        }
        let stored = samples as usize;
        let bits = tags.number(258).unwrap_or(if old_jpeg { 8 } else { 1 });
        if tags.numbers(258).take(stored).any(|other| other != bits) {
            return Err(Defect::Unsupported("TIFF with numbers of different widths".into()));
        }
        // One number of luma is a grey picture.
        let meaning = if stored == 1 && meaning == Meaning::YCbCr { Meaning::BlackIsZero } else { meaning };
        if stored < meaning.colors() {
            return Err(Defect::Corrupt("it has fewer numbers a pixel than its kind of colour needs"));
        }
        let premultiplied = tags.short(338, 0) == 1 && stored > meaning.colors();
        let planar = tags.short(284, 1) == 2 && stored > 1;
        // Planes that nobody looks at need not be there.
        let samples = if planar { meaning.colors() + usize::from(premultiplied) } else { stored };
        let format = match tags.short(339, 1) {
            2 => Format::Signed,
            3 => Format::Float,
            _ => Format::Unsigned,
        };
        let tiled = tags.number(324).is_some() && tags.number(273).is_none();
        let chunk = if tiled {
            (tags.number(322).unwrap_or(0), tags.number(323).unwrap_or(0))
        } else {
            (width as u64, tags.number(278).unwrap_or(u64::MAX).min(height as u64))
        };
        // A tile may be larger than the picture.
        check_size(chunk.0.min(1 << 32), chunk.1.min(1 << 31))?;
        let mut subsampling = tags.numbers(530);
        // The standard's default, but raw pixels whose writers say nothing are not subsampled.
        let default = if compression == 1 { 1 } else { 2 };
        let [h, v] = [(); 2].map(|()| subsampling.next().unwrap_or(default) as usize);
        let layout = Self {
            width,
            height,
            meaning,
            format,
            bits: bits as usize,
            samples,
            planar,
            premultiplied,
            compression,
            reversed: tags.short(266, 1) == 2,
            predictor: tags.short(317, 1),
            chunk: (chunk.0 as usize, chunk.1 as usize),
            tiled,
            subsampling: if meaning == Meaning::YCbCr { (h, v) } else { (1, 1) },
            little: tags.little,
        };
        layout.checked()
    }

    /// Refuse what nobody writes, so that it need not be thought of below.
    fn checked(self) -> Result<Self, Defect> {
        let whole = [8, 16].contains(&self.bits);
        let known = match (self.meaning, self.format) {
            (Meaning::BlackIsZero | Meaning::WhiteIsZero, Format::Float) => self.bits == 32,
            (Meaning::BlackIsZero | Meaning::WhiteIsZero, Format::Signed) => whole || self.bits == 32,
            (Meaning::BlackIsZero | Meaning::WhiteIsZero, _) => [1, 2, 4, 8, 12, 16, 32].contains(&self.bits),
            (Meaning::Palette, Format::Unsigned) => [1, 2, 4, 8].contains(&self.bits),
            (Meaning::Rgb | Meaning::Cmyk, Format::Unsigned) => whole,
            (Meaning::YCbCr | Meaning::Lab, Format::Unsigned) => self.bits == 8,
            _ => false,
        };
        let chroma = [1, 2, 4].contains(&self.subsampling.0) && [1, 2, 4].contains(&self.subsampling.1);
        let chroma = chroma && (self.subsampling == (1, 1) || self.samples == 3 || self.compression == JPEG);
        // One JPEG holds the whole picture.
        let one_piece = self.compression != OLD_JPEG || (self.bits == 8 && !self.tiled && !self.planar);
        if !known || !chroma || !one_piece {
            let kind = format!("TIFF of {} {:?} bits as {:?}", self.bits, self.format, self.meaning);
            return Err(Defect::Unsupported(kind));
        }
        Ok(self)
    }

    /// Numbers of a pixel in one chunk.
    pub(super) fn samples_together(&self) -> usize {
        if self.planar { 1 } else { self.samples }
    }

    /// Chunks across and down.
    pub(super) fn chunks(&self) -> (usize, usize) {
        (self.width.div_ceil(self.chunk.0), self.height.div_ceil(self.chunk.1))
    }

    /// Rows that the chunks of row `down` of chunks hold: the last strip may be shorter, a tile is always whole.
    pub(super) fn rows(&self, down: usize) -> usize {
        if self.tiled { self.chunk.1 } else { self.chunk.1.min(self.height - down * self.chunk.1) }
    }

    /// Bytes of a chunk's row, which starts at a whole byte.
    pub(super) fn row_bytes(&self) -> usize {
        (self.chunk.0 * self.samples_together() * self.bits).div_ceil(8)
    }
}
