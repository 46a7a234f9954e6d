//! One image to classify, wherever it lies.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use wellfit_images::{Depth, RawImage, decode_bytes_as, decode_file_as};

use super::dataset::Dataset;
use crate::error::DataError;

/// An image: a file of its own, one of a dataset, or the bytes of a file.
#[derive(Debug, Clone)]
pub struct ImageRef {
    /// The file; of an image inside a larger file the name it goes by: the larger file's, then its own or its number.
    pub name: PathBuf,
    place: Place,
}

/// Where it is.
#[derive(Debug, Clone)]
enum Place {
    /// In the file of its name.
    File,
    /// In a dataset, at this position.
    Dataset(Arc<Dataset>, usize),
    /// Here, encoded.
    Memory(Arc<[u8]>),
}

impl From<PathBuf> for ImageRef {
    fn from(name: PathBuf) -> Self {
        Self { name, place: Place::File }
    }
}

impl ImageRef {
    /// All images of a dataset. Those without a file are called by their number in `place`.
    #[must_use]
    pub fn all(data: &Arc<Dataset>, place: &Path) -> Vec<Self> {
        let of = |i| {
            let name = data.path(i).map_or_else(|| place.join(i.to_string()), Path::to_path_buf);
            Self { name, place: Place::Dataset(Arc::clone(data), i) }
        };
        (0..data.len()).map(of).collect()
    }

    /// An image file that is in memory, and what to call it.
    #[must_use]
    pub fn encoded(name: PathBuf, bytes: Arc<[u8]>) -> Self {
        Self { name, place: Place::Memory(bytes) }
    }

    /// The pixels, with a choice of what becomes of grey of more than 8 bits.
    ///
    /// # Errors
    /// If it cannot be read or decoded.
    pub fn decode(&self, depth: Depth) -> Result<RawImage, DataError> {
        match &self.place {
            Place::File => Ok(decode_file_as(&self.name, depth)?),
            Place::Dataset(data, i) => data.image_as(*i, depth),
            Place::Memory(bytes) => Ok(decode_bytes_as(bytes, &self.name, depth)?),
        }
    }
}
