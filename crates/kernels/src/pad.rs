//! A border of zeros around images, for convolutions that need more of it on one side than on the other.

use wellfit_simd::parallel::row_blocks;
use wellfit_simd::{Buffer, Element};

/// Images `[N, H, W, C]` and the pixels of zeros that are put around them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pad {
    /// H.
    pub height: usize,
    /// W.
    pub width: usize,
    /// C.
    pub channels: usize,
    /// Rows above the image and below it.
    pub rows: [usize; 2],
    /// Columns left and right of it.
    pub columns: [usize; 2],
}

impl Pad {
    /// Rows of a padded image.
    fn padded_height(&self) -> usize {
        self.height + self.rows[0] + self.rows[1]
    }

    /// Numbers in a row of the image, and in one of the padded image.
    fn lines(&self) -> [usize; 2] {
        [self.width, self.width + self.columns[0] + self.columns[1]].map(|width| width * self.channels)
    }

    /// `x` with its border, `[N, H + rows, W + columns, C]`.
    #[must_use]
    pub fn forward<E: Element>(&self, x: &[E]) -> Buffer<E> {
        let ([line, padded_line], padded_height) = (self.lines(), self.padded_height());
        let images = x.len() / (self.height * line).max(1);
        let mut y = Buffer::scratch(images * padded_height * padded_line);
        let left = self.columns[0] * self.channels;
        row_blocks(&mut y, padded_line, 1, |row, out| {
            let (image, row) = (row / padded_height, row % padded_height);
            out.fill(E::from_f32(0.0));
            if let Some(row) = row.checked_sub(self.rows[0]).filter(|&row| row < self.height) {
                let from = (image * self.height + row) * line;
                out[left..left + line].copy_from_slice(&x[from..from + line]);
            }
        });
        y
    }

    /// The gradient of the image from that of its padded form: what lies inside the border.
    #[must_use]
    pub fn backward<E: Element>(&self, dy: &[E]) -> Buffer<E> {
        let ([line, padded_line], padded_height) = (self.lines(), self.padded_height());
        let images = dy.len() / (padded_height * padded_line).max(1);
        let mut dx = Buffer::scratch(images * self.height * line);
        let left = self.columns[0] * self.channels;
        row_blocks(&mut dx, line, 1, |row, out| {
            let (image, row) = (row / self.height, row % self.height + self.rows[0]);
            let from = (image * padded_height + row) * padded_line + left;
            out.copy_from_slice(&dy[from..from + line]);
        });
        dx
    }
}
