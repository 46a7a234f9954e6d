//! One image to classify, wherever it lies.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use wellfit_images::{Depth, RawImage, decode_file_as};

use super::dataset::Dataset;
use crate::error::DataError;

/// An image: a file of its own, or one of a dataset.
#[derive(Debug, Clone)]
pub struct ImageRef {
    /// The file; of an image inside a larger file the name it goes by: the larger file's, then its own or its number.
    pub name: PathBuf,
    /// The dataset that has it, and its position there.
    inside: Option<(Arc<Dataset>, usize)>,
}

impl From<PathBuf> for ImageRef {
    fn from(name: PathBuf) -> Self {
        Self { name, inside: None }
    }
}

impl ImageRef {
    /// All images of a dataset. Those without a file are called by their number in `place`.
    #[must_use]
    pub fn all(data: &Arc<Dataset>, place: &Path) -> Vec<Self> {
        let of = |i| {
            let name = data.path(i).map_or_else(|| place.join(i.to_string()), Path::to_path_buf);
            Self { name, inside: Some((Arc::clone(data), i)) }
        };
        (0..data.len()).map(of).collect()
    }

    /// The pixels, with a choice of what becomes of grey of more than 8 bits.
    ///
    /// # Errors
    /// If it cannot be read or decoded.
    pub fn decode(&self, depth: Depth) -> Result<RawImage, DataError> {
        match &self.inside {
            None => Ok(decode_file_as(&self.name, depth)?),
            Some((data, i)) => data.image_as(*i, depth),
        }
    }
}
