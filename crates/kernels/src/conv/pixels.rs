//! Pixels in the order they are counted.

/// The pixels of a batch of images, counted line by line.
#[derive(Clone, Copy)]
pub(crate) struct Pixels {
    pub height: usize,
    pub width: usize,
}

impl Pixels {
    /// (image, line, column) of pixel `first` and those behind it.
    pub fn from(self, first: usize) -> impl Iterator<Item = (usize, usize, usize)> {
        let (line, mut column) = (first / self.width, first % self.width);
        let (mut image, mut line) = (line / self.height, line % self.height);
        std::iter::repeat_with(move || {
            let pixel = (image, line, column);
            column += 1;
            if column == self.width {
                (column, line) = (0, line + 1);
                if line == self.height {
                    (line, image) = (0, image + 1);
                }
            }
            pixel
        })
    }
}
