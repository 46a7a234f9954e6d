//! Pictures in a row, as a GIF that loops forever.

use std::path::Path;

use rayon::prelude::*;

use crate::palette::Palette;
use crate::{Picture, PlotError};
use wellfit_base::atomic::replace;

/// Write the frames, all of one size, as a GIF that loops forever; each stays `delay_ms` milliseconds,
/// rounded to hundredths of a second and at least 2 of them (viewers slow down what is faster).
///
/// All frames share one palette of at most 256 colours, so nothing flickers; each stores only the
/// rectangle that differs from the one before. The file appears whole or not at all.
///
/// # Errors
/// No frames, frames of different sizes or over 65535 pixels a side; [`PlotError::Write`] if the
/// directory is missing or not writable.
pub fn animation(frames: &[Picture], delay_ms: u32, path: impl AsRef<Path>) -> Result<(), PlotError> {
    let path = path.as_ref();
    let size = check(frames, path)?;
    let bytes = encode(frames, size, delay_ms)
        .map_err(|source| PlotError::Encode { format: "GIF", source: source.into() })?;
    replace(path, &bytes).map_err(|source| PlotError::Write { path: path.to_owned(), source })
}

/// The frames' common size, as GIF counts it.
fn check(frames: &[Picture], path: &Path) -> Result<(u16, u16), PlotError> {
    let size = |frame: &Picture| (frame.width(), frame.height());
    let first = frames.first().map(size).ok_or_else(|| PlotError::NoFrames { path: path.to_owned() })?;
    let wrong = |index: usize| PlotError::FrameSize {
        path: path.to_owned(),
        index,
        size: size(&frames[index]),
        first,
    };
    if let Some(index) = frames.iter().position(|frame| size(frame) != first) {
        return Err(wrong(index));
    }
    match (u16::try_from(first.0), u16::try_from(first.1)) {
        (Ok(width), Ok(height)) => Ok((width, height)),
        _ => Err(wrong(0)),
    }
}

fn encode(
    frames: &[Picture],
    (width, height): (u16, u16),
    delay_ms: u32,
) -> Result<Vec<u8>, gif::EncodingError> {
    let palette = Palette::of(frames);
    let delay = (delay_ms.saturating_add(5) / 10).clamp(2, u16::MAX.into()) as u16;
    let mut encoder = gif::Encoder::new(Vec::new(), width, height, &palette.rgb)?;
    encoder.set_repeat(gif::Repeat::Infinite)?;
    let indices: Vec<Vec<u8>> = frames.par_iter().map(|picture| palette.indices(picture.rgb())).collect();
    let shown_before = |i: usize| i.checked_sub(1).map_or(&[][..], |before| &indices[before]);
    let packed: Vec<gif::Frame<'_>> = (0..indices.len())
        .into_par_iter()
        .map(|i| frame(shown_before(i), &indices[i], usize::from(width), delay))
        .collect();
    packed.iter().try_for_each(|frame| encoder.write_lzw_pre_encoded_frame(frame))?;
    encoder.into_inner()
}

/// What changes from the picture shown before, compressed.
fn frame(before: &[u8], after: &[u8], width: usize, delay: u16) -> gif::Frame<'static> {
    let change = Rectangle::changed(before, after, width);
    let mut frame = gif::Frame {
        delay,
        dispose: gif::DisposalMethod::Keep,
        left: change.left as u16,
        top: change.top as u16,
        width: change.width as u16,
        height: change.height as u16,
        buffer: change.cut(after, width).into(),
        ..gif::Frame::default()
    };
    frame.make_lzw_pre_encoded();
    frame
}

/// A part of a frame.
#[derive(Debug, PartialEq)]
struct Rectangle {
    left: usize,
    top: usize,
    width: usize,
    height: usize,
}

impl Rectangle {
    /// The smallest rectangle around all differences: the whole after nothing, one pixel if there are none.
    fn changed(before: &[u8], after: &[u8], width: usize) -> Self {
        if before.len() != after.len() {
            return Self { left: 0, top: 0, width, height: after.len() / width.max(1) };
        }
        let (mut left, mut right, mut top, mut bottom) = (width, 0, usize::MAX, 0);
        for (y, (old, new)) in before.chunks_exact(width).zip(after.chunks_exact(width)).enumerate() {
            if old == new {
                continue;
            }
            let mut differ = old.iter().zip(new).map(|(a, b)| a != b);
            left = left.min(differ.clone().position(|differs| differs).unwrap_or(width));
            right = right.max(differ.rposition(|differs| differs).unwrap_or(0));
            (top, bottom) = (top.min(y), y);
        }
        if top == usize::MAX {
            return Self { left: 0, top: 0, width: 1, height: 1 };
        }
        Self { left, top, width: right + 1 - left, height: bottom + 1 - top }
    }

    fn cut(&self, indices: &[u8], width: usize) -> Vec<u8> {
        let rows = indices.chunks_exact(width).skip(self.top).take(self.height);
        let mut cut = Vec::with_capacity(self.width * self.height);
        rows.for_each(|row| cut.extend_from_slice(&row[self.left..self.left + self.width]));
        cut
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rectangle_is_the_smallest_around_the_change() {
        let before = vec![0; 6 * 4];
        let mut after = before.clone();
        assert_eq!(
            Rectangle::changed(&before, &after, 6),
            Rectangle { left: 0, top: 0, width: 1, height: 1 }
        );
        after[6 + 4] = 1;
        after[2 * 6 + 2] = 2;
        let change = Rectangle::changed(&before, &after, 6);
        assert_eq!(change, Rectangle { left: 2, top: 1, width: 3, height: 2 });
        assert_eq!(change.cut(&after, 6), [0, 0, 1, 2, 0, 0]);
        assert_eq!(Rectangle::changed(&[], &after, 6), Rectangle { left: 0, top: 0, width: 6, height: 4 });
    }
}
